/**
 * Names and addresses, as a process finds them out. What a name server says is no matter of these tests.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseIp } from "../../cli/ip_address.ts";
import { parseHosts, reverseName } from "../../cli/resolve.ts";
import { runProgram } from "../support/running_program.ts";

const RESOLVE = "cli/resolve.ts";
const FLAGS = [
  "--allow-sys=hostname",
  "--allow-read=/etc/hosts",
  "--allow-net=0.0.0.0/0:53",
];
const NEEDS =
  "resolve: needs permission: run again with --allow-sys=hostname --allow-read=/etc/hosts --allow-net=0.0.0.0/0:53";
const REFUSED = "failed: needs permission: run again with";

Deno.test("resolve shows what localhost stands for, without a name server", async () => {
  const { code, out, err } = await runProgram(RESOLVE, ["localhost"], {
    flags: FLAGS.slice(0, 2),
  });
  assertEquals([code, err], [0, []]);
  assert(/^socket\.gethostname\(\) = '.+'$/.test(out[0]), out[0]);
  assert(/^\/etc\/hosts = \d+ addresses$/.test(out[1]), out[1]);
  assertEquals(out[2], "socket.gethostbyname('localhost') = '127.0.0.1'");
  assert(
    /^socket\.gethostbyaddr\('127\.0\.0\.1'\) = \('.+', \[.*\], \['127\.0\.0\.1'\]\)$/
      .test(out[3]),
    out[3],
  );
  const found = Number(out[4].match(/^len\(.*\) = (\d+)$/)?.[1]);
  assert(found >= 1, out[4]);
  assertEquals(
    out[4 + found],
    "  (AF_INET, SOCK_STREAM, 6, '', ('127.0.0.1', 80))",
  );
  assertEquals(out.slice(5 + found), [
    "socket.getservbyname('http') = 80",
    "socket.getservbyport(80) = 'http'",
  ]);
});

Deno.test("resolve goes on without any permission, and then says what it needs", async () => {
  assertEquals(await runProgram(RESOLVE, ["localhost", "443"]), {
    code: 1,
    out: [
      `socket.gethostname() ${REFUSED} --allow-sys=hostname`,
      `/etc/hosts ${REFUSED} --allow-read=/etc/hosts`,
      "socket.gethostbyname('localhost') = '127.0.0.1'",
      "socket.gethostbyaddr('127.0.0.1') = ('localhost', [], ['127.0.0.1'])",
      "len(socket.getaddrinfo('localhost', 443, proto=IPPROTO_TCP)) = 2",
      "  (AF_INET6, SOCK_STREAM, 6, '', ('::1', 443, 0, 0))",
      "  (AF_INET, SOCK_STREAM, 6, '', ('127.0.0.1', 443))",
      "socket.getservbyname('https') = 443",
      "socket.getservbyport(443) = 'https'",
    ],
    err: [NEEDS],
  });
});

Deno.test("resolve shows what a literal IPv6 address stands for", async () => {
  const { out } = await runProgram(RESOLVE, ["0:0::1", "domain"]);
  assertEquals(out.slice(2), [
    "socket.gethostbyname('0:0::1') failed: there is no IPv4 address",
    "socket.gethostbyaddr('::1') = ('localhost', [], ['::1'])",
    "len(socket.getaddrinfo('0:0::1', 53, proto=IPPROTO_TCP)) = 1",
    "  (AF_INET6, SOCK_STREAM, 6, '', ('::1', 53, 0, 0))",
    "socket.getservbyname('domain') = 53",
    "socket.getservbyport(53) = 'domain'",
  ]);
});

Deno.test("resolve goes on if a name cannot be looked up, whatever the reason", async () => {
  const { code, out, err } = await runProgram(
    RESOLVE,
    ["nowhere.invalid", "7"],
    { flags: FLAGS },
  );
  assertEquals(code, 1);
  // A name server over IPv6 is not allowed above; then that is what it says.
  assert(err.length === 0 || err[0] === NEEDS, err.join("\n"));
  assertEquals(out.length, 6);
  assert(out[2].startsWith("socket.gethostbyname('nowhere.invalid') failed: "));
  assertEquals(
    out[3],
    "socket.gethostbyaddr('nowhere.invalid') failed: Unknown host",
  );
  assert(/^len\(.*'nowhere\.invalid', 7, .*\) failed: /.test(out[4]), out[4]);
  assertEquals(
    out[5],
    "socket.getservbyport(7) failed: port/proto not found",
  );
});

Deno.test("resolve asks no name server without permission, and names it", async () => {
  const { code, out, err } = await runProgram(RESOLVE, ["192.0.2.1"], {
    flags: FLAGS.slice(0, 2),
  });
  assertEquals([code, err], [1, [NEEDS]]);
  assertEquals(out[2], "socket.gethostbyname('192.0.2.1') = '192.0.2.1'");
  assert(
    out[3].startsWith(
      `socket.gethostbyaddr('192.0.2.1') ${REFUSED} --allow-net=`,
    ),
    out[3],
  );
});

for (
  const [args, reason] of [
    [[], []],
    [[""], ["resolve: host must not be empty"]],
    [["localhost", "65536"], [
      'resolve: service must be a port up to 65535, or one of ftp, ssh, telnet, smtp, domain, http, pop3, ntp, imap, ldap, https, postgresql: it is "65536"',
    ]],
    [["localhost", "gopher"], [
      'resolve: service must be a port up to 65535, or one of ftp, ssh, telnet, smtp, domain, http, pop3, ntp, imap, ldap, https, postgresql: it is "gopher"',
    ]],
  ] as const
) {
  Deno.test(`resolve refuses ${JSON.stringify(args)}`, async () => {
    assertEquals(await runProgram(RESOLVE, args), {
      code: 2,
      out: [],
      err: ["usage: resolve <host> [<service>]", ...reason],
    });
  });
}

Deno.test("parseHosts() reads addresses and names, and leaves out the rest", () => {
  const text = "# a comment\n\n127.0.0.1\tlocalhost  Vm # here\r\n" +
    "::1 ip6-localhost\n0:0::0:2 two\nnonsense here\n  10.0.0.1   box\n10.0.0.2";
  assertEquals(parseHosts(text), [
    { address: "127.0.0.1", names: ["localhost", "vm"] },
    { address: "::1", names: ["ip6-localhost"] },
    { address: "::2", names: ["two"] },
    { address: "10.0.0.1", names: ["box"] },
    { address: "10.0.0.2", names: [] },
  ]);
});

for (
  const [address, name] of [
    ["82.93.246.218", "218.246.93.82.in-addr.arpa"],
    [
      "2001:db8::567:89ab",
      "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    ],
  ]
) {
  Deno.test(`reverseName() turns ${address} round`, () => {
    assertEquals(reverseName(parseIp(address) ?? new Uint8Array()), name);
  });
}
