/**
 * `pktLine()` with git itself: its daemon as a server, and `git ls-remote` as a client.
 *
 * @module
 */

import { connect, type Framing, serve } from "@framewire/framewire";
import { type PktLine, pktLine } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { type Capture, Recorder, writeCapture } from "../support/capture.ts";
import {
  type Needed,
  PeerServer,
  run,
  type ServerFolder,
  testWithPeers,
} from "../support/peer_server.ts";
import { Random } from "../support/random.ts";

const needed: Needed[] = [{ command: "git", package: "git" }];
/** What makes a commit the same wherever and whenever it is made. */
const env = {
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@localhost",
  GIT_AUTHOR_DATE: "2001-02-03T04:05:06Z",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@localhost",
  GIT_COMMITTER_DATE: "2001-02-03T04:05:06Z",
  GIT_CONFIG_NOSYSTEM: "1",
};
const decoder = new TextDecoder();

/** Does not compress, so that the pack has packets as long as can be. */
const LARGE_FILE = new Random(1).bytes(200_000);
const LONGEST_PAYLOAD = 65516;

/** Makes a repository with a commit, two branches and a tag. */
async function makeRepository(folder: ServerFolder): Promise<void> {
  const options = { cwd: folder.path, env: { ...env, HOME: folder.path } };
  await run("git", ["init", "-q", "-b", "main", "repo"], options);
  const inside = { ...options, cwd: `${folder.path}/repo` };
  await Deno.writeFile(`${inside.cwd}/large`, LARGE_FILE);
  await run("git", ["add", "large"], inside);
  await run("git", ["commit", "-q", "-m", "First"], inside);
  await run("git", ["branch", "side"], inside);
  await run("git", ["tag", "-a", "-m", "One", "v1"], inside);
}

function startDaemon(): Promise<PeerServer> {
  return PeerServer.start({
    command: "git",
    prepare: makeRepository,
    args: ({ port, folder }) => [
      "daemon",
      "--listen=127.0.0.1",
      `--port=${port}`,
      `--base-path=${folder}`,
      "--export-all",
      "--reuseaddr",
      folder,
    ],
  });
}

/** What git itself says of the repository: its refs, and what they point to. */
async function refsBy({ folder }: PeerServer): Promise<Record<string, string>> {
  const args = ["-C", `${folder}/repo`, "show-ref", "--head", "--dereference"];
  const lines = (await run("git", args, { env: { HOME: folder } })).trim();
  return refsIn(lines.split("\n"));
}

/** Lines such as `<object id> refs/heads/main`. */
function refsIn(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => {
    const [id, name] = line.split(" ");
    return [name, id];
  }));
}

type Peer = Framing<PktLine, string | PktLine>;

/** Reads the lines up to a flush. */
async function readSection(peer: Peer): Promise<string[]> {
  const lines: string[] = [];
  while (true) {
    const packet = await peer.read({ timeout: 5_000 });
    if (packet?.type === "flush") return lines;
    assert(packet?.type === "data", `not ${packet?.type}`);
    const line = decoder.decode(packet.payload);
    assert(line.endsWith("\n"));
    lines.push(line.slice(0, -1));
  }
}

/** Lists the refs in the first version of the protocol. */
async function listRefs(port: number): Promise<Record<string, string>> {
  await using peer: Peer = await connect({ port }, pktLine());
  await peer.write("git-upload-pack /repo\0host=127.0.0.1\0");
  const [first, ...others] = await readSection(peer);
  const [head, capabilities] = first.split("\0");
  assert(capabilities.includes("side-band-64k"));
  await peer.write({ type: "flush" }); // nothing is wanted
  assertEquals(await peer.read({ timeout: 5_000 }), null);
  return refsIn([head, ...others]);
}

/** Lists the refs in version 2, where they have to be asked for. */
async function listRefsOf2(port: number): Promise<string[]> {
  await using peer: Peer = await connect({ port }, pktLine());
  await peer.write("git-upload-pack /repo\0host=127.0.0.1\0\0version=2\0");
  const capabilities = await readSection(peer);
  assertEquals(capabilities[0], "version 2");
  assert(capabilities.some((line) => line.startsWith("ls-refs")));
  await peer.writeMany([
    "command=ls-refs\n",
    "object-format=sha1\n",
    { type: "delimiter" },
    "peel\n",
    "symrefs\n",
    "ref-prefix refs/\n",
    "ref-prefix HEAD\n",
    { type: "flush" },
  ]);
  const refs = await readSection(peer);
  await peer.write({ type: "flush" });
  assertEquals(await peer.read({ timeout: 5_000 }), null);
  return refs;
}

