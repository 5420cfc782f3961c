/**
 * Load: requests on many connections, each answered by so many frames, and the time that takes.
 *
 *     closed loop   a connection sends the next request when an answer comes:
 *
 *                   ├─ request ─ answer ─┼─ request ─ answer ─┼─ …
 *
 *     open loop     request i is due at i / rate, whatever the server does:
 *
 *                   due          sent             answer
 *                   ├── waits ───┼── service ─────┤
 *                   └────────── response ─────────┘
 *
 * In a closed loop a server that stalls for a second holds back the requests that would have met the stall: one of
 * them is slow, and the others are never sent (“coordinated omission”). In an open loop they are due all the same,
 * and what they had to wait counts.
 *
 * What counts begins when the last request of the warm-up has come to its end, and its schedule begins anew: a rate
 * that is too high would have left more behind than the time that counts could send.
 *
 * The answers of a connection come in the order of its requests, so that a request that gets none ends its connection:
 * all that were under way on it have failed. A connection that had brought answers is opened again; one that had not
 * is given up, and the load ends when none is left.
 *
 * @module
 */

import process from "node:process";
import { clearImmediate, setImmediate } from "node:timers";
import {
  ConnectionError,
  ConnectTimeoutError,
  type Framing,
  FramingError,
  PeerResetError,
  TlsHandshakeError,
} from "../../mod.ts";
import { Histogram } from "./histogram.ts";
import { frameText, typeOf } from "./values.ts";

/** A connection on which frames are sent as they are. */
export type LoadConn = Framing<unknown, Uint8Array>;

/** What to do. */
export interface LoadOptions {
  /** Opens a connection, or gives up when the signal is aborted. */
  open(signal: AbortSignal): Promise<LoadConn>;
  /** A request, as its bytes. */
  request: Uint8Array;
  /** How many frames answer a request. */
  answers: number;
  /** How many connections. */
  connections: number;
  /** How many requests may be under way on each. */
  pipeline: number;
  /** How many requests a second on all connections; without it, as fast as answers come. */
  rate?: number | undefined;
  /** For how long requests count, in milliseconds. */
  duration?: number | undefined;
  /** How many requests count. */
  requests?: number | undefined;
  /** For how long requests are sent first that do not count, in milliseconds. */
  warmUp: number;
  /** How long an answer may take, in milliseconds. */
  timeout: number;
}

/** What may go wrong. */
export type FaultKind =
  | "refused"
  | "reset"
  | "closed"
  | "timeout"
  | "framing"
  | "unexpected"
  | "tls"
  | "other";

/** Connections that broke, or could not be opened. */
export interface Lost {
  /** How many. */
  count: number;
  /** What the first one said. */
  message: string;
}

/** What there is to know while a load runs, and afterwards. */
export interface LoadStats {
  /** Requests that were sent: each is answered, failed or unfinished. */
  sent: number;
  /** Those that were answered. */
  answered: number;
  /** Those that failed, by what ended their connection. */
  failed: ReadonlyMap<FaultKind, number>;
  /** Those that were under way when the load was stopped. */
  unfinished: number;
  /** Requests that were due, and not sent when time was up: open loop only. */
  notSent: number;
  /** Requests of the time that does not count. */
  warmUp: number;
  /** How long it took, in milliseconds. */
  elapsed: number;
  /** How many connections are open. */
  open: number;
  /** How many were opened in all. */
  opened: number;
  /** Those that broke, or could not be opened. */
  lost: ReadonlyMap<FaultKind, Lost>;
  /** Bytes that were sent. */
  bytesOut: number;
  /** Bytes that came. */
  bytesIn: number;
  /** From when a request was due until its answer was there, in nanoseconds. */
  response: Histogram;
  /** From when it was sent, in nanoseconds. */
  service: Histogram;
  /** How much later than it could have been it was sent, by fault of this program, in nanoseconds: open loop only. */
  late: Histogram;
  /** How much of a core this program used. */
  cpu: number;
  /** The first frame that came, as text. */
  firstAnswer: string | undefined;
  /** Whether that is an error by its type, such as `-ERR` of Redis. */
  firstIsError: boolean;
}

