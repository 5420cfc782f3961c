/**
 * The header of the PROXY protocol.
 *
 * @module
 */

import {
  ByteQueue,
  encodeFrame,
  FrameDecoder,
  FrameTooLargeError,
  Framing,
  lengthPrefixed,
  MalformedFrameError,
  type ProxyHeader,
  proxyHeader,
  type ProxyNetAddr,
  type ProxyTlv,
  type ProxyUnixAddr,
  type RelayedProxyHeader,
  text,
  TruncatedFrameError,
} from "@framewire/framewire";
import { scriptedConn } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { SOCKETS, writeAll } from "../support/sockets.ts";
import { byteByByte, raw, unraw } from "../support/wire.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const TCP4_LINE = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
/** 192.168.0.1, 192.168.0.11, 56324 and 443. */
const TCP4_ADDRESSES = "\xc0\xa8\0\x01\xc0\xa8\0\x0b\xdc\x04\x01\xbb";
const TCP4_BLOCK = `${SIGNATURE}\x21\x11\0\x0c${TCP4_ADDRESSES}`;
const TCP4: RelayedProxyHeader = {
  version: 2,
  command: "proxy",
  source: { transport: "tcp", hostname: "192.168.0.1", port: 56324 },
  destination: { transport: "tcp", hostname: "192.168.0.11", port: 443 },
  tlvs: [],
};

/** A header of version 2. */
function block(command: string, family: string, content: string): string {
  const length = String.fromCharCode(content.length >> 8, content.length & 255);
  return SIGNATURE + command + family + length + content;
}

/** A header of version 2 over TCP and IPv4. */
function withTlvs(tlvs: string): string {
  return block("\x21", "\x11", TCP4_ADDRESSES + tlvs);
}

/** The only header in a wire. */
function decode(wire: string): ProxyHeader | undefined {
  const decoder = new FrameDecoder(proxyHeader());
  decoder.push(raw(wire));
  const header = decoder.next();
  assertEquals(decoder.end(), undefined);
  return header;
}

