/**
 * README.md keeps what it promises: its server and its client run as printed.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const root = new URL("../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", root));

function example(name: string): string {
  return Deno.readTextFileSync(new URL(`examples/${name}`, root));
}

/** What the console in README.md shows behind a command. */
function shownBehind(command: string): string {
  const start = readme.indexOf(`$ ${command}\n`);
  assert(start >= 0, `README.md does not show: ${command}`);
  return readme.slice(start + command.length + 3).split(/\n\n|\n```/, 1)[0];
}

Deno.test("README.md prints the server and the client of examples/", () => {
  for (const name of ["shout_server.ts", "shout_client.ts"]) {
    assertStringIncludes(readme, "```ts ignore\n" + example(name) + "```\n");
  }
});

Deno.test("README.md's server and client run as printed", async () => {
  // Another port, so that nothing else on the machine is in the way.
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  const here = (text: string) => text.replaceAll("65432", String(port));
  const folder = await Deno.makeTempDir();
  const programs = ["shout_server.ts", "shout_client.ts"].map((name) => {
    const path = `${folder}/${name}`;
    Deno.writeTextFileSync(path, here(example(name)));
    return new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        `--config=${new URL("deno.json", root).pathname}`,
        `--allow-net=127.0.0.1:${port}`,
        path,
      ],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "inherit",
    });
  });
  probe.close();
  const [serverCommand, clientCommand] = programs;
  await using server = serverCommand.spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const run = "deno run --allow-net=127.0.0.1:65432 examples/";
  assertEquals(
    (await lines.read()).value,
    here(shownBehind(`${run}shout_server.ts`)) + "\n",
  );
  const client = await clientCommand.output();
  assertEquals(
    new TextDecoder().decode(client.stdout),
    shownBehind(`${run}shout_client.ts`) + "\n",
  );
  server.kill();
  await lines.cancel();
  await server.status;
  await Deno.remove(folder, { recursive: true });
});
