"""HTTP at its simplest: a server thread of the standard library, and the simplest `Ask` there can be, one connection a request."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from llmops_catalog.links.hosts import Answer, Unreachable

MOST_BYTES = 5 * 2**20
WAIT_SECONDS = 5


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that writes no log."""

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are part of what is tested."""


@contextmanager
def answering_with(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on this machine only; its port."""
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


async def plain_ask(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None, token: str | None = None
) -> Answer:
    """An `Ask` with no retries, no redirects and no limits but a time-out and 5 MiB."""
    parts = urlsplit(url)
    return await ask_at(parts.netloc, url, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), method, headers, body, token)


async def ask_at(
    netloc: str, url: str, target: str, method: str, headers: Mapping[str, str] | None, body: bytes | None, token: str | None
) -> Answer:
    """Asks for `target` at `netloc`, whatever host `url` names."""
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return await asyncio.to_thread(_asked, netloc, url, target, method, sent, body)


def _asked(netloc: str, url: str, target: str, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    connection = http.client.HTTPConnection(netloc, timeout=WAIT_SECONDS)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        data = response.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Unreachable("the answer is longer than 5 MiB")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data, url)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"no answer: {type(error).__name__}") from error
    finally:
        connection.close()
