/**
 * Certificates that tests make for themselves: a tiny maker of X.509, by hand.
 *
 *     const authority = await Authority.make();
 *     const { cert, key } = await authority.issue({ name: "server", hosts: ["localhost", "127.0.0.1"] });
 *
 * @module
 */

import { concat } from "@std/bytes";

/** A certificate and its private key, as PEM texts. */
export interface Credentials {
  /** The certificate. */
  cert: string;
  /** The private key. */
  key: string;
}

/** What a certificate says. */
export interface Claims {
  /** The common name of its subject. */
  name: string;
  /**
   * The names and IPv4 addresses that it is good for.
   *
   * @default {["localhost", "127.0.0.1"]}
   */
  hosts?: readonly string[];
  /**
   * From when it is valid.
   *
   * @default {an hour ago}
   */
  from?: Date;
  /**
   * Until when it is valid.
   *
   * @default {in an hour}
   */
  until?: Date;
}

const HOUR = 3_600_000;
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };

// The tags of the parts that a certificate is made of.
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const UTC_TIME = 0x17;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** A part: its tag, its length, what it is made of. */
function der(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(parts);
  const { length } = body;
  const size = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : [0x82, length >> 8, length & 255];
  return concat([Uint8Array.of(tag, ...size), body]);
}

const sequence = (...parts: Uint8Array[]) => der(SEQUENCE, ...parts);
const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new TextEncoder().encode(value);

/** An object identifier, of which only the first number may be 128 or more once two are put together. */
function oid(...numbers: number[]): Uint8Array {
  const [first, second, ...rest] = numbers;
  const body = rest.flatMap((number) => {
    const digits = [number & 127];
    while ((number >>>= 7) > 0) digits.unshift(number & 127 | 128);
    return digits;
  });
  return der(OBJECT_ID, bytes(first * 40 + second, ...body));
}

/** A whole number that is not negative, from its bytes. */
function integer(value: Uint8Array): Uint8Array {
  const start = value.findIndex((byte) => byte !== 0);
  const short = start < 0 ? bytes(0) : value.subarray(start);
  return der(INTEGER, ...(short[0] > 127 ? [bytes(0)] : []), short);
}

function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  return der(UTC_TIME, text(digits.slice(2)));
}

function name(commonName: string): Uint8Array {
  const part = sequence(oid(2, 5, 4, 3), der(UTF8_STRING, text(commonName)));
  return sequence(der(SET, part));
}

function extension(id: Uint8Array, value: Uint8Array): Uint8Array {
  return sequence(id, der(BOOLEAN, bytes(255)), der(OCTET_STRING, value));
}

function alternativeName(host: string): Uint8Array {
  return /^[\d.]+$/.test(host)
    ? der(IP_ADDRESS, bytes(...host.split(".").map(Number)))
    : der(DNS_NAME, text(host));
}

const SHA256_WITH_ECDSA = sequence(oid(1, 2, 840, 10045, 4, 3, 2));

function pem(label: string, body: Uint8Array): string {
  const lines = body.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${
    lines.join("\n")
  }\n-----END ${label}-----\n`;
}

/** Lays a certificate out and signs it. */
async function certify(
  { name: subject, hosts = ["localhost", "127.0.0.1"], from, until }: Claims,
  keys: CryptoKeyPair,
  issuer: { name: string; privateKey: CryptoKey },
  isAuthority: boolean,
): Promise<Credentials> {
  const now = Date.now();
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] |= 1; // whole, so that its length does not vary
  const extensions = isAuthority
    ? [
      extension(oid(2, 5, 29, 19), sequence(der(BOOLEAN, bytes(255)))),
      extension(oid(2, 5, 29, 15), der(BIT_STRING, bytes(1, 6))), // signs others
    ]
    : [
      extension(oid(2, 5, 29, 15), der(BIT_STRING, bytes(7, 128))), // signs
      extension(oid(2, 5, 29, 17), sequence(...hosts.map(alternativeName))),
    ];
  const body = sequence(
    der(0xa0, integer(bytes(2))), // version 3
    integer(serial),
    SHA256_WITH_ECDSA,
    name(issuer.name),
    sequence(
      time(from ?? new Date(now - HOUR)),
      time(until ?? new Date(now + HOUR)),
    ),
    name(subject),
    new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
    der(0xa3, sequence(...extensions)),
  );
  const signature = new Uint8Array(
    await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      issuer.privateKey,
      body,
    ),
  );
  const pair = sequence(
    integer(signature.subarray(0, 32)),
    integer(signature.subarray(32)),
  );
  return {
    cert: pem(
      "CERTIFICATE",
      sequence(body, SHA256_WITH_ECDSA, der(BIT_STRING, bytes(0), pair)),
    ),
    key: pem(
      "PRIVATE KEY",
      new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    ),
  };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
}

/** Who signs certificates. */
export class Authority {
  /** Its own certificate, as a PEM text: what trusts it is given this. */
  readonly cert: string;
  #name: string;
  #privateKey: CryptoKey;

  private constructor(name: string, cert: string, privateKey: CryptoKey) {
    this.#name = name;
    this.cert = cert;
    this.#privateKey = privateKey;
  }

  /** Makes one that nobody else vouches for. */
  static async make(name = "Test authority"): Promise<Authority> {
    const keys = await makeKeys();
    const { privateKey } = keys;
    const issuer = { name, privateKey };
    const { cert } = await certify({ name }, keys, issuer, true);
    return new Authority(name, cert, privateKey);
  }

  /** Signs a certificate. */
  async issue(claims: Claims): Promise<Credentials> {
    const issuer = { name: this.#name, privateKey: this.#privateKey };
    return await certify(claims, await makeKeys(), issuer, false);
  }
}
