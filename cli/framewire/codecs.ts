/**
 * What `--codec` may name.
 *
 * @module
 */

import type { Program } from "../program.ts";
import { CODEC_NAMES } from "./codec_names.ts";
import { command } from "./command.ts";
import { put } from "./output.ts";

const WIDTH = 12;

/** Lists the codecs with their options. */
export const codecsCommand: Program = command({
  name: "codecs",
  about: "Lists the codecs that --codec names, with their options",
  examples: [
    ["framewire codecs", "All of them; no permission is needed"],
    [
      "deno run jsr:@framewire/framewire/cli codecs | grep -i json",
      "Those that have to do with JSON",
    ],
  ],

  async main() {
    const rows = CODEC_NAMES.flatMap(({ name, takes, about }) => [
      `${name.padEnd(WIDTH)}  ${about}`,
      ...(takes === "" ? [] : [`${" ".repeat(WIDTH)}  ${name}${takes}`]),
    ]);
    await put(
      [
        ...rows,
        "",
        "All but fixed also take max=SIZE, the longest frame that is accepted (1M unless the",
        "protocol says else), and all but until-close take skip, to go on behind a longer one.",
        "",
        "In values \\n \\r \\t \\0 \\xHH \\\\ \\, \\: and \\= stand for characters. Examples:",
        "",
        ...CODEC_NAMES.filter(({ takes }) => takes !== "").map(({ example }) =>
          `  --codec '${example}'`
        ),
        "",
      ].join("\n"),
    );
  },
});

if (import.meta.main) Deno.exit(await codecsCommand.run(Deno.args));
