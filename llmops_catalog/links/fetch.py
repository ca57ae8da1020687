"""One request to one checked address: through the host's gate, over a connection that is reused, within every limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

from llmops_catalog.links.addresses import Address, parse_network, spelled_address
from llmops_catalog.links.connection import MAX_HEADER_BYTES, Connection, Head, connect
from llmops_catalog.links.exchange import REDIRECTS, Hop, NoAnswer, Page, Trouble
from llmops_catalog.links.gate import Gate
from llmops_catalog.links.inflate import CannotUnpack, Inflater
from llmops_catalog.links.limits import BODY_SECONDS, MOST_BODY_BYTES, MOST_INFLATED_BYTES, Budget, Settings
from llmops_catalog.links.page import PageReader, Wanted
from llmops_catalog.links.resolver import Resolver
from llmops_catalog.links.target import Target

ANY_ADDRESS = (parse_network("0.0.0.0/0"), parse_network("::/0"))
IDLE_SECONDS = 10.0
LETTING_GO_SECONDS = 0.02
MOST_IDLE_CONNECTIONS = 256
UNWANTED_BODY_SECONDS = 1.0
"""For the rest of an answer nobody wants, so that the connection can be used again."""
LONGEST_VALUE = 8000
_ASKED_FOR = frozenset({
    "location", "set-cookie", "content-type", "content-length", "etag", "last-modified", "retry-after", "date", "cf-mitigated",
    "x-amzn-waf-action", "x-datadome", "x-sucuri-block", "www-authenticate", "x-rate-limit-remaining", "x-rate-limit-reset",
})  # fmt: skip
SMALL_BODY_BYTES = 16 * 1024
"""Read to the end even where nobody wants it, so that the connection can be used again."""
_HTML = ("text/html", "application/xhtml+xml", "")

Feed = Callable[[bytes], bool]
"""Takes a piece of an inflated body; True where it has enough."""


class Request(NamedTuple):
    """What is sent. `wanted` None: the body does not matter. `fresh`: over a connection of its own. `to_api`: to a place the maintainer
    named (`Fetcher.trusted`), which may be a private one; never a link, and never where a redirect leads.
    """

    method: str
    target: Target
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wanted: Wanted | None = None
    fresh: bool = False
    to_api: bool = False


class Fetcher:
    """All connections of one run: at most so many requests at once, and per host no more than its gate lets through."""

    def __init__(self, settings: Settings, resolver: Resolver | None = None) -> None:
        self.settings = settings
        self.resolver = resolver or Resolver(settings.allowed)
        self.trusted: set[str] = set()
        self._anywhere = Resolver(ANY_ADDRESS)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._gates: dict[str, Gate] = {}
        self._idle: dict[str, list[Connection]] = {}
        self._idle_count = 0

    def gate(self, target: Target) -> Gate:
        """The gate before the target's host."""
        key = queue_key(target)
        if key not in self._gates:
            self._gates[key] = Gate(self.settings.per_host)
        return self._gates[key]

    async def hop(self, request: Request, budget: Budget, head_seconds: float | None = None) -> Hop:
        """The answer, with what its page shows. Raises `NoAnswer`; `head_seconds` bounds the wait for the headers."""
        reader: list[PageReader] = []

        def begin(head: Head) -> Feed | None:
            content_type = _header(head, "content-type")
            if request.wanted is None or is_redirect(head) or content_type.partition(";")[0].strip().lower() not in _HTML:
                return None
            reader.append(PageReader(content_type, request.wanted))
            return reader[0].feed

        started = monotonic()
        head, address, complete = await self._send(request, budget, begin, head_seconds, MOST_BODY_BYTES)
        page = reader[0].page(complete) if reader else Page(is_html=False) if request.wanted is not None else None
        elapsed_ms = round((monotonic() - started) * 1000)
        headers = head.headers if self.settings.keeps_everything else _kept_headers(head)
        return Hop(request.method, request.target.url, address, head.status, headers, page, elapsed_ms)

    async def whole(self, request: Request, budget: Budget) -> tuple[Head, bytes]:
        """The answer with its whole inflated body, for an API. Raises `NoAnswer`, also where the body is too large or breaks off."""
        body = bytearray()

        def begin(_: Head) -> Feed:
            def take(piece: bytes) -> bool:
                body.extend(piece)
                return False

            return take

        head, _, complete = await self._send(request, budget, begin, None, MOST_INFLATED_BYTES)
        if not complete:
            raise NoAnswer(Trouble("too-large", "the answer is too large, or breaks off"))
        return head, bytes(body)

    def close(self) -> None:
        """Hangs up everywhere."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _send(
        self, request: Request, budget: Budget, begin: Callable[[Head], Feed | None], head_seconds: float | None, most_bytes: int
    ) -> tuple[Head, str, bool]:
        """The head of the answer, the address it came from, and whether its body was read to the end."""
        gate = self.gate(request.target)
        budget.pause(gate.closed_seconds)
        async with gate, self._places, _letting_go():
            with budget:
                connection, head = await self._answer(request, budget, head_seconds)
                try:
                    gate.answered(head.status, dict(head.headers))
                    feed = begin(head)
                    seconds = self._body_seconds(request, budget) if feed else min(budget.left, UNWANTED_BODY_SECONDS)
                    complete = await self._read(connection, head, feed, seconds, most_bytes)
                finally:
                    self._release(request.target, connection)
        return head, connection.address, complete

    async def _answer(self, request: Request, budget: Budget, head_seconds: float | None) -> tuple[Connection, Head]:
        """The head of an answer. A kept connection that the server has given up meanwhile is no answer: a new one is asked."""
        kept = self._kept(request.target)
        if kept is not None and request.fresh:
            kept.close()
            kept = None
        connection = kept or await self._connected(request, budget)
        while True:
            seconds = min(budget.left, head_seconds or budget.left)
            try:
                async with asyncio.timeout(seconds):
                    return connection, await connection.request(request.method, request.target.path, self._headers(request), request.body)
            except BaseException as error:
                connection.close()
                if isinstance(error, TimeoutError):
                    raise NoAnswer(Trouble("timeout", "no answer in time")) from None
                if connection is not kept or not isinstance(error, NoAnswer) or not self._is_stale(connection, request, error.trouble):
                    raise
            connection = await self._connected(request, budget)

    @staticmethod
    def _is_stale(connection: Connection, request: Request, trouble: Trouble) -> bool:
        """True where the trouble is the kept connection's: given up meanwhile, or with the rest of an earlier answer in it."""
        if not connection.was_answered:
            return True
        return trouble.kind == "protocol" and request.method in ("GET", "HEAD")

    async def _connected(self, request: Request, budget: Budget) -> Connection:
        """A new connection, to an address that was looked up and checked just now."""
        seconds = budget.left
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._addresses(request)
        except TimeoutError:
            raise NoAnswer(Trouble("resolver", f"the resolver did not say in time where {request.target.host[:80]} is")) from None
        try:
            async with asyncio.timeout(seconds := budget.left):
                return await connect(request.target, addresses, seconds)
        except TimeoutError:
            raise NoAnswer(Trouble("timeout", f"{request.target.authority[:80]} did not take the connection in time")) from None

    async def _addresses(self, request: Request) -> tuple[Address, ...]:
        is_named = request.to_api and request.target.origin in self.trusted
        return await (self._anywhere if is_named else self.resolver).addresses(request.target.host)

    @staticmethod
    def _headers(request: Request) -> list[tuple[bytes, bytes]]:
        length = [("Content-Length", str(len(request.body)))] if request.body else []
        headers = [("Host", request.target.authority), *request.headers, *length]
        return [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers]

    @staticmethod
    def _body_seconds(request: Request, budget: Budget) -> float:
        looking = request.wanted is None or request.wanted.anchors or request.wanted.texts
        return budget.left if looking else min(budget.left, BODY_SECONDS)

    @staticmethod
    async def _read(connection: Connection, head: Head, feed: Feed | None, seconds: float, most_bytes: int) -> bool:
        """Reads the body into `feed`; True where all of it came, or `feed` had enough. What breaks off is judged by what came."""
        if feed is None and not connection.awaits_no_body and _length(head) > SMALL_BODY_BYTES:
            return False
        received = inflated = 0
        try:
            if connection.awaits_no_body:
                return await connection.read() is None
            inflater = Inflater(_header(head, "content-encoding") if feed else "")
            async with asyncio.timeout(seconds):
                while (data := await connection.read(most_bytes + MAX_HEADER_BYTES)) is not None:
                    received += len(data)
                    for piece in inflater.feed(data):
                        inflated += len(piece)
                        if feed is not None and feed(piece):
                            return True
                        if inflated > MOST_INFLATED_BYTES:
                            return False
                        await asyncio.sleep(0)  # a page that is much work holds nobody else up
                    if received > most_bytes:
                        return False
        except (TimeoutError, CannotUnpack, NoAnswer):
            return False
        return inflater.is_whole

    def _kept(self, target: Target) -> Connection | None:
        idle = self._idle.get(target.origin)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if not idle:
                del self._idle[target.origin]
            if connection.is_open and monotonic() - connection.idle_since < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def _drop_oldest(self) -> None:
        """The connection to a host that was the first to have one: most likely nothing is left to ask there."""
        origin = next(iter(self._idle))
        self._idle[origin].pop(0).close()
        self._idle_count -= 1
        if not self._idle[origin]:
            del self._idle[origin]

    def _release(self, target: Target, connection: Connection) -> None:
        """Keeps a connection for the next request to the same place, or hangs up."""
        if not connection.is_reusable:
            connection.close()
            return
        if self._idle_count >= MOST_IDLE_CONNECTIONS:
            self._drop_oldest()
        connection.prepare()
        connection.idle_since = monotonic()
        self._idle_count += 1
        self._idle.setdefault(target.origin, []).append(connection)