testStreams("proxyHeader()", [
  {
    name: "reads a line that came in pieces",
    codec: proxyHeader(),
    steps: [
      ["PROX"],
      ["Y UNKNOWN "],
      ["whatever\r"],
      ["\n", '={"version":1,"command":"proxy","tlvs":[]}'],
    ],
  },
  {
    name: "reads a block that came in pieces",
    codec: proxyHeader(),
    steps: [
      ["\r\n\r\n"],
      ["\0\r\nQUIT\n"],
      ["\x20\0\0"],
      ["\0", '={"version":2,"command":"local","tlvs":[]}'],
    ],
  },
  {
    name: "refuses what begins no header at its first byte",
    codec: proxyHeader(),
    steps: [["G", "malformed"]],
  },
  {
    name: "refuses a zero byte",
    codec: proxyHeader(),
    steps: [["\0", "malformed"]],
  },
  {
    name: "refuses what begins like version 1 at the byte that differs",
    codec: proxyHeader(),
    steps: [["P"], ["R"], ["I", "malformed"]],
  },
  {
    name: "refuses lower case",
    codec: proxyHeader(),
    steps: [["PROXY "], ["t", "malformed"]],
  },
  {
    name: "refuses a family that version 1 does not have",
    codec: proxyHeader(),
    steps: [["PROXY TCP"], ["7", "malformed"]],
  },
  {
    name: "refuses UDP in version 1",
    codec: proxyHeader(),
    steps: [["PROXY U"], ["D", "malformed"]],
  },
  {
    name: "refuses what goes on behind UNKNOWN without a space",
    codec: proxyHeader(),
    steps: [["PROXY UNKNOWN"], ["S", "malformed"]],
  },
  {
    name: "refuses what is no part of an IPv4 address",
    codec: proxyHeader(),
    steps: [["PROXY TCP4 192."], ["a", "malformed"]],
  },
  {
    name: "refuses what is no part of an IPv6 address",
    codec: proxyHeader(),
    steps: [["PROXY TCP6 fe80:"], ["g", "malformed"]],
  },
  {
    name: "refuses a line feed alone",
    codec: proxyHeader(),
    steps: [["PROXY TCP4 1.2.3.4 1.2.3.5 1 2"], ["\n", "malformed"]],
  },
  {
    name: "refuses a carriage return alone",
    codec: proxyHeader(),
    steps: [["PROXY UNKNOWN x\r"], ["x", "malformed"]],
  },
  {
    name: "refuses what begins like version 2 at the byte that differs",
    codec: proxyHeader(),
    steps: [["\r\n\r\n\0\r\nQUIT"], ["\r", "malformed"]],
  },
  {
    name: "refuses another version right behind the signature",
    codec: proxyHeader(),
    steps: [[SIGNATURE], ["\x11", "malformed"]],
  },
  {
    name: "refuses a command that there is not",
    codec: proxyHeader(),
    steps: [[SIGNATURE], ["\x22", "malformed"]],
  },
  {
    name: "refuses a family that there is not",
    codec: proxyHeader(),
    steps: [[SIGNATURE + "\x21"], ["\x41", "malformed"]],
  },
  {
    name: "refuses a protocol that there is not",
    codec: proxyHeader(),
    steps: [[SIGNATURE + "\x21"], ["\x13", "malformed"]],
  },
  {
    name:
      "refuses a length that the addresses do not fit into before they come",
    codec: proxyHeader(),
    steps: [[SIGNATURE + "\x21\x21\0"], ["\x23", "malformed"]],
  },
  {
    name: "refuses a length over the limit before anything of it comes",
    codec: proxyHeader(),
    steps: [[SIGNATURE + "\x21\x11\x02"], ["\x09", "too large: 537 > 536"]],
  },
  {
    name: "takes a length at the limit, and notices that the stream ended",
    codec: proxyHeader(),
    steps: [[SIGNATURE + "\x21\x11\x02\x08"], [TCP4_ADDRESSES]],
    end: ["truncated: 28 of 536"],
  },
  {
    name: "takes as much as it was told to",
    codec: proxyHeader({ maxFrameLength: 107 }),
    steps: [[`${SIGNATURE}\x20\0\0\x5c`, "too large: 108 > 107"]],
  },
  {
    name: "takes no more than there can be",
    codec: proxyHeader({ maxFrameLength: 65551 }),
    steps: [[`${SIGNATURE}\x20\0\xff\xff`]],
    end: ["truncated: 16 of 65551"],
  },
  {
    name: "takes a line of 107 bytes",
    codec: proxyHeader(),
    steps: [
      [`PROXY UNKNOWN ${"f".repeat(91)}\r`],
      ["\n", '={"version":1,"command":"proxy","tlvs":[]}'],
    ],
  },
  {
    name: "refuses a line that does not end within 107 bytes",
    codec: proxyHeader(),
    steps: [
      [`PROXY UNKNOWN ${"f".repeat(92)}`],
      ["\r", "too large: 108 > 107"],
    ],
  },
  {
    name: "refuses addresses that never end",
    codec: proxyHeader({ maxFrameLength: 1000 }),
    steps: [
      [`PROXY TCP6 ${"f".repeat(95)}`],
      ["f", "too large: 108 > 107"],
    ],
  },
  {
    name: "notices that the stream ended in the signature",
    codec: proxyHeader(),
    steps: [["\r\n\r\n\0"]],
    end: ["truncated: 5, \r\n\r\n\0"],
  },
  {
    name: "notices that the stream ended in a line",
    codec: proxyHeader(),
    steps: [["PROXY TCP4 1.2"]],
    end: ["truncated: 14, PROXY TCP4 1.2"],
  },
  {
    name: "notices that the stream ended in a block",
    codec: proxyHeader(),
    steps: [[TCP4_BLOCK.slice(0, 20)]],
    end: ["truncated: 20 of 28"],
  },
]);

