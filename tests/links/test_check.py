"""The check over real sockets: every link one result, each page asked once, and tries repeated where that may help."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

from live_world import QUICK, asked, checked, live
from misbehaving import Answer, Request, Wire
from page_answers import FILE, NOT_FOUND, document, hang_up, in_turn, page, raw, redirect, reset

from llmops_catalog.links.check import Checker
from llmops_catalog.links.results import Link, LinkResult, Place

PLACES = (Place("catalog/a.yaml", 1, 2, "url"), Place("catalog/b.yaml", 3, 4, "sources[0].url"))


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
        assert [request.method for request in asked(host)] == ["HEAD", "GET"]
        assert {result.attempts for result in told.values()} == {1}


def test_spellings_of_one_address_are_one_page() -> None:
    with live() as world:
        host = world.host("spellings")
        host.page("/caf%C3%A9", FILE)
        world.start()
        base = host.url()
        told = checked([f"{base}caf%C3%A9", f"{base}café", f"{base.replace('http', 'HTTP')}café", f" {base}café", f"{base}café#top"])
        assert {result.judgement.outcome for result in told.values()} == {"pass"}
        assert len(asked(host)) == 1


def test_links_that_are_none_have_a_result_too() -> None:
    urls = ["", "x", "http://", "ftp://x.example/", "http://[", "mailto:a@b.c", "http://u:p@127.0.0.1/", "http://127.0.0.1:99999/", "//x/",
            f"http://127.0.0.1/{'a' * 9000}", "http://127.0.0.1:1\x00/", "http://\u202e.example/", "javascript:alert(1)"]  # fmt: skip
    told = checked(urls)
    assert {result.judgement[:2] for result in told.values()} == {("unknown", "refused")}
    assert all(result.judgement.reason and result.attempts == 0 for result in told.values())


def test_nothing_to_check_is_nothing_to_do() -> None:
    assert checked([]) == {}


def test_a_long_address_in_another_script_is_judged_like_any_other() -> None:
    """Or is refused for its length; it ended as "the run ended before its turn", and a server could bring that about by a redirect."""
    long, shorter = "é" * 3000, "é" * 2500  # each is six times as long when it is asked for
    with live() as world:
        host = world.host("long")
        for path in (long, shorter):
            host.page(f"/living/{quote(path)}", page(document()))
        living, dead = host.url(f"/living/{long}"), host.url(f"/dead/{long}")
        away, lost = host.page("/away", redirect(f"/living/{shorter}".encode(), 301)), host.page("/lost", redirect(f"/{shorter}".encode()))
        other = [host.page(f"/other/{number}", FILE) for number in range(8)]
        world.start()
        results: list[LinkResult] = []
        checker = Checker(QUICK, lambda result, _: results.append(result))
        asyncio.run(checker.run([Link(url) for url in (living, dead, away, lost, *other)]))
        verdicts = {result.url: result.judgement.verdict for result in results}
        assert checker.faults == []
        assert {verdicts[url] for url in other} == {"ok"}
        assert verdicts[living] in ("ok", "refused")
        assert verdicts[dead] in ("broken", "refused")
        assert verdicts[away] in ("redirected-permanent", "refused")
        assert verdicts[lost] in ("broken", "refused")


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
        assert len(asked(host)) == 1


def test_a_host_that_asks_to_wait_a_second_is_waited_for() -> None:
    with live() as world:
        host = world.host("a second")
        url = host.page("/page", in_turn(page("", 429, "Retry-After: 1"), FILE))
        world.start()
        result = checked([url])[url]
        assert (result.judgement[:2], result.attempts) == (("pass", "ok"), 2)
        first, second = (request.at_seconds for request in asked(host)[:2])
        assert second - first >= 0.9


# --- what is known of a page ------------------------------------------------------------------------------------------


def test_a_page_that_has_not_changed_is_not_opened() -> None:
    with live() as world:
        host = world.host("known")

        async def conditional(request: Request, wire: Wire) -> None:
            same = request.headers.get("if-none-match") == '"v1"'
            await page("" if same else document(), 304 if same else 200, 'ETag: "v1"')(request, wire)

        url, other = host.page("/page", conditional), host.page("/other", conditional)
        world.start()
        told = checked([url, other], validators=lambda address: (("If-None-Match", '"v1"' if address == url else '"v0"'),))
        assert told[url].judgement[:4] == ("pass", "ok", "unchanged since it was last read", "")
        assert told[other].judgement[:4] == ("pass", "ok", "", "")
        assert [request.method for request in asked(host) if request.target == "/page"] == ["HEAD"]


def test_a_page_with_several_links_is_looked_at_whole() -> None:
    with live() as world:
        host = world.host("several")
        url = host.page("/page", page(document('<h2 id="a">')))
        world.start()
        told = checked([f"{url}#a", f"{url}#b"], validators=lambda _: (("If-None-Match", '"v1"'),))
        assert [result.judgement.verdict for result in told.values()] == ["ok", "broken-fragment"]
        assert not any("if-none-match" in request.headers for request in host.seen)
