/**
 * From the start of a program to its first bytes, with nothing imported: `PORT`. They are those that
 * `first_frame.ts` sends.
 *
 * @module
 */

export {};

const conn = await Deno.connect({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
});
conn.setNoDelay(true);
await conn.write(new Uint8Array([0, 0, 0, 5, 0, 0, 0, 0, 0]));
conn.close();