Deno.test("proxyHeader() says what a line of version 1 lacks", () => {
  const cases: [line: string, message: string][] = [
    ["", 'two addresses and two ports: it is ""'],
    ["1.2.3.4 1.2.3.5 1", 'two ports: it is "1.2.3.4 1.2.3.5 1"'],
    ["1.2.3.4 1.2.3.5 1 2 3", 'two ports: it is "1.2.3.4 1.2.3.5 1 2 3"'],
    ["1.2.3.4 1.2.3.5 1 2 ", 'two ports: it is "1.2.3.4 1.2.3.5 1 2 "'],
    ["1.2.3.4  1.2.3.5 1 2", 'two ports: it is "1.2.3.4  1.2.3.5 1 2"'],
    ["299.168.0.1 1.2.3.5 1 2", 'an address of TCP4 cannot be "299.168.0.1"'],
    ["1.2.3.4 1.2.3.05 1 2", 'an address of TCP4 cannot be "1.2.3.05"'],
    ["1.2.3 1.2.3.5 1 2", 'an address of TCP4 cannot be "1.2.3"'],
    ["1.2.3.4 1.2.3.5 80000 2", 'a port cannot be "80000"'],
    ["1.2.3.4 1.2.3.5 65536 2", 'a port cannot be "65536"'],
    ["1.2.3.4 1.2.3.5 1 02", 'a port cannot be "02"'],
    ["1.2.3.4 1.2.3.5 1 ", 'a port cannot be ""'],
    ["1.2.3.4 1.2.3.5 1 -2", "it has b'-' at 29"],
    ["::1 ::1 1 2", "it has b':' at 11"],
  ];
  for (const [line, message] of cases) {
    const decoder = new FrameDecoder(proxyHeader());
    decoder.push(raw(`PROXY TCP4 ${line}\r\n`));
    assertThrows(() => decoder.next(), MalformedFrameError, message);
  }
  for (const address of ["::1::", "1:2:3:4:5:6:7", "12345::", "1.2.3.4"]) {
    const decoder = new FrameDecoder(proxyHeader());
    decoder.push(raw(`PROXY TCP6 ${address} ::1 1 2\r\n`));
    const message = `an address of TCP6 cannot be "${address}"`;
    assertThrows(() => decoder.next(), MalformedFrameError, message);
  }
});

Deno.test("proxyHeader() shows the bytes that begin no header", () => {
  const decoder = new FrameDecoder(proxyHeader());
  decoder.push(raw("POST / HTTP/1.1\r\n"));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(
    error.message,
    "Cannot read frame: no PROXY protocol header begins with b'PO'",
  );
  assertEquals(unraw(error.preview), "PO");
});

Deno.test("proxyHeader() reads addresses in every spelling and gives Deno's", () => {
  const cases: [address: string, hostname: string][] = [
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["::", "::"],
    ["::FFFF:C0A8:0001", "::ffff:192.168.0.1"],
    ["::ffff:192.168.0.1", "::ffff:192.168.0.1"],
  ];
  for (const [address, hostname] of cases) {
    const header = decode(`PROXY TCP6 ${address} ::1 0 65535\r\n`);
    assertEquals(header, {
      version: 1,
      command: "proxy",
      source: { transport: "tcp", hostname, port: 0 },
      destination: { transport: "tcp", hostname: "::1", port: 65535 },
      tlvs: [],
    });
  }
});

Deno.test("proxyHeader() ignores what it does not know, and does not take it for more than it is", () => {
  const addresses = TCP4_ADDRESSES;
  const cases: [name: string, wire: string, command: "proxy" | "local"][] = [
    ["no family", block("\x21", "\0", ""), "proxy"],
    ["no family and addresses", block("\x21", "\0", addresses), "proxy"],
    ["no family and a stream", block("\x21", "\x01", ""), "proxy"],
    ["IPv4 and no protocol", block("\x21", "\x10", addresses), "proxy"],
    [
      "IPv4, zeros and no protocol",
      block("\x21", "\x10", "\0".repeat(12)),
      "proxy",
    ],
    ["IPv6 and no protocol", block("\x21", "\x20", "\0".repeat(36)), "proxy"],
    ["a Unix socket and no protocol", block("\x21", "\x30", ""), "proxy"],
    ["its own", block("\x20", "\0", ""), "local"],
    ["its own, with addresses", block("\x20", "\x11", addresses), "local"],
    ["its own, with too little", block("\x20", "\x21", addresses), "local"],
    [
      "its own, of a family that there is not",
      block("\x20", "\x7f", "ab"),
      "local",
    ],
    ["its own, with half a TLV", block("\x20", "\0", "\x04\0\x05"), "local"],
  ];
  for (const [name, wire, command] of cases) {
    assertEquals<unknown>(
      decode(wire),
      { version: 2, command, tlvs: [] },
      name,
    );
  }
});

