/**
 * Permissions, asked for all at once: whoever lacks three is told of three.
 *
 *     framewire tap: needs permission: run again with --allow-net=127.0.0.1:6000,127.0.0.1:65432 --allow-write=x.pcapng
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { ConnectionError } from "../../mod.ts";
import { parseIp } from "../ip_address.ts";
import { ProgramError } from "../program.ts";
import { type Place, placeText } from "./place.ts";

/** Says what a place takes to be listened on or connected to. */
export function permissionsFor(place: Place): Deno.PermissionDescriptor[] {
  const host = placeText(place);
  if (!("path" in place)) return [{ name: "net", host }];
  const { path } = place;
  return [
    { name: "net", host },
    { name: "read", path },
    { name: "write", path },
  ];
}

/**
 * Makes sure of permissions; asks for them if there is somebody to ask.
 *
 * @param needed The permissions.
 * @throws {ProgramError} If some are missing: it says with which flags to run again.
 */
export async function needPermissions(
  needed: readonly Deno.PermissionDescriptor[],
): Promise<void> {
  const flags = new Map<string, Set<string>>();
  for (const one of needed) {
    const { state } = await Deno.permissions.request(one);
    if (state === "granted") continue;
    const flag = `--allow-${one.name}`;
    const value = "host" in one ? one.host : "path" in one ? one.path : "";
    flags.set(flag, (flags.get(flag) ?? new Set()).add(String(value)));
  }
  if (flags.size === 0) return;
  const words = Array.from(
    flags,
    ([flag, values]) => quoted(`${flag}=${[...values].join(",")}`),
  );
  const reason = `needs permission: run again with ${words.join(" ")}`;
  throw new ProgramError(reason, 1);
}

/** A word of a command line, in quotes if a shell would take it apart. */
export function quoted(word: string): string {
  return /[\s'[\]*?$&;<>|()"\\]/.test(word)
    ? `'${word.replaceAll("'", `'\\''`)}'`
    : word;
}

/**
 * Looks up a name.
 *
 * @param place A place.
 * @returns It at each address of its host; alone if it has none to look up.
 * @throws {ConnectionError} If nobody has that name.
 */
export async function addressesOf(place: Place): Promise<Place[]> {
  if ("path" in place || parseIp(place.hostname.replace(/%.*/, ""))) {
    return [place];
  }
  const { hostname, port } = place;
  try {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => ({ hostname: address, port }));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPERM") {
      throw new ProgramError(
        `needs permission to look up names: run again with --allow-net, or with an address in place of ${hostname}`,
        1,
      );
    }
    throw new ConnectionError(`${placeText(place)}: unknown host`, {
      cause: error,
    });
  }
}
