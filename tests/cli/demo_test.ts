/**
 * The demonstration as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { differences } from "../../cli/demo.ts";
import { masked, runProgram } from "../support/running_program.ts";
import { raw } from "../support/wire.ts";

const AT = "127.0.0.1:*";

/** Title, request and response; the response's header is 103 bytes long unless it is binary. */
const EXCHANGES: readonly (readonly [
  title: string,
  request: string,
  response: string,
  [length: number, responseLength: number],
])[] = [
  ["search morpheus", "morpheus", "Follow the white rabbit. 🐰", [41, 43]],
  ["search 🐶", "🐶", "🐾 Playing ball! 🏐", [37, 37]],
  [
    "search ring",
    "ring",
    "In the caves beneath the Misty Mountains. 💍",
    [37, 60],
  ],
  ["search needle", "needle", 'No match for "needle".', [39, 38]],
  ["(JSON) dance tango", "tango", 'Error: invalid action "dance".', [37, 46]],
];

/** A JSON message as a bytes literal. */
function literal(content: string, length: number): string {
  const escaped = Array.from(
    new TextEncoder().encode(content),
    (byte) =>
      byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  ).join("").replaceAll('\\"', '\\\\"');
  return `b'\\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": ${length}}${escaped}'`;
}

Deno.test("demo prints what client and server print, and that the answers are identical", async () => {
  const { code, out, err } = await runProgram("cli/demo.ts", [], {
    net: "127.0.0.1",
  });
  assertEquals([code, err], [0, []]);
  const client: string[] = [];
  const server = ["$ app-server 127.0.0.1 PORT", `listening on ${AT}`];
  for (const [title, value, result, [length, responseLength]] of EXCHANGES) {
    const action = title.includes("dance") ? "dance" : "search";
    const request = literal(
      `{"action": "${action}", "value": "${value}"}`,
      length,
    );
    const response = literal(
      `{"result": ${JSON.stringify(result)}}`,
      responseLength,
    );
    client.push(
      `$ app-client 127.0.0.1 PORT ${title}`,
      `starting connection to ${AT}`,
      `sending ${request} to ${AT}`,
      `received response {'result': '${result}'} from ${AT}`,
      `got result: ${result}`,
      `closing connection to ${AT}`,
    );
    server.push(
      `accepted connection from ${AT}`,
      `received request {'action': '${action}', 'value': '${value}'} from ${AT}`,
      `sending ${response} to ${AT}`,
      `closing connection to ${AT}`,
    );
  }
  client.push(
    "$ app-client 127.0.0.1 PORT binary 😃",
    `starting connection to ${AT}`,
    String
      .raw`sending b'\x00\x7f{"byteorder": "little", "content-type": "binary/custom-client-binary-type", "content-encoding": "binary", "content-length": 10}binary\xf0\x9f\x98\x83' to 127.0.0.1:*`,
    `received binary/custom-server-binary-type response from ${AT}`,
    String
      .raw`got response: b'First 10 bytes of request: binary\xf0\x9f\x98\x83'`,
    `closing connection to ${AT}`,
  );
  server.push(
    `accepted connection from ${AT}`,
    `received binary/custom-client-binary-type request from ${AT}`,
    String
      .raw`sending b'\x00\x7f{"byteorder": "little", "content-type": "binary/custom-server-binary-type", "content-encoding": "binary", "content-length": 37}First 10 bytes of request: binary\xf0\x9f\x98\x83' to 127.0.0.1:*`,
    `closing connection to ${AT}`,
  );
  const lines = masked(out).map((line) =>
    line.replace(/^(\$ app-\w+ 127\.0\.0\.1) \d+/, "$1 PORT")
  );
  assertEquals(lines, [
    ...client,
    ...server,
    "6 requests again, 855 bytes, each in a segment of its own: the answers are identical",
  ]);
});

Deno.test("demo says which permission it needs, for every port", async () => {
  assertEquals(await runProgram("cli/demo.ts"), {
    code: 1,
    out: [],
    err: ["demo: needs permission: run again with --allow-net=127.0.0.1"],
  });
});

Deno.test("differences() compares byte for byte", () => {
  const [a, b, empty] = [raw("\x01\x02"), raw("\x01\x03"), raw("")];
  assertEquals(differences([], []), []);
  assertEquals(differences([a, b], [a.slice(), b.slice()]), []);
  assertEquals(differences([a, b, a], [a, a, a]), [1]);
  assertEquals(differences([a], [a.subarray(0, 1)]), [0]);
  assertEquals(differences([a], [a, empty]), [1]);
  assertEquals(differences([a, empty], [a]), [1]);
});