Deno.test("proxyHeader() keeps TLVs in their order", () => {
  const wire = "\x02\0\x0bexample.com" + "\x04\0\0" + "\xe0\0\x02\0\xff" +
    "\x01\0\x02h2" + "\x02\0\x01x";
  const tlvs: ProxyTlv[] = [
    { type: 2, value: raw("example.com") },
    { type: 4, value: raw("") },
    { type: 0xe0, value: raw("\0\xff") },
    { type: 1, value: raw("h2") },
    { type: 2, value: raw("x") },
  ];
  for (
    const [start, header] of [
      [block("\x21", "\x11", TCP4_ADDRESSES + wire), { ...TCP4, tlvs }],
      [block("\x21", "\0", wire), { version: 2, command: "proxy", tlvs }],
      [block("\x20", "\0", wire), { version: 2, command: "local", tlvs }],
    ] satisfies [string, ProxyHeader][]
  ) {
    assertEquals(decode(start), header);
    assertEquals(unraw(encodeFrame(proxyHeader(), header)), start);
  }
});

Deno.test("proxyHeader() gives TLVs memory of their own", () => {
  const decoder = new FrameDecoder(proxyHeader());
  decoder.push(raw(withTlvs("\x02\0\x01x")));
  assertEquals(decoder.next()?.tlvs[0].value.buffer.byteLength, 1);
});

Deno.test("proxyHeader() refuses TLVs that are not what they must be", () => {
  const cases: [tlvs: string, message: string][] = [
    ["\x02", "a TLV ends behind the header"],
    ["\x02\0", "a TLV ends behind the header"],
    ["\x02\0\x01", "a TLV ends behind the header"],
    ["\x04\0\0\x02\0\x03ab", "a TLV ends behind the header"],
    ["\x03\0\x03abc", "a checksum must be 4 bytes: it is 3"],
    ["\x03\0\x04abcd", "the checksum is not the header's"],
    ["\x03\0\x04abcd\x03\0\x04abcd", "the checksum comes twice"],
    [`\x05\0\x81${"x".repeat(129)}`, "at most 128 bytes: it is 129"],
  ];
  for (const [tlvs, message] of cases) {
    const decoder = new FrameDecoder(proxyHeader());
    decoder.push(raw(withTlvs(tlvs)));
    assertThrows(() => decoder.next(), MalformedFrameError, message);
  }
  const id = `\x05\0\x80${"x".repeat(128)}`;
  assertEquals(decode(withTlvs(id))?.tlvs.length, 1);
});

