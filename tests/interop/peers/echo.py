"""Echo: whatever comes is sent back, until the client ends its half of the connection."""

from peer import accept, connect, listen, run, say


def server(arguments):
    with listen() as socket:
        stream = accept(socket, arguments)
    with stream.connection:
        received = b""
        while chunk := stream.some():
            received += chunk
            stream.send(chunk)
    say(repr(received))


def client(arguments):
    stream = connect(arguments)
    with stream.connection:
        stream.send(arguments.message.encode())
        stream.end_sending()
        say(repr(stream.all()))


run(server, client, client_options=[("message", {})])
