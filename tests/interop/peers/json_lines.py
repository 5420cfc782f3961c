"""Values of JSON, one a line, as Python's `json` writes them. The server sends each one back.

It writes every other value with characters beyond ASCII escaped, and answers some words with what nobody else would
write: "nan", "big", "half" (a surrogate pair), "bare" (a line that a carriage return ends too), "beat" (a blank line).
A client sends what it is told to, all at once, and prints what comes.
"""

import json

from peer import BrokenOff, accept, connect, listen, run, say

ANSWERS = {
    "nan": json.dumps([float("nan"), float("-inf")]) + "\n",
    "big": json.dumps(2**64 + 1) + "\n",
    "half": json.dumps("\ud83d") + "\n",
    "bare": "true\r\n",
    "beat": "\n \nnull\n",
}


def texts(stream):
    """Each line; an unfinished one is none."""
    rest = b""
    while piece := stream.some():
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        raise BrokenOff(f"the peer closed in the middle of a line: {rest}")


def server(arguments):
    with listen() as socket:
        stream = accept(socket, arguments)
    with stream.connection:
        for count, text in enumerate(texts(stream)):
            value = json.loads(text)
            answer = ANSWERS.get(value) if isinstance(value, str) else None
            if answer is None:
                answer = json.dumps(value, ensure_ascii=count % 2 == 0) + "\n"
            stream.send(answer.encode())


def client(arguments):
    stream = connect(arguments)
    values = [json.loads(text) for text in arguments.values]
    with stream.connection:
        stream.send("".join(json.dumps(value) + "\n" for value in values).encode())
        stream.end_sending()
        for text in texts(stream):
            say(json.dumps(json.loads(text)))


run(server, client, client_options=[("values", {"nargs": "+"})])
