/**
 * What servers count, as OpenTelemetry metrics, for whoever switched them on: `OTEL_DENO=true`.
 *
 *     export is due ─► one callback ─► stats() of each server ─► collector
 *
 * Nothing is done for a frame or a connection: the numbers are read when they are sent. Deno sends them every
 * minute (`OTEL_METRIC_EXPORT_INTERVAL`), but not at the end of a program: what happened since is lost.
 *
 * @module
 */

/** The numbers of a server that are sent. */
export interface PublishedStats {
  /** Connections that were accepted. */
  accepted: number;
  /** Connections that are open. */
  active: number;
  /** Connections that ended with an error. */
  failed: number;
  /** How often accepting failed. */
  acceptErrors: number;
  /** Connections that were refused. */
  refused: number;
  /** Connections that passed a limit of time. */
  timedOut: number;
  /** Connections whose bytes were no frames. */
  malformed: number;
  /** How often a connection was not read from, for want of memory. */
  paused: number;
  /** Bytes that came. */
  bytesReceived: number;
  /** Bytes that were sent. */
  bytesSent: number;
  /** Frames that were read. */
  framesReceived: number;
  /** Frames that were written. */
  framesSent: number;
  /** The most bytes that ever waited to be sent on one connection. */
  longestQueue: number;
  /** Bytes of the memory budget that are in use. */
  memory: number;
}

/** A part of a number's description, as OpenTelemetry has it. */
type Attributes = Readonly<Record<string, string | number>>;

/** What a metric is: a number that only grows, one that goes up and down and can be added up, any other. */
type Kind = "Counter" | "UpDownCounter" | "Gauge";

/** A metric: its name, what it counts, and where its numbers are. */
type Metric = readonly [
  name: string,
  kind: Kind,
  unit: string,
  description: string,
  ...readings: [keyof PublishedStats, Attributes?][],
];

const RECEIVED: Attributes = { "network.io.direction": "receive" };
const SENT: Attributes = { "network.io.direction": "transmit" };

const METRICS: readonly Metric[] = [
  [
    "connections",
    "UpDownCounter",
    "{connection}",
    "Connections that are open",
    ["active"],
  ],
  [
    "accepted",
    "Counter",
    "{connection}",
    "Connections that were accepted",
    ["accepted"],
  ],
  [
    "refused",
    "Counter",
    "{connection}",
    "Connections that were refused",
    ["refused"],
  ],
  [
    "failed",
    "Counter",
    "{connection}",
    "Connections that ended with an error",
    ["failed"],
  ],
  [
    "timed_out",
    "Counter",
    "{connection}",
    "Connections that passed a limit of time",
    ["timedOut"],
  ],
  [
    "malformed",
    "Counter",
    "{connection}",
    "Connections whose bytes were no frames",
    ["malformed"],
  ],
  [
    "accept_errors",
    "Counter",
    "{error}",
    "How often accepting failed",
    ["acceptErrors"],
  ],
  [
    "paused",
    "Counter",
    "{pause}",
    "How often a connection was not read from, for want of memory",
    ["paused"],
  ],
  [
    "bytes",
    "Counter",
    "By",
    "Bytes that came and were sent",
    ["bytesReceived", RECEIVED],
    ["bytesSent", SENT],
  ],
  [
    "frames",
    "Counter",
    "{frame}",
    "Frames that were read and written",
    ["framesReceived", RECEIVED],
    ["framesSent", SENT],
  ],
  [
    "memory",
    "UpDownCounter",
    "By",
    "Bytes of the memory budget that are in use",
    ["memory"],
  ],
  [
    "longest_queue",
    "Gauge",
    "By",
    "The most bytes that ever waited to be sent on one connection",
    ["longestQueue"],
  ],
];

/** A metric of which a {@linkcode Meter} asks for the numbers. */
type Observable = object;

/** Takes the numbers. */
interface ObservableResult {
  observe(observable: Observable, value: number, attributes: Attributes): void;
}

