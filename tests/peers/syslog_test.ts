/**
 * Syslog over TCP with rsyslog, as the receiver and as the sender, and with logger.
 *
 * @module
 */

import {
  connect,
  FramingError,
  type Handler,
  serve,
} from "@framewire/framewire";
import {
  syslog,
  type SyslogMessage,
  type SyslogMessageInit,
} from "@framewire/framewire/protocols";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Recorder, writeCapture } from "../support/capture.ts";
import { PeerServer, run, testWithPeers } from "../support/peer_server.ts";

const RSYSLOG = [{ command: "rsyslogd", package: "rsyslog" }];
const LOGGER = [{ command: "logger", package: "bsdutils" }];
const COUNT = 1_000;
/** How long to wait for what a program writes or sends. */
const PATIENCE = 10_000;
const LOOK_AGAIN = 20;
const decoder = new TextDecoder();

/** A receiver that writes a line for each message, and passes it on if it is told where to. */
function startRsyslog(forwardTo?: number): Promise<PeerServer> {
  return PeerServer.start({
    command: "rsyslogd",
    args: ({ folder }) => [
      "-n",
      "-f",
      `${folder}/rsyslog.conf`,
      "-i",
      `${folder}/pid`,
    ],
    prepare: async (folder, port) => {
      const fields =
        "%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg:::json%";
      const lines = [
        `global(workDirectory="${folder.path}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")`,
        'module(load="imtcp")',
        `input(type="imtcp" port="${port}" address="127.0.0.1")`,
        `template(name="fields" type="string" string="${fields}\\n")`,
        `action(type="omfile" file="${folder.path}/log" template="fields")`,
        ...(forwardTo === undefined ? [] : [
          ...["octet-counted", "traditional"].map((framing) =>
            `action(type="omfwd" target="127.0.0.1" port="${forwardTo}" protocol="tcp" TCP_Framing="${framing}" template="RSYSLOG_SyslogProtocol23Format")`
          ),
        ]),
      ];
      await folder.write("rsyslog.conf", lines.join("\n") + "\n");
    },
  });
}

async function versionOf(command: string, flag: string): Promise<string> {
  const text = await run(command, [flag]);
  return text.match(/\d+\.\d+(\.\d+)?/)?.[0] ?? text;
}

/** Waits until there is what is wanted. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE;
  while (true) {
    const found = await look();
    if (found !== undefined) return found;
    assert(performance.now() < deadline, "it must come in time");
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

/** The lines that the receiver has written, once there are as many. */
function linesOf(server: PeerServer, count: number): Promise<string[]> {
  return until(async () => {
    const text = await Deno.readTextFile(`${server.folder}/log`)
      .catch(() => "");
    const lines = text.split("\n").slice(0, -1);
    return lines.length >= count ? lines : undefined;
  });
}

/** Messages that are cut in as many ways as there are, and the line for each. */
const MESSAGES: readonly [SyslogMessageInit, string][] = [
  [
    {
      facility: 20,
      severity: 4,
      timestamp: "2026-01-02T03:04:05.678901Z",
      hostname: "host",
      appName: "app",
      procId: "42",
      msgId: "ID7",
      structuredData: [
        { id: "a@1", params: [["b", 'c"]\\d'], ["e", "ü"]] },
        { id: "empty@1", params: [] },
      ],
      message: "two\nlines, and ü",
    },
    '164|2026-01-02T03:04:05.678901Z|host|app|42|ID7|[a@1 b="c\\"\\]\\\\d" e="ü"][empty@1]|two\\nlines, and ü',
  ],
  [
    {
      facility: 0,
      severity: 0,
      timestamp: "2026-01-02T03:04:05+01:00",
      hostname: "h",
      message: "",
    },
    "0|2026-01-02T03:04:05+01:00|h|-|-|-|-|",
  ],
  [{
    type: "rfc3164",
    facility: 4,
    severity: 2,
    message: "Oct 11 22:14:15 mymachine su: 'su root' failed",
  }, "34|LOCAL|mymachine|su|-|-|-| 'su root' failed"],
];

