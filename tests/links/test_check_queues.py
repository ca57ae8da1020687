"""Hosts in queues of their own, limits that servers can count, and an end in time for every link."""

from __future__ import annotations

import asyncio
import time

import pytest
from live_world import QUICK, checked, live
from misbehaving import Request, Wire
from page_answers import FILE, hang, redirect, slow

from llmops_catalog.links.check import Checker
from llmops_catalog.links.results import Judgement, Link, LinkResult


class Counted:
    """How many answers of several hosts are on their way at once."""

    def __init__(self, seconds: float) -> None:
        self.now = self.most = 0
        self.seconds = seconds

    async def __call__(self, request: Request, wire: Wire) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        await FILE(request, wire)


# --- queues and limits ------------------------------------------------------------------------------------------------


def test_a_slow_host_holds_nobody_else_up() -> None:
    with live() as world:
        slow_host, quick = world.host("slow"), world.host("quick")
        late = [slow_host.page(f"/{number}", slow(0.5, FILE)) for number in range(4)]
        soon = [quick.page(f"/{number}", FILE) for number in range(60)]
        world.start()
        told = checked([*late, *soon], QUICK._replace(concurrency=8))
        assert set(list(told)[-4:]) == set(late)
        assert {result.judgement.outcome for result in told.values()} == {"pass"}


@pytest.mark.parametrize("per_host", [1, 4])
def test_a_host_serves_no_more_than_so_many_at_once(per_host: int) -> None:
    with live() as world:
        host, counted = world.host("polite"), Counted(0.02)
        urls = [host.page(f"/{number}", counted) for number in range(24)]
        world.start()
        assert len(checked(urls, QUICK._replace(per_host=per_host))) == 24
        assert counted.most == per_host
        assert host.most_open <= per_host


def test_all_hosts_together_serve_no_more_than_so_many_at_once() -> None:
    with live() as world:
        counted = Counted(0.02)
        hosts = [world.host(f"host {number}") for number in range(10)]
        urls = [host.page(f"/{number}", counted) for host in hosts for number in range(3)]
        world.start()
        checked(urls, QUICK._replace(concurrency=5))
        assert counted.most == 5


def test_a_redirect_to_another_host_waits_in_that_hosts_queue() -> None:
    with live() as world:
        target, counted = world.host("target"), Counted(0.02)
        urls = []
        for number in range(12):
            target.page(f"/{number}", counted)
            urls.append(world.host(f"from {number}").page("/", redirect(target.url(f"/{number}"), 301)))
        world.start()
        told = checked(urls, QUICK._replace(per_host=2))
        assert {result.judgement.verdict for result in told.values()} == {"redirected-permanent"}
        assert counted.most == 2


def test_waiting_in_a_queue_is_not_held_against_a_link() -> None:
    """All together take longer than a link may."""
    with live() as world:
        host = world.host("queue")
        urls = [host.page(f"/{number}", slow(0.08, FILE)) for number in range(12)]
        world.start()
        told = checked(urls, QUICK._replace(per_host=1, timeout_seconds=0.6))
        assert {result.judgement.outcome for result in told.values()} == {"pass"}


def test_connections_are_used_again() -> None:
    with live() as world:
        host = world.host("kept")
        urls = [host.page(f"/{number}", FILE) for number in range(40)]
        world.start()
        checked(urls)
        assert host.connections <= 4


# --- ends -------------------------------------------------------------------------------------------------------------


def test_at_the_deadline_every_link_has_a_result() -> None:
    with live() as world:
        silent, quick = world.host("silent"), world.host("quick")
        never = [silent.page(f"/{number}", hang) for number in range(30)]
        soon = [quick.page(f"/{number}", FILE) for number in range(10)]
        world.start()
        started = time.monotonic()
        told = checked([*never, *soon], QUICK._replace(timeout_seconds=30, deadline_seconds=0.7))
        assert time.monotonic() - started < 5
        assert {told[url].judgement.outcome for url in soon} == {"pass"}
        expected = Judgement("unknown", "skipped", "the run ended before its turn", "run it again, or with a longer --deadline")
        assert {told[url].judgement for url in never} == {expected}


def test_a_link_takes_no_longer_than_two_time_outs() -> None:
    with live() as world:
        url = world.host("silent").page("/page", hang)
        world.start()
        started = time.monotonic()
        result = checked([url], QUICK._replace(timeout_seconds=0.2))[url]
        assert result.judgement[:2] == ("unknown", "timeout")
        assert time.monotonic() - started < 2


def test_a_run_that_is_stopped_tells_every_link() -> None:
    with live() as world:
        silent, quick = world.host("silent"), world.host("quick")
        urls = [silent.page("/never", hang), quick.page("/soon", FILE)]
        world.start()
        results: list[LinkResult] = []

        async def stopped() -> None:
            checker = Checker(QUICK, lambda result, _: results.append(result))
            running = asyncio.create_task(checker.run([Link(url) for url in urls]))
            while not results:
                await asyncio.sleep(0.01)
            checker.stop()
            await asyncio.wait_for(running, 5)

        asyncio.run(stopped())
        assert {result.url: result.judgement.verdict for result in results} == {urls[0]: "skipped", urls[1]: "ok"}
