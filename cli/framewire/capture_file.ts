/**
 * A file of packets that is written as they pass, for Wireshark: what cannot be written in time is left out, and
 * counted.
 *
 *     Passed ──► IP packets ──► [ waiting, bounded ] ──► FILE.pcapng
 *
 * @module
 */

import { captureEnd, captureStart, packetBlock } from "./pcapng_writer.ts";
import { Printer } from "./printer.ts";
import type { Passed } from "./relay.ts";
import { endpointsOf, TcpPackets } from "./tcp_packets.ts";

/** A packet holds about so many bytes beside its own. */
const OVERHEAD = 200;
/** About how many bytes may wait to be written. */
const LIMIT = 2 ** 26;

/** A file of packets that is being written. */
export class CaptureFile {
  readonly #file: Deno.FsFile;
  readonly #printer: Printer;
  #connections = new Map<number, TcpPackets>();
  #packets = 0;
  #begun = false;

  /** Makes the file; what was in it stays there until it begins. */
  static async create(path: string): Promise<CaptureFile> {
    return new CaptureFile(
      await Deno.open(path, { write: true, create: true }),
    );
  }

  private constructor(file: Deno.FsFile) {
    this.#file = file;
    let emptied = false;
    const put = async (bytes: Uint8Array) => {
      // A pipe has nothing to be emptied of.
      if (!emptied) await file.truncate().catch(() => {});
      emptied = true;
      await writeAll(file, bytes);
    };
    this.#printer = new Printer({ put, limit: LIMIT });
  }

  /** Is rejected when the file cannot be written. */
  get broken(): Promise<never> {
    return this.#printer.broken;
  }

  /** Begins, if it has not. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#write(captureStart());
  }

  /** Takes what passed. */
  watch(number: number, passed: Passed, time: number): void {
    for (const packet of this.#packetsOf(number, passed)) {
      this.#packets++;
      this.#write(packetBlock(packet, time));
    }
  }

  /** Ends the file; gives how many packets there were, and how many of them are not in it. */
  async close(): Promise<{ packets: number; missing: number }> {
    await this.#printer.flush();
    const missing = this.#printer.leftOut.others;
    const now = performance.timeOrigin + performance.now();
    this.#write(captureEnd(this.#packets, missing, now));
    await this.#printer.flush();
    this.#file.close();
    return { packets: this.#packets, missing };
  }

  #write(bytes: Uint8Array): void {
    this.begin();
    const cost = bytes.length + OVERHEAD;
    this.#printer.print({ kind: "other", cost, layOut: () => bytes });
  }

  #packetsOf(number: number, passed: Passed): Uint8Array[] {
    if (passed.kind === "open") {
      const { client, server } = passed;
      const packets = new TcpPackets(endpointsOf(client, server, number));
      this.#connections.set(number, packets);
      return packets.open();
    }
    const packets = this.#connections.get(number);
    if (packets === undefined) return [];
    switch (passed.kind) {
      case "chunk":
        return packets.data(passed.from, passed.bytes);
      case "end":
        return packets.end(passed.from);
      case "reset":
        return packets.reset(passed.from);
      default:
        this.#connections.delete(number);
        return [];
    }
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