Deno.test("proxyHeader() notices every changed byte by the checksum", () => {
  const header: ProxyHeader = {
    ...TCP4,
    tlvs: [
      { type: 2, value: raw("a.example") },
      { type: 3, value: new Uint8Array(4) },
      { type: 4, value: raw("\0\0") },
    ],
  };
  const wire = encodeFrame(proxyHeader(), header);
  const decoder = new FrameDecoder(proxyHeader());
  decoder.push(wire.slice());
  const [name, sum, padding] = decoder.next()?.tlvs ?? [];
  assertEquals(name, header.tlvs[0]);
  assertEquals([sum.type, sum.value.length], [3, 4]);
  assertEquals(padding, header.tlvs[2]);
  // What is read is written again, whatever the checksum was.
  for (const value of [sum.value, raw("abcd")]) {
    const tlvs = [name, { type: 3, value }, padding];
    assertEquals(encodeFrame(proxyHeader(), { ...TCP4, tlvs }), wire);
  }
  const typeOfSum = wire.length - 5 - 7;
  for (let i = 0; i < wire.length; i++) {
    if (i === typeOfSum) continue; // what has another type is no checksum
    for (const change of [0x01, 0x80]) {
      const changed = wire.slice();
      changed[i] ^= change;
      const decoder = new FrameDecoder(proxyHeader());
      decoder.push(changed);
      // A changed length or family may also be too large, or ask for more.
      let outcome: unknown;
      try {
        outcome = decoder.next() ?? decoder.end();
      } catch (error) {
        outcome = error;
      }
      assert(
        outcome instanceof MalformedFrameError ||
          outcome instanceof TruncatedFrameError ||
          outcome instanceof FrameTooLargeError || isWithoutAddresses(outcome),
        `byte ${i} ^ ${change}: ${Deno.inspect(outcome)}`,
      );
    }
  }
});

/** Whether it is a header that claims nothing about who connected. */
function isWithoutAddresses(value: unknown): boolean {
  return typeof value === "object" && value !== null && !("source" in value);
}

Deno.test("proxyHeader() reads the paths of Unix sockets", () => {
  const cases: [bytes: string, path: string | undefined][] = [
    ["/run/a.sock", "/run/a.sock"],
    ["", ""],
    ["\0abstract", "\0abstract"],
    ["\0a\0b", "\0a\0b"],
    ["/run/\xc3\xa9", "/run/é"],
    ["/".repeat(108), "/".repeat(108)],
    ["/run/a.sock\0left over", "/run/a.sock"],
    ["/run/\xff", undefined],
  ];
  for (const [bytes, path] of cases) {
    const content = bytes.padEnd(108, "\0") + "/x".padEnd(108, "\0");
    for (
      const [family, transport] of [["\x31", "unix"], [
        "\x32",
        "unixpacket",
      ]] as const
    ) {
      const decoder = new FrameDecoder(proxyHeader());
      decoder.push(raw(block("\x21", family, content)));
      if (path === undefined) {
        assertThrows(
          () => decoder.next(),
          MalformedFrameError,
          "not valid UTF-8",
        );
        continue;
      }
      assertEquals(decoder.next(), {
        version: 2,
        command: "proxy",
        source: { transport, path },
        destination: { transport, path: "/x" },
        tlvs: [],
      });
    }
  }
});

const UNIX: ProxyUnixAddr = { transport: "unix", path: "/x" };

function tcp(hostname: string, port: number): ProxyNetAddr {
  return { transport: "tcp", hostname, port };
}

const ends = {
  source: { transport: "tcp", hostname: "2001:db8::1", port: 1 },
  destination: { transport: "tcp", hostname: "::ffff:192.0.2.1", port: 443 },
} as const;

