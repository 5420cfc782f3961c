/**
 * Addresses as people write them.
 *
 * @module
 */

import { formatAddr } from "@framewire/framewire";
import { assertEquals } from "@std/assert";

const CASES: [what: string, addr: Deno.Addr | undefined, written: string][] = [
  [
    "IPv4",
    { transport: "tcp", hostname: "127.0.0.1", port: 65432 },
    "127.0.0.1:65432",
  ],
  ["IPv6", { transport: "tcp", hostname: "::1", port: 80 }, "[::1]:80"],
  [
    "IPv4 that came in over IPv6",
    { transport: "tcp", hostname: "::ffff:192.0.2.1", port: 1 },
    "192.0.2.1:1",
  ],
  [
    "IPv4 that came in over IPv6, in capitals",
    { transport: "tcp", hostname: "::FFFF:192.0.2.1", port: 1 },
    "192.0.2.1:1",
  ],
  [
    "IPv6 that only begins like that",
    { transport: "tcp", hostname: "::ffff:c000:201", port: 1 },
    "[::ffff:c000:201]:1",
  ],
  ["UDP", { transport: "udp", hostname: "10.0.0.1", port: 53 }, "10.0.0.1:53"],
  ["a name", { transport: "tcp", hostname: "host", port: 7 }, "host:7"],
  [
    "a Unix socket",
    { transport: "unix", path: "/run/app.sock" },
    "unix:/run/app.sock",
  ],
  ["VSOCK", { transport: "vsock", cid: 2, port: 5000 }, "vsock:2:5000"],
  ["nothing", undefined, "unknown"],
];

for (const [what, addr, written] of CASES) {
  Deno.test(`formatAddr() writes ${what}`, () => {
    assertEquals(formatAddr(addr), written);
  });
}

Deno.test("formatAddr() writes the end of a Unix socket that has no path", async () => {
  const path = await Deno.makeTempDir();
  try {
    using listener = Deno.listen({ transport: "unix", path: `${path}/s` });
    const [client, server] = await Promise.all([
      Deno.connect({ transport: "unix", path: `${path}/s` }),
      listener.accept(),
    ]);
    assertEquals(formatAddr(server.remoteAddr), "unix:");
    assertEquals(formatAddr(client.remoteAddr), `unix:${path}/s`);
    client.close();
    server.close();
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
