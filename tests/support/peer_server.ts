/**
 * Servers that somebody else wrote, started by the tests that need them: on this machine only, without privileges,
 * in a folder that is removed afterwards, and ended whatever happens. Where a program is missing, its tests are
 * ignored, and their names say which package has it.
 *
 * @module
 */

import { freePort } from "./running_program.ts";

/** A program that tests need, and the Debian package that has it. */
export interface Needed {
  /** The command. */
  command: string;
  /** The package. */
  package: string;
}

/** Where Debian keeps commands, those for administrators too. */
const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"];
const POSTGRES = "/usr/lib/postgresql";
/** Whom servers run as that are started by root: some refuse to be root. */
const NOBODY = { uid: 65534, gid: 65534 };
const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 5_000;
const LOOK_AGAIN = 20;

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Debian has the commands of each version of PostgreSQL in a folder of its own. */
function* foldersOfPostgres(): Generator<string> {
  try {
    for (const { name } of Deno.readDirSync(POSTGRES)) {
      yield `${POSTGRES}/${name}/bin`;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Finds a command; `undefined` if it is not installed. */
export function findCommand(command: string): string | undefined {
  return [...FOLDERS, ...foldersOfPostgres()]
    .map((folder) => `${folder}/${command}`)
    .find(isFile);
}

/** A test with programs that somebody else wrote. */
export function testWithPeers(
  needed: readonly Needed[],
  name: string,
  fn: () => Promise<void>,
): void {
  const missing = needed.filter(({ command }) =>
    findCommand(command) === undefined
  );
  const packages = missing.map((one) => one.package).join(" ");
  const ignore = missing.length > 0;
  Deno.test({
    name: ignore ? `${name} (needs: apt-get install ${packages})` : name,
    ignore,
    fn,
  });
}

/** Runs a command to its end, as nobody in particular, and gives what it printed; throws if it failed. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const path = findCommand(command) ?? command;
  const output = await new Deno.Command(path, {
    args: [...args],
    env: { LC_ALL: "C", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...unprivileged(),
  }).output();
  const text = new TextDecoder().decode(output.stdout);
  if (output.success) return text;
  const errors = new TextDecoder().decode(output.stderr);
  throw new Error(`${command} ended with ${output.code}: ${errors}${text}`);
}

function unprivileged(): { uid: number; gid: number } | undefined {
  return Deno.uid() === 0 ? NOBODY : undefined;
}

/** A folder for a server's files, which it may write to. Leaving its scope removes it. */
export class ServerFolder implements AsyncDisposable {
  /** Its path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes it. */
  static async make(): Promise<ServerFolder> {
    const path = await Deno.makeTempDir({ prefix: "framewire-peer-" });
    await Deno.chmod(path, 0o700);
    if (unprivileged()) await Deno.chown(path, NOBODY.uid, NOBODY.gid);
    return new ServerFolder(path);
  }

  /** Writes a file into it, such as a configuration; gives its path. */
  async write(name: string, text: string, mode = 0o600): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(path, text, { mode });
    if (unprivileged()) await Deno.chown(path, NOBODY.uid, NOBODY.gid);
    return path;
  }

  /** Removes it and what is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** What is needed to start a server. */
export interface ServerPlan {
  /** The command, which does not go into the background. */
  command: string;
  /** Its arguments, given where to listen and where its files may be. */
  args: (place: { port: number; folder: string }) => readonly string[];
  /** What is done first: writing a configuration, making a database. */
  prepare?: (folder: ServerFolder, port: number) => Promise<void>;
}

/** A server that is running. Leaving its scope ends it. */
export class PeerServer implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #folder: ServerFolder;
  #log: Promise<[string, string]>;
  #ended = false;
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;

  /** Starts it, and waits until it accepts connections. */
  static async start(plan: ServerPlan): Promise<PeerServer> {
    const folder = await ServerFolder.make();
    try {
      const port = freePort();
      await plan.prepare?.(folder, port);
      const server = new PeerServer(plan, folder, port);
      try {
        await server.#listening();
        return server;
      } catch (error) {
        await server.#stop();
        throw error;
      }
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(plan: ServerPlan, folder: ServerFolder, port: number) {
    this.port = port;
    this.#folder = folder;
    const path = findCommand(plan.command) ?? plan.command;
    this.#child = new Deno.Command(path, {
      args: [...plan.args({ port, folder: folder.path })],
      cwd: folder.path,
      env: { LC_ALL: "C", HOME: folder.path },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...unprivileged(),
    }).spawn();
    this.#log = Promise.all([
      this.#child.stdout.text(),
      this.#child.stderr.text(),
    ]);
    this.#child.status.then(() => this.#ended = true);
  }

  /** The path of its folder. */
  get folder(): string {
    return this.#folder.path;
  }

  async #listening(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT;
    while (true) {
      try {
        using _ = await Deno.connect({
          hostname: "127.0.0.1",
          port: this.port,
        });
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
      if (this.#ended) {
        throw new Error(`It ended: ${(await this.#log).join("")}`);
      }
      if (performance.now() > deadline) throw new Error("It does not listen");
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    }
  }

  /** Ends it, and gives what it printed. */
  async #stop(): Promise<string> {
    const signal = (signal: Deno.Signal) => {
      if (!this.#ended) this.#child.kill(signal);
    };
    signal("SIGTERM");
    const timer = setTimeout(() => signal("SIGKILL"), STOP_TIMEOUT);
    await this.#child.status;
    clearTimeout(timer);
    return (await this.#log).join("");
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}
