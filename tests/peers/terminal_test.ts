/**
 * The command `framewire` where a person sits in front of it: in a pseudo-terminal, which `script` makes.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { testWithPeers } from "../support/peer_server.ts";
import { RunningProgram } from "../support/running_program.ts";
import { readAll, writeAll } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const SCRIPT = { command: "script", package: "bsdutils" };
const NET = "--allow-net=127.0.0.1";

/** Starts the command in a terminal; what is typed at it is also shown there. */
function atTerminal(
  command: string,
  { flags = NET, env = {} }: { flags?: string; env?: Record<string, string> } =
    {},
): RunningProgram {
  const call =
    `${Deno.execPath()} run --no-prompt ${flags} cli/main.ts ${command}`;
  // `stty` for a terminal that does not show what is typed, as it would mix with what is printed.
  return new RunningProgram(
    "script",
    [
      "--quiet",
      "--return",
      "--command",
      `stty -echo; echo ready; ${call}`,
      "/dev/null",
    ],
    { typing: true, env },
  );
}

/** The next line, without what ends it on a terminal. */
async function lineOf(program: RunningProgram): Promise<string> {
  return (await program.line()).replace(/\r$/, "");
}

async function begin(program: RunningProgram): Promise<void> {
  assertEquals(await lineOf(program), "ready");
}

async function linesOf(
  program: RunningProgram,
): Promise<{ code: number; lines: string[] }> {
  const { code, out } = await program.end();
  return { code, lines: out.map((line) => line.replace(/\r$/, "")) };
}

testWithPeers(
  [SCRIPT],
  "at a terminal, what was typed wrong is told and can be typed again",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using program = atTerminal(
      `connect :${listener.addr.port} -c length:1 --hex`,
    );
    await begin(program);
    using conn = await listener.accept();
    const came = readAll(conn);
    await program.type("xy\n");
    assertEquals(
      await lineOf(program),
      'framewire: line 1: Cannot read hexadecimal digits: they must come in pairs of 0 to 9 and a to f: they are "xy"',
    );
    await program.type(`${"00".repeat(256)}\n`);
    assert(
      /^framewire: line 2: Cannot write frame: length 256/.test(
        await lineOf(program),
      ),
    );
    await program.type("ff00\n\x04"); // Ctrl-D
    assertEquals(unraw(await came), "\x02\xff\0");
    await conn.closeWrite();
    assertEquals(await linesOf(program), { code: 0, lines: [] });
  },
);

testWithPeers(
  [SCRIPT],
  "at a terminal, Ctrl-C ends connect, listen and tap with 130",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    for (
      const command of [`connect :${port}`, "listen :0", `tap :0 :${port}`]
    ) {
      await using program = atTerminal(command);
      await begin(program);
      using _ = command.startsWith("connect")
        ? await listener.accept()
        : undefined;
      if (!command.startsWith("connect")) {
        assert(/^framewire: listening on /.test(await lineOf(program)));
      }
      await program.type("\x03");
      const { code, lines } = await linesOf(program);
      assertEquals(code, 130, lines.join("\n"));
      assert(!lines.join().includes("interrupt"), lines.join("\n"));
    }
  },
);

testWithPeers(
  [SCRIPT],
  "at a terminal, nothing that a peer sends steers it",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    for (const form of ["", "--hex", "--json"]) {
      await using program = atTerminal(
        `connect :${listener.addr.port} -c length:1 ${form}`,
      );
      await begin(program);
      using conn = await listener.accept();
      const steering = "\x1b[2J\x1b]0;title\x07\x08\r\x9b1m\x7f\xff";
      await writeAll(
        conn,
        raw(String.fromCharCode(steering.length) + steering),
      );
      await writeAll(conn, raw("\x0a\x1b[31mred\xc2\x9b"));
      await conn.closeWrite();
      const { code, lines } = await linesOf(program);
      assertEquals([code, lines.length], [0, 2]);
      for (const line of lines) {
        // deno-lint-ignore no-control-regex
        assert(!/[\x00-\x1f\x7f-\x9f]/.test(line), JSON.stringify(line));
      }
    }
  },
);

testWithPeers(
  [SCRIPT],
  "at a terminal there are colours, but not under NO_COLOR",
  async () => {
    const packets = "00 02 68 69 00 09 61";
    for (
      const [color, env] of [[true, { NO_COLOR: "" }], [false, {
        NO_COLOR: "1",
      }]] as const
    ) {
      await using program = atTerminal("decode -c length:2 --from hex", {
        flags: "",
        env,
      });
      await begin(program);
      await program.type(`${packets}\n\x04`);
      const { code, lines } = await linesOf(program);
      assertEquals(code, 3, lines.join("\n"));
      assertEquals(lines.join("").includes("\x1b["), color, lines.join("\n"));
    }
  },
);

testWithPeers(
  [SCRIPT],
  "at a terminal, encode shows a dump of the bytes unless it is forced to write them",
  async () => {
    for (
      const [option, shown] of [
        [
          "",
          "00000000  00 05 1b 5b 33 31 0a                              |...[31.|",
        ],
        ["--force", "\0\x05\x1b[31"],
      ]
    ) {
      await using program = atTerminal(`encode -c length:2 --hex ${option}`, {
        flags: "",
      });
      await begin(program);
      await program.type("1b5b33310a\n\x04");
      const { code, lines } = await linesOf(program);
      assertEquals([code, lines], [0, [shown]]);
    }
  },
);
