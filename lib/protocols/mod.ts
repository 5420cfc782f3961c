/**
 * Codecs for wire protocols that others speak, each proved against a real server or client.
 *
 * They are compositions of the codecs of `@framewire/framewire`, and go wherever those go: `connect`, `serve`,
 * `Framing`, `FrameDecoder`.
 *
 * @module
 */

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
} from "../codec/proxy_header.ts";
export {
  dap,
  type DapEvent,
  type DapMessage,
  type DapRequest,
  type DapResponse,
} from "./dap.ts";
export { jsonLines, type JsonLinesOptions } from "./json_lines.ts";
export {
  jsonRpc,
  type JsonRpcError,
  type JsonRpcId,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from "./json_rpc.ts";
export { lsp } from "./lsp.ts";
export {
  dns,
  type DnsAddressRecord,
  type DnsKnownType,
  type DnsMessage,
  type DnsMessageInit,
  type DnsMxRecord,
  type DnsNameRecord,
  type DnsOptions,
  type DnsOtherRecord,
  type DnsQuestion,
  type DnsQuestionInit,
  type DnsRecord,
  type DnsRecordBase,
  type DnsSoaRecord,
  type DnsSrvRecord,
  type DnsTxtRecord,
  type DnsType,
} from "./dns.ts";
export {
  type PktLine,
  pktLine,
  type PktLineData,
  type PktLineMark,
} from "./pkt_line.ts";
export {
  postgres,
  postgresEncryption,
  type PostgresOptions,
} from "./postgres.ts";
export type {
  PostgresAuthentication,
  PostgresClientMessage,
  PostgresColumn,
  PostgresCopyMessage,
  PostgresCopyResponse,
  PostgresEncryptionAnswer,
  PostgresEncryptionRequest,
  PostgresErrorResponse,
  PostgresFields,
  PostgresFormat,
  PostgresNoticeResponse,
  PostgresOtherMessage,
  PostgresProof,
  PostgresServerMessage,
  PostgresStartMessage,
  PostgresValue,
} from "./postgres_messages.ts";

export {
  mqtt,
  type MqttAck,
  type MqttAckInit,
  type MqttConnack,
  type MqttConnect,
  type MqttConnectInit,
  type MqttDisconnect,
  type MqttDisconnectInit,
  type MqttOptions,
  type MqttPacket,
  type MqttPacketInit,
  type MqttPing,
  type MqttPublish,
  type MqttPublishInit,
  type MqttQos,
  type MqttSuback,
  type MqttSubscribe,
  type MqttSubscribeInit,
  type MqttSubscription,
  type MqttUnsubscribe,
  type MqttVersion,
  type MqttWill,
} from "./mqtt.ts";
export type { MqttProperties } from "./mqtt_properties.ts";
export { resp } from "./resp.ts";
export type {
  RespAttributed,
  RespBigNumber,
  RespBoolean,
  RespBulk,
  RespBytes,
  RespCommand,
  RespDouble,
  RespError,
  RespInteger,
  RespLimits,
  RespList,
  RespMap,
  RespNull,
  RespPair,
  RespSimple,
  RespValue,
  RespVerbatim,
} from "./resp_values.ts";
export {
  scgi,
  type ScgiOptions,
  type ScgiRequest,
  type ScgiResponse,
} from "./scgi.ts";
export { syslog, type SyslogFraming, type SyslogOptions } from "./syslog.ts";
export type {
  SyslogElement,
  SyslogMessage,
  SyslogMessageInit,
  SyslogPlainMessage,
  SyslogPlainMessageInit,
  SyslogStructuredMessage,
  SyslogStructuredMessageInit,
} from "./syslog_message.ts";
