"""HTTP, with the server and the client of Python's own library.

The server answers one request with a page or with 404. The client prints the answer as a line of JSON.
"""

import http.client
import http.server
import json

from peer import HOST, SECONDS, run, say

PAGE = "<p>Grüße 🐰</p>\n".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = SECONDS

    def do_GET(self):
        found = self.path == "/index.html"
        page = PAGE if found else b"nothing here\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        say(f"{self.requestline} for {self.headers['Host']}")


def server(_):
    with http.server.HTTPServer((HOST, 0), Handler) as web:
        web.timeout = SECONDS
        say(f"listening on {HOST}:{web.server_port}")
        web.handle_request()


def client(arguments):
    connection = http.client.HTTPConnection(HOST, arguments.port, timeout=SECONDS)
    connection.request(arguments.method, arguments.path)
    response = connection.getresponse()
    say(json.dumps({
        "status": f"{response.status} {response.reason}",
        "type": response.getheader("Content-Type"),
        "length": int(response.getheader("Content-Length")),
        "body": response.read().decode(),
        "closes": response.will_close,
    }))
    connection.close()


run(server, client, client_options=[("method", {}), ("path", {})])
