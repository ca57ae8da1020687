"""Checks links of real loopback hosts through the Python API, quickly: short waits, and exactly one result for each link."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from misbehaving import Host, Request, World
from page_answers import NOT_FOUND

from llmops_catalog.links.addresses import parse_network
from llmops_catalog.links.check import Checker
from llmops_catalog.links.exceptions import Exceptions, load_exceptions
from llmops_catalog.links.hosts import HostAdapter
from llmops_catalog.links.limits import Settings
from llmops_catalog.links.results import Judgement, Link, LinkResult, Place
from llmops_catalog.links.run import Plan, Ran, run_check

HERE = (parse_network("127.0.0.1/32"),)
QUICK = Settings(timeout_seconds=2, retry_seconds=(0.01, 0.02), allowed=HERE)
"""Waits nobody notices; only 127.0.0.1 may be asked, so that every other address of this machine is a forbidden one."""
PLACE = Place("catalog/a.yaml", 3, 6, "url")


def live() -> World:
    """A world whose hosts are declared first and then started: ``with live() as world: ...; world.start()``."""
    return World(NOT_FOUND)


# --- links ------------------------------------------------------------------------------------------------------------


def checked(
    urls: Iterable[str | Link],
    settings: Settings = QUICK,
    adapters: Sequence[HostAdapter] = (),
    validators: Callable[[str], tuple[tuple[str, str], ...]] = lambda _: (),
) -> dict[str, LinkResult]:
    """The result of each link, in the order they came; each link has exactly one."""
    links = [url if isinstance(url, Link) else Link(url) for url in urls]
    results: list[LinkResult] = []
    asyncio.run(Checker(settings, lambda result, _: results.append(result), adapters, validators).run(links))
    assert Counter(result.url for result in results) == Counter({link.url: 1 for link in links})
    return {result.url: result for result in results}


def judged(url: str, settings: Settings = QUICK) -> Judgement:
    """The judgement of one link."""
    return checked([url], settings)[url].judgement


def asked(host: Host) -> list[Request]:
    """What a host was asked, the path that cannot exist left out."""
    return [request for request in host.seen if "asks-for-what-is-not-here" not in request.target]


def methods(host: Host) -> list[str]:
    return [request.method for request in asked(host)]


# --- whole runs -------------------------------------------------------------------------------------------------------


def ran(urls: Sequence[str], **more: Any) -> Ran:
    """A run over links that all stand at one place; `more` goes into its plan."""
    return asyncio.run(run_check(Plan(tuple(Link(url, (PLACE,)) for url in urls), more.pop("settings", QUICK), **more)))


def results(urls: Sequence[str], **more: Any) -> dict[str, LinkResult]:
    return {result.url: result for result in ran(urls, **more).report.links}


def exceptions_of(folder: Path, *entries: tuple[str, str]) -> Exceptions:
    """Loaded from a file with these prefixes and expectations."""
    catalog = folder / "catalog"
    catalog.mkdir(exist_ok=True)
    lines = [
        f"  - {{prefix: '{prefix}', expect: {expect}, reason: shows a wall, since: 2026-01-01, until: 2099-01-01, owner: maintainers}}\n"
        for prefix, expect in entries
    ]
    (catalog / "link-exceptions.yaml").write_text(f"exceptions:\n{''.join(lines)}")
    return load_exceptions(catalog)
