"""Frames on the streams of Python's asyncio, with the standard library alone."""

import asyncio
import struct
import sys

HEADER = struct.Struct(">I")
BATCH = 64 * 1024


async def read_frame(reader):
    """Returns a payload, or None if the stream ended between two frames."""
    try:
        header = await reader.readexactly(HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    return await reader.readexactly(HEADER.unpack(header)[0])


async def recv(reader, writer):
    frames = 0
    received = 0
    while (payload := await read_frame(reader)) is not None:
        frames += 1
        received += len(payload)
    writer.write(struct.pack(">QQ", frames, received))


async def send_await(reader, writer):
    payload = bytes(SIZE)
    for _ in range(COUNT):
        writer.write(HEADER.pack(len(payload)) + payload)
        await writer.drain()


async def send_buffered(reader, writer):
    """Joins frames up to 64 KiB, which is one call to the OS for all of them."""
    payload = bytes(SIZE)
    per_batch = max(1, BATCH // (HEADER.size + SIZE))
    left = COUNT
    while left > 0:
        n = min(left, per_batch)
        left -= n
        pieces = []
        for _ in range(n):
            pieces.append(HEADER.pack(len(payload)))
            pieces.append(payload)
        writer.writelines(pieces)
        await writer.drain()


async def echo(reader, writer):
    while (payload := await read_frame(reader)) is not None:
        writer.write(HEADER.pack(len(payload)) + payload)
        await writer.drain()


async def idle(reader, writer):
    await reader.read()


# The first mode of a role is its default
ROLES = {
    "recv": {"exactly": recv},
    "send": {"buffered": send_buffered, "await": send_await},
    "echo": {"plain": echo},
    "idle": {"hold": idle},
}


async def main(play):
    async def serve(reader, writer):
        try:
            await play(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            # A load that goes away ends its connection, not the peer
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    modes = ROLES.get(arguments[0] if arguments else "", {})
    mode = arguments[3] if len(arguments) > 3 else next(iter(modes), "")
    if mode not in modes:
        sys.exit(2)
    SIZE, COUNT = int(arguments[1]), int(arguments[2])
    asyncio.run(main(modes[mode]))
