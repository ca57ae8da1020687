"""A loopback host for one test module: pages by path, or a script with the bare connection; and one request by the real client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from misbehaving import Answer, Host, Wire, World
from page_answers import NOT_FOUND, in_turn

from llmops_catalog.links.addresses import parse_network
from llmops_catalog.links.exchange import Hop, NoAnswer, Trouble
from llmops_catalog.links.fetch import Fetcher, Request
from llmops_catalog.links.limits import Budget, Settings
from llmops_catalog.links.page import Wanted
from llmops_catalog.links.resolver import Resolver
from llmops_catalog.links.target import parse_target

LOOPBACK = (parse_network("127.0.0.1/32"), parse_network("::1/128"))
SETTINGS = Settings(allowed=LOOPBACK, timeout_seconds=5.0, retry_seconds=(0.01, 0.01))
HEADERS = (("User-Agent", "test"), ("Accept-Encoding", "gzip, deflate"))
Script = Callable[[Wire], Awaitable[None]]
Result = TypeVar("Result")


@contextmanager
def serving() -> Iterator[Host]:
    """A host with pages; whatever has none is 404."""
    with World(NOT_FOUND) as world:
        host = world.host("host")
        world.start()
        yield host


def put(host: Host, *answers: Answer) -> str:
    """Puts an answer at a path of its own and tells its address; of several each is for one request, the last for all that follow."""
    return host.page(f"/{len(host.pages)}", in_turn(*answers))


class Scripted:
    """A host whose connections each run `script` on the bare wire."""

    def __init__(self) -> None:
        self.script: Script = hang_up
        self.host: Host

    async def __call__(self, wire: Wire) -> None:
        await self.script(wire)

    def says(self, *pieces: bytes, pause_seconds: float = 0.0) -> str:
        """From now on: waits for the request, sends the pieces, hangs up. The address to ask."""

        async def script(wire: Wire) -> None:
            await wire.take()
            for number, piece in enumerate(pieces):
                if number and pause_seconds:
                    await wire.pause(pause_seconds)
                await wire.send(piece)

        self.script = script
        return self.host.url("/")


async def hang_up(_: Wire) -> None:
    """The connection ends without a word."""


@contextmanager
def scripted() -> Iterator[Scripted]:
    """A host that does what a test's script says."""
    with World(NOT_FOUND) as world:
        script = Scripted()
        script.host = world.host("scripted", greeting=script)
        world.start()
        yield script


def with_fetcher(work: Callable[[Fetcher], Awaitable[Result]], settings: Settings = SETTINGS, resolver: Resolver | None = None) -> Result:
    """Runs `work` with a fetcher that is closed afterwards, its sockets included."""

    async def run() -> Result:
        fetcher = Fetcher(settings, resolver)
        try:
            return await work(fetcher)
        finally:
            fetcher.close()
            await asyncio.sleep(0.01)

    return asyncio.run(run())


def request(url: str, method: str = "GET", wanted: Wanted | None = None, **more: bool) -> Request:
    """A request as the chain makes it: GET looks at the page."""
    return Request(method, parse_target(url), HEADERS, wanted=Wanted() if wanted is None and method == "GET" else wanted, **more)


def fetched(url: str, method: str = "GET", wanted: Wanted | None = None, seconds: float = 5.0) -> Hop:
    """One hop with a client of its own. Raises `NoAnswer`."""
    return with_fetcher(lambda fetcher: fetcher.hop(request(url, method, wanted), Budget(seconds)))


def trouble_of(url: str, method: str = "GET", seconds: float = 5.0) -> Trouble:
    """What kept an answer away."""
    try:
        hop = fetched(url, method, seconds=seconds)
    except NoAnswer as error:
        return error.trouble
    raise AssertionError(f"there is an answer: {hop}")


def anchors(*names: str) -> Wanted:
    return Wanted(frozenset(names))
