"""Several checks and the days between them: what is remembered, when it is asked for again, when a failure is a death."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from live_world import PLACE, QUICK, live, results
from misbehaving import Request, Wire
from page_answers import FILE, document, hang, page, redirect

from llmops_catalog.links.results import LinkResult
from llmops_catalog.links.state import State


class Memory:
    """A state file, and the days between the runs that use it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"

    def run(self, urls: Sequence[str], **more: Any) -> dict[str, LinkResult]:
        state = State.load(self.path)
        told = results(urls, state=state, **more)
        state.save(self.path)
        return told

    def one(self, url: str, **more: Any) -> LinkResult:
        return self.run([url], **more)[url]

    def passes(self, **time: float) -> None:
        """Everything in the file happened so much earlier."""

        def earlier(found: re.Match[str]) -> str:
            return f"{datetime.fromisoformat(found[0]) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"

        self.path.write_text(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", earlier, self.path.read_text()))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


def test_a_link_is_dead_when_it_fails_again_a_day_later(memory: Memory) -> None:
    with live() as world:
        url = world.host("gone").url("/gone")
        world.start()
        first = memory.one(url)
        assert first.judgement[:2] == ("unknown", "broken")
        assert first.judgement.reason == "not found (404); failed for the first time today; reported as dead after 2 failures over 1 day"
        memory.passes(hours=1)
        again = memory.one(url)
        assert (again.judgement.outcome, again.remembered) == ("unknown", False)
        memory.passes(hours=23, minutes=1)
        dead = memory.one(url)
        assert dead.judgement[:2] == ("fail", "broken")
        assert dead.judgement.reason.startswith("not found (404); failed 3 times since ")


def test_a_link_that_passed_yesterday_and_times_out_today_is_never_red(memory: Memory) -> None:
    with live() as world:
        host = world.host("mixed")
        up = True

        async def sometimes(request: Request, wire: Wire) -> None:
            await (FILE if up else hang)(request, wire)

        url = host.page("/page", sometimes)
        world.start()
        assert memory.one(url).judgement.outcome == "pass"
        up = False
        for _ in range(3):
            memory.passes(days=9)
            told = memory.one(url, settings=QUICK._replace(timeout_seconds=0.05))
            assert told.judgement[:2] == ("unknown", "timeout")


def test_what_passed_is_not_asked_for_days(memory: Memory) -> None:
    with live() as world:
        host = world.host("well")
        url = host.page("/page", FILE)
        world.start()
        assert not memory.one(url).remembered
        asked = len(host.seen)
        kept = memory.one(url)
        assert (kept.remembered, kept.judgement.outcome, kept.places, kept.attempts) == (True, "pass", (PLACE,), 0)
        assert len(host.seen) == asked
        memory.passes(days=9)
        assert not memory.one(url).remembered
        assert len(host.seen) > asked


def test_a_link_that_comes_back_starts_anew(memory: Memory) -> None:
    with live() as world:
        host = world.host("back")
        host.page("/other", FILE)
        world.start()
        url = host.url("/page")
        assert memory.one(url).judgement.outcome == "unknown"
        host.pages["/page"] = FILE
        assert memory.one(url).judgement.outcome == "pass"
        del host.pages["/page"]
        memory.passes(days=9)
        assert memory.one(url).judgement[:2] == ("unknown", "broken")


def test_a_page_is_asked_whether_it_has_changed(memory: Memory) -> None:
    with live() as world:
        host = world.host("conditional")

        async def conditional(request: Request, wire: Wire) -> None:
            same = request.headers.get("if-none-match") == '"v1"'
            await page("" if same else document(), 304 if same else 200, 'ETag: "v1"', "Last-Modified: Fri, 20 Nov 2026 00:00:00 GMT")(
                request, wire
            )

        url = host.page("/page", conditional)
        world.start()
        assert memory.one(url).judgement.http_status == 200
        for _ in range(2):
            memory.passes(days=9)
            host.seen.clear()
            told = memory.one(url)
            assert (told.judgement[:2], told.judgement.http_status) == (("pass", "ok"), 304)
            assert [request.method for request in host.seen] == ["HEAD"]
            assert host.seen[0].headers["if-modified-since"] == "Fri, 20 Nov 2026 00:00:00 GMT"


def test_validators_do_not_go_along_where_a_page_has_moved(memory: Memory) -> None:
    with live() as world:
        host = world.host("moved")
        url = host.page("/old", page(document(), 200, 'ETag: "v1"'))
        host.page("/new", page(document(), 200, 'ETag: "v2"'))
        world.start()
        memory.one(url)
        host.pages["/old"] = redirect("/new", 301)
        memory.passes(days=9)
        assert memory.one(url).judgement.verdict == "redirected-permanent"
        memory.passes(days=9)
        host.seen.clear()
        assert memory.one(url).judgement.verdict == "redirected-permanent"
        assert not any("if-none-match" in request.headers for request in host.seen)
