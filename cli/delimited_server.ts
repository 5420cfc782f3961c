/**
 * Delimited server: receives messages that end with a semicolon, and puts aside what comes of the next.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/delimited_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     read b'first;second;th' from 127.0.0.1:61354
 *     received b'first' from 127.0.0.1:61354
 *     received b'second' from 127.0.0.1:61354
 *     put aside b'th' from 127.0.0.1:61354
 *     read b'ird;' from 127.0.0.1:61354
 *     received b'third' from 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/delimited_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The reads are made here, so that they can be seen; a `FrameDecoder` is given what they give, cuts the
 * messages and holds on to the rest. With `serve` it is the same, out of sight. Every message is sent back.
 *
 * It does not handle messages with a semicolon in them, nor any of more than a thousand bytes.
 *
 * @module
 */

import { concat } from "@std/bytes";
import { bytesLiteral, delimited, encodeFrame, FrameDecoder } from "../mod.ts";
import { mySend } from "./my_socket.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveConns } from "./serving.ts";

/** Cuts messages at semicolons and shows what it puts aside. */
export const delimitedServer: Program = program({
  name: "delimited-server",
  about: "Cuts messages at semicolons and shows what it puts aside",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveConns(terminal, async (conn, from) => {
      const { print } = terminal;
      const codec = delimited(";", { maxFrameLength: 1000 });
      const decoder = new FrameDecoder(codec);
      let aside = new Uint8Array(0);
      while (true) {
        const chunk = new Uint8Array(1024); // a new one each time: the decoder keeps it
        const count = await conn.read(chunk);
        if (count === null) break; // the client has closed
        const bytes = chunk.subarray(0, count);
        print(`read ${bytesLiteral(bytes)} from ${from}`);
        decoder.push(bytes);

        let message: Uint8Array | undefined;
        while ((message = decoder.next()) !== undefined) {
          print(`received ${bytesLiteral(message)} from ${from}`);
          await mySend(conn, encodeFrame(codec, message));
        }

        const seen = concat([aside, bytes]);
        aside = seen.subarray(seen.length - decoder.buffered);
        if (aside.length > 0) {
          print(`put aside ${bytesLiteral(aside)} from ${from}`);
        }
      }
      decoder.end(); // throws if something is still put aside
    }),
});

if (import.meta.main) Deno.exit(await delimitedServer.run(Deno.args));