testWithPeers(
  RSYSLOG,
  "syslog() sends rsyslog messages in either framing",
  async () => {
    await using server = await startRsyslog();
    for (const framing of ["octet-counting", "lf"] as const) {
      await using peer = await connect(
        { port: server.port },
        syslog({ framing }),
      );
      for (let i = 0; i < COUNT; i++) {
        await peer.write({
          appName: framing,
          procId: `${i}`,
          hostname: "h",
          timestamp: "2026-01-02T03:04:05Z",
          message: "x".repeat(i * 20),
        });
      }
      await peer.closeWrite();
    }
    const many = await linesOf(server, 2 * COUNT);
    for (const framing of ["octet-counting", "lf"]) {
      const ofFraming = many.filter((line) => line.includes(`|${framing}|`));
      const expected = Array.from(
        { length: COUNT },
        (_, i) =>
          `13|2026-01-02T03:04:05Z|h|${framing}|${i}|-|-|${"x".repeat(i * 20)}`,
      );
      assert(ofFraming.join("\n") === expected.join("\n"), framing);
    }

    // Of all kinds, in one connection.
    await using peer = await connect({ port: server.port }, syslog());
    for (const [message] of MESSAGES) await peer.write(message);
    await peer.write({ ...MESSAGES[2][0] });
    using rest = (await peer.detach()).conn;
    await rest.write(new TextEncoder().encode("<13>1 - h a - - - as a line\n"));
    const lines = (await linesOf(server, 2 * COUNT + 5)).slice(2 * COUNT);
    const kinds = MESSAGES.map(([, line]) => line);
    assertEquals(
      lines.map((line) =>
        line.replace(
          /\d{4}-10-11T22:14:15[+-]\d\d:\d\d|\d{4}-10-11T22:14:15Z/,
          "LOCAL",
        )
      ).slice(0, 4),
      [...kinds, kinds[2]],
    );
    assertMatch(lines[4], /^13\|[^|]+\|h\|a\|-\|-\|-\|as a line$/);
    const version = await versionOf("rsyslogd", "-v");
    console.log(
      `peer: rsyslogd ${version}: received ${2 * COUNT} messages of up to ${
        (COUNT - 1) * 20
      } bytes, half of them behind their lengths, half as lines, each as it was`,
    );
  },
);

/** Keeps what comes, by connection: messages, and what was said of those that are none. */
function keepIn(
  received: (SyslogMessage | string)[][],
): Handler<SyslogMessage, SyslogMessageInit> {
  return async (peer) => {
    const kept: (SyslogMessage | string)[] = [];
    received.push(kept);
    while (true) {
      try {
        const message = await peer.read();
        if (message === null) return;
        kept.push(message);
      } catch (error) {
        if (!(error instanceof FramingError && error.recoverable)) throw error;
        kept.push(error.message);
      }
    }
  };
}

/** Waits until connections have brought so many messages each. */
function untilCame(
  received: readonly unknown[][],
  ...counts: readonly number[]
): Promise<true> {
  return until(() => {
    const came = received.map(({ length }) => length).toSorted();
    return Promise.resolve(
      came.length === counts.length && came.every((n, i) => n >= counts[i]) ||
        undefined,
    );
  });
}

const NO_PRIORITY =
  "Cannot decode frame: a message must begin with its priority, from <0> to <191>";

