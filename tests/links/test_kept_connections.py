"""Connections: how many at once, which are used again, which are replaced, and none that is left open."""

from __future__ import annotations

import asyncio
import gc

import pytest
from misbehaving import Host, Wire, World
from misbehaving import Request as Seen
from page_answers import hang, hang_up, in_turn, message, page, raw, redirect, slow, start, then_hang
from raw_server import SETTINGS, Scripted, put, request, with_fetcher

from llmops_catalog.links import fetch as fetch_module
from llmops_catalog.links.exchange import Hop, NoAnswer
from llmops_catalog.links.fetch import Fetcher
from llmops_catalog.links.limits import Budget

HTML = "Content-Type: text/html"


def test_no_more_at_once_than_the_host_and_the_run_allow() -> None:
    now = most = 0

    async def counted(_: Seen, wire: Wire) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.03)
        now -= 1
        wire.keep = True
        await wire.send(message(200, b"x"))

    async def work(fetcher: Fetcher) -> list[Hop]:
        return await asyncio.gather(*(fetcher.hop(request(host.url(f"/{n}")), Budget(5)) for host in hosts for n in range(6)))

    with World(counted) as world:
        hosts = [world.host(f"host {number}") for number in range(6)]
        world.start()
        assert len(with_fetcher(work, SETTINGS._replace(concurrency=5, per_host=2))) == 36
    assert 2 < most <= 5
    assert max(host.most_open for host in hosts) <= 2
    assert sum(host.connections for host in hosts) <= 12, "they are not used again"


def test_two_spellings_of_a_port_are_one_host(host: Host) -> None:
    async def work(fetcher: Fetcher) -> None:
        targets = [request(url).target for url in ("http://Example.org/a", "http://example.org:80/b", "http://EXAMPLE.ORG./c#d")]
        assert len({id(fetcher.gate(target)) for target in targets}) == 1
        assert fetcher.gate(targets[0]) is not fetcher.gate(request("https://example.org/").target)

    with_fetcher(work)


@pytest.mark.parametrize("body", [b"<p>late</p>", message(404, b"no"), b"\r\n"])
@pytest.mark.parametrize("late_seconds", [0.0, 0.04])
def test_a_body_after_head_never_answers_the_next_question(server: Scripted, body: bytes, late_seconds: float) -> None:
    turn = 0

    async def script(wire: Wire) -> None:
        nonlocal turn
        turn += 1
        if turn > 1:
            await wire.take()
            await wire.send(message(200, b"<title>right</title>", [HTML]))
            return
        await wire.take()
        await wire.send(start(200, [HTML, "Content-Length: 11"]) + (b"" if late_seconds else body))
        if late_seconds:
            await asyncio.sleep(late_seconds)
            await wire.send(body)
        await wire.wait_for_hang_up()

    server.script = script

    async def work(fetcher: Fetcher) -> Hop:
        url = server.host.url("/")
        assert (await fetcher.hop(request(url, "HEAD"), Budget(5))).status == 200
        await asyncio.sleep(3 * late_seconds + 0.01)
        return await fetcher.hop(request(url), Budget(5))

    hop = with_fetcher(work)
    assert hop.page
    assert (hop.status, hop.page.title) == (200, "right")


@pytest.mark.parametrize("when", ["while it is idle", "when it is asked again", "by a reset when it is asked again"])
def test_a_kept_connection_that_died_is_replaced_at_once(server: Scripted, when: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.take()
        await wire.send(message(200, b"<p>x</p>", [HTML]))
        if when != "while it is idle":
            await wire.take()
        if "reset" in when:
            wire.reset()

    server.script = script
    before = server.host.connections

    async def work(fetcher: Fetcher) -> None:
        for _ in range(3):
            assert (await fetcher.hop(request(server.host.url("/")), Budget(5))).status == 200
            await asyncio.sleep(0.05)

    with_fetcher(work)
    assert server.host.connections - before == 3


def test_a_connection_that_never_answers_is_replaced_only_once(server: Scripted) -> None:
    turn = 0

    async def script(wire: Wire) -> None:
        nonlocal turn
        turn += 1
        await wire.take()
        if turn == 1:
            await wire.send(message(200, b"", [HTML]))
            await wire.take()

    server.script = script

    async def work(fetcher: Fetcher) -> None:
        await fetcher.hop(request(server.host.url("/")), Budget(5))
        with pytest.raises(NoAnswer) as caught:
            await fetcher.hop(request(server.host.url("/")), Budget(5))
        assert caught.value.trouble.kind == "reset"

    with_fetcher(work)
    assert turn == 2


def test_a_fresh_request_has_a_connection_of_its_own(host: Host) -> None:
    url = put(host, page())
    before = host.connections

    async def work(fetcher: Fetcher) -> None:
        await fetcher.hop(request(url), Budget(5))
        await fetcher.hop(request(url, fresh=True), Budget(5))

    with_fetcher(work)
    assert host.connections - before == 2


def test_fresh_requests_open_no_more_connections_than_the_host_is_given() -> None:
    async def work(fetcher: Fetcher) -> None:
        for fresh in (False, True):
            await asyncio.gather(*(fetcher.hop(request(crowded.url(f"/{number}"), fresh=fresh), Budget(5)) for number in range(4)))
            await asyncio.sleep(0.05)

    with World(slow(0.03, page())) as world:
        crowded = world.host("crowded")
        world.start()
        with_fetcher(work, SETTINGS._replace(per_host=4))
    assert crowded.most_open <= 4


def test_idle_connections_to_hosts_that_are_done_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 256 hosts no connection was kept any more for the rest of the run."""
    monkeypatch.setattr(fetch_module, "MOST_IDLE_CONNECTIONS", 2)

    async def work(fetcher: Fetcher) -> None:
        for host in hosts:
            for _ in range(3):
                await fetcher.hop(request(host.url("/")), Budget(5))

    with World(page()) as world:
        hosts = [world.host(f"host {number}") for number in range(4)]
        world.start()
        with_fetcher(work)
    assert [host.connections for host in hosts] == [1] * 4


def test_nothing_is_left_open(host: Host) -> None:
    """Warnings are errors here: a socket that is left to the collector fails the test."""
    urls = [
        put(host, answer)
        for answer in (page(), hang, hang_up, redirect("/x"), then_hang(start(200, [HTML])), raw(b"\0"), in_turn(page("", 500)))
    ]

    async def work(fetcher: Fetcher) -> None:
        asks = [fetcher.hop(request(url, fresh=fresh), Budget(0.3)) for url in urls for fresh in (False, True)]
        cancelled = asyncio.create_task(fetcher.hop(request(urls[1]), Budget(5)))
        await asyncio.gather(*asks, return_exceptions=True)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)

    with_fetcher(work, SETTINGS._replace(per_host=20))
    gc.collect()
