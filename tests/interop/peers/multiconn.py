"""Echo over several connections at once: each gets back what it sends, until it is closed.

The server waits until `--clients` of them are connected before it answers the first one, so that a client
which has them one after the other gets nothing.
"""

import selectors

from peer import SECONDS, BrokenOff, Stream, connect, listen, run, say

MESSAGES = [b"Message 1 from client.", b"Message 2 from client."]


def server(arguments):
    with listen() as socket:
        streams = [Stream(socket.accept()[0], arguments.cut) for _ in range(arguments.clients)]
    received = {stream: b"" for stream in streams}
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.connection, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(SECONDS)
            if not ready:
                raise BrokenOff("the clients are silent")
            for key, _ in ready:
                stream = key.data
                chunk = stream.some()
                if chunk:
                    received[stream] += chunk
                    stream.send(chunk)
                else:
                    selector.unregister(stream.connection)
                    stream.connection.close()
    for stream in streams:
        say(repr(received[stream]))


def client(arguments):
    streams = [connect(arguments) for _ in range(arguments.clients)]
    for message in MESSAGES:
        for stream in streams:
            stream.send(message)
    length = sum(map(len, MESSAGES))
    for stream in reversed(streams):
        say(repr(stream.the_next(length)))
    for stream in streams:
        stream.connection.close()


CLIENTS = ("--clients", {"type": int, "required": True})
run(server, client, [CLIENTS], [CLIENTS])
