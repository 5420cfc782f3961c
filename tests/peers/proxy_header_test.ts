/**
 * The PROXY protocol with HAProxy, both ways: in front of our server, and as the server of our client.
 *
 * @module
 */

import {
  connect,
  encodeFrame,
  formatAddr,
  lines,
  type PeerInfo,
  PeerResetError,
  type ProxyHeader,
  type ProxyTlv,
  serve,
  type TlsConnectOptions,
  untilClose,
} from "@framewire/framewire";
import { proxyHeader } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { Recorder, writeCapture } from "../support/capture.ts";
import {
  type Needed,
  PeerServer,
  run,
  testWithPeers,
} from "../support/peer_server.ts";
import { freePort } from "../support/running_program.ts";
import { authority, SERVER } from "../support/tls.ts";

const needed: Needed[] = [{ command: "haproxy", package: "haproxy" }, {
  command: "python3",
  package: "python3",
}];
const WAIT = { timeout: 10_000 };
const CLIENTS = 20;
/** How our client encrypts. */
const GREETING: VisitOptions = {
  tls: { ca: authority.cert, serverName: "localhost", alpn: ["greeting"] },
};
const decoder = new TextDecoder();

/** What else a client of ours does. */
interface VisitOptions {
  tls?: TlsConnectOptions;
  proxyHeader?: ProxyHeader;
}

/** Where HAProxy listens. */
const PLACES = ["v1", "v2", "all", "tls", "relay1", "relay2"] as const;
type Ports = Record<typeof PLACES[number], number>;

/**
 * Starts HAProxy. On its own port it says who its client is, as it has been told by a header; the others lead to
 * our server.
 */
function startHaproxy(
  ours: number,
  ports: Ports,
  check = "check inter 100ms",
): Promise<PeerServer> {
  const to = (options: string) => `server ours 127.0.0.1:${ours} ${options}`;
  return PeerServer.start({
    command: "haproxy",
    prepare: async (folder, port) => {
      const pem = await folder.write("pem", SERVER.cert + SERVER.key);
      await folder.write(
        "cfg",
        `
defaults
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  unique-id-format framewire-%rt

frontend who
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority] %[fc_pp_unique_id]"

listen v1
  bind 127.0.0.1:${ports.v1}
  ${to("send-proxy")}
listen v2
  bind 127.0.0.1:${ports.v2}
  ${to("send-proxy-v2")}
listen all
  bind 127.0.0.1:${ports.all}
  ${to("send-proxy-v2 proxy-v2-options crc32c,unique-id")}
listen tls
  bind 127.0.0.1:${ports.tls} ssl crt ${pem} alpn greeting
  ${to("send-proxy-v2-ssl-cn proxy-v2-options crc32c,authority,ssl")}
listen unix1
  bind unix@${folder.path}/unix1 mode 666
  ${to("send-proxy")}
listen unix2
  bind unix@${folder.path}/unix2 mode 666
  ${to("send-proxy-v2")}
listen relay1
  bind 127.0.0.1:${ports.relay1} accept-proxy
  ${to("send-proxy")}
listen relay2
  bind 127.0.0.1:${ports.relay2} accept-proxy
  option tcp-check
  tcp-check connect send-proxy
  tcp-check send check\\n
  tcp-check expect rstring ^127.0.0.1:[0-9]+\\ncheck\\n$
  ${to(`send-proxy-v2 ${check}`)}
`,
      );
    },
    args: ({ folder }) => ["-db", "-f", `${folder}/cfg`],
  });
}

function freePorts(): Ports {
  const [v1, v2, all, tls, relay1, relay2] = PLACES.map(freePort);
  return { v1, v2, all, tls, relay1, relay2 };
}

