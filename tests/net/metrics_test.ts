/**
 * The numbers of servers as OpenTelemetry metrics: what a collector gets of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { numbersFrom } from "../fixtures/published_servers.ts";
import {
  type RunningProgram,
  startProgram,
} from "../support/running_program.ts";
import { until } from "../support/sockets.ts";

const PROGRAM = "tests/fixtures/published_servers.ts";
/** What Deno exports by itself is not wanted, nor what the program prints. */
const ON = {
  OTEL_DENO: "true",
  OTEL_DENO_TRACING: "false",
  OTEL_DENO_CONSOLE: "ignore",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_METRIC_EXPORT_INTERVAL: "50",
};

/** What is used here of a request with metrics, in JSON. */
interface Export {
  resourceMetrics: {
    scopeMetrics: { scope: { name: string }; metrics: ExportedMetric[] }[];
  }[];
}

interface ExportedMetric {
  name: string;
  description: string;
  unit: string;
  sum?: { dataPoints: DataPoint[]; isMonotonic: boolean };
  gauge?: { dataPoints: DataPoint[] };
}

interface DataPoint {
  attributes: { key: string; value: Record<string, string | number> }[];
  asDouble: number;
}

/** The lines that an export comes to: kind, name, unit, attributes and value. */
function linesOf({ resourceMetrics }: Export): string[] {
  const lines: string[] = [];
  for (const { scopeMetrics } of resourceMetrics) {
    for (const { scope, metrics } of scopeMetrics) {
      if (scope.name !== "framewire") continue;
      for (const { name, description, unit, sum, gauge } of metrics) {
        assert(description !== "");
        const kind = gauge ? "gauge" : sum?.isMonotonic ? "counter" : "up-down";
        for (const point of (sum ?? gauge)?.dataPoints ?? []) {
          const attributes = point.attributes.map(({ key, value }) =>
            `${key}=${Object.values(value).join()}`
          );
          lines.push(
            [kind, name, unit, ...attributes.sort(), point.asDouble].join(" "),
          );
        }
      }
    }
  }
  return lines.sort();
}

/** The lines that a server's numbers must come to. */
function expectedLines(first: number, address: string): string[] {
  const numbers = numbersFrom(first);
  const both = `network.io.direction=receive ${address}`;
  const sent = `network.io.direction=transmit ${address}`;
  const { accepted, active, failed, acceptErrors, refused } = numbers;
  const { timedOut, malformed, paused, longestQueue, memory } = numbers;
  const { bytesReceived, bytesSent, framesReceived, framesSent } = numbers;
  return [
    `counter framewire.server.accept_errors {error} ${address} ${acceptErrors}`,
    `counter framewire.server.accepted {connection} ${address} ${accepted}`,
    `counter framewire.server.bytes By ${both} ${bytesReceived}`,
    `counter framewire.server.bytes By ${sent} ${bytesSent}`,
    `counter framewire.server.failed {connection} ${address} ${failed}`,
    `counter framewire.server.frames {frame} ${both} ${framesReceived}`,
    `counter framewire.server.frames {frame} ${sent} ${framesSent}`,
    `counter framewire.server.malformed {connection} ${address} ${malformed}`,
    `counter framewire.server.paused {pause} ${address} ${paused}`,
    `counter framewire.server.refused {connection} ${address} ${refused}`,
    `counter framewire.server.timed_out {connection} ${address} ${timedOut}`,
    `gauge framewire.server.longest_queue By ${address} ${longestQueue}`,
    `up-down framewire.server.connections {connection} ${address} ${active}`,
    `up-down framewire.server.memory By ${address} ${memory}`,
  ];
}

const OVER_TCP = expectedLines(
  100,
  "server.address=127.0.0.1 server.port=7001",
);
const OVER_UNIX = expectedLines(200, "server.address=/run/some.sock");

/** Receives what programs export. */
class Collector implements AsyncDisposable {
  #exports: string[][] = [];
  #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const exported: Export = await request.json();
      this.#exports.push(linesOf(exported));
      return Response.json({});
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Waits until an export has these lines and no others. */
  async expect(lines: readonly string[]): Promise<void> {
    const wanted = lines.toSorted().join("\n");
    this.#exports = [];
    try {
      await until(() => this.#exports.some((one) => one.join("\n") === wanted));
    } catch {
      assertEquals(this.#exports.at(-1), lines.toSorted());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function start(env: Record<string, string>): RunningProgram {
  return startProgram(PROGRAM, [], { typing: true, env });
}

Deno.test("publishStats() sends what each server counts, until it is taken back", async () => {
  await using collector = new Collector();
  await using program = start({
    ...ON,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  assertEquals(await program.line(), "on, 1 registered");
  await collector.expect([...OVER_TCP, ...OVER_UNIX]);
  await program.type("\n");
  assertEquals(await program.line(), "taken back");
  await collector.expect(OVER_UNIX);
  await program.type("\n");
  assertEquals(await program.line(), "taken back");
  await collector.expect([]);
  // Nothing that was registered keeps the program alive.
  await program.endInput();
  assertEquals(await program.end(), { code: 0, out: ["asked"], err: [] });
});

Deno.test("publishStats() does nothing when metrics are off", async () => {
  for (
    const [env, said] of [
      [{ OTEL_DENO: "false" }, "off, 0 registered"],
      [{ ...ON, OTEL_DENO_METRICS: "false" }, "off, 1 registered"],
    ] as const
  ) {
    await using program = start(env);
    assertEquals(await program.line(), said);
    await program.endInput();
    const out = ["never asked"];
    assertEquals(await program.end(), { code: 0, out, err: [] });
  }
});