testWithPeers(
  RSYSLOG,
  "syslog() receives what rsyslog passes on, in either framing",
  async () => {
    const received: (SyslogMessage | string)[][] = [];
    await using server = serve({ port: 0 }, syslog(), keepIn(received));
    const recording = Deno.args.includes("--record");
    await using recorder = new Recorder(server.addr.port);
    await using rsyslog = await startRsyslog(
      recording ? recorder.port : server.addr.port,
    );
    await using peer = await connect({ port: rsyslog.port }, syslog());
    for (const [message] of MESSAGES) await peer.write(message);
    await peer.close();
    await untilCame(received, 3, 4);

    const passedOn = MESSAGES.map(([message]) => {
      const { facility = 1, severity = 5 } = message;
      const structuredData = message.type === "rfc3164"
        ? []
        : message.structuredData ?? [];
      return { facility, severity, structuredData };
    });
    const [counted, lines] = received.toSorted((a, b) => a.length - b.length);
    assertEquals(
      counted.map((message) => typeof message === "string" || textOf(message)),
      // The line feed at the end is part of the format, and counted.
      ["two\nlines, and ü\n", "\n", " 'su root' failed\n"],
    );
    // Where line feeds end messages, one in a message ends it too early.
    assertEquals(
      lines.map((message) =>
        typeof message === "string" ? message : textOf(message)
      ),
      ["two", NO_PRIORITY, "", " 'su root' failed"],
    );
    for (const messages of [counted, lines]) {
      const structured = messages.filter((one) => typeof one !== "string");
      for (const [i, message] of structured.entries()) {
        assert(message.type === "rfc5424");
        const { facility, severity, structuredData } = message;
        assertEquals({ facility, severity, structuredData }, passedOn[i]);
      }
    }
    const version = await versionOf("rsyslogd", "-v");
    if (recording) {
      await writeCapture("syslog", {
        what: "messages passed on behind their lengths, and as lines",
        with: `rsyslogd ${version}`,
        chunks: recorder.chunks,
      });
    }
    console.log(
      `peer: rsyslogd ${version}: passed messages on to our server behind their lengths and as lines; line feeds inside do not survive the latter`,
    );
  },
);

function textOf({ message }: SyslogMessage): string {
  return decoder.decode(message);
}

testWithPeers(LOGGER, "syslog() receives what logger sends", async () => {
  const received: (SyslogMessage | string)[][] = [];
  await using server = serve({ port: 0 }, syslog(), keepIn(received));
  const recording = Deno.args.includes("--record");
  await using recorder = new Recorder(server.addr.port);
  const port = recording ? recorder.port : server.addr.port;
  const to = ["-n", "127.0.0.1", "-P", `${port}`, "-T", "-t", "test"];
  const version = await versionOf("logger", "--version");

  const details = ["-p", "local0.warn", "--id=7", "--msgid=ID", "--rfc5424"];
  const data = ["--sd-id=a@1", "--sd-param", 'b="c\\]d"'];
  const text = "two\nlines, and ü";
  await run("logger", [...to, "--octet-count", ...details, ...data, text]);
  await untilCame(received, 1);
  await run("logger", [...to, "--octet-count", "--rfc3164", "old"]);
  await untilCame(received, 1, 1);
  await run("logger", [...to, "as a line"]);
  await untilCame(received, 1, 1, 1);

  const [[first], [second], [third]] = received;
  assert(typeof first !== "string" && first.type === "rfc5424");
  const { facility, severity, appName, procId, msgId } = first;
  assertEquals([facility, severity], [16, 4]);
  assertEquals([appName, procId, msgId], ["test", "7", "ID"]);
  assertMatch(first.timestamp ?? "", /\.\d{6}[+-]\d\d:\d\d$/);
  assertEquals(first.structuredData.at(-1), {
    id: "a@1",
    params: [["b", "c]d"]],
  });
  assertEquals(textOf(first), text);
  assert(typeof second !== "string" && second.type === "rfc3164");
  assertMatch(textOf(second), / test: old$/);
  assert(typeof third !== "string" && third.type === "rfc5424");
  assertEquals(textOf(third), "as a line");

  if (recording) {
    await writeCapture("syslog_logger", {
      what:
        "one message behind its length, one in the older form, one as a line",
      with: `logger ${version}`,
      chunks: recorder.chunks,
    });
  }

  // Many, one connection for all of them.
  const lines = Array.from(
    { length: COUNT },
    (_, i) => `${i} ${"x".repeat(i)}`,
  );
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, lines.join("\n") + "\n");
    await Deno.chmod(file, 0o644);
    const many = [...to, "--octet-count", "--size", "4096", "-f", file];
    await run("logger", many);
    await untilCame(received, 1, 1, 1, COUNT);
    assertEquals(
      received[3].map((one) => typeof one === "string" ? one : textOf(one)),
      lines,
    );
  } finally {
    await Deno.remove(file);
  }
  console.log(
    `peer: logger ${version}: sent ${COUNT} messages behind their lengths in one connection, one with structured data, one as a line`,
  );
});
