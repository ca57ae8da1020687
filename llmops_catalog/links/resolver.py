"""From a host to the addresses that may be connected to: looked up once, every one checked, never looked up again in between."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from llmops_catalog.links.addresses import Address, Network, is_plainly_spelled, spelled_address, why_forbidden
from llmops_catalog.links.exchange import NoAnswer, Trouble

LOOK_UPS_AT_ONCE = 64
KEPT_SECONDS = 300.0
FAILURE_KEPT_SECONDS = 0.5
"""Less than the wait before a link is tried again."""
HOSTS_FILE_SECONDS = 1.0
"""For names no server knows: a file on this machine may, and that is read at once."""
NEVER_DELEGATED = ("invalid", "test", "example")
"""Top-level names that no public host has (https://www.rfc-editor.org/rfc/rfc6761)."""
_LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
"""What names under localhost mean, whatever a server says (RFC 6761, 6.3)."""
CONTROL_HOSTS = ("github.com", "en.wikipedia.org", "huggingface.co")
"""Names that exist: a resolver that knows none of them says nothing about any other."""

Lookup = Callable[[str], Sequence[str]]
"""The addresses of a name, as text. Raises `socket.gaierror`."""


def system_lookup(host: str) -> list[str]:
    """As the system resolves it: hosts file, search list, name servers."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Known(NamedTuple):
    """What is known of a name `until` then: its addresses, or what stood in the way, for the how manieth time in a row."""

    until: float
    found: tuple[Address, ...]
    trouble: Trouble | None
    failures: int


class Resolver:
    """Looks names up in threads of its own, so that a slow name server holds up only who asked it."""

    def __init__(self, allowed: Sequence[Network] = (), lookup: Lookup = system_lookup) -> None:
        self.allowed = tuple(allowed)
        self._lookup = lookup
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[_Known]] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = 0
        self._waiting = 0
        self._works: bool | None = None
        self._proving = asyncio.Lock()

    async def addresses(self, host: str) -> tuple[Address, ...]:
        """The addresses to connect to, IPv4 first. Raises `NoAnswer` where there is none, or none that is allowed."""
        literal = spelled_address(host)
        if literal is not None:
            return (self._permitted_literal(host, literal),)
        is_loopback = host == "localhost" or host.endswith(".localhost")
        found = _LOOPBACK if is_loopback else await self._resolved(host)
        permitted = [address for address in found if why_forbidden(address, self.allowed) is None]
        if not permitted:
            raise NoAnswer(Trouble("forbidden-address", f"{host[:80]} leads to {why_forbidden(found[0], self.allowed)}"))
        return tuple(sorted(permitted, key=lambda address: address.version))

    def _permitted_literal(self, host: str, literal: Address) -> Address:
        reason = why_forbidden(literal, self.allowed)
        if reason is None and not is_plainly_spelled(host) and not any(literal in network for network in self.allowed):
            reason = f"{literal}, spelled in an odd way"
        if reason is not None:
            told = "it leads to" if is_plainly_spelled(host) else f"{host[:80]} is"  # no address is named twice
            raise NoAnswer(Trouble("forbidden-address", f"{told} {reason}"))
        return literal

    async def _resolved(self, host: str) -> tuple[Address, ...]:
        """Asked once for all who wait for it; what failed twice is not asked again in this run."""
        known = self._known.get(host)
        if known is None or monotonic() > known.until:
            if host not in self._asking:
                self._asking[host] = asyncio.create_task(self._look_up(host, known.failures if known else 0))
                self._asking[host].add_done_callback(lambda _: self._asking.pop(host, None))
            known = await asyncio.shield(self._asking[host])
        if known.trouble is not None:
            raise NoAnswer(known.trouble)
        return known.found

    async def _look_up(self, host: str, failures: int) -> _Known:
        trouble = None
        found: tuple[Address, ...] = ()
        try:
            async with asyncio.timeout(HOSTS_FILE_SECONDS if _is_reserved(host) else None):
                found = tuple(ipaddress.ip_address(text.partition("%")[0]) for text in await self._ask(host))
        except (OSError, ValueError) as error:  # no such name, no resolver, a time-out, no text for a name
            trouble = await self._why_not(host, error)
        if trouble is None and not found:
            trouble = Trouble("resolver", f"the resolver answered nothing for {host[:80]}")
        if any(why_forbidden(address) is None for address in found):
            self._works = True  # a network that knows only its own names would not know this one
        failures = failures + 1 if trouble else 0
        kept_seconds = FAILURE_KEPT_SECONDS if failures == 1 else KEPT_SECONDS
        self._known[host] = _Known(monotonic() + kept_seconds, found, trouble, failures)
        return self._known[host]

    async def _why_not(self, host: str, error: Exception) -> Trouble:
        """A name that does not exist is proof only where names that do exist are found."""
        if _is_reserved(host):
            return Trouble("no-such-host", f"there is no host {host[:80]}")
        does_not_exist = isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5))
        if not does_not_exist:
            return Trouble("resolver", f"the resolver could not say where {host[:80]} is")
        if not await self.works():
            return Trouble("no-network", "this machine resolves no names: is it connected?", host)
        return Trouble("no-such-host", f"there is no host {host[:80]}")

    async def works(self) -> bool:
        """True where at least one name that surely exists is found; asked once."""
        async with self._proving:
            if self._works is None:
                self._works = False
                for control in CONTROL_HOSTS:
                    with contextlib.suppress(OSError):
                        self._works = self._works or bool(await self._ask(control))
        return self._works

    async def _ask(self, host: str) -> Sequence[str]:
        """`lookup` in a daemon thread: one that hangs never keeps the program from ending."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[str]] = loop.create_future()

        def job() -> None:
            try:
                outcome: Sequence[str] | BaseException = self._lookup(host)
            except Exception as error:
                outcome = error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(deliver, outcome)

        def deliver(outcome: Sequence[str] | BaseException) -> None:
            self._waiting -= 1
            if future.done():
                return
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self._waiting += 1
        if self._waiting > self._threads and self._threads < LOOK_UPS_AT_ONCE:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name="resolver").start()
        self._jobs.put(job)
        return await future

    def _work(self) -> None:
        while True:
            self._jobs.get()()


def _is_reserved(host: str) -> bool:
    return host.rpartition(".")[2] in NEVER_DELEGATED