testEncoding<ProxyHeader>("proxyHeader()", [
  {
    name: "writes the line of the specification",
    codec: proxyHeader(),
    frame: { ...TCP4, version: 1 },
    wire: TCP4_LINE,
  },
  {
    name: "writes the longest line over IPv4",
    codec: proxyHeader({ maxFrameLength: 107 }),
    frame: {
      version: 1,
      command: "proxy",
      source: { transport: "tcp", hostname: "255.255.255.255", port: 65535 },
      destination: {
        transport: "tcp",
        hostname: "255.255.255.255",
        port: 65535,
      },
      tlvs: [],
    },
    wire: "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
  },
  {
    name: "writes IPv6 in a line as hexadecimal",
    codec: proxyHeader(),
    frame: { version: 1, command: "proxy", ...ends, tlvs: [] },
    wire: "PROXY TCP6 2001:db8::1 ::ffff:c000:201 1 443\r\n",
  },
  {
    name: "writes a line that knows nothing",
    codec: proxyHeader(),
    frame: { version: 1, command: "proxy", tlvs: [] },
    wire: "PROXY UNKNOWN\r\n",
  },
  {
    name: "writes version 2 over IPv4",
    codec: proxyHeader(),
    frame: TCP4,
    wire: TCP4_BLOCK,
  },
  {
    name: "writes version 2 over IPv6, and addresses in whatever spelling",
    codec: proxyHeader(),
    frame: {
      version: 2,
      command: "proxy",
      source: { transport: "udp", hostname: "2001:0DB8::0:1", port: 1 },
      destination: { transport: "udp", hostname: "::1.2.3.4", port: 258 },
      tlvs: [],
    },
    wire: `${SIGNATURE}\x21\x22\0\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x01${
      "\0".repeat(12)
    }\x01\x02\x03\x04\0\x01\x01\x02`,
  },
  {
    name: "writes a connection of its own",
    codec: proxyHeader(),
    frame: { version: 2, command: "local", tlvs: [] },
    wire: `${SIGNATURE}\x20\0\0\0`,
  },
  {
    name: "writes a header at the limit",
    codec: proxyHeader(),
    frame: { ...TCP4, tlvs: [{ type: 4, value: new Uint8Array(505) }] },
    wire: `${SIGNATURE}\x21\x11\x02\x08${TCP4_ADDRESSES}\x04\x01\xf9${
      "\0".repeat(505)
    }`,
  },
  {
    name: "refuses a header over the limit",
    codec: proxyHeader(),
    frame: { ...TCP4, tlvs: [{ type: 4, value: new Uint8Array(506) }] },
    fault: [RangeError, "length 537 exceeds maxFrameLength of 536 bytes"],
  },
  {
    name: "refuses TLVs in version 1",
    codec: proxyHeader(),
    frame: { ...TCP4, version: 1, tlvs: [{ type: 4, value: raw("") }] },
    fault: [RangeError, "version 1 has no TLVs"],
  },
  {
    name: "refuses UDP in version 1",
    codec: proxyHeader(),
    frame: {
      version: 1,
      command: "proxy",
      source: { transport: "udp", hostname: "1.2.3.4", port: 1 },
      destination: { transport: "udp", hostname: "1.2.3.4", port: 1 },
      tlvs: [],
    },
    fault: [RangeError, "version 1 has no transport udp"],
  },
  {
    name: "refuses a name for an address",
    codec: proxyHeader(),
    frame: {
      ...TCP4,
      source: tcp("localhost", 1),
    },
    fault: [RangeError, 'a hostname must be an IP address: it is "localhost"'],
  },
  {
    name: "refuses a port that there is not",
    codec: proxyHeader(),
    frame: {
      ...TCP4,
      source: tcp("1.2.3.4", 65536),
    },
    fault: [RangeError, "a port must be from 0 to 65535: it is 65536"],
  },
  {
    name: "refuses addresses of two families",
    codec: proxyHeader(),
    frame: { ...TCP4, source: ends.source },
    fault: [RangeError, "same family: they are 2001:db8::1 and 192.168.0.11"],
  },
  {
    name: "refuses two transports",
    codec: proxyHeader(),
    frame: { ...TCP4, source: UNIX },
    fault: [RangeError, "same transport: they have unix and tcp"],
  },
  {
    name: "refuses a path that is too long",
    codec: proxyHeader(),
    frame: {
      version: 2,
      command: "proxy",
      source: { transport: "unix", path: "é".repeat(55) },
      destination: { transport: "unix", path: "" },
      tlvs: [],
    },
    fault: [RangeError, "a path must be at most 108 bytes: it is 110"],
  },
  ...["/a\0b", "\0", "\0a\0"].map((path) => ({
    name: `refuses a path that would be read otherwise: ${
      JSON.stringify(path)
    }`,
    codec: proxyHeader(),
    frame: {
      version: 2,
      command: "proxy",
      source: { transport: "unix", path },
      destination: { transport: "unix", path: "" },
      tlvs: [],
    } satisfies ProxyHeader,
    fault: [RangeError, "a path must not have a zero byte"] as const,
  })),
  {
    name: "refuses the type of a TLV that is no byte",
    codec: proxyHeader(),
    frame: { ...TCP4, tlvs: [{ type: 256, value: raw("") }] },
    fault: [RangeError, "the type of a TLV must be from 0 to 255: it is 256"],
  },
  {
    name: "refuses two checksums",
    codec: proxyHeader(),
    frame: {
      ...TCP4,
      tlvs: [{ type: 3, value: raw("abcd") }, { type: 3, value: raw("abcd") }],
    },
    fault: [RangeError, "the checksum comes twice"],
  },
  {
    name: "refuses a unique id that is too long",
    codec: proxyHeader(),
    frame: { ...TCP4, tlvs: [{ type: 5, value: new Uint8Array(129) }] },
    fault: [RangeError, "at most 128 bytes: it is 129"],
  },
]);

