"""What one link may take, and what is kept of it: its deadline over all attempts, its chain, the host that was not found."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from live_world import QUICK, checked, judged, live, methods, results
from page_answers import FILE, document, hang, page, redirect, when

from llmops_catalog.links.chain import Errand, attempt
from llmops_catalog.links.fetch import Fetcher
from llmops_catalog.links.limits import Budget
from llmops_catalog.links.target import parse_target


def test_all_attempts_together_keep_the_deadline_of_a_link() -> None:
    """An attempt had it to itself, and a link twice that."""
    with live() as world:
        url = world.host("silent").page("/page", hang)
        world.start()
        result = checked([url], QUICK._replace(timeout_seconds=0.6, retry_seconds=(0.2, 0.4)))[url]
        assert result.judgement.verdict == "timeout"
        assert result.elapsed_ms < 1500


def test_of_a_chain_only_the_end_is_kept_whole() -> None:
    """Headers of every hop, for each of a thousand hosts, filled gigabytes."""
    with live() as world:
        host = world.host("chain")
        for number in range(10):
            host.page(f"/{number}", redirect(f"/{number + 1}", 302, f"X-Long: {'x' * 30_000}", 'ETag: "a"'))
        url = host.url("/0")
        host.page("/10", FILE)
        world.start()

        async def exchange() -> Any:
            fetcher = Fetcher(QUICK)
            try:
                return await attempt(fetcher, Errand(parse_target(url)), Budget(5))
            finally:
                fetcher.close()

        hops = asyncio.run(exchange()).hops
        assert [hop.headers for hop in hops[:10]] == [()] * 10
        assert hops[-1].header("content-type")
        assert not any(name == "x-long" for hop in hops for name, _ in hop.headers)


def test_a_host_that_limits_head_alone_is_asked_by_get() -> None:
    with live() as world:
        host = world.host("head")
        url = host.page("/page", when(lambda request: request.method == "HEAD", page("", 429, "Retry-After: 0.1"), page(document())))
        world.start()
        assert judged(url).verdict == "ok"
        assert methods(host) == ["HEAD", "GET"]


@pytest.mark.parametrize(("answering", "outcome"), [(1, "unknown"), (20, "fail")])
def test_many_names_that_are_not_found_are_dead_where_more_pages_answered(
    monkeypatch: pytest.MonkeyPatch, answering: int, outcome: str
) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with live() as world:
        host = world.host("here")
        pages = [host.page(f"/{number}", FILE) for number in range(answering)]
        away = host.page("/away", redirect("http://gone-of-nobody-0.org/"))
        names = [f"http://gone-of-nobody-{number}.org/" for number in range(7)]
        world.start()
        told = results([*pages, away, *names])
        assert {told[url].judgement.outcome for url in (away, *names)} == {outcome}
        if outcome == "fail":
            assert told[away].judgement.reason.endswith("there is no host gone-of-nobody-0.org")