/** So many connections are opened at a time: more would overrun a server's queue. */
const OPENING = 64;
/** How far away the next request must be for a timer, which may be up to 1.2 ms late, in milliseconds. */
const WORTH_SLEEPING = 3;
const TIMER_LATE = 2;
/** How often timeouts are looked for, in milliseconds. */
const LOOK = 50;
const NANOSECONDS = 1e6;

class EndedError extends ConnectionError {}
class UnexpectedError extends ConnectionError {}
class UnansweredError extends ConnectionError {}

const KINDS:
  readonly (readonly [new (...args: never[]) => Error, FaultKind])[] = [
    [FramingError, "framing"],
    [ConnectTimeoutError, "timeout"],
    [UnansweredError, "timeout"],
    [Deno.errors.TimedOut, "timeout"],
    [EndedError, "closed"],
    [UnexpectedError, "unexpected"],
    [PeerResetError, "reset"],
    [Deno.errors.ConnectionReset, "reset"],
    [Deno.errors.ConnectionRefused, "refused"],
    [TlsHandshakeError, "tls"],
  ];

function kindOf(error: unknown): FaultKind {
  return KINDS.find(([kind]) => error instanceof kind)?.[1] ?? "other";
}

/** Whether a frame is an error, as RESP and PostgreSQL name theirs. */
function isError(frame: unknown): boolean {
  const type = typeOf(frame);
  return type === "error" || type === "errorResponse";
}

/** How many bytes went each way. */
interface Bytes {
  out: number;
  in: number;
}

/** Requests under way on a connection, in order: when each was due, and when it was sent. */
class UnderWay {
  #due = new Float64Array(4);
  #sent = new Float64Array(4);
  #head = 0;
  length = 0;

