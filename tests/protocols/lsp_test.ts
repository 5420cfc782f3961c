/**
 * Messages of the Language Server Protocol.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "@framewire/framewire";
import { type JsonRpcMessage, lsp } from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { readCapture, sentBy } from "../support/capture.ts";
import { type Fate, fuzz } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { replay } from "../support/replay.ts";
import { raw } from "../support/wire.ts";

const INPUTS = 5_000;

const exit = '{"jsonrpc":"2.0","method":"exit"}';
const typed = '{"jsonrpc":"2.0","id":1,"method":"é"}';
const samples: readonly CodecSample<JsonRpcMessage>[] = [
  {
    frame: { type: "notification", method: "exit" },
    wire: `Content-Length: 33\r\n\r\n${exit}`,
  },
  {
    frame: { type: "request", id: 1, method: "é" },
    wire: `Content-Length: 38\r\n\r\n${typed}`,
  },
  {
    frame: { type: "notification", method: "exit" },
    wire:
      `content-type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: 33\r\n\r\n${exit}`,
    canonical: false,
  },
];

Deno.test("lsp() keeps the contract of a codec", () => {
  const report = checkCodec(
    lsp({ maxFrameLength: 100, maxHeaderLength: 100 }),
    samples,
    {
      tooLarge: ["Content-Length: 101\r\n\r\n", "X: " + "a".repeat(98)],
      malformed: [
        "Content-Length: 2\n\n{}",
        "Content-Length: -1\r\n\r\n",
        "Content-Type: a\r\n\r\n",
        "Content-Length: 2\r\n\r\n{}",
        "Content-Length: 2\r\n\r\n\xff\xff",
        "GET / HTTP/1.1\r\n",
      ],
    },
  );
  assertEquals(report.samples, samples.length);
});

testStreams("lsp()", [
  {
    name: "goes on behind what is no message",
    codec: lsp(),
    steps: [
      ["Content-Length: 2\r\n\r\n{}", "malformed, goes on"],
      ["Content-Length: 1\r\n\r\n{", "malformed, goes on at 23"],
      [
        `Content-Length: 33\r\n\r\n${exit}`,
        '={"type":"notification","method":"exit"}',
      ],
    ],
  },
  {
    name: "leaves out a message over the limit, if it is told to",
    codec: lsp({ maxFrameLength: 33, onOversize: "skip" }),
    steps: [
      ["Content-Length: 34\r\n\r\n", "left out: 34 > 33"],
      [
        `${" ".repeat(34)}Content-Length: 33\r\n\r\n${exit}`,
        '={"type":"notification","method":"exit"}',
      ],
    ],
  },
  {
    name: "notices that the stream ended inside a message",
    codec: lsp(),
    steps: [["Content-Length: 5\r\n\r\n{}"]],
    end: ["truncated: 23 of 26, {}"],
  },
]);

Deno.test("lsp() takes messages up to 1 MiB, headers up to 8 KiB, unless told otherwise", () => {
  const messageOf = (length: number): JsonRpcMessage => ({
    type: "notification",
    method: "a".repeat(length - '{"jsonrpc":"2.0","method":""}'.length),
  });
  const decoder = new FrameDecoder(lsp());
  decoder.push(encodeFrame(lsp(), messageOf(1_048_576)));
  assertEquals(decoder.next(), messageOf(1_048_576));
  const error = assertThrows(
    () => encodeFrame(lsp(), messageOf(1_048_577)),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot write frame: length 1048577 exceeds maxFrameLength of 1048576 bytes",
  );
  const narrow = new FrameDecoder(lsp({ maxHeaderLength: 10 }));
  narrow.push(raw("Content-Length"));
  assertThrows(() => narrow.next(), Error, "maxHeaderLength of 10 bytes");
});

Deno.test(`lsp() meets ${INPUTS} random inputs with documented errors only`, () => {
  const wires = samples.map(({ wire }) =>
    new TextEncoder().encode(String(wire))
  );
  const fuzzed = { maker: "lsp", name: "", codec: lsp(), wires };
  const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
  for (let number = 0; number < INPUTS; number++) {
    fates[fuzz(number, fuzzed, wires)]++;
  }
  const { read, refused, truncated } = fates;
  assertGreater(Math.min(read, refused, truncated), INPUTS / 50);
});

/** Messages in the words of `outcomes`, in short: what they are, and whose. */
function inShort(outcomes: readonly string[]): string[] {
  return outcomes.map((outcome) => {
    if (!outcome.startsWith("=")) return outcome;
    const { type, id = "", method = "" } = JSON.parse(outcome.slice(1));
    return [type, id, method].join(" ").trim().replace("  ", " ");
  });
}

Deno.test("lsp() reads what an editor and deno lsp said, at every cut", async () => {
  const capture = await readCapture("lsp");
  assertEquals(inShort(replay(lsp(), "client", capture)), [
    "request 0 initialize",
    "notification initialized",
    "notification textDocument/didOpen",
    "request no such framewire/none",
    "request bye shutdown",
    "notification exit",
    "end",
  ]);
  assertEquals(inShort(replay(lsp(), "server", capture)), [
    "response 0",
    "notification deno/didRefreshDenoConfigurationTree",
    "notification textDocument/publishDiagnostics",
    "error no such",
    "response bye",
    "end",
  ]);
});

Deno.test("lsp() writes what an editor said byte for byte", async () => {
  const wire = sentBy("client", await readCapture("lsp"));
  const decoder = new FrameDecoder(lsp());
  decoder.push(wire);
  let count = 0;
  for (let at = 0; at < wire.length; count++) {
    const message = decoder.next();
    assertEquals(message === undefined, false);
    if (message === undefined) break;
    const written = encodeFrame(lsp(), message);
    assertEquals(written, wire.subarray(at, at += written.length));
  }
  assertEquals(count, 6);
});
