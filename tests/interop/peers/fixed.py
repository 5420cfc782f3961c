"""Messages of a fixed length: twelve bytes each, filled up with spaces. One goes to and fro."""

from peer import BrokenOff, accept, connect, listen, run, say

LENGTH = 12


def server(arguments):
    with listen() as socket:
        stream = accept(socket, arguments)
    with stream.connection:
        message = stream.the_next(LENGTH)
        say(repr(message))
        stream.send(message)


def client(arguments):
    message = arguments.message.encode().ljust(LENGTH)[:arguments.only]
    stream = connect(arguments)
    with stream.connection:
        stream.send(message)
        stream.end_sending()
        answer = stream.exactly(LENGTH)
        if answer is None:
            raise BrokenOff("the peer closed without an answer")
        if stream.some():
            raise ValueError("the peer sent more than one message")
    say(repr(answer))


run(server, client, client_options=[("message", {}), ("--only", {"type": int})])
