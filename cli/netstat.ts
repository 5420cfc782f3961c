/**
 * Socket state: the machine's TCP sockets, what waits in them, and whose they are.
 *
 *     $ deno run --allow-run=cat,ls cli/netstat.ts 65432
 *     Active Internet connections (including servers)
 *     Proto Recv-Q Send-Q Local Address   Foreign Address (state) COMMAND PID
 *     tcp4       0      0 127.0.0.1:65432 *:*             LISTEN  deno    67982
 *
 * Start `cli/echo_server.ts` in another terminal first; without a port, all sockets are shown. Recv-Q counts
 * the bytes that have come and that the program did not read yet, Send-Q those that it wrote and that the
 * other side has not confirmed; `cli/send_until_full.ts` fills both. `*` is all interfaces, or any port.
 * What `lsof` adds, the program and its process, takes `ls`; without `--allow-run=ls` the rest is shown, and then
 * that it is missing.
 *
 * It reads `/proc`, so it needs Linux, and it does so by `cat`: Deno lets a program itself read there only if
 * it lets it do everything. It does not handle UDP and Unix sockets.
 *
 * @module
 */

import {
  formatSocketTable,
  type Owner,
  readOwners,
  readSocketTable,
  socketJson,
} from "./socket_table.ts";
import {
  JSON_OUTPUT,
  type Parameter,
  type Program,
  program,
} from "./program.ts";

const PORT: Parameter<number | undefined> = {
  name: "port",
  about: "show only the sockets with this port on either side",
  fallback: "all",
  read(text) {
    if (text === "all") return undefined;
    const port = Number(text);
    if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
    throw new RangeError(
      `port must be a whole number from 1 to 65535, or all: it is "${text}"`,
    );
  },
};

/** Shows the state of this machine's sockets. */
export const netstat: Program = program({
  name: "netstat",
  about:
    "Shows this machine's TCP sockets, what waits in them and whose they are",
  takes: [PORT],
  switches: [JSON_OUTPUT],
  permissions: "--allow-run=cat,ls",
  examples: [
    [
      "deno run --allow-run=cat,ls jsr:@framewire/framewire/cli netstat 65432",
      "What has to do with a port, and whose it is",
    ],
    [
      "deno task netstat --json",
      "All sockets, for another program to read; from a checkout",
    ],
  ],

  async main({ get, has, print }) {
    const port = get(PORT);
    const sockets = (await readSocketTable()).filter(({ local, remote }) =>
      port === undefined || local.port === port || remote.port === port
    );
    const show = has(JSON_OUTPUT)
      ? (owners?: Map<number, Owner>) =>
        sockets.forEach((socket) => print(socketJson(socket, owners)))
      : (owners?: Map<number, Owner>) =>
        formatSocketTable(sockets, owners).forEach(print);
    if (!has(JSON_OUTPUT)) {
      print("Active Internet connections (including servers)");
    }
    let owners: Map<number, Owner>;
    try {
      owners = await readOwners(sockets);
    } catch (error) {
      show();
      throw error; // it says which permission would have shown the rest
    }
    show(owners);
    if (has(JSON_OUTPUT)) return; // what is not known is null
    const hidden = sockets.filter(({ inode }) =>
      inode !== 0 && !owners.has(inode)
    );
    if (hidden.length > 0) {
      print(
        `COMMAND and PID of ${hidden.length} not shown: only root sees into other users' processes, and nobody out of a container`,
      );
    }
  },
});

if (import.meta.main) Deno.exit(await netstat.run(Deno.args));