/** A server that says who its client is, and then sends back what it says. */
class Ours implements AsyncDisposable {
  /** What is known of each connection that was handled. */
  readonly infos: PeerInfo[] = [];
  /** What went wrong. */
  readonly errors: unknown[] = [];
  #server = serve(
    {
      port: 0,
      proxyProtocol: { trusted: ["127.0.0.1"] },
      onConnection: (info) => this.infos.push(info),
      onError: (error, info) => {
        // HAProxy ends its health checks with a reset, to have done with them.
        const isCheck = info?.proxyHeader?.command === "local";
        if (!isCheck || !(error instanceof PeerResetError)) {
          this.errors.push(error);
        }
      },
    },
    lines(),
    async (peer, info) => {
      await peer.write(formatAddr(info.remoteAddr));
      for await (const line of peer) await peer.write(line);
    },
  );

  /** Where it listens. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** The headers of the connections that HAProxy relayed for others. */
  get relayed(): ProxyHeader[] {
    return this.infos.flatMap(({ proxyHeader: header }) =>
      header === undefined || header.command === "local" ? [] : [header]
    );
  }

  /** The first connection of which something is true, now or soon. */
  async first(is: (info: PeerInfo) => boolean): Promise<PeerInfo> {
    const deadline = performance.now() + WAIT.timeout;
    while (true) {
      const found = this.infos.find(is);
      if (found !== undefined) return found;
      assert(performance.now() < deadline, "no such connection came");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Who our server takes a client for, and the client's own address. */
async function visit(
  port: number,
  options: VisitOptions = {},
): Promise<[seen: string | null, own: string]> {
  await using peer = await connect({ port, ...options }, lines());
  // What is sent at once comes together with the header, or right behind it.
  await peer.write("hello");
  const seen = await peer.read(WAIT);
  assertEquals(await peer.read(WAIT), "hello");
  return [seen, formatAddr(peer.localAddr)];
}

/** A header of a client that there is not. */
function headerOf(
  version: 1 | 2,
  family: 4 | 6,
  tlvs: readonly ProxyTlv[] = [],
): ProxyHeader {
  const [from, to] = family === 4
    ? ["192.0.2.7", "198.51.100.1"]
    : ["2001:db8::7", "2001:db8::ffff:1"];
  return {
    version,
    command: "proxy",
    source: { transport: "tcp", hostname: from, port: 56324 },
    destination: { transport: "tcp", hostname: to, port: 443 },
    tlvs,
  };
}

function tlv(type: number, text: string): ProxyTlv {
  return { type, value: new TextEncoder().encode(text) };
}

// Types of TLVs.
const ALPN = 1;
const AUTHORITY = 2;
const CHECKSUM = 3;
const UNIQUE_ID = 5;
const TLS = 0x20;
/** What HAProxy says beside the addresses. */
const TYPES: Readonly<Record<string, readonly number[]>> = {
  v1: [],
  v2: [],
  all: [CHECKSUM, UNIQUE_ID],
  tls: [CHECKSUM, ALPN, AUTHORITY, TLS],
};

/** The texts of those TLVs that are texts. */
function textsIn({ tlvs }: ProxyHeader): Record<number, string> {
  return Object.fromEntries(
    tlvs.filter(({ type }) => [ALPN, AUTHORITY, UNIQUE_ID].includes(type))
      .map(({ type, value }) => [type, decoder.decode(value)]),
  );
}

/** Asks HAProxy who it takes us for. */
async function askWho(port: number, header: ProxyHeader): Promise<string> {
  await using peer = await connect(
    { port, proxyHeader: header },
    untilClose(),
  );
  await peer.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const answer = decoder.decode(await peer.read(WAIT) ?? undefined);
  const [head, body] = answer.split("\r\n\r\n");
  assert(head.startsWith("HTTP/1.1 200 OK"), answer);
  return body;
}

/** Makes the capture anew: clients that say nothing, so that all that HAProxy sends are headers. */
async function record(version: string): Promise<void> {
  const ports = freePorts();
  await using ours = new Ours();
  await using recorder = new Recorder(ours.port);
  await using haproxy = await startHaproxy(recorder.port, ports, "");
  const clients: [port: number, options: VisitOptions][] = [
    [ports.v1, {}],
    [ports.v2, {}],
    [ports.all, {}],
    [ports.tls, GREETING],
    [ports.relay1, { proxyHeader: headerOf(2, 6) }],
    [ports.relay2, { proxyHeader: headerOf(1, 6) }],
  ];
  for (const [port, options] of clients) {
    await using peer = await connect({ port, ...options }, lines());
    await peer.read(WAIT);
  }
  for (const name of ["unix1", "unix2"]) {
    await visitByPath(`${haproxy.folder}/${name}`, "");
  }
  await writeCapture("proxy_header", {
    what:
      "headers of one connection each: version 1, version 2, with checksum and unique id, with TLS, IPv6 in both versions, a client without an address in both",
    with: version,
    chunks: recorder.chunks,
  });
}

/** Visits over a Unix socket; gives whom our server takes the client for. */
async function visitByPath(path: string, said = "hello\n"): Promise<string> {
  const program = `
import socket
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(10)
    client.connect(${JSON.stringify(path)})
    client.sendall(${JSON.stringify(said)}.encode())
    lines = client.makefile()
    print(lines.readline(), end="")
    print(lines.readline() if ${JSON.stringify(said)} else "", end="")
`;
  const printed = await run("python3", ["-c", program]);
  assert(printed.endsWith(`\n${said}`), printed);
  return printed.split("\n")[0];
}

async function versionOf(): Promise<string> {
  const text = await run("haproxy", ["-v"]);
  return `HAProxy ${text.match(/version (\S+)/)?.[1]}`;
}

testWithPeers(
  needed,
  "proxyHeader() and serve() know the real client behind HAProxy",
  async () => {
    const version = await versionOf();
    const ports = freePorts();
    await using ours = new Ours();
    await using haproxy = await startHaproxy(ours.port, ports);
    for (const place of ["v1", "v2", "all"] as const) {
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () => visit(ports[place])),
      );
      for (const [seen, own] of clients) assertEquals(seen, own, place);
    }
    const [seen, own] = await visit(ports.tls, GREETING);
    assertEquals(seen, own);

    const headers = ours.relayed;
    assertEquals(headers.length, 3 * CLIENTS + 1);
    for (const [i, header] of headers.entries()) {
      const place = PLACES[Math.floor(i / CLIENTS)];
      assertEquals(header.version, place === "v1" ? 1 : 2);
      assertEquals(header.destination, {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: ports[place],
      });
      const types = header.tlvs.map(({ type }) => type);
      assertEquals(types, TYPES[place], place);
    }
    const ids = headers.slice(2 * CLIENTS, -1)
      .map((header) => textsIn(header)[UNIQUE_ID]);
    assertEquals(new Set(ids).size, CLIENTS);
    const [last] = headers.slice(-1);
    assertEquals(textsIn(last), {
      [ALPN]: "greeting",
      [AUTHORITY]: "localhost",
    });
    const tls = last.tlvs.find(({ type }) => type === TLS)?.value;
    assert(decoder.decode(tls).endsWith("TLSv1.3"));

    // Over a Unix socket the client has no address: version 1 says so, and version 2 that HAProxy is the client.
    for (const name of ["unix1", "unix2"]) {
      const seen = await visitByPath(`${haproxy.folder}/${name}`);
      assert(/^127\.0\.0\.1:\d+$/.test(seen), seen);
    }
    const [unknown] = ours.relayed.slice(-1);
    assertEquals(unknown, { version: 1, command: "proxy", tlvs: [] });

    // Of the proxy's own connections the real address holds.
    const local = await ours.first(({ proxyHeader: header }) =>
      header?.command === "local"
    );
    assertEquals(local.proxyHeader?.source, undefined);
    assert(formatAddr(local.remoteAddr).startsWith("127.0.0.1:"));
    assertEquals(ours.errors, []);
    console.log(
      `peer: ${version}: our server behind it knew the addresses of ${headers.length} clients, told by version 1, by version 2, and with checksum, unique id, ALPN, server name and TLS; health checks are its own`,
    );
    if (Deno.args.includes("--record")) await record(version);
  },
);