type Observe = (result: ObservableResult) => void;

/** Makes metrics: what is used here of OpenTelemetry's interface of that name. */
type Meter =
  & Record<
    `createObservable${Kind}`,
    (
      name: string,
      options: { unit: string; description: string },
    ) => Observable
  >
  & Record<
    "addBatchObservableCallback" | "removeBatchObservableCallback",
    (observe: Observe, observables: Observable[]) => void
  >;

/** Where OpenTelemetry's implementations register, so that libraries need not know them. */
const API = Symbol.for("opentelemetry.js.api.1");

/** What is registered there, if metrics are switched on. */
interface Api {
  /** Makes meters. */
  metrics: { getMeter(name: string): Meter };
}

/** Whether something makes meters; what they can do, the interface has promised. */
function isApi(registered: unknown): registered is Api {
  return registered instanceof Object && "metrics" in registered &&
    registered.metrics instanceof Object && "getMeter" in registered.metrics;
}

/** The servers of this thread, published through one callback. */
class Publisher {
  #meter: Meter;
  #metrics = new Map<Observable, Metric>();
  #servers = new Map<() => PublishedStats, Attributes>();

  constructor(meter: Meter) {
    this.#meter = meter;
    for (const metric of METRICS) {
      const [name, kind, unit, description] = metric;
      const observable = meter[`createObservable${kind}`](
        `framewire.server.${name}`,
        { unit, description },
      );
      this.#metrics.set(observable, metric);
    }
  }

  add(attributes: Attributes, stats: () => PublishedStats): Disposable {
    this.#servers.set(stats, attributes);
    if (this.#servers.size === 1) {
      this.#meter.addBatchObservableCallback(
        this.#observe,
        this.#observables(),
      );
    }
    return { [Symbol.dispose]: () => this.#remove(stats) };
  }

  #remove(stats: () => PublishedStats): void {
    this.#servers.delete(stats);
    if (this.#servers.size > 0) return;
    this.#meter.removeBatchObservableCallback(
      this.#observe,
      this.#observables(),
    );
  }

  #observables(): Observable[] {
    return [...this.#metrics.keys()];
  }

  #observe: Observe = (result) => {
    for (const [stats, attributes] of this.#servers) {
      const numbers = stats();
      for (const [observable, metric] of this.#metrics) {
        const [, , , , ...readings] = metric;
        for (const [key, more] of readings) {
          result.observe(observable, numbers[key], { ...attributes, ...more });
        }
      }
    }
  };
}

let publisher: Publisher | undefined;

/** How OpenTelemetry describes the server's side of a connection. */
function attributesOf(addr: Deno.Addr): Attributes {
  if ("hostname" in addr) {
    return { "server.address": addr.hostname, "server.port": addr.port };
  }
  return "path" in addr ? { "server.address": addr.path } : {};
}

/**
 * Publishes what a server counts as OpenTelemetry metrics, if they are switched on: with `OTEL_DENO=true` in
 * the environment, or by another implementation that was registered before.
 *
 * Their names begin with `framewire.server.`: `connections`, `accepted`, `refused`, `failed`, `timed_out`,
 * `malformed`, `accept_errors`, `paused`, `bytes` and `frames` (by `network.io.direction`), `memory`,
 * `longest_queue`. They have the attributes `server.address` and `server.port`. Servers in several workers
 * that share a port cannot be told apart, and the collector gets the numbers of one of them.
 *
 * @param addr Where the server listens.
 * @param stats Gives its numbers, which must not be negative. It is called when they are sent, and must not
 * throw: Deno would end the program.
 * @returns What ends it; `undefined` if metrics are off, and nothing was done.
 */
export function publishStats(
  addr: Deno.Addr,
  stats: () => PublishedStats,
): Disposable | undefined {
  const api: unknown = Reflect.get(globalThis, API);
  if (!isApi(api)) return undefined;
  publisher ??= new Publisher(api.metrics.getMeter("framewire"));
  return publisher.add(attributesOf(addr), stats);
}
