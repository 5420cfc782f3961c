"""Echo of datagrams: each goes back whole to where it came from.

The server ends after `--count` of them, and leaves the first `--deaf` ones unanswered, as if they were lost.
"""

import socket

from peer import HOST, SECONDS, listen, run, say

LONGEST = 65507


def server(arguments):
    with listen(socket.SOCK_DGRAM) as endpoint:
        for place in range(arguments.count):
            datagram, client = endpoint.recvfrom(LONGEST)
            say(repr(datagram))
            if place >= arguments.deaf:
                endpoint.sendto(datagram, client)


def client(arguments):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(SECONDS)
        for message in arguments.messages:
            endpoint.sendto(message.encode(), (HOST, arguments.port))
            answer, server = endpoint.recvfrom(LONGEST)
            if server != (HOST, arguments.port):
                raise ValueError(f"the answer came from {server}")
            say(repr(answer))


run(
    server,
    client,
    [("--count", {"type": int, "default": 1}), ("--deaf", {"type": int, "default": 0})],
    [("messages", {"nargs": "+"})],
)