Deno.test("proxyHeader() refuses what its types rule out as well", () => {
  const { source, destination } = TCP4;
  for (
    const [frame, type, message] of [
      [{ ...TCP4, version: 3 }, RangeError, "must be 1 or 2: it is 3"],
      [
        { version: 1, command: "local", tlvs: [] },
        RangeError,
        'version 1 has no command "local"',
      ],
      [
        { version: 2, command: "proxy", source, tlvs: [] },
        TypeError,
        "both be there",
      ],
      [
        { version: 1, command: "proxy", destination, tlvs: [] },
        TypeError,
        "both be there",
      ],
      [
        {
          ...TCP4,
          source: { transport: "vsock", cid: 1, port: 1 },
          destination: { transport: "vsock", cid: 1, port: 1 },
        },
        RangeError,
        "version 2 has no transport vsock",
      ],
    ] as const
  ) {
    assertThrows(
      // @ts-expect-error what JavaScript may do
      () => encodeFrame(proxyHeader(), frame),
      type,
      message,
    );
  }
});

Deno.test("proxyHeader() checks its limit", () => {
  const range = "maxFrameLength must be a whole number from 107 to 65551";
  for (const maxFrameLength of [0, 106, 65552, 107.5, NaN]) {
    assertThrows(() => proxyHeader({ maxFrameLength }), RangeError, range);
  }
});

Deno.test("proxyHeader() takes exactly one header, however much comes behind it", () => {
  for (const wire of [TCP4_LINE, "PROXY UNKNOWN\r\n", TCP4_BLOCK]) {
    const rests = ["x", "\n", "\r\n", "PROXY", wire, "\0".repeat(9000)];
    for (const rest of rests) {
      const decoder = new FrameDecoder(proxyHeader());
      decoder.push(raw(wire + rest));
      const { version } = decoder.next() ?? {};
      assertEquals(version, wire.startsWith("PROXY") ? 1 : 2);
      assertEquals(unraw(decoder.takeRest()), rest);
    }
  }
});

Deno.test("proxyHeader() leaves the frames behind it to another codec, wherever the bytes are cut", () => {
  const frames = text(lengthPrefixed());
  for (const wire of [TCP4_LINE, "PROXY UNKNOWN\r\n", TCP4_BLOCK]) {
    const stream = concat([
      raw(wire),
      encodeFrame(frames, "hello"),
      encodeFrame(frames, ""),
    ]);
    /** What comes of the stream in these chunks. */
    const readAll = (chunks: Uint8Array[]): unknown[] => {
      const first = new FrameDecoder(proxyHeader());
      let header: ProxyHeader | undefined;
      let second: FrameDecoder<string> | undefined;
      const found: unknown[] = [];
      for (const chunk of chunks) {
        (second ?? first).push(chunk.slice());
        if (second === undefined) {
          header = first.next();
          if (header === undefined) continue;
          second = first.switchCodec(frames);
        }
        let frame: string | undefined;
        while ((frame = second.next()) !== undefined) found.push(frame);
      }
      assertEquals(second?.end(), undefined);
      return [header?.version, ...found];
    };
    const expected = [wire.startsWith("PROXY") ? 1 : 2, "hello", ""];
    assertEquals(readAll([stream]), expected);
    assertEquals(readAll(byteByByte(stream)), expected);
    for (let i = 1; i < stream.length; i++) {
      const parts = [stream.subarray(0, i), stream.subarray(i)];
      assertEquals(readAll(parts), expected, `cut at ${i}`);
    }
  }
});

