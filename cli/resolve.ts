/**
 * Resolve: names, addresses and ports, and what stands for what.
 *
 *     $ deno run --allow-sys=hostname --allow-read=/etc/hosts --allow-net=0.0.0.0/0:53 cli/resolve.ts localhost
 *     socket.gethostname() = 'vm'
 *     /etc/hosts = 2 addresses
 *     socket.gethostbyname('localhost') = '127.0.0.1'
 *     socket.gethostbyaddr('127.0.0.1') = ('localhost', ['vm'], ['127.0.0.1'])
 *     len(socket.getaddrinfo('localhost', 80, proto=IPPROTO_TCP)) = 2
 *       (AF_INET6, SOCK_STREAM, 6, '', ('::1', 80, 0, 0))
 *       (AF_INET, SOCK_STREAM, 6, '', ('127.0.0.1', 80))
 *     socket.getservbyname('http') = 80
 *     socket.getservbyport(80) = 'http'
 *
 * A second argument names another service, or gives its port. Names are looked up in `/etc/hosts` and then
 * in the DNS; an address stands for itself, and `localhost` for the loopback addresses. Whatever cannot
 * be found out, or is not permitted, is one line, and the rest goes on. So it works without a name server,
 * as far as that goes. Which name servers there are, the system says; port 53 of any is allowed above.
 *
 * It does not handle what else `/etc/nsswitch.conf` may name, nor whether this machine can reach what it
 * finds: `getaddrinfo` leaves out IPv6 where there is none. It knows a dozen services; `/etc/services` has
 * them all.
 *
 * @module
 */

import { ConnectionError } from "../mod.ts";
import { formatIp, parseIp } from "./ip_address.ts";
import { explain, type Parameter, type Program, program } from "./program.ts";
import { pythonLiteral } from "./python_literal.ts";

/** How long to wait for a name server, in milliseconds. */
const TIMEOUT = 3000;

const SERVICES: ReadonlyMap<string, number> = new Map([
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["domain", 53],
  ["http", 80],
  ["pop3", 110],
  ["ntp", 123],
  ["imap", 143],
  ["ldap", 389],
  ["https", 443],
  ["postgresql", 5432],
]);

const HOST: Parameter<string> = {
  name: "host",
  about: "the name or the address of a host",
  read(text) {
    if (text === "") throw new RangeError("host must not be empty");
    return text;
  },
};
const SERVICE: Parameter<number> = {
  name: "service",
  about: "the name or the port of a service",
  fallback: "http",
  read(text) {
    const port = SERVICES.get(text) ?? Number(text);
    if (/^[a-z]+$|^\d+$/.test(text) && port <= 65_535) return port;
    const names = Array.from(SERVICES.keys()).join(", ");
    throw new RangeError(
      `service must be a port up to 65535, or one of ${names}: it is "${text}"`,
    );
  },
};

/** A line of a hosts file. */
interface Host {
  address: string;
  names: string[];
}

/** What these are even where nothing says so. */
const LOOPBACK: readonly Host[] = ["127.0.0.1", "::1"]
  .map((address) => ({ address, names: ["localhost"] }));

/**
 * Reads the text of a hosts file.
 *
 * @param text The text.
 * @returns Its lines; those that begin with no address are left out.
 */
export function parseHosts(text: string): Host[] {
  return text.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const bytes = parseIp(address);
    return bytes === undefined ? [] : [{
      address: formatIp(bytes),
      names: names.map((name) => name.toLowerCase()),
    }];
  });
}

