"""A loopback server that answers as the Hugging Face Hub does, or misbehaves; it remembers every request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Seen(NamedTuple):
    path: str
    token: str | None


class Server(NamedTuple):
    url: str
    seen: list[Seen]
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]]


@contextmanager
def serving() -> Iterator[Server]:
    """The server, on this machine only."""
    seen: list[Seen] = []
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(Seen(self.path, self.headers.get("Authorization")))
            answers.get(self.path, status(404, "RepoNotFound"))(self)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Clients that hang up are what is tested."""

    server = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", seen, answers)
    finally:
        server.shutdown()
        server.server_close()


def body(data: bytes, code: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def json_body(value: Any) -> Callable[[BaseHTTPRequestHandler], None]:
    return body(json.dumps(value).encode())


def status(code: int, error_code: str = "", message: str = "") -> Callable[[BaseHTTPRequestHandler], None]:
    return body(message.encode(), code, **({"X_Error_Code": error_code} if error_code else {}))


def redirect(to: str, code: int = 307) -> Callable[[BaseHTTPRequestHandler], None]:
    return body(b"", code, Location=to)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def dripping_head(handler: BaseHTTPRequestHandler) -> None:
    """One byte of a header now and then, so that no single step takes too long."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def dripping_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def broken(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{")
    handler.wfile.flush()
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 smtp ready\r\n")
    handler.close_connection = True
