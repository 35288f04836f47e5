"""A web server of one's own: 127.0.0.1, a free port, threads, and a script for every path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Visit(BaseHTTPRequestHandler):
    """One request; scripts answer it with `reply`, or write to `wfile` themselves."""

    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with self.server.guard:
            count = sum(earlier == path for earlier, _ in self.server.asked)
            self.server.asked.append((path, dict(self.headers)))
            self.server.queries.append(self.path)
        script = self.server.scripts.get(path)
        if script is None:
            self.reply(404)
        else:
            script(self, count)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.guard:
            self.server.bodies.append(body)
        self.do_GET()

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self, body: bytes, sent: int, **headers: str) -> None:
        """Promise a whole body, send its first bytes and hang up."""
        self.reply(200, body[:sent], Content_Length=str(len(body)), **headers)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Web(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.scripts: dict[str, Script] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.queries: list[str] = []
        self.bodies: list[bytes] = []
        self.guard = threading.Lock()
        self.let_go = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the test."""


#: Answers a visit, given how many earlier ones there were to the same path.
Script = Callable[[Visit, int], None]


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.let_go.set()
        web.shutdown()
        thread.join()
        web.server_close()