/** Asks the name servers. */
async function ask(
  name: string,
  type: "A" | "AAAA" | "PTR",
): Promise<string[]> {
  try {
    return await Deno.resolveDns(name, type, {
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.NotFound) return [];
    const reason = error instanceof DOMException
      ? `no name server answered within ${TIMEOUT} ms`
      : error instanceof Error
      ? error.message
      : String(error);
    throw new ConnectionError(reason);
  }
}

/**
 * Finds the addresses of a host; those over IPv6 come first.
 *
 * @throws {ConnectionError} If there are none.
 */
async function addressesOf(
  name: string,
  hosts: readonly Host[],
): Promise<string[]> {
  const bytes = parseIp(name);
  if (bytes !== undefined) return [formatIp(bytes)];
  const listed = listedIn(
    hosts,
    ({ names }) => names.includes(name.toLowerCase()),
  );
  const found = listed?.map(({ address }) => address) ??
    await askForAddresses(name);
  return [...new Set(found)]
    .toSorted((one, other) => Number(isIpv4(one)) - Number(isIpv4(other)));
}

/** What a hosts file says, or else what is so anyway. */
function listedIn(
  hosts: readonly Host[],
  isWanted: (host: Host) => boolean,
): Host[] | undefined {
  return [hosts, LOOPBACK].find((list) => list.some(isWanted))
    ?.filter(isWanted);
}

async function askForAddresses(name: string): Promise<string[]> {
  const answers = await Promise.allSettled([ask(name, "AAAA"), ask(name, "A")]);
  const found = answers.flatMap((answer) =>
    answer.status === "fulfilled" ? answer.value : []
  );
  if (found.length > 0) return found;
  const failed = answers.find(({ status }) => status === "rejected");
  throw failed?.status === "rejected"
    ? failed.reason
    : new ConnectionError("Name or service not known");
}

function isIpv4(address: string): boolean {
  return !address.includes(":");
}

/** The names of the host with an address. */
async function namesOf(
  address: string,
  hosts: readonly Host[],
): Promise<string[]> {
  const listed = listedIn(hosts, (host) => host.address === address);
  if (listed !== undefined) return listed.flatMap(({ names }) => names);
  const bytes = parseIp(address);
  const answers = bytes === undefined
    ? []
    : await ask(reverseName(bytes), "PTR");
  if (answers.length === 0) throw new ConnectionError("Unknown host");
  return answers.map((name) => name.replace(/\.$/, ""));
}

/**
 * Makes the name under which the DNS keeps the name of an address.
 *
 * @param address The 4 or 16 bytes of the address.
 * @returns The name: `4.3.2.1.in-addr.arpa` for 1.2.3.4.
 */
export function reverseName(address: Uint8Array): string {
  const labels = address.length === 4
    ? Array.from(address, String)
    : [...address.toHex()];
  const zone = address.length === 4 ? "in-addr" : "ip6";
  return `${labels.reverse().join(".")}.${zone}.arpa`;
}

/** Reads the hosts file, if there is one. */
async function readHosts(): Promise<Host[]> {
  try {
    return parseHosts(await Deno.readTextFile("/etc/hosts"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What Python's `getaddrinfo` gives for an address. */
function addrInfo(address: string, port: number): string {
  return isIpv4(address)
    ? `(AF_INET, SOCK_STREAM, 6, '', ('${address}', ${port}))`
    : `(AF_INET6, SOCK_STREAM, 6, '', ('${address}', ${port}, 0, 0))`;
}

/** Shows what stands for what: names, addresses and ports. */
export const resolve: Program = program({
  name: "resolve",
  about: "Shows what stands for what: names, addresses and ports",
  takes: [HOST, SERVICE],
  permissions:
    "--allow-sys=hostname --allow-read=/etc/hosts --allow-net=0.0.0.0/0:53",
  examples: [
    [
      "deno run --allow-sys=hostname --allow-read=/etc/hosts --allow-net=0.0.0.0/0:53 jsr:@framewire/framewire/cli resolve example.com https",
      "All that can be found out",
    ],
    [
      "deno run jsr:@framewire/framewire/cli resolve localhost",
      "What needs no permission; the rest says which it needs",
    ],
  ],

  async main({ get, print }) {
    const refused: Error[] = [];
    /** Prints what a call gives, or why it gives nothing. */
    async function show(
      call: string,
      work: () => string | Promise<string>,
    ): Promise<void> {
      try {
        print(`${call} = ${await work()}`);
      } catch (error) {
        print(`${call} failed: ${explain(error)}`);
        if (error instanceof Deno.errors.NotCapable) refused.push(error);
      }
    }

    const [name, port] = [get(HOST), get(SERVICE)];
    const literal = pythonLiteral(name);
    await show("socket.gethostname()", () => pythonLiteral(Deno.hostname()));

    let hosts: Host[] = [];
    await show("/etc/hosts", async () => {
      hosts = await readHosts();
      return `${hosts.length} addresses`;
    });
    const looking = addressesOf(name, hosts);
    const addresses = await looking.catch(() => []); // each call below tells it
    await show(`socket.gethostbyname(${literal})`, async () => {
      const address = (await looking).find(isIpv4);
      if (address !== undefined) return pythonLiteral(address);
      throw new ConnectionError("there is no IPv4 address");
    });
    const address = addresses.at(-1) ?? name;
    await show(`socket.gethostbyaddr(${pythonLiteral(address)})`, async () => {
      const [first, ...aliases] = await namesOf(address, hosts);
      const parts = [first, aliases, [address]].map(pythonLiteral);
      return `(${parts.join(", ")})`;
    });
    await show(
      `len(socket.getaddrinfo(${literal}, ${port}, proto=IPPROTO_TCP))`,
      async () => String((await looking).length),
    );
    for (const address of addresses) print(`  ${addrInfo(address, port)}`);

    const service = SERVICES.entries().find(([, known]) => known === port)?.[0];
    if (service === undefined) {
      print(`socket.getservbyport(${port}) failed: port/proto not found`);
    } else {
      print(`socket.getservbyname('${service}') = ${port}`);
      print(`socket.getservbyport(${port}) = '${service}'`);
    }
    if (refused.length > 0) throw refused[0]; // the rest has been shown
    return addresses.length > 0 ? 0 : 1;
  },
});

if (import.meta.main) Deno.exit(await resolve.run(Deno.args));
