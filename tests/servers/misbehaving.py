"""Loopback hosts that misbehave on purpose: real sockets in one background thread, and a note of everything they were asked."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

Answer = Callable[["Request", "Wire"], Awaitable[None]]
Greeting = Callable[["Wire"], Awaitable[None]]
HEAD_LIMIT_BYTES = 2**20


class Request(NamedTuple):
    """One request as it was read. `turn` counts those of this host for this target, from 1; `lines` are the raw header lines."""

    method: str
    target: str
    headers: dict[str, str]
    lines: tuple[str, ...]
    turn: int
    at_seconds: float

    @property
    def cookies(self) -> str:
        return self.headers.get("cookie", "")

    @property
    def like_a_browser(self) -> bool:
        return any(mark in self.headers.get("user-agent", "") for mark in ("Chrome/", "Firefox/", "Safari/"))


class Wire:
    """The connection as an answer sees it: bytes go out as they are; it is closed afterwards unless `keep` was set."""

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = host, reader, writer
        self.keep = False

    async def send(self, data: bytes) -> None:
        """Returns once the kernel has taken the bytes, so that a client which stops reading stops the answer."""
        if self._writer.is_closing():
            raise ConnectionResetError
        self._host.sent_bytes += len(data)
        self._writer.write(data)
        await self._writer.drain()

    async def pause(self, seconds: float) -> None:
        """Waits, but not for a client that has gone."""
        with contextlib.suppress(TimeoutError):
            if not await asyncio.wait_for(self._reader.read(1), seconds):
                raise ConnectionResetError

    async def wait_for_hang_up(self) -> None:
        while await self._reader.read(4096):
            pass

    async def take(self) -> bytes:
        """Whatever the client says next, HTTP or not."""
        return await self._reader.read(4096)

    def reset(self) -> None:
        """The next thing the client sees is RST."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class Host:
    """One host:port with its pages, and what happened at it."""

    def __init__(self, name: str, netloc: str, otherwise: Answer, scheme: str = "http", greeting: Greeting | None = None) -> None:
        self.name, self.netloc, self.scheme = name, netloc, scheme
        self.pages: dict[str, Answer] = {}
        self.otherwise = otherwise
        self.greeting = greeting
        self.seen: list[Request] = []
        self.connections = 0
        self.sent_bytes = 0
        self.longest_seconds = 0.0
        self.most_open = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._turns: Counter[str] = Counter()

    def page(self, target: str, answer: Answer) -> str:
        """Puts an answer at a path (with its query) and tells its address."""
        assert target not in self.pages, f"{self.name}{target} has an answer already"
        self.pages[target] = answer
        return self.url(target)

    def url(self, target: str = "/") -> str:
        return f"{self.scheme}://{self.netloc}{target}"

    @property
    def port(self) -> int:
        return int(self.netloc.rpartition(":")[2])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end. It counts as open from its first request until the client has closed it."""
        self.connections += 1
        wire = Wire(self, reader, writer)
        try:
            if self.greeting:
                await self._timed(self.greeting(wire))
                return
            while True:
                request = self._read(await reader.readuntil(b"\r\n\r\n"))
                if writer not in self._open:
                    self._open.add(writer)
                    self.most_open = max(self.most_open, sum(not has_gone(each) for each in self._open))
                wire.keep = False
                await self._timed(self.pages.get(request.target, self.otherwise)(request, wire))
                if not wire.keep or request.headers.get("connection", "").lower() == "close":
                    return
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # clients that hang up are what is tested
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _timed(self, answering: Awaitable[None]) -> None:
        started = time.monotonic()
        try:
            await answering
        finally:
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - started)

    def _read(self, head: bytes) -> Request:
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, *_ = [*first.split(" "), "", ""]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._turns[target] += 1
        request = Request(method, target, headers, tuple(lines), self._turns[target], time.monotonic())
        self.seen.append(request)
        return request


class World:
    """Hands out hosts, one port each: ``with World(NOT_FOUND) as world``, then the hosts, then `start`.

    `real=False` opens no socket: the same table of cases can be built to learn its names.
    """

    def __init__(self, otherwise: Answer, *, real: bool = True) -> None:
        self.hosts: dict[str, Host] = {}
        self._otherwise, self._real = otherwise, real
        self._fake_ports = itertools.count(10_000)
        self._listening: list[tuple[Host, socket.socket, ssl.SSLContext | None]] = []
        self._silent: list[socket.socket] = []
        self._loop = asyncio.new_event_loop() if real else None
        self._thread = threading.Thread(target=self._run, name="misbehaving hosts", daemon=True)

    def host(
        self,
        name: str,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        secure: bool | None = None,
        greeting: Greeting | None = None,
        send_buffer_bytes: int = 65_536,
    ) -> Host:
        """A host on a port of its own. `secure` writes https also where no TLS is spoken."""
        assert name not in self.hosts, f"two hosts are called {name}"
        number = port or next(self._fake_ports)
        if self._real:
            listening = bound(address, port)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
            listening.listen(256)
            number = listening.getsockname()[1]
        shown = f"[{address}]" if ":" in address else address
        scheme = "https" if (tls is not None if secure is None else secure) else "http"
        host = Host(name, f"{shown}:{number}", self._otherwise, scheme, greeting)
        self.hosts[name] = host
        if self._real:
            self._listening.append((host, listening, tls))
        return host

    def silent_port(self, *, backlog: bool) -> int:
        """A port taken by nobody who answers: refused, or (with `backlog`) connected by the kernel and never accepted."""
        if not self._real:
            return next(self._fake_ports)
        silent = bound("127.0.0.1", 0)
        if backlog:
            silent.listen(64)
        self._silent.append(silent)
        return silent.getsockname()[1]

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        assert self._loop
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)

    def stop(self) -> None:
        assert self._loop
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)
        else:  # never started: nobody listens, but the ports are taken
            self._loop.close()
        for taken in [*self._silent, *(listening for _, listening, _ in self._listening)]:
            taken.close()

    def _run(self) -> None:
        assert self._loop
        self._loop.set_exception_handler(lambda *_: None)  # failed handshakes are wanted
        self._loop.run_forever()
        self._loop.close()

    async def _listen(self) -> None:
        self._servers = [
            await asyncio.start_server(host.serve, sock=listening, ssl=tls, limit=HEAD_LIMIT_BYTES, ssl_shutdown_timeout=1 if tls else None)
            for host, listening, tls in self._listening
        ]

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        await some_rounds()  # whoever was just accepted has a task then, which closes the connection
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await some_rounds()  # transports close in the rounds after their `close`


async def some_rounds() -> None:
    """Lets everything happen that is on its way in this loop, without waiting for anything."""
    for _ in range(30):
        await asyncio.sleep(0)


def bound(address: str, port: int) -> socket.socket:
    """A socket bound, not yet listening."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind((address, port))
    return made


def has_gone(writer: asyncio.StreamWriter) -> bool:
    """Whether the client has closed the connection, asked of the kernel: the loop may not have come to read the end yet."""
    if writer.is_closing():
        return True
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as same:
        try:
            return not same.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


def has_ipv6() -> bool:
    """Whether this machine can talk to itself over IPv6."""
    try:
        bound("::1", 0).close()
    except OSError:
        return False
    return True