  push(due: number, sent: number): void {
    const size = this.#due.length;
    if (this.length === size) this.#grow();
    const at = (this.#head + this.length++) % this.#due.length;
    this.#due[at] = due;
    this.#sent[at] = sent;
  }

  /** When the first one was due. */
  get due(): number {
    return this.#due[this.#head];
  }

  /** When it was sent. */
  get sent(): number {
    return this.#sent[this.#head];
  }

  shift(): void {
    this.#head = (this.#head + 1) % this.#due.length;
    this.length--;
  }

  #grow(): void {
    const size = this.#due.length;
    const order = (from: Float64Array) => {
      const to = new Float64Array(2 * size);
      to.set(from.subarray(this.#head));
      to.set(from.subarray(0, this.#head), size - this.#head);
      return to;
    };
    this.#due = order(this.#due);
    this.#sent = order(this.#sent);
    this.#head = 0;
  }
}

/** A connection, and those that take its place. */
class Client {
  readonly underWay = new UnderWay();
  peer: LoadConn | undefined;
  /** How many frames of the first request under way have come. */
  have = 0;
  /** Whether the connection has brought an answer. */
  proven = false;
  /** Whether what was written last has to leave first. */
  full = false;
  /** Why this side ended the connection. */
  fault: unknown;
}

/** A load that runs once. */
export class Load {
  #options: LoadOptions;
  #clients: Client[] = [];
  /** Those that may send more, the one that has waited longest first: open loop only. */
  #free = new Set<Client>();
  #stopping = new AbortController();
  #done = Promise.withResolvers<void>();
  #timers: ReturnType<typeof setTimeout>[] = [];
  /** What sees to the next request of an open loop: a timer, or a look as soon as everything else had its turn. */
  #sleeping: ReturnType<typeof setTimeout> | undefined;
  #polling: ReturnType<typeof setImmediate> | undefined;
  /** When the first request was due: of the warm-up, then of those that count. */
  #begun = Infinity;
  /** When requests begin to count: once those of the warm-up have come to their ends. */
  #from = Infinity;
  /** When requests end to be sent: those of the warm-up, then those that count. */
  #until = Infinity;
  /** Whether the warm-up is over but for what is under way. */
  #emptying = false;
  /** When the last thing happened that counts. */
  #last = 0;
  #sendingOver = false;
  #over = false;
  /** When a connection could last send again after none could: what was due before had waited for the server. */
  #fullUntil = 0;
  #alive = 0;
  #open = 0;
  #opened = 0;
  #sent = 0;
  #answered = 0;
  #unfinished = 0;
  #notSent = 0;
  #warmUp = 0;
  #underWay = 0;
  #failed = new Map<FaultKind, number>();
  #lost = new Map<FaultKind, Lost>();
  /** Bytes of connections that are gone; and of all, before they counted. */
  #gone: Bytes = { out: 0, in: 0 };
  #before: Bytes | undefined;
  #cpuBefore: NodeJS.CpuUsage | undefined;
  #cpu = 0;
  #response = new Histogram();
  #service = new Histogram();
  #late = new Histogram();
  #firstAnswer: string | undefined;
  #firstIsError = false;

  /** Sends nothing yet. */
  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** What is known so far. */
  get stats(): LoadStats {
    const bytes = this.#bytes();
    const before = this.#before ?? bytes;
    const now = this.#over ? this.#last : performance.now();
    return {
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      unfinished: this.#unfinished,
      notSent: this.#notSent,
      warmUp: this.#warmUp,
      elapsed: Math.max(0, now - this.#from),
      open: this.#open,
      opened: this.#opened,
      lost: this.#lost,
      bytesOut: bytes.out - before.out,
      bytesIn: bytes.in - before.in,
      response: this.#response,
      service: this.#service,
      late: this.#late,
      cpu: this.#cpu,
      firstAnswer: this.#firstAnswer,
      firstIsError: this.#firstIsError,
    };
  }

  /**
   * Opens the connections, sends requests, and waits for the last answers.
   *
   * @throws The first fault, if no connection could be opened.
   */
  async run(): Promise<void> {
    await this.#connectAll();
    if (this.#over) return;
    const { warmUp, timeout } = this.#options;
    if (warmUp === 0) this.#beginToCount();
    else {
      this.#begun = performance.now();
      this.#until = this.#begun + warmUp;
      this.#at(this.#until, () => {
        this.#emptying = true;
        this.#goOn();
      });
    }
    const look = Math.min(LOOK, Math.max(1, timeout / 4));
    this.#timers.push(setInterval(() => this.#expire(), look));
    this.#alive = this.#clients.length;
    const running = this.#clients.map((client) => this.#live(client));
    await this.#done.promise;
    await Promise.all(running);
  }

  /** Ends it at once; what is under way is left unfinished. */
  stop(): void {
    if (this.#over) return;
    this.#endSending(performance.now());
    this.#end();
  }

  /** Calls at a time, unless that is never: a little later, as timers are, and not before, as some are. */
  #at(time: number, call: () => void): void {
    const delay = time - performance.now();
    if (delay >= 2 ** 31) return;
    const ring = () => {
      if (performance.now() < time) this.#at(time, call);
      else call();
    };
    this.#timers.push(setTimeout(ring, Math.ceil(delay)));
  }

  /** Opens all connections, a few at a time. */
  async #connectAll(): Promise<void> {
    let left = this.#options.connections;
    let first: unknown;
    const openSome = async () => {
      while (left-- > 0 && !this.#over) {
        const client = new Client();
        try {
          await this.#connect(client);
          this.#clients.push(client);
        } catch (error) {
          first ??= error;
          // Without the permission none can be opened; nor does a name that leads nowhere lead somewhere later.
          if (!this.#over) this.#countLost(error);
          if (this.#opened === 0) left = 0;
        }
      }
    };
    await Promise.all(Array.from({ length: OPENING }, openSome));
    if (this.#over || this.#open > 0) return;
    this.#end();
    throw first;
  }

  async #connect(client: Client): Promise<void> {
    client.proven = client.full = false;
    client.have = 0;
    client.fault = undefined;
    const peer = await this.#options.open(this.#stopping.signal);
    if (this.#over) return peer[Symbol.dispose]();
    client.peer = peer;
    this.#open++;
    this.#opened++;
  }

  /** A connection, and those that take its place. */
  async #live(client: Client): Promise<void> {
    while (!this.#over) {
      try {
        if (client.peer === undefined) await this.#connect(client);
        await this.#converse(client);
      } catch (error) {
        this.#lose(client, client.fault ?? error);
        if (!client.proven || this.#sendingOver) break;
      }
    }
    if (--this.#alive === 0) this.#end();
  }

  async #converse(client: Client): Promise<void> {
    const { peer } = client;
    if (peer === undefined) return;
    this.#mayGoOn(client);
    while (true) {
      const frames = await peer.readBatch();
      if (this.#over) return; // what is unfinished has been counted
      if (frames === null) {
        throw new EndedError("the server closed the connection");
      }
      if (this.#firstAnswer === undefined) {
        this.#firstAnswer = frameText(frames[0]);
        this.#firstIsError = isError(frames[0]);
      }
      this.#take(client, frames.length);
    }
  }

  /** Frames have come. */
  #take(client: Client, frames: number): void {
    const now = performance.now();
    const { underWay } = client;
    const { answers } = this.#options;
    client.have += frames;
    while (client.have >= answers && underWay.length > 0) {
      client.have -= answers;
      const { due, sent } = underWay;
      underWay.shift();
      this.#underWay--;
      client.proven = true;
      if (due < this.#from) continue;
      this.#answered++;
      this.#response.record((now - due) * NANOSECONDS);
      this.#service.record((now - sent) * NANOSECONDS);
      this.#last = Math.max(this.#last, now);
    }
    if (client.have > 0 && underWay.length === 0) {
      throw new UnexpectedError(
        "more frames came than requests were sent: --answers says how many answer one",
      );
    }
    this.#mayGoOn(client);
    this.#goOn();
  }

  /** A connection may have room for another request. */
  #mayGoOn(client: Client): void {
    const { rate, pipeline } = this.#options;
    const { underWay } = client;
    if (this.#emptying) return this.#goOn();
    if (client.peer === undefined) return;
    if (client.full || underWay.length >= pipeline) return;
    if (rate !== undefined) {
      if (this.#free.size === 0) this.#fullUntil = performance.now();
      this.#free.add(client);
      return this.#sendDue();
    }
    const now = performance.now();
    while (underWay.length < pipeline && now < this.#until) {
      if (!this.#send(client, now, now)) break;
    }
  }

  /** Sends what is due, as far as connections have room, and sees to what is due next: open loop. */
  #sendDue(): void {
    const { rate, pipeline } = this.#options;
    if (rate === undefined) return;
    while (!this.#sendingOver && !this.#emptying) {
      const count = this.#from === Infinity ? this.#warmUp : this.#sent;
      const due = this.#begun + count / rate * 1000;
      if (due >= this.#until) return;
      const now = performance.now();
      if (due > now) return this.#await(due - now);
      const [client] = this.#free;
      if (client === undefined) return; // when there is one again, it goes on
      this.#free.delete(client);
      if (due >= this.#from) {
        const since = Math.max(due, this.#fullUntil);
        this.#late.record((now - since) * NANOSECONDS);
      }
      const sent = this.#send(client, due, now);
      if (sent && client.underWay.length < pipeline) this.#free.add(client);
    }
  }

  /** Sees to what is due next. To look all the time has sockets wait up to 0.1 ms, and a timer has it 2 ms late. */
  #await(wait: number): void {
    if (this.#sleeping !== undefined || this.#polling !== undefined) return;
    if (wait > WORTH_SLEEPING) {
      this.#sleeping = setTimeout(() => {
        this.#sleeping = undefined;
        this.#sendDue();
      }, wait - TIMER_LATE);
      return;
    }
    this.#polling = setImmediate(() => {
      this.#polling = undefined;
      this.#sendDue();
    });
  }

  /**
   * Sends a request.
   *
   * @returns Whether the connection may be given another one.
   */
  #send(client: Client, due: number, now: number): boolean {
    const { peer } = client;
    if (peer === undefined || this.#sendingOver) return false;
    client.underWay.push(due, now);
    this.#underWay++;
    if (due < this.#from) this.#warmUp++;
    else this.#sent++;
    if (this.#sent === this.#options.requests) this.#endSending(now);
    let room: Promise<void> | undefined;
    try {
      room = peer.write(this.#options.request);
    } catch (error) {
      this.#abandon(client, error);
      return false;
    }
    if (room === undefined) return true;
    client.full = true;
    room.then(() => {
      if (client.peer !== peer) return;
      client.full = false;
      this.#mayGoOn(client);
    }, () => {}); // the one who reads hears of it
    return false;
  }

  /** Ends a connection for a reason that the one who reads from it is to hear of. */
  #abandon(client: Client, fault: unknown): void {
    client.fault ??= fault;
    this.#free.delete(client);
    client.peer?.[Symbol.dispose]();
  }

  /** Ends connections whose first request has waited too long. */
  #expire(): void {
    const { timeout } = this.#options;
    const now = performance.now();
    for (const client of this.#clients) {
      const { underWay } = client;
      if (underWay.length > 0 && now - underWay.sent >= timeout) {
        this.#abandon(
          client,
          new UnansweredError(`no answer within ${timeout} ms`),
        );
      }
    }
  }

  /** A connection has ended, or could not be opened again. */
  #lose(client: Client, error: unknown): void {
    this.#free.delete(client);
    this.#drop(client);
    if (this.#over) return;
    const { underWay } = client;
    // Whoever closes when there is nothing left to ask does no harm.
    if (this.#sendingOver && underWay.length === 0) return;
    this.#countLost(error);
    const kind = kindOf(error);
    let failed = 0;
    for (; underWay.length > 0; underWay.shift()) {
      this.#underWay--;
      if (underWay.due >= this.#from) failed++;
    }
    if (failed > 0) {
      this.#failed.set(kind, (this.#failed.get(kind) ?? 0) + failed);
      this.#last = Math.max(this.#last, performance.now());
    }
    this.#goOn();
  }

  #countLost(error: unknown): void {
    const kind = kindOf(error);
    const lost = this.#lost.get(kind);
    if (lost !== undefined) {
      lost.count++;
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#lost.set(kind, { count: 1, message });
  }

  /** Closes a connection. */
  #drop(client: Client): void {
    const { peer } = client;
    if (peer === undefined) return;
    client.peer = undefined;
    this.#open--;
    const { bytesSent, bytesReceived } = peer.stats;
    this.#gone.out += bytesSent;
    this.#gone.in += bytesReceived;
    peer[Symbol.dispose]();
  }

  #bytes(): Bytes {
    const sum = { ...this.#gone };
    for (const { peer } of this.#clients) {
      if (peer === undefined) continue;
      const { bytesSent, bytesReceived } = peer.stats;
      sum.out += bytesSent;
      sum.in += bytesReceived;
    }
    return sum;
  }

  /** Begins anew: what was due while it warmed up, and was not sent, is forgotten. */
  #beginToCount(): void {
    const { duration = Infinity } = this.#options;
    this.#emptying = false;
    this.#before = this.#bytes();
    this.#cpuBefore = process.cpuUsage();
    this.#begun = this.#from = this.#last = performance.now();
    this.#until = this.#from + duration;
    this.#at(this.#until, () => {
      this.#sendDue(); // what was due since it last looked
      this.#endSending(this.#until);
    });
    for (const client of this.#clients) this.#mayGoOn(client);
  }

  /** Sends no more requests from a time on. */
  #endSending(time: number): void {
    if (this.#sendingOver) return;
    const { rate, requests = Infinity } = this.#options;
    this.#sendingOver = true;
    if (
      rate !== undefined && this.#from < Infinity && this.#sent < requests
    ) {
      // What rounding adds to a whole number is no request.
      const due = Math.ceil((time - this.#begun) * rate / 1000 - 1e-6);
      this.#notSent = Math.max(0, due - this.#sent);
    }
    if (this.#cpuBefore !== undefined) {
      const { user, system } = process.cpuUsage(this.#cpuBefore);
      const elapsed = performance.now() - this.#from;
      this.#cpu = elapsed > 0 ? (user + system) / 1000 / elapsed : 0;
    }
    if (time > this.#last) this.#last = time;
    this.#goOn();
  }

  /** Begins to count, or ends, if nothing is under way that has to come to its end first. */
  #goOn(): void {
    if (this.#underWay > 0) return;
    if (this.#sendingOver) this.#end();
    else if (this.#emptying && this.#open > 0) this.#beginToCount();
  }

  #end(): void {
    if (this.#over) return;
    if (!this.#sendingOver) this.#endSending(performance.now());
    this.#over = true;
    let failed = 0;
    for (const count of this.#failed.values()) failed += count;
    this.#unfinished = this.#sent - this.#answered - failed;
    this.#stopping.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#sleeping);
    clearImmediate(this.#polling);
    const open = this.#open;
    for (const client of this.#clients) this.#drop(client);
    this.#open = open; // those that lasted
    this.#done.resolve();
  }
}
