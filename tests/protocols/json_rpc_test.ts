/**
 * Messages of JSON-RPC.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  lines,
  MalformedFrameError,
} from "@framewire/framewire";
import { jsonRpc, type JsonRpcMessage } from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { testStreams } from "../support/outcomes.ts";

const codec = jsonRpc(lines({ tail: "error" }));

const samples: readonly CodecSample<JsonRpcMessage>[] = [
  {
    frame: { type: "request", id: 1, method: "sum", params: [1, 2] },
    wire: '{"jsonrpc":"2.0","id":1,"method":"sum","params":[1,2]}\n',
  },
  {
    frame: { type: "request", id: "a", method: "" },
    wire: '{"jsonrpc":"2.0","id":"a","method":""}\n',
  },
  {
    frame: { type: "notification", method: "exit" },
    wire: '{"jsonrpc":"2.0","method":"exit"}\n',
  },
  {
    frame: { type: "notification", method: "é", params: { a: null } },
    wire: '{"jsonrpc":"2.0","method":"é","params":{"a":null}}\n',
  },
  {
    frame: { type: "response", id: 0, result: null },
    wire: '{"jsonrpc":"2.0","id":0,"result":null}\n',
  },
  {
    frame: { type: "response", id: -1, result: false },
    wire: '{"jsonrpc":"2.0","id":-1,"result":false}\n',
  },
  {
    frame: { type: "error", id: null, error: { code: -32700, message: "" } },
    wire: '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}\n',
  },
  {
    frame: {
      type: "error",
      id: 1,
      error: { code: 1, message: "no", data: [1] },
    },
    wire:
      '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no","data":[1]}}\n',
  },
  // As some peers write them.
  {
    frame: { type: "request", id: 1, method: "shutdown" },
    wire: '{"id":1,"params":null,"method":"shutdown","jsonrpc":"2.0"}\n',
    canonical: false,
  },
  {
    frame: { type: "response", id: 1, result: {} },
    wire: '{ "jsonrpc": "2.0", "result": {}, "id": 1, "more": 1 }\n',
    canonical: false,
  },
];

Deno.test("jsonRpc() keeps the contract of a codec", () => {
  const report = checkCodec(codec, samples, { threeCutsUpTo: 0 });
  assertEquals(report.samples, samples.length);
});

/** What is no message, and what is said of it. */
const malformed: readonly (readonly [wire: string, what: string])[] = [
  ["[]", "a JSON-RPC message must be an object: it is []"],
  ["null", "a JSON-RPC message must be an object: it is null"],
  ["1", "a JSON-RPC message must be an object: it is 1"],
  [
    '[{"jsonrpc":"2.0","method":"a"}]',
    'a JSON-RPC message must be an object: it is [{"jsonrpc":"2.0","method":"a"}]',
  ],
  ['{"method":"a"}', '"jsonrpc" must be "2.0": it is undefined'],
  [
    '{"jsonrpc":2.0,"method":"a"}',
    '"jsonrpc" must be "2.0": it is 2',
  ],
  [
    '{"jsonrpc":"2.0"}',
    'a message must have one of "method", "result" and "error"',
  ],
  [
    '{"jsonrpc":"2.0","id":1}',
    'a message must have one of "method", "result" and "error"',
  ],
  [
    '{"jsonrpc":"2.0","id":1,"result":1,"error":null}',
    'a message must have one of "method", "result" and "error"',
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"a","result":1}',
    'a message with a "method" must have no "result" and no "error"',
  ],
  ['{"jsonrpc":"2.0","method":1}', '"method" must be a string: it is 1'],
  [
    '{"jsonrpc":"2.0","method":"a","params":1}',
    '"params" must be an object or an array: they are 1',
  ],
  [
    '{"jsonrpc":"2.0","id":null,"method":"a"}',
    '"id" must be a whole number or a string: it is null',
  ],
  [
    '{"jsonrpc":"2.0","id":1.5,"method":"a"}',
    '"id" must be a whole number or a string: it is 1.5',
  ],
  [
    '{"jsonrpc":"2.0","id":null,"result":1}',
    'the "id" of a response must be a whole number or a string: it is null',
  ],
  [
    '{"jsonrpc":"2.0","error":{"code":1,"message":""}}',
    'the "id" of an error must be a whole number, a string or null: it is undefined',
  ],
  ...["null", "[]", '{"code":1}', '{"code":"1","message":""}'].map((error) =>
    [
      `{"jsonrpc":"2.0","id":1,"error":${error}}`,
      `"error" must have a "code", which is a whole number, and a "message", which is a string: it is ${error}`,
    ] as const
  ),
];

Deno.test("jsonRpc() says what is wrong with a message, and goes on behind it", () => {
  for (const [wire, what] of malformed) {
    const decoder = new FrameDecoder(codec);
    const next = '{"jsonrpc":"2.0","method":"next"}\n';
    decoder.push(new TextEncoder().encode(`${wire}\n${next}`));
    const error = assertThrows(() => decoder.next(), MalformedFrameError);
    assertEquals(error.message, `Cannot decode frame: ${what}`);
    assert(error.recoverable);
    assertEquals(decoder.next(), { type: "notification", method: "next" });
  }
});

testStreams("jsonRpc()", [
  {
    name: "goes on behind a line that is not JSON",
    codec,
    steps: [
      ["{\n", "malformed, goes on"],
      [
        '{"jsonrpc":"2.0","method":"a"}\n',
        '={"type":"notification","method":"a"}',
      ],
    ],
  },
]);

Deno.test("jsonRpc() refuses to write what would be read as something else", () => {
  const { parse } = JSON; // as from a program without types
  for (
    const [message, what] of [
      [
        { type: "request", id: 1.5, method: "a" },
        '"id" must be a whole number or a string: it is 1.5',
      ],
      [
        { type: "response", id: 1, result: undefined },
        'a message must have one of "method", "result" and "error"',
      ],
      [
        { type: "response", id: 1, result: () => {} },
        'a message must have one of "method", "result" and "error"',
      ],
      [
        { type: "error", id: 1, error: { code: NaN, message: "" } },
        '"error" must have a "code", which is a whole number, and a "message", which is a string: it is {"code":null,"message":""}',
      ],
      [
        parse('{"type":"request","method":"a"}'),
        "what is said to be a request has the members of a notification",
      ],
      [
        parse('{"type":"notification","method":"a","params":1}'),
        '"params" must be an object or an array: they are 1',
      ],
    ]
  ) {
    const error = assertThrows(() => encodeFrame(codec, message), TypeError);
    assertEquals(error.message, `Cannot write frame: ${what}`);
  }
});
