"""Moments, results and what one run remembers, for the tests of the memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from llmops_catalog.links.results import Judgement, LinkResult, Place
from llmops_catalog.links.state import State

URL = "https://example.org/page#part"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PASS = Judgement("pass", "ok", http_status=200)
FAIL = Judgement("fail", "broken", "the server says 404 Not Found", "look for its new address", 404)
UNKNOWN = Judgement("unknown", "timeout", "no answer in 20 s")
SEEN = {"pass": PASS, "fail": FAIL, "unknown": UNKNOWN}


def result(judgement: Judgement, url: str = URL) -> LinkResult:
    return LinkResult(url, (Place("catalog/a.yaml", 3, 1, "sources.0.url"),), judgement, 1, 12, "2026-11-02T12:00:00Z")


def seen_once(outcome: str, now: datetime = NOON, url: str = URL) -> State:
    state = State()
    state.settle(result(SEEN[outcome], url), now)
    return state
