"""Messages with their length before them, in five digits: `00005hello`. The server sends each one back.

A client sends all of its messages before it reads the first answer.
"""

from peer import BrokenOff, accept, connect, listen, run, say

DIGITS = 5


def framed(message):
    return b"%0*d" % (DIGITS, len(message)) + message


def next_message(stream):
    """The message; None at the end."""
    digits = stream.exactly(DIGITS)
    if digits is None:
        return None
    if not digits.isdigit():
        raise ValueError(f"not a length: {digits}")
    return stream.the_next(int(digits))


def server(arguments):
    with listen() as socket:
        stream = accept(socket, arguments)
    with stream.connection:
        while (message := next_message(stream)) is not None:
            say(repr(message))
            stream.send(framed(message))


def client(arguments):
    stream = connect(arguments)
    with stream.connection:
        stream.send(b"".join(framed(message.encode()) for message in arguments.messages))
        stream.end_sending()
        for _ in arguments.messages:
            answer = next_message(stream)
            if answer is None:
                raise BrokenOff("the peer closed without an answer")
            say(repr(answer))
        if next_message(stream) is not None:
            raise ValueError("the peer sent more than it was asked for")


run(server, client, client_options=[("messages", {"nargs": "+"})])
