"""One host on 127.0.0.1 in a process of its own: every path is a small page, given after 50 ms, over connections that are kept.

with link_host() as host: ...        # ends with the block, or with the process that started it
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DELAY_SECONDS = 0.05
_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page that is there</title></head>
<body><h1>A page that is there</h1><p>It says a little about what it is for, as pages do, and links to nothing.</p></body></html>
"""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(_PAGE)


class Host:
    """Where it is and, once it has ended, what it saw."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests = self.most_at_once = 0

    def urls(self, count: int) -> list[str]:
        """So many addresses, all alive."""
        return [f"http://127.0.0.1:{self.port}/page/{number}" for number in range(count)]


@contextmanager
def link_host() -> Iterator[Host]:
    """The host, while it runs."""
    with subprocess.Popen([sys.executable, Path(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 (a pipe, as the next)
        assert process.stdout is not None  # noqa: S101 (a pipe, as the one before)
        host = Host(int(process.stdout.readline()))
        try:
            yield host
        finally:
            process.stdin.close()
            host.requests, host.most_at_once = map(int, process.stdout.readline().split())


# --- in the process of its own ----------------------------------------------------------------------------------------


class _Seen:
    requests = waiting = most_at_once = 0


class _Line(asyncio.Protocol):
    """One connection: HEAD and GET, also where several come at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]  # a stream's transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            is_head = self._received.startswith(b"HEAD ")
            self._received = self._received[end + 4 :]
            _Seen.requests += 1
            _Seen.waiting += 1
            _Seen.most_at_once = max(_Seen.most_at_once, _Seen.waiting)
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._answer, _HEAD if is_head else _HEAD + _PAGE)

    def _answer(self, answer: bytes) -> None:
        _Seen.waiting -= 1
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve() -> None:
    """Serves until standard input ends, then tells what was seen."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Line, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(_Seen.requests, _Seen.most_at_once, flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
