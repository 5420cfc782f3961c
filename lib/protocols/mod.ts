/**
 * Codecs for wire protocols that others speak, each proved against a real server or client.
 *
 * They are compositions of the codecs of `@framewire/framewire`, and go wherever those go: `connect`, `serve`,
 * `Framing`, `FrameDecoder`.
 *
 * @module
 */

export {
  type PktLine,
  pktLine,
  type PktLineData,
  type PktLineMark,
} from "./pkt_line.ts";
