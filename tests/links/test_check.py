"""The run over real sockets: every link one result, each page asked once, hosts in queues of their own, limits that servers can count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from live_world import QUICK, checked, live
from misbehaving import Answer, Host, Request, Wire
from page_answers import NOT_FOUND, document, hang, hang_up, in_turn, page, raw, redirect, reset, slow

from llmops_catalog.links.check import Checker
from llmops_catalog.links.hosts import Ask, Settle, Unreachable
from llmops_catalog.links.results import Judgement, Link, LinkResult, Place

ALIVE = Judgement("pass", "ok", "said the API")
PLACES = (Place("catalog/a.yaml", 1, 2, "url"), Place("catalog/b.yaml", 3, 4, "sources[0].url"))
FILE = page(bytes(20_000), kind="application/pdf")
"""Large, and no page: it is not fetched, so that a link is one request."""


def own(host: Host) -> list[Request]:
    """What a host was asked, the path that cannot exist left out."""
    return [request for request in host.seen if "asks-for-what-is-not-here" not in request.target]


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


# --- links and pages --------------------------------------------------------------------------------------------------


def test_a_page_with_many_parts_is_asked_once_and_each_link_is_told() -> None:
    with live() as world:
        host = world.host("parts")
        url = host.page("/page", page(document('<h2 id="a"></h2><h2 id="b"></h2>')))
        world.start()
        links = [Link(f"{url}#a", PLACES), Link(f"{url}#b"), Link(f"{url}#c", PLACES[:1]), Link(url), Link(f"{url}#:~:text=Weights")]
        told = checked(links)
        assert [result.judgement.verdict for result in told.values()] == ["ok", "ok", "broken-fragment", "ok", "ok"]
        assert [result.places for result in told.values()] == [PLACES, (), PLACES[:1], (), ()]
        assert [request.method for request in own(host)] == ["HEAD", "GET"]
        assert {result.attempts for result in told.values()} == {1}


def test_spellings_of_one_address_are_one_page() -> None:
    with live() as world:
        host = world.host("spellings")
        host.page("/caf%C3%A9", FILE)
        world.start()
        base = host.url()
        told = checked([f"{base}caf%C3%A9", f"{base}café", f"{base.replace('http', 'HTTP')}café", f" {base}café", f"{base}café#top"])
        assert {result.judgement.outcome for result in told.values()} == {"pass"}
        assert len(own(host)) == 1


def test_links_that_are_none_have_a_result_too() -> None:
    urls = ["", "x", "http://", "ftp://x.example/", "http://[", "mailto:a@b.c", "http://u:p@127.0.0.1/", "http://127.0.0.1:99999/", "//x/",
            f"http://127.0.0.1/{'a' * 9000}", "http://127.0.0.1:1\x00/", "http://\u202e.example/", "javascript:alert(1)"]  # fmt: skip
    told = checked(urls)
    assert {result.judgement[:2] for result in told.values()} == {("unknown", "refused")}
    assert all(result.judgement.reason and result.attempts == 0 for result in told.values())


def test_nothing_to_check_is_nothing_to_do() -> None:
    assert checked([]) == {}


# --- tries ------------------------------------------------------------------------------------------------------------


def test_a_server_that_recovers_is_asked_again_on_a_fresh_connection() -> None:
    with live() as world:
        host = world.host("recovers")
        url = host.page("/page", in_turn(page("", 503), page("", 503), FILE))
        world.start()
        result = checked([url])[url]
        assert (result.judgement[:2], result.attempts) == (("pass", "ok"), 2)
        assert host.connections == 2


def test_what_goes_wrong_twice_may_go_well_the_third_time() -> None:
    bad: tuple[Answer, ...] = (reset, hang_up, raw(b"\0\1\2\r\n\r\n"), page("", 500), page("", 502), page("", 521))
    with live() as world:
        hosts = [world.host(f"third {number}") for number in range(len(bad))]
        urls = [host.page("/page", in_turn(one, one, one, one, FILE)) for host, one in zip(hosts, bad, strict=True)]
        world.start()
        assert [(result.judgement.verdict, result.attempts) for result in checked(urls).values()] == [("ok", 3)] * len(bad)


STAYS: tuple[tuple[Answer, tuple[str, str, str], int], ...] = (
    (reset, ("fail", "broken", "the server broke the connection off"), 3),
    (page("", 500), ("unknown", "server-error", "the server says it has a problem (500)"), 3),
    (page("", 501), ("unknown", "server-error", "the server says it has a problem (501)"), 1),
    (NOT_FOUND, ("fail", "broken", "not found (404)"), 1),
    (page("", 401), ("unknown", "login-wall", "it asks for a password (401)"), 1),
)


def test_how_often_what_stays_bad_is_asked() -> None:
    with live() as world:
        urls = [world.host(f"stays {number}").page("/page", bad) for number, (bad, *_) in enumerate(STAYS)]
        world.start()
        results = checked(urls)
        seen = [(results[url].judgement[:3], results[url].attempts) for url in urls]
        assert seen == [(told, attempts) for _, told, attempts in STAYS]


def test_a_refused_port_is_asked_three_times_and_is_dead() -> None:
    with live() as world:
        url = f"http://127.0.0.1:{world.silent_port(backlog=False)}/"
        world.start()
        result = checked([url])[url]
        assert (result.judgement[:2], result.attempts) == (("fail", "broken"), 3)
        assert result.judgement.reason.endswith(" refuses the connection")


def test_a_host_that_asks_to_wait_for_a_day_is_not_waited_for() -> None:
    with live() as world:
        host = world.host("tomorrow")
        url = host.page("/page", page("", 429, "Retry-After: 86400"))
        world.start()
        started = time.monotonic()
        result = checked([url])[url]
        assert result.judgement[:3] == ("unknown", "rate-limited", "the host asks to come back later (429)")
        assert time.monotonic() - started < 5
        assert len(own(host)) == 1


def test_a_host_that_asks_to_wait_a_second_is_waited_for() -> None:
    with live() as world:
        host = world.host("a second")
        url = host.page("/page", in_turn(page("", 429, "Retry-After: 1"), FILE))
        world.start()
        result = checked([url])[url]
        assert (result.judgement[:2], result.attempts) == (("pass", "ok"), 2)
        first, second = (request.at_seconds for request in own(host)[:2])
        assert second - first >= 0.9


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
        result = checked([url], QUICK._replace(timeout_seconds=0.4))[url]
        assert result.judgement[:2] == ("unknown", "timeout")
        assert time.monotonic() - started < 3


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


# --- adapters ---------------------------------------------------------------------------------------------------------


class Adapter:
    """Claims everything of one host, and does what it is told to."""

    def __init__(self, host: Host, kind: str) -> None:
        self.host, self.kind = host, kind
        self.given: list[str] = []

    def claims(self, url: str) -> bool:
        return url.startswith(self.host.url())

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        self.given = list(urls)
        for url in urls:
            if self.kind in ("all", "twice", "then raises", "twice differently"):
                settle(url, ALIVE)
            if self.kind in ("none", "none and all"):
                settle(url, None)
            if self.kind == "twice":
                settle(url, ALIVE)
            if self.kind in ("twice differently", "none and all"):
                settle(url, ALIVE._replace(reason="said later"))
        if self.kind == "a stranger":
            settle("https://never.example/", ALIVE)
        if self.kind in ("raises", "then raises"):
            raise ValueError("an API nobody thought of")
        if self.kind == "is unreachable":
            raise Unreachable("it is not there")
        if self.kind == "asks":
            answer = await ask(self.host.url("/api"))
            settle(urls[0], ALIVE._replace(reason=f"{answer.status} {answer.body.decode()} {answer.headers['content-type']}"))


BOTH_SAID, BOTH_LOOKED = ["said the API", "said the API"], ["", ""]
KINDS = {
    "all": BOTH_SAID, "twice": BOTH_SAID, "twice differently": BOTH_SAID, "then raises": BOTH_SAID, "none": BOTH_LOOKED,
    "says nothing": BOTH_LOOKED, "raises": BOTH_LOOKED, "is unreachable": BOTH_LOOKED, "a stranger": BOTH_LOOKED,
    "none and all": ["said later", "said later"], "asks": ["200 hello text/plain", ""],
}  # fmt: skip


def test_an_adapter_settles_links_or_their_pages_do() -> None:
    with live() as world:
        adapters = [Adapter(world.host(kind), kind) for kind in KINDS]
        urls = {adapter.kind: [adapter.host.page("/a", FILE), adapter.host.page("/b", FILE)] for adapter in adapters}
        for adapter in adapters:
            adapter.host.page("/api", page(b"hello", kind="text/plain"))
        elsewhere = world.host("nobody's").page("/c", FILE)
        world.start()
        told = checked([*(url for pair in urls.values() for url in pair), elsewhere], adapters=adapters)
        assert {kind: [told[url].judgement.reason for url in pair] for kind, pair in urls.items()} == KINDS
        assert {result.judgement[:2] for result in told.values()} == {("pass", "ok")}
        assert {adapter.kind: adapter.given for adapter in adapters} == urls
        for adapter in adapters:
            looked = sorted(request.target for request in own(adapter.host) if request.target != "/api")
            assert looked == [path for path, reason in zip(("/a", "/b"), KINDS[adapter.kind], strict=True) if not reason]


def test_an_adapter_that_fails_is_told_of() -> None:
    with live() as world:
        host = world.host("api")
        url = host.page("/a", FILE)
        world.start()
        checker = Checker(QUICK, lambda *_: None, [Adapter(host, "raises")])
        asyncio.run(checker.run([Link(url)]))
        assert checker.faults == ["Adapter: ValueError('an API nobody thought of')"]


def test_the_first_adapter_that_claims_a_link_answers_for_it() -> None:
    with live() as world:
        host = world.host("api")
        urls = [host.page("/a", FILE), host.page("/b", FILE)]
        first, second = Adapter(host, "all"), Adapter(host, "all")
        world.start()
        checked(urls, adapters=[first, second])
        assert (first.given, second.given) == (urls, [])


# --- what is known of a page ------------------------------------------------------------------------------------------


def test_a_page_that_has_not_changed_is_not_opened() -> None:
    with live() as world:
        host = world.host("known")

        async def conditional(request: Request, wire: Wire) -> None:
            same = request.headers.get("if-none-match") == '"v1"'
            await page("" if same else document(), 304 if same else 200, 'ETag: "v1"')(request, wire)

        url, other = host.page("/page", conditional), host.page("/other", conditional)
        world.start()
        told = checked([url, other], validators=lambda asked: (("If-None-Match", '"v1"' if asked == url else '"v0"'),))
        assert told[url].judgement[:4] == ("pass", "ok", "unchanged since it was last read", "")
        assert told[other].judgement[:4] == ("pass", "ok", "", "")
        assert [request.method for request in own(host) if request.target == "/page"] == ["HEAD"]


def test_a_page_with_several_links_is_looked_at_whole() -> None:
    with live() as world:
        host = world.host("several")
        url = host.page("/page", page(document('<h2 id="a">')))
        world.start()
        told = checked([f"{url}#a", f"{url}#b"], validators=lambda _: (("If-None-Match", '"v1"'),))
        assert [result.judgement.verdict for result in told.values()] == ["ok", "broken-fragment"]
        assert not any("if-none-match" in request.headers for request in host.seen)
