/**
 * The machine's TCP sockets, as Linux lists them in `/proc/net/tcp` and `/proc/net/tcp6`.
 *
 *      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *       9: 0100007F:83CC 0100007F:932F 01 003E4E00:00000000 04:00000003 00000000     0        0 30815 …
 *          └ 127.0.0.1:33740          │   └ 4083200 bytes to send      and the number of the socket ┘
 *                                     └ ESTABLISHED
 *
 * Deno lets a program read `/proc` only if it lets it do everything, whatever `--allow-read` says. So that
 * nobody has to, the tables are read by `cat`, which takes `--allow-run=cat`, and the owners' open files are
 * listed by `ls`.
 *
 * @module
 */

import { hostByteOrder, writeUint } from "../lib/bytes/byte_order.ts";
import { ConnectionError, formatAddr } from "../mod.ts";
import { formatIp } from "./ip_address.ts";

/** A TCP socket of this machine. */
export interface TcpSocket {
  /** Over which IP. */
  proto: "tcp4" | "tcp6";
  /** Bytes that have come and were not read; of a socket that listens, connections that were not accepted. */
  recvQ: number;
  /** Bytes that were written and that the other side has not confirmed. */
  sendQ: number;
  /** The address of this side. */
  local: Deno.NetAddr;
  /** The address of the other side; port 0 if there is none. */
  remote: Deno.NetAddr;
  /** What it is doing, such as `LISTEN`. */
  state: string;
  /** Its number as an open file; 0 if no process has it any more. */
  inode: number;
}

/** Whose a socket is. */
export interface Owner {
  /** The name of the program. */
  command: string;
  /** The number of the process. */
  pid: number;
}

const STATES = [
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
];

/**
 * Reads the sockets of this machine.
 *
 * @returns The sockets: those that listen first, then by address.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 * @throws {ConnectionError} If this is not Linux, or there is no `cat`.
 */
export async function readSocketTable(): Promise<TcpSocket[]> {
  if (Deno.build.os !== "linux") {
    throw new ConnectionError(
      `Cannot list sockets: they are read from /proc, which only Linux has: this is ${Deno.build.os}`,
    );
  }
  const [tcp4, tcp6] = await Promise.all([
    run("cat", "/proc/net/tcp"),
    run("cat", "/proc/net/tcp6"), // where there is no IPv6, there is no such file
  ]);
  if (tcp4 === "") {
    throw new ConnectionError("Cannot list sockets: /proc/net/tcp is empty");
  }
  return [...parseSocketTable(tcp4, "tcp4"), ...parseSocketTable(tcp6, "tcp6")]
    .toSorted((one, other) =>
      rankOf(one) - rankOf(other) || one.local.port - other.local.port ||
      one.remote.port - other.remote.port
    );
}

function rankOf({ state }: TcpSocket): number {
  return state === "LISTEN" ? 0 : 1;
}

/**
 * Reads the text of `/proc/net/tcp` or `/proc/net/tcp6`.
 *
 * @param text The text.
 * @param proto Which of the two.
 * @returns The sockets, in the order of the lines.
 */
export function parseSocketTable(
  text: string,
  proto: TcpSocket["proto"],
): TcpSocket[] {
  return text.split("\n").slice(1).filter((line) => line !== "").map((line) => {
    const [, local, remote, state, queues, , , , , inode] = line.trim()
      .split(/\s+/);
    const [sendQ, recvQ] = queues.split(":").map(fromHex);
    return {
      proto,
      recvQ,
      sendQ,
      local: addressOf(local),
      remote: addressOf(remote),
      state: STATES[fromHex(state) - 1] ?? state,
      inode: Number(inode),
    };
  });
}

function fromHex(digits: string): number {
  return parseInt(digits, 16);
}

function addressOf(text: string): Deno.NetAddr {
  const [address, port] = text.split(":");
  const bytes = new Uint8Array(address.length / 2);
  // The kernel prints network order, but as numbers of 32 bits, which it reads in the machine's order.
  for (let at = 0; at < bytes.length; at += 4) {
    const word = fromHex(address.slice(2 * at, 2 * at + 8));
    writeUint(bytes, at, word, 4, hostByteOrder);
  }
  return { transport: "tcp", hostname: formatIp(bytes), port: fromHex(port) };
}

