/**
 * The layers of ARCHITECTURE.md, enforced: imports point down, and what talks to the world stays in its room.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/** What each room may import from: itself, the rooms below it, and packages. */
const BELOW: Record<string, readonly string[]> = {
  "lib/errors.ts": [],
  "lib/bytes": [],
  "lib/codec": ["lib/bytes", "lib/errors.ts"],
  "lib/message": ["lib/codec", "lib/bytes", "lib/errors.ts"],
  "lib/protocols": [
    "lib/message",
    "lib/codec",
    "lib/bytes",
    "lib/errors.ts",
  ],
  "lib/net": ["lib/codec", "lib/bytes", "lib/errors.ts"],
  "lib/app": ["lib/message", "lib/codec", "lib/bytes", "lib/errors.ts"],
  "lib/testing": ["lib/codec", "lib/bytes", "lib/errors.ts"],
  "cli": [
    "lib/protocols",
    "lib/net",
    "lib/app",
    "lib/message",
    "lib/codec",
    "lib/bytes",
    "lib/errors.ts",
    "mod.ts",
  ],
  "mod.ts": [
    "lib/net",
    "lib/message",
    "lib/codec",
    "lib/bytes",
    "lib/errors.ts",
  ],
};
const PACKAGES: Record<string, readonly string[]> = {
  // For their types only: what is loaded with `mod.ts` is loaded by every program.
  "lib/net": ["node:stream", "node:tls"],
  "lib/app": ["@std/bytes"],
  "lib/testing": ["@std/assert", "@std/bytes", "node:net"],
  "cli": [
    "@std/bytes",
    "@std/cli/parse-args",
    "node:crypto",
    "node:dns/promises",
    "node:net",
    "node:process",
    "node:timers",
  ],
};

/** What may be named in which rooms only. */
const CONFINED: readonly [
  name: string,
  use: RegExp,
  rooms: readonly string[],
][] = [
  ["Deno", /\bDeno\.(?!errors\.)/, ["lib/net", "lib/testing", "cli"]],
  ["console", /\bconsole\./, ["cli"]],
  ["timers", /\bset(Timeout|Interval)\(/, ["lib/net", "lib/testing", "cli"]],
  ["the program", /\bDeno\.(args|exit|stdin|stdout|stderr)\b/, ["cli"]],
  ["JSON.parse", /\bJSON\.parse\(/, [
    "lib/codec",
    "lib/message",
    "lib/protocols",
    "cli",
  ]],
];

const root = new URL("../", import.meta.url);

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}

const PATHS = ["mod.ts", ...sources("lib/"), ...sources("cli/")].toSorted();

function roomOf(path: string): string {
  const room = Object.keys(BELOW).find((room) =>
    path === room || path.startsWith(`${room}/`)
  );
  assert(
    room !== undefined,
    `${path} lies in no room: name the room in the table`,
  );
  return room;
}

/** The code of a file, without what is in comments. */
function codeOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, root))
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "");
}

Deno.test("imports point down, to the rooms below and the packages allowed", () => {
  for (const path of PATHS) {
    const room = roomOf(path);
    for (const [, specifier] of codeOf(path).matchAll(/\bfrom\s+"([^"]+)"/g)) {
      if (!specifier.startsWith(".")) {
        const allowed = PACKAGES[room] ?? [];
        assert(allowed.includes(specifier), `${path} imports ${specifier}`);
        continue;
      }
      const target = new URL(specifier, new URL(path, root)).href
        .slice(root.href.length);
      const below = [room, ...BELOW[room]];
      assert(
        below.includes(roomOf(target)),
        `${path} imports ${target}, which is not below ${room}`,
      );
    }
  }
});

Deno.test("what programs load with mod.ts loads no module of Node's", () => {
  for (const path of PATHS.filter((path) => path.startsWith("lib/net/"))) {
    const imports = codeOf(path).match(/^import (?!type )[^;]*"node:[^"]+";/gm);
    assertEquals(imports, null, path);
  }
});

Deno.test("what talks to the world stays in its rooms", () => {
  for (const path of PATHS) {
    for (const [name, use, rooms] of CONFINED) {
      const found = codeOf(path).match(use)?.[0];
      assert(
        found === undefined || rooms.includes(roomOf(path)),
        `${path} names ${name}: ${found}`,
      );
    }
  }
});

Deno.test("there is no circle of imports", () => {
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    assert(!trail.includes(path), `Circle: ${[...trail, path].join(" -> ")}`);
    if (done.has(path)) return;
    for (
      const [, specifier] of codeOf(path).matchAll(/\bfrom\s+"(\.[^"]+)"/g)
    ) {
      const target = new URL(specifier, new URL(path, root)).href;
      visit(target.slice(root.href.length), [...trail, path]);
    }
    done.add(path);
  }
  for (const path of PATHS) visit(path, []);
  assertEquals(done.size, PATHS.length);
});

Deno.test("no private member is a getter or a setter, which would be called through the engine's runtime", () => {
  for (const path of PATHS.filter((path) => path.startsWith("lib/"))) {
    const found = codeOf(path).match(/^\s*(static )?[gs]et #\w+/m)?.[0];
    assertEquals(found, undefined, path);
  }
});

Deno.test("every file opens with what it is", () => {
  for (const path of PATHS) {
    const text = Deno.readTextFileSync(new URL(path, root));
    assert(/^\/\*\*[^]*?@module\s+\*\//.test(text), `${path} does not`);
  }
});

Deno.test("every source file has its test file", () => {
  const without = PATHS.filter((path) => {
    if (path.endsWith("mod.ts")) return false;
    const test = path.replace(/^lib\//, "").replace(/\.ts$/, "_test.ts");
    try {
      return !Deno.statSync(new URL(`tests/${test}`, root)).isFile;
    } catch {
      // A file of types alone has nothing to test.
      return /^\s*export (const|function|class|async)/m.test(codeOf(path));
    }
  });
  assertEquals(without, []);
});