@asynccontextmanager
async def _letting_go() -> AsyncIterator[None]:
    """After trouble, gives the server a moment to see that we have hung up, before the next request takes the place."""
    try:
        yield
    except NoAnswer:
        await asyncio.sleep(LETTING_GO_SECONDS)
        raise


@lru_cache(maxsize=256)
def queue_key(target: Target) -> str:
    """What is one host for politeness: all spellings of one address, at one port."""
    host = "127.0.0.1" if target.host == "localhost" else str(spelled_address(target.host) or target.host)
    return f"{host}:{target.port}"


def _kept_headers(head: Head) -> tuple[tuple[str, str], ...]:
    """The headers anybody asks for later, cut to what they may be."""
    return tuple((name, value[:LONGEST_VALUE]) for name, value in head.headers if name in _ASKED_FOR or "ratelimit" in name)


def is_redirect(head: Head) -> bool:
    """True where the answer says to look elsewhere."""
    return head.status in (*REDIRECTS, 300) and bool(_header(head, "location"))


def _header(head: Head, name: str) -> str:
    return next((value for known, value in head.headers if known == name), "")


def _length(head: Head) -> int:
    """Bytes of the body as announced; more than anybody reads where it is not."""
    text = _header(head, "content-length")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else MOST_INFLATED_BYTES