for (const [kind, pair] of SOCKETS) {
  Deno.test(`proxyHeader() comes before frames over ${kind}, in one segment or byte by byte`, async () => {
    const frames = text(lengthPrefixed());
    for (const version of [1, 2] as const) {
      const stream = concat([
        encodeFrame(proxyHeader(), { ...TCP4, version }),
        encodeFrame(frames, "hello"),
        encodeFrame(frames, "world"),
      ]);
      for (const chunks of [[stream], byteByByte(stream)]) {
        const [here, there] = await pair();
        using proxy = there;
        const connection = new Framing(here, proxyHeader());
        const sent = (async () => {
          for (const chunk of chunks) {
            await writeAll(proxy, chunk);
            // What is read meanwhile is a part of the header.
            await new Promise((resolve) => setTimeout(resolve, 0));
          }
          await proxy.closeWrite();
        })();
        assertEquals(await connection.read(), { ...TCP4, version });
        await using peer = connection.switchCodec(frames);
        assertEquals(await Array.fromAsync(peer), ["hello", "world"]);
        await sent;
      }
    }
  });
}

for (const [kind, pair] of SOCKETS) {
  Deno.test(`proxyHeader() is written before frames over ${kind}`, async () => {
    const [here, there] = await pair();
    const frames = text(lengthPrefixed());
    const toServer = new Framing(here, proxyHeader());
    const fromProxy = new Framing(there, proxyHeader());
    const tlvs = [
      { type: 2, value: raw("a.example") },
      { type: 3, value: new Uint8Array(4) },
    ];
    await toServer.write({ ...TCP4, tlvs });
    await using client = toServer.switchCodec(frames);
    await client.write("hello");
    const header = await fromProxy.read();
    await using server = fromProxy.switchCodec(frames);
    assertEquals(await server.read(), "hello");
    await server.write("and back");
    assertEquals(await client.read(), "and back");
    assertEquals(header?.source, TCP4.source);
    assertEquals(header?.tlvs[0], tlvs[0]);
  });
}

Deno.test("proxyHeader() refuses a peer that sends no header at its first byte, and waits for no more", async () => {
  const conn = scriptedConn([{ chunk: "G" }, { stall: true }]);
  await using peer = new Framing(conn, proxyHeader());
  await assertRejects(() => peer.read(), MalformedFrameError, "b'G'");
});

Deno.test("proxyHeader() gives up on endless headers within the limit", () => {
  const cases: [name: string, wire: string, most: number][] = [
    ["a line", "PROXY UNKNOWN " + "x".repeat(5000), 107],
    ["addresses", "PROXY TCP4 " + "1".repeat(5000), 107],
    ["a block", block("\x21", "\x11", "\0".repeat(5000)), 16],
  ];
  for (const [name, wire, most] of cases) {
    const decoder = new FrameDecoder(proxyHeader());
    let pushed = 0;
    const error = assertThrows(() => {
      for (const byte of byteByByte(raw(wire))) {
        decoder.push(byte);
        pushed++;
        decoder.next();
      }
    }, FrameTooLargeError);
    assertEquals(pushed, most, name);
    assertStringIncludes(error.message, "exceeds");
  }
});

Deno.test("proxyHeader() looks at a byte of a line a bounded number of times", () => {
  let looks = 0;
  class CountingQueue extends ByteQueue {
    override at(index: number): number {
      looks++;
      return super.at(index);
    }
  }
  const received = new CountingQueue();
  const wire = raw(`PROXY TCP6 ${"f".repeat(95)}`);
  for (const byte of byteByByte(wire)) {
    received.push(byte);
    assertEquals(proxyHeader().decode(received), undefined);
  }
  // The beginning is compared each time, the rest once: itself and what comes before it.
  const beginnings = 30;
  assertLess(looks, wire.length * (beginnings + 2));
});