/** Fetches a pack, which comes side by side with messages; gives it and the lengths of the packets. */
async function fetchPack(
  port: number,
  id: string,
): Promise<{ pack: Uint8Array<ArrayBuffer>; lengths: number[] }> {
  await using peer: Peer = await connect({ port }, pktLine());
  await peer.write("git-upload-pack /repo\0host=127.0.0.1\0");
  await readSection(peer);
  await peer.write(`want ${id} side-band-64k ofs-delta\n`);
  await peer.write({ type: "flush" });
  await peer.write("done\n");
  const parts: Uint8Array[] = [];
  const lengths: number[] = [];
  for await (const packet of peer) {
    if (packet.type !== "data") continue;
    const { payload } = packet;
    if (decoder.decode(payload) === "NAK\n") continue;
    lengths.push(payload.length);
    if (payload[0] === 1) parts.push(payload.subarray(1));
  }
  return { pack: concat(parts), lengths };
}

/** Makes the capture anew: both versions, one after the other. */
async function record(daemon: PeerServer, version: string): Promise<void> {
  await using recorder = new Recorder(daemon.port);
  await listRefs(recorder.port);
  await listRefsOf2(recorder.port);
  const chunks: Capture["chunks"] = recorder.chunks;
  await writeCapture("pkt_line", {
    what: "lists the refs of a repository, in version 0 and in version 2",
    with: version,
    chunks,
  });
}

testWithPeers(needed, "pktLine() lists the refs of git daemon", async () => {
  const version = (await run("git", ["--version"])).trim();
  await using daemon = await startDaemon();
  const expected = await refsBy(daemon);
  assertEquals(Object.keys(expected), [
    "HEAD",
    "refs/heads/main",
    "refs/heads/side",
    "refs/tags/v1",
    "refs/tags/v1^{}",
  ]);

  assertEquals(await listRefs(daemon.port), expected);

  const id = expected.HEAD;
  assertEquals(await listRefsOf2(daemon.port), [
    `${id} HEAD symref-target:refs/heads/main`,
    `${id} refs/heads/main`,
    `${id} refs/heads/side`,
    `${expected["refs/tags/v1"]} refs/tags/v1 peeled:${id}`,
  ]);

  let { pack, lengths } = await fetchPack(daemon.port, id);
  // Of two processes in git one makes the pack and one sends what is there of it, so that a full packet may take a few tries.
  for (let tries = 1; tries < 50; tries++) {
    if (lengths.includes(LONGEST_PAYLOAD)) break;
    ({ pack, lengths } = await fetchPack(daemon.port, id));
  }
  assertEquals(decoder.decode(pack.subarray(0, 4)), "PACK");
  const sum = await crypto.subtle.digest("SHA-1", pack.slice(0, -20));
  assertEquals(new Uint8Array(sum), pack.slice(-20));
  assertEquals(Math.max(...lengths), LONGEST_PAYLOAD);

  if (Deno.args.includes("--record")) await record(daemon, version);
  console.log(
    `peer: ${version}: its daemon listed 5 refs in version 0, and in version 2 with delimiters, and sent a pack of ${pack.length} bytes in packets of up to ${LONGEST_PAYLOAD}`,
  );
});

testWithPeers(needed, "pktLine() is understood by git ls-remote", async () => {
  const id = "0123456789abcdef0123456789abcdef01234567";
  const asked: unknown[] = [];
  await using server = serve(
    { port: 0 },
    pktLine(),
    async (peer) => {
      asked.push(await peer.read());
      await peer.write(`${id} HEAD\0agent=test\n`);
      await peer.write(`${id} refs/heads/main\n`);
      await peer.write({ type: "flush" });
      asked.push(await peer.read());
    },
  );
  const { port } = server.addr;
  const url = `git://127.0.0.1:${port}/any`;
  const config = ["-c", "protocol.version=0"];
  const printed = await run("git", [...config, "ls-remote", url], {
    env: { GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent" },
  });
  assertEquals(printed, `${id}\tHEAD\n${id}\trefs/heads/main\n`);
  const request = `git-upload-pack /any\0host=127.0.0.1:${port}\0`;
  assertEquals(asked, [
    { type: "data", payload: new TextEncoder().encode(request) },
    { type: "flush" },
  ]);
  console.log("peer: git ls-remote printed the refs that pktLine() wrote");
});
