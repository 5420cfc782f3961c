"""What the peers share: where to listen and to connect, and whole messages out of a stream of bytes.

Every peer is a program: `python3 echo.py server` prints where it listens and ends after one client;
`python3 echo.py client PORT ...` prints what it got. A client with `--cut N` sends N bytes at a time.
The exit code is 0 if all went well, 1 with one line on stderr if the other side did something wrong.
"""

import argparse
import socket
import sys

HOST = "127.0.0.1"
SECONDS = 20  # nobody waits for longer, whatever becomes of the other side


class BrokenOff(Exception):
    """The other side closed where something was still to come."""


class Stream:
    """A connection that reads whole messages and sends in pieces as small as it is told."""

    def __init__(self, connection, cut=None):
        self.connection = connection
        self.cut = cut
        connection.settimeout(SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        step = self.cut or len(data) or 1
        for start in range(0, len(data), step):
            self.connection.sendall(data[start:start + step])

    def end_sending(self):
        self.connection.shutdown(socket.SHUT_WR)

    def some(self):
        """What one read gives; nothing at the end."""
        return self.connection.recv(4096)

    def exactly(self, count):
        """So many bytes; None if the stream ends before the first one."""
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece and not data:
                return None
            if not piece:
                raise BrokenOff(f"the peer closed after {len(data)} of {count} bytes")
            data += piece
        return data

    def the_next(self, count):
        """So many bytes, of which none may be missing."""
        data = self.exactly(count) if count else b""
        if data is None:
            raise BrokenOff(f"the peer closed where {count} bytes were to come")
        return data

    def all(self):
        """Everything until the end."""
        return b"".join(iter(self.some, b""))


def connect(arguments):
    return Stream(socket.create_connection((HOST, arguments.port), SECONDS), arguments.cut)


def listen(kind=socket.SOCK_STREAM):
    """A socket on a free port, which is printed."""
    server = socket.socket(socket.AF_INET, kind)
    server.settimeout(SECONDS)
    server.bind((HOST, 0))
    if kind == socket.SOCK_STREAM:
        server.listen()
    say(f"listening on {HOST}:{server.getsockname()[1]}")
    return server


def accept(server, arguments):
    return Stream(server.accept()[0], arguments.cut)


def say(line):
    print(line, flush=True)


def run(server, client, server_options=(), client_options=()):
    """Runs one of the two, as the arguments say; options are pairs of a name and what argparse makes of it."""
    sys.stdout.reconfigure(encoding="utf-8")
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(required=True)
    for role, main, options in (("server", server, server_options), ("client", client, client_options)):
        arguments = roles.add_parser(role)
        arguments.set_defaults(main=main)
        if role == "client":
            arguments.add_argument("port", type=int)
        arguments.add_argument("--cut", type=int)
        for name, meaning in options:
            arguments.add_argument(name, **meaning)
    chosen = parser.parse_args()
    try:
        chosen.main(chosen)
    except (BrokenOff, ValueError, OSError) as error:
        sys.exit(f"error: {error}")
