"""A server that stands before another and dies at a chosen request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class MortalServer(ThreadingHTTPServer):
    """Passes requests on until the one with the number `last` (from 0); then it is dead.

    That request is still carried out when `after` is true, but its answer is lost.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: list[str] = []
        self.live(last=None)

    def live(self, last: int | None, after: bool = False) -> None:
        """Answer again, up to a request."""
        self.seen.clear()
        self._last = last
        self._after = after

    def admit(self, what: str) -> tuple[bool, bool]:
        """Tell whether to carry out a request and whether to answer it."""
        number = len(self.seen)
        self.seen.append(what)
        if self._last is None or number < self._last:
            return True, True
        return number == self._last and self._after, False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: MortalServer
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self._body()
        carry_out, answer = self.server.admit(f"{self.command} {self.path.partition('?')[0]}")
        if carry_out:
            target = self.server.target
            connection = HTTPConnection(str(target.hostname), target.port, timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
            connection.close()
        if not answer:
            self.close_connection = True
            return
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Keep off the terminal."""


@contextmanager
def mortal_server(target: str) -> Iterator[MortalServer]:
    """Yield a server before the one at the address `target`."""
    with MortalServer(target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
