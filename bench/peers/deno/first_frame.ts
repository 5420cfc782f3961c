/**
 * From the start of a program to its first frame, by Framewire: `PORT`. The empty program beside it is
 * `first_frame_bare.ts`.
 *
 * @module
 */

import { connect, lengthPrefixed } from "@framewire/framewire";

const peer = await connect({ port: Number(Deno.args[0]) }, lengthPrefixed());
await peer.write(new Uint8Array(5));
await peer.close();
