/**
 * Sends Redis many commands at once and prints the answers, which come in the order of the commands.
 *
 *     deno run --allow-net=127.0.0.1:6379 examples/redis_pipeline.ts [port]
 *
 * @module
 */

import { connect, RequestClient } from "@framewire/framewire";
import { resp, type RespValue } from "@framewire/framewire/protocols";

/** A value as people read it. */
function show(answer: RespValue): string {
  switch (answer.type) {
    case "bulk":
    case "verbatim":
      return JSON.stringify(new TextDecoder().decode(answer.value));
    case "error":
      return `error: ${answer.value}`;
    case "map":
      return answer.value.map((pair) => pair.map(show).join(": ")).join(", ");
    case "array":
    case "set":
    case "push":
      return answer.value.map(show).join(", ");
    default:
      return String(answer.value);
  }
}

const port = Number(Deno.args[0] ?? 6379);
await using redis = new RequestClient(
  await connect({ hostname: "127.0.0.1", port }, resp()),
  { timeout: 5_000 },
);
await redis.ask(["HELLO", 3]); // from now on version 3, which has maps and more
const commands = [
  ["SET", "framewire:greeting", "hello, world"],
  ["GET", "framewire:greeting"],
  ["HSET", "framewire:hits", "monday", 3, "tuesday", 5],
  ["HINCRBY", "framewire:hits", "tuesday", 1],
  ["HGETALL", "framewire:hits"],
  ["INCR", "framewire:greeting"],
  ["GET", "framewire:nothing"],
  ["DEL", "framewire:greeting", "framewire:hits"],
];
// All are asked before the first is answered, and leave in one write.
const answers = await Promise.all(commands.map((one) => redis.ask(one)));
for (const [i, answer] of answers.entries()) {
  console.log(`${commands[i].join(" ")}\n  ${show(answer)}`);
}
