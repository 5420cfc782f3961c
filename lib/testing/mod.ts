/**
 * What helps to test codecs, and servers and clients that use them.
 *
 * @example A codec of your own, checked at every cut
 * ```ts
 * import { netstring } from "@framewire/framewire";
 * import { checkCodec } from "@framewire/framewire/testing";
 * import { assert } from "@std/assert";
 *
 * const report = checkCodec(netstring(), [
 *   { frame: new TextEncoder().encode("hello"), wire: "5:hello," },
 * ]);
 * assert(report.cuts > 0);
 * ```
 *
 * @module
 */

export {
  checkCodec,
  type CheckCodecOptions,
  type CodecReport,
  type CodecSample,
} from "./check_codec.ts";
export {
  connPair,
  type ConnPairOptions,
  type MemoryConn,
} from "./conn_pair.ts";
export {
  type ScriptedConn,
  scriptedConn,
  type ScriptStep,
  type WriteStep,
} from "./scripted_conn.ts";
