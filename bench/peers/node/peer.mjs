/**
 * What the peers in this folder share: reading the arguments, listening, and
 * what a receiver answers.
 */

import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import process from "node:process";

/**
 * Serves connections in the role and mode that the command line names. `roles`
 * has for each role its modes, for each mode a function of a socket, the size
 * and the count. The first mode of a role is its default.
 */
export function runPeer(roles) {
  const [role, size, count, mode] = process.argv.slice(2);
  const modes = roles[role] ?? {};
  const play = modes[mode ?? Object.keys(modes)[0]];
  if (play === undefined) {
    console.error(`Unknown role or mode: "${role} ${mode ?? ""}"`);
    process.exit(2);
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.on("connection", (socket) => {
    // A load that goes away ends its connection, not the peer
    socket.on("error", () => socket.destroy());
    Promise.resolve(play(socket, Number(size), Number(count))).catch(
      (error) => {
        console.error(error);
        socket.destroy();
      },
    );
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    console.log(`listening ${server.address().port}`);
  });
}

/** Holds a connection until the other side closes it. */
export function idle(socket) {
  socket.on("end", () => socket.end()).resume();
}

/** Answers what was received, and closes. */
export function answer(socket, frames, bytes) {
  const totals = Buffer.alloc(16);
  totals.writeBigUInt64BE(BigInt(frames), 0);
  totals.writeBigUInt64BE(BigInt(bytes), 8);
  socket.end(totals);
}

/**
 * Calls `write`, which writes a frame to the stream and says whether there is
 * room for more, `count` times, and ends the stream.
 */
export function writeAll(stream, count, write) {
  let left = count;
  const more = () => {
    while (left > 0) {
      left--;
      if (!write()) {
        stream.once("drain", more);
        return;
      }
    }
    stream.end();
  };
  more();
}
