/**
 * The table of sockets, from texts as Linux gives them. That the real one is read is tested with `netstat`.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import {
  formatSocketTable,
  parseSocketTable,
  readSocketTable,
} from "../../cli/socket_table.ts";
import { hostByteOrder } from "../../lib/bytes/byte_order.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/** An address as the kernel of this machine prints it. */
function word(bigEndian: string): string {
  return hostByteOrder === "big"
    ? bigEndian
    : bigEndian.match(/../g)?.toReversed().join("") ?? "";
}

const LOOPBACK = word("7F000001");
const TCP4 = HEAD +
  `   0: 00000000:FF98 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 30814 1 00000000cea3ecc6 100 0 0 10 0
   1: ${LOOPBACK}:FF98 ${LOOPBACK}:CFE9 01 00000000:00063AEC 00:00000000 00000000  1000        0 30816 1 000000001a870819 20 8 0 10 -1
   2: ${LOOPBACK}:CFE9 ${LOOPBACK}:FF98 01 00041E2C:00000000 04:00000003 00000000     0        0 30815 2 00000000a82f1b60 20 0 0 15 -1
   3: ${LOOPBACK}:859C ${LOOPBACK}:AA45 06 00000000:00000000 03:0000134D 00000000     0        0 0 3 000000002461b687
   4: ${LOOPBACK}:859D ${LOOPBACK}:AA45 7F 00000000:00000000 00:00000000 00000000     0        0 9 1 000000002461b687
`;
const TCP6 =
  "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
  `   0: ${"0".repeat(24)}${word("00000001")}:0050 ${
    "0".repeat(32)
  }:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 00000000cea3ecc6 100 0 0 10 0
   1: ${"0".repeat(32)}:01BB ${
    "0".repeat(32)
  }:0000 0A 00000000:00000000 00:00000000 00000000     0        0 78 1 00000000cea3ecc6 100 0 0 10 0
   2: ${"0".repeat(16)}${word("0000FFFF")}${LOOPBACK}:01BB ${word("20010DB8")}${
    "0".repeat(16)
  }${
    word("00000007")
  }:0400 08 00000000:00000001 00:00000000 00000000     0        0 79 1 00000000cea3ecc6 100 0 0 10 0
`;

Deno.test("parseSocketTable() reads addresses, queues, states and inodes", () => {
  const [listening, reading, writing, gone, odd] = parseSocketTable(
    TCP4,
    "tcp4",
  );
  assertEquals(listening, {
    proto: "tcp4",
    recvQ: 3,
    sendQ: 0,
    local: { transport: "tcp", hostname: "0.0.0.0", port: 65_432 },
    remote: { transport: "tcp", hostname: "0.0.0.0", port: 0 },
    state: "LISTEN",
    inode: 30_814,
  });
  assertEquals([reading.recvQ, reading.sendQ, reading.inode], [
    408_300,
    0,
    30_816,
  ]);
  assertEquals([writing.recvQ, writing.sendQ, writing.state], [
    0,
    269_868,
    "ESTABLISHED",
  ]);
  assertEquals([writing.local, writing.remote], [
    { transport: "tcp", hostname: "127.0.0.1", port: 53_225 },
    { transport: "tcp", hostname: "127.0.0.1", port: 65_432 },
  ]);
  assertEquals([gone.state, gone.inode, odd.state], ["TIME_WAIT", 0, "7F"]);
});

Deno.test("parseSocketTable() reads IPv6 addresses", () => {
  assertEquals(
    parseSocketTable(TCP6, "tcp6").map(({ proto, local, remote, state }) => [
      proto,
      local.hostname,
      local.port,
      remote.hostname,
      remote.port,
      state,
    ]),
    [
      ["tcp6", "::1", 80, "::", 0, "LISTEN"],
      ["tcp6", "::", 443, "::", 0, "LISTEN"],
      ["tcp6", "::ffff:127.0.0.1", 443, "2001:db8::7", 1024, "CLOSE_WAIT"],
    ],
  );
});

Deno.test("parseSocketTable() finds no sockets in an empty table, or in none", () => {
  assertEquals(parseSocketTable(HEAD, "tcp4"), []);
  assertEquals(parseSocketTable("", "tcp6"), []);
});

Deno.test("formatSocketTable() prints what the tutorial's netstat does", () => {
  const sockets = parseSocketTable(TCP4, "tcp4").slice(0, 3);
  assertEquals(formatSocketTable(sockets), [
    "Proto Recv-Q Send-Q Local Address   Foreign Address (state)",
    "tcp4       3      0 *:65432         *:*             LISTEN",
    "tcp4  408300      0 127.0.0.1:65432 127.0.0.1:53225 ESTABLISHED",
    "tcp4       0 269868 127.0.0.1:53225 127.0.0.1:65432 ESTABLISHED",
  ]);
});

Deno.test("formatSocketTable() adds the owners that are known", () => {
  const owners = new Map([[77, { command: "deno", pid: 67_982 }]]);
  assertEquals(formatSocketTable(parseSocketTable(TCP6, "tcp6"), owners), [
    "Proto Recv-Q Send-Q Local Address Foreign Address    (state)    COMMAND PID",
    "tcp6       0      0 [::1]:80      *:*                LISTEN     deno    67982",
    "tcp6       0      0 *:443         *:*                LISTEN     -       -",
    "tcp6       1      0 127.0.0.1:443 [2001:db8::7]:1024 CLOSE_WAIT -       -",
  ]);
});

Deno.test("formatSocketTable() prints the head alone if there are no sockets", () => {
  assertEquals(formatSocketTable([]), [
    "Proto Recv-Q Send-Q Local Address Foreign Address (state)",
  ]);
});

Deno.test("readSocketTable() says which permission it needs", async () => {
  await assertRejects(
    readSocketTable,
    Deno.errors.NotCapable,
    'Requires run access to "cat"',
  );
});