testWithPeers(
  needed,
  "proxyHeader() and connect() tell HAProxy who the client is",
  async () => {
    const version = await versionOf();
    const ports = freePorts();
    await using ours = new Ours();
    await using haproxy = await startHaproxy(ours.port, ports);
    const { port } = haproxy;
    const tlvs = [
      tlv(AUTHORITY, "example.org"),
      { type: CHECKSUM, value: new Uint8Array(4) },
      tlv(UNIQUE_ID, "one-of-a-kind"),
      tlv(0xe0, "not of the protocol's own"),
    ];
    const of4 = "192.0.2.7 56324 198.51.100.1 443";
    const of6 = "2001:db8::7 56324 2001:db8::ffff:1 443";
    const cases: [header: ProxyHeader, seen: string][] = [
      [headerOf(1, 4), `${of4}  `],
      [headerOf(1, 6), `${of6}  `],
      [headerOf(2, 4), `${of4}  `],
      [headerOf(2, 6), `${of6}  `],
      [headerOf(2, 4, tlvs), `${of4} example.org one-of-a-kind`],
      [headerOf(2, 6, tlvs), `${of6} example.org one-of-a-kind`],
    ];
    for (const [header, seen] of cases) {
      assertEquals(await askWho(port, header), seen);
    }
    // Of those who say nothing of addresses, the real ones hold. (HAProxy 2.6 refuses version 2's "proxy" without.)
    for (
      const header of [
        { version: 1, command: "proxy", tlvs: [] },
        { version: 2, command: "local", tlvs: [] },
        { version: 2, command: "local", tlvs },
      ] as const
    ) {
      const seen = await askWho(port, header);
      assert(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+ {2}$/.test(seen), seen);
    }

    // There and back again: what HAProxy was told, it tells our server.
    for (const family of [4, 6] as const) {
      for (const given of [1, 2] as const) {
        for (const place of ["relay1", "relay2"] as const) {
          const header = headerOf(given, family);
          const [seen] = await visit(ports[place], { proxyHeader: header });
          assertEquals(seen, formatAddr(header.source));
          const version = place === "relay1" ? 1 : 2;
          assertEquals(ours.relayed.at(-1), { ...header, version });
        }
      }
    }
    console.log(
      `peer: ${version}: understood ${
        cases.length + 3
      } headers of our client, in both versions, IPv4 and IPv6, with and without TLVs, and passed 8 on to our server as they were`,
    );
  },
);

testWithPeers(
  needed,
  "proxyHeader() writes a checksum that HAProxy verifies",
  async () => {
    await using ours = new Ours();
    await using haproxy = await startHaproxy(ours.port, freePorts());
    const checked = { type: CHECKSUM, value: new Uint8Array(4) };
    const wire = encodeFrame(proxyHeader(), headerOf(2, 4, [checked]));
    const request = new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n");
    for (const flipped of [false, true]) {
      if (flipped) wire[wire.length - 1] ^= 1;
      await using peer = await connect({ port: haproxy.port }, untilClose());
      await peer.write(concat([wire, request]));
      const answer = await peer.read(WAIT).catch((error: unknown) => {
        if (error instanceof PeerResetError) return null;
        throw error;
      });
      assertEquals(answer === null, flipped);
    }
  },
);