/**
 * Finds out which processes have sockets open. Those of other users' processes only root finds.
 *
 * @param sockets The sockets.
 * @returns The owners that were found, by the inodes of the sockets; of several, the oldest.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 */
export async function readOwners(
  sockets: readonly TcpSocket[],
): Promise<Map<number, Owner>> {
  const wanted = new Set(sockets.map(({ inode }) => inode));
  const processes = (await run("ls", "/proc")).split("\n")
    .filter((name) => /^\d+$/.test(name))
    .toSorted((one, other) => Number(one) - Number(other));
  const listing = await run(
    "ls",
    "-lU",
    ...processes.map((pid) => `/proc/${pid}/fd`),
  );
  const pids = new Map<number, number>();
  let pid = 0;
  for (const line of listing.split("\n")) {
    const folder = line.match(/^\/proc\/(\d+)\/fd:$/)?.[1];
    if (folder !== undefined) pid = Number(folder);
    const inode = Number(line.match(/ -> socket:\[(\d+)\]$/)?.[1]);
    if (wanted.has(inode) && !pids.has(inode)) pids.set(inode, pid);
  }
  const commands = await readCommands(new Set(pids.values()));
  return new Map(
    Array.from(pids, ([inode, pid]) => {
      return [inode, { pid, command: commands.get(pid) ?? "?" }];
    }),
  );
}

/** The names of processes that are still there. */
async function readCommands(
  pids: ReadonlySet<number>,
): Promise<Map<number, string>> {
  if (pids.size === 0) return new Map();
  const stats = await run(
    "cat",
    ...Array.from(pids, (pid) => `/proc/${pid}/stat`),
  );
  return new Map(
    Array.from(
      stats.matchAll(/^(\d+) \((.*)\) [A-Z] /gm),
      ([, pid, command]) => [Number(pid), command],
    ),
  );
}

/** What a command prints, however it ends: of several files, some may be out of reach or gone. */
async function run(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ConnectionError(
      `Cannot list sockets: there is no command ${command}`,
    );
  }
}

/**
 * Lays sockets out as `netstat` prints them.
 *
 * @param sockets The sockets.
 * @param owners Whose they are, to be shown in two more columns.
 * @returns The lines, with a head.
 */
export function formatSocketTable(
  sockets: readonly TcpSocket[],
  owners?: ReadonlyMap<number, Owner>,
): string[] {
  const rows = [
    ["Proto", "Recv-Q", "Send-Q", "Local Address", "Foreign Address", "(state)"]
      .concat(owners === undefined ? [] : ["COMMAND", "PID"]),
    ...sockets.map((socket) => {
      const row = [
        socket.proto,
        String(socket.recvQ),
        String(socket.sendQ),
        endpoint(socket.local),
        endpoint(socket.remote),
        socket.state,
      ];
      if (owners === undefined) return row;
      const owner = owners.get(socket.inode);
      return [...row, owner?.command ?? "-", String(owner?.pid ?? "-")];
    }),
  ];
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column].length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      isNumber(column)
        ? cell.padStart(widths[column])
        : cell.padEnd(widths[column])
    ).join(" ").trimEnd()
  );
}

/**
 * Writes a socket as JSON.
 *
 * @param socket The socket.
 * @param owners Whose they are; `null` in place of those who are not among them.
 * @returns An object on one line.
 */
export function socketJson(
  { proto, recvQ, sendQ, local, remote, state, inode }: TcpSocket,
  owners?: ReadonlyMap<number, Owner>,
): string {
  const { command = null, pid = null } = owners?.get(inode) ?? {};
  const [from, to] = [local, remote].map(endpoint);
  return JSON.stringify({
    ...{ proto, recvQ, sendQ, local: from, remote: to, state },
    ...(owners !== undefined && { command, pid }),
  });
}

function isNumber(column: number): boolean {
  return column === 1 || column === 2;
}

/** An address, with `*` for all interfaces and for any port. */
function endpoint(addr: Deno.NetAddr): string {
  const all = /^(0\.0\.0\.0|::)$/.test(addr.hostname);
  if (!all) return formatAddr(addr);
  return `*:${addr.port === 0 ? "*" : addr.port}`;
}
