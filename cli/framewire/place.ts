/**
 * Where to connect or to listen: `HOST:PORT`, `[::1]:PORT`, `:PORT` for this machine, or `unix:/path`; and whether
 * encrypted.
 *
 * @module
 */

import { formatAddr } from "../../mod.ts";
import {
  type Parameter,
  ProgramError,
  type Switch,
  type Terminal,
} from "../program.ts";
import { USAGE } from "./command.ts";
import { type Optional, textOption } from "./units.ts";

/** An address as it was written. */
export type Place =
  | { hostname: string; port: number }
  | { path: string };

/**
 * Reads an address.
 *
 * @param name What it is the address of, for the error.
 * @param text The address.
 * @param min The least port: 0 for listening on any that is free.
 * @returns The place.
 * @throws {RangeError} If it is no address.
 */
export function placeIn(name: string, text: string, min: 0 | 1): Place {
  const path = text.match(/^unix:([^]+)$/)?.[1];
  if (path !== undefined) return { path };
  const [, ipv6, host = "", digits] =
    text.match(/^(?:\[([^\]]+)\]|([^:[\]]*)):(\d+)$/) ?? [];
  const port = Number(digits);
  if (digits !== undefined && !(port >= min && port <= 65_535)) {
    throw new RangeError(
      `${name} must have a port from ${min} to 65535: it is "${text}"`,
    );
  }
  if (digits === undefined) {
    throw new RangeError(
      `${name} must be HOST:PORT, [IPV6]:PORT or unix:/PATH: it is "${text}"`,
    );
  }
  return { hostname: ipv6 ?? (host || "127.0.0.1"), port };
}

/** Writes a place as it is read. */
export function placeText(place: Place): string {
  return formatAddr(
    "path" in place
      ? { transport: "unix", path: place.path }
      : { transport: "tcp", ...place },
  );
}

/** Where to connect to. */
export const TARGET: Parameter<Place> = {
  name: "target",
  about: "where to connect to: HOST:PORT or unix:/PATH",
  read: (text) => placeIn("target", text, 1),
};

/** Where to listen. */
export const LISTEN: Parameter<Place> = {
  name: "listen",
  about: "where to listen: HOST:PORT or unix:/PATH; port 0 for any",
  read: (text) => placeIn("listen", text, 0),
};

/** Whether to encrypt. */
export const TLS: Switch = { name: "tls", about: "connect with TLS" };

/** Whom to trust. */
export const CA: Optional<string> = textOption({
  name: "ca",
  value: "file",
  about: "for --tls: trust the certificates in this file only",
});

/** The name of the server. */
export const SERVER_NAME: Optional<string> = textOption({
  name: "server-name",
  value: "name",
  about: "for --tls: the name that the certificate is to be good for",
});

/** What `connect` is to know of encryption; `undefined` for none. */
export async function tlsOf(
  { get, has }: Terminal,
  target: Place = get(TARGET),
): Promise<{ ca?: string; serverName?: string } | undefined> {
  const file = get(CA);
  const serverName = get(SERVER_NAME);
  if (!has(TLS)) {
    if (file === undefined && serverName === undefined) return undefined;
    throw new ProgramError("--ca and --server-name need --tls", USAGE);
  }
  if ("path" in target) {
    throw new ProgramError("--tls is for HOST:PORT only", USAGE);
  }
  return {
    ...(file !== undefined && { ca: await Deno.readTextFile(file) }),
    ...(serverName !== undefined && { serverName }),
  };
}
