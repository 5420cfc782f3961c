/**
 * Framewire: messages over sockets for Deno.
 *
 * TCP gives programs a stream of bytes with no boundaries. A codec puts them back, and a `Framing` is a
 * connection that speaks one.
 *
 * ```ts
 * import { connect, lines, reply, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => `You said ${line}`));
 *
 * await using peer = await connect({ port: server.addr.port }, lines());
 * await peer.write("hello");
 * assertEquals(await peer.read(), "You said hello");
 * ```
 *
 * @module
 */

// Bytes
export type { ByteReader, ByteWriter } from "./lib/bytes/byte_io.ts";
export type { ByteOrder, UintWidth } from "./lib/bytes/byte_order.ts";
export {
  ByteQueue,
  type FrameOwnership,
  type SkipStep,
} from "./lib/bytes/byte_queue.ts";
export type { FramePart } from "./lib/bytes/inflow.ts";
export { ByteSink, type ByteSinkOptions } from "./lib/bytes/byte_sink.ts";
export { type BodySource, FrameBody } from "./lib/bytes/frame_body.ts";
export { bytesLiteral } from "./lib/bytes/print_bytes.ts";

// Codecs
export {
  asciiLength,
  type AsciiLengthOptions,
} from "./lib/codec/ascii_length.ts";
export type {
  BytesCodec,
  Codec,
  LimitOptions,
  OversizePolicy,
} from "./lib/codec/codec.ts";
export {
  delimited,
  type DelimitedOptions,
  type Delimiter,
} from "./lib/codec/delimited.ts";
export { encodeFrame } from "./lib/codec/encode_frame.ts";
export { fixedLength } from "./lib/codec/fixed_length.ts";
export {
  FrameDecoder,
  type FrameDecoderOptions,
} from "./lib/codec/frame_decoder.ts";
export {
  headerBlock,
  type HeaderBlockOptions,
} from "./lib/codec/header_block.ts";
export { json } from "./lib/codec/json.ts";
export {
  lengthPrefixed,
  type LengthPrefixedOptions,
  type StreamedBytesCodec,
  type StreamedLengthPrefixedOptions,
} from "./lib/codec/length_prefixed.ts";
export { lines, type LinesOptions } from "./lib/codec/lines.ts";
export { mapCodec, type Mapping } from "./lib/codec/map_codec.ts";
export { netstring } from "./lib/codec/netstring.ts";
export {
  type LocalProxyHeader,
  type ProxyAddr,
  type ProxyHeader,
  proxyHeader,
  type ProxyHeaderOptions,
  type ProxyNetAddr,
  type ProxyTlv,
  type ProxyUnixAddr,
  type RelayedProxyHeader,
  type UnknownProxyHeader,
} from "./lib/codec/proxy_header.ts";
export { text } from "./lib/codec/text.ts";
export {
  type LengthRule,
  typed,
  type TypedFrame,
  type TypedOptions,
} from "./lib/codec/typed.ts";
export { untilClose, type UntilCloseOptions } from "./lib/codec/until_close.ts";
export {
  varintPrefixed,
  type VarintPrefixedOptions,
} from "./lib/codec/varint_prefixed.ts";

// Messages
export type { JsonValue, MessageHeader } from "./lib/message/header.ts";
export {
  Message,
  type MessageHeaderInit,
  messages,
  type MessagesOptions,
} from "./lib/message/message.ts";

// Connections
export { formatAddr } from "./lib/net/address.ts";
export {
  connect,
  type ConnectOptions,
  type MaybeTlsConnectOptions,
  type OpenConn,
  type TcpConnectOptions,
  type TlsTcpConnectOptions,
  type UnixConnectOptions,
} from "./lib/net/connect.ts";
export type { BackoffOptions } from "./lib/net/backoff.ts";
export type { WaitOptions } from "./lib/net/deadline.ts";
export {
  type ByteConn,
  type Detached,
  Framing,
  type FramingOptions,
  type FramingStats,
} from "./lib/net/framing.ts";
export {
  heartbeat,
  type HeartbeatOptions,
  type HeartbeatTimes,
} from "./lib/net/heartbeat.ts";
export {
  type ConnectAttempt,
  type ConnectedInfo,
  type DisconnectedInfo,
  ReconnectingClient,
  type ReconnectingClientOptions,
  type ReconnectingClientStats,
} from "./lib/net/reconnecting_client.ts";
export { reply } from "./lib/net/reply.ts";
export type { RetryOptions } from "./lib/net/retry.ts";
export {
  type CloseRequestClientOptions,
  type IdOf,
  RequestClient,
  type RequestClientOptions,
  type RequestClientStats,
  type RequestHeartbeat,
} from "./lib/net/request_client.ts";
export {
  serve,
  type ServeOptions,
  type Server,
  type ServerStats,
  type ShutdownOptions,
  type TcpServeOptions,
  type UnixServeOptions,
} from "./lib/net/serve.ts";
export type {
  AcceptedConn,
  Handler,
  PeerInfo,
  ProxyProtocolOptions,
  ServedConn,
  TlsPeer,
} from "./lib/net/served_connection.ts";
export type { ServerLimits } from "./lib/net/server_limits.ts";
export { startTls, type StartTlsOptions } from "./lib/net/start_tls.ts";
export type { TlsConnectOptions } from "./lib/net/tls_client.ts";
export type { PeerCertificate, TlsConn } from "./lib/net/tls_conn.ts";
export type { TlsCertificate, TlsServeOptions } from "./lib/net/tls_server.ts";
export { streamConn, type StreamPair } from "./lib/net/stream_conn.ts";

// Errors
export {
  ConnectionClosedError,
  ConnectionError,
  type ConnectionErrorOptions,
  ConnectionRejectedError,
  type ConnectionRejectedErrorOptions,
  ConnectTimeoutError,
  FrameTooLargeError,
  type FrameTooLargeErrorOptions,
  FramingError,
  type FramingErrorOptions,
  MalformedFrameError,
  MessageHeaderError,
  type MessageHeaderErrorOptions,
  PeerResetError,
  PeerVanishedError,
  type PeerVanishedErrorOptions,
  ReadTimeoutError,
  type ReadTimeoutErrorOptions,
  RequestFailedError,
  type RequestFailedErrorOptions,
  type RequestState,
  RequestTimeoutError,
  type RequestTimeoutErrorOptions,
  type TimeoutErrorOptions,
  TlsHandshakeError,
  TruncatedFrameError,
  type TruncatedFrameErrorOptions,
  WriteTimeoutError,
  type WriteTimeoutErrorOptions,
} from "./lib/errors.ts";
