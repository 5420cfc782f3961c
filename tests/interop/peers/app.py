"""Messages: a header in JSON, its length in two bytes before it (the first one counts 256), and the content.

    00 64 {"byteorder": "big", ..., "content-length": 41} {"action": "search", "value": "morpheus"}

The server answers JSON `{"action": "search", "value": ...}` with JSON `{"result": ...}`, and any other content
with its first ten bytes. A client may send several requests one behind the other.
"""

import json
import sys

from peer import BrokenOff, accept, connect, listen, run, say

ANSWERS = {
    "morpheus": "Follow the white rabbit. \U0001f430",
    "ring": "In the caves beneath the Misty Mountains. \U0001f48d",
    "\U0001f436": "\U0001f43e Playing ball! \U0001f3d0",
}


def message(content, kind, encoding, byteorder):
    header = json.dumps({
        "byteorder": byteorder,
        "content-type": kind,
        "content-encoding": encoding,
        "content-length": len(content),
    }).encode()
    return len(header).to_bytes(2, "big") + header + content


def json_message(value, byteorder):
    return message(json.dumps(value, ensure_ascii=False).encode(), "text/json", "utf-8", byteorder)


def next_message(stream):
    """The header and the content; None at the end."""
    prefix = stream.exactly(2)
    if prefix is None:
        return None
    header = json.loads(stream.the_next(int.from_bytes(prefix, "big")))
    return header, stream.the_next(header["content-length"])


def show(header, content):
    """One line of JSON; the content is text, or for bytes their hexadecimal digits."""
    encoding = header["content-encoding"]
    text = content.hex() if encoding == "binary" else content.decode(encoding)
    say(json.dumps({"header": header, "content": text}))


def answer(header, content, byteorder):
    if header["content-type"] != "text/json":
        head = b"First 10 bytes of request: " + content[:10]
        return message(head, "binary/custom-server-binary-type", "binary", byteorder)
    request = json.loads(content.decode(header["content-encoding"]))
    value = request["value"]
    if request["action"] == "search":
        result = ANSWERS.get(value, f'No match for "{value}".')
    else:
        result = f'Error: invalid action "{request["action"]}".'
    return json_message({"result": result}, byteorder)


def server(arguments):
    with listen() as socket:
        stream = accept(socket, arguments)
    with stream.connection:
        while (request := next_message(stream)) is not None:
            show(*request)
            stream.send(answer(*request, arguments.byteorder))


def client(arguments):
    words = iter(arguments.words)
    requests = list(zip(words, words))
    stream = connect(arguments)
    with stream.connection:
        for action, value in requests:
            stream.send(
                json_message({"action": action, "value": value}, arguments.byteorder)
                if action == "search"
                else message((action + value).encode(), "binary/custom-client-binary-type", "binary", arguments.byteorder)
            )
        stream.end_sending()
        for _ in requests:
            response = next_message(stream)
            if response is None:
                raise BrokenOff("the peer closed without a response")
            show(*response)
        if stream.some():
            raise ValueError("the peer sent more than it was asked for")


BYTEORDER = ("--byteorder", {"choices": ["big", "little"], "default": sys.byteorder})
run(server, client, [BYTEORDER], [BYTEORDER, ("words", {"nargs": "+"})])
