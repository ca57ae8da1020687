"""One address, and everything that was said about it: for `--explain`."""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from llmops_catalog.links.anchors import wanted_of
from llmops_catalog.links.chain import Errand
from llmops_catalog.links.check import Checker
from llmops_catalog.links.exchange import Exchange, Trouble
from llmops_catalog.links.limits import Settings
from llmops_catalog.links.policy import judge
from llmops_catalog.links.results import Judgement
from llmops_catalog.links.target import BadAddress, parse_target


class Explained(NamedTuple):
    """The exchange that counts, how many attempts it took, and the judgement."""

    url: str
    exchange: Exchange
    judgement: Judgement
    attempts: int
    elapsed_ms: int


async def explain(url: str, settings: Settings) -> Explained:
    """Asks the page itself, as any other; no exceptions, no memory, no site's API."""
    started = monotonic()
    try:
        target = parse_target(url)
    except BadAddress as error:
        exchange = Exchange(url, trouble=Trouble("bad-address", error.reason))
        return Explained(url, exchange, judge(exchange), 0, 0)
    checker = Checker(settings._replace(keeps_everything=True), lambda *_: None)
    try:
        exchange, attempts = await checker.exchange(Errand(target._replace(fragment=""), wanted_of([target.fragment])))
    finally:
        checker.fetcher.close()
    return Explained(url, exchange, judge(exchange, target.fragment), attempts, round((monotonic() - started) * 1000))
