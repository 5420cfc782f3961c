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
 * @example A bad network, the same again for the same seed
 * ```ts
 * import { Framing, netstring, text } from "@framewire/framewire";
 * import { faultyPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * using pair = faultyPair({ cuts: { min: 1, max: 4 }, latency: { min: 0, max: 5 } });
 * await using client = new Framing(pair.here, text(netstring()));
 * await using server = new Framing(pair.there, text(netstring()));
 * await client.write("hello");
 * assertEquals(await server.read(), "hello", `seed ${pair.seed}`);
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
  type ResetOptions,
} from "./conn_pair.ts";
export type {
  Amount,
  AmountRange,
  ByteFault,
  FaultPlan,
  Faults,
  Stall,
} from "./fault_plan.ts";
export type { DirectionStats, FaultStats } from "./faulty_link.ts";
export {
  type FaultyPair,
  faultyPair,
  type FaultyPairOptions,
} from "./faulty_pair.ts";
export {
  type FaultyProxy,
  faultyProxy,
  type FaultyProxyOptions,
  type FaultyProxyStats,
} from "./faulty_proxy.ts";
export {
  type ScriptedConn,
  scriptedConn,
  type ScriptStep,
  type WriteStep,
} from "./scripted_conn.ts";
