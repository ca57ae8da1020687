"""Checks links of real loopback hosts through the Python API, quickly: short waits, and exactly one result for each link."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from misbehaving import World
from page_answers import NOT_FOUND

from llmops_catalog.links.addresses import parse_network
from llmops_catalog.links.check import Checker
from llmops_catalog.links.hosts import HostAdapter
from llmops_catalog.links.limits import Settings
from llmops_catalog.links.results import Judgement, Link, LinkResult

HERE = (parse_network("127.0.0.1/32"),)
QUICK = Settings(timeout_seconds=2, retry_seconds=(0.01, 0.02), allowed=HERE)
"""Waits nobody notices; only 127.0.0.1 may be asked, so that every other address of this machine is a forbidden one."""


@contextmanager
def live() -> Iterator[World]:
    """A world whose hosts are declared first and then started: ``with live() as world: ...; world.start()``."""
    world = World(NOT_FOUND)
    try:
        yield world
    finally:
        if world._thread.is_alive():
            world.stop()
        else:  # never started: nothing listens, but the sockets are bound
            for _, listening, _ in world._listening:
                listening.close()
            world._loop.close()


def checked(
    urls: Iterable[str | Link],
    settings: Settings = QUICK,
    adapters: Sequence[HostAdapter] = (),
    validators: Callable[[str], tuple[tuple[str, str], ...]] = lambda _: (),
    on_result: Callable[[LinkResult], None] = lambda _: None,
) -> dict[str, LinkResult]:
    """The result of each link, in the order they came; each link has exactly one."""
    links = [url if isinstance(url, Link) else Link(url) for url in urls]
    results: list[LinkResult] = []

    def take(result: LinkResult, _last: object) -> None:
        results.append(result)
        on_result(result)

    asyncio.run(Checker(settings, take, adapters, validators).run(links))
    assert Counter(result.url for result in results) == Counter({link.url: 1 for link in links})
    return {result.url: result for result in results}


def judged(url: str, settings: Settings = QUICK) -> Judgement:
    """The judgement of one link."""
    return checked([url], settings)[url].judgement
