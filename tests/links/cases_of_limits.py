"""Hosts that want more than they should get: endless answers and bombs; and hosts that ask for patience, rightly or absurdly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

from link_case import FAIL, MEGABYTES_24, PASS, UNKNOWN, Case, Setting, alive, living, unclear, wall
from misbehaving import Answer, Request, Wire
from page_answers import bomb_blocks, document, endless, in_turn, only_get, page, redirect, slow, start, when

HTML = "Content-Type: text/html"
CHUNKS = "Transfer-Encoding: chunked"
LINE = b"HTTP/1.1 200 OK\r\n"
HTTP_DATE_2099 = "Wed, 21 Oct 2099 07:28:00 GMT"
RATE_LIMITED = frozenset({"rate-limited"})
ODD_WAITS = (
    "0", "-1", "", "soon", "1.5", "1e9", "1, 2", "1;2", "0x10", "99999999999999999999", "8" * 5000, "٣", "Wed, 21 Oct 2015 07:28:00 GMT",
    "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015", "Wed, 99 Foo 2099 99:99:99 GMT", "2015-10-21T07:28:00Z", "nan", "inf",
    "\x1b[31m",
)  # fmt: skip
FAR_WAITS = ("86400", "100000", "4294967296", HTTP_DATE_2099, "Fri, 31 Dec 9999 23:59:59 GMT")


def cases(setting: Setting) -> Iterator[Case]:
    yield from endless_answers(setting)
    yield from bombs(setting)
    yield from waits_that_end(setting)
    yield from waits_that_do_not_end(setting)
    yield from budgets(setting)
    yield from server_errors(setting)
    yield from politeness(setting)


def endless_answers(setting: Setting) -> Iterator[Case]:
    """The client has to hang up: by time where bytes drip, by size where they pour."""
    block = b"x" * 65_536
    drips: dict[str, Answer] = {
        "headers, one byte at a time": endless(LINE + b"X-Drip: ", b"d", 0.1),
        "headers, one line at a time": endless(LINE, b"X-Drip: d\r\n", 0.1),
        "the status line, one byte at a time": endless(b"HTTP/1.1 200 ", b"O", 0.1),
        "100 Continue, one at a time": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
        "empty lines": endless(b"", b"\r\n", 0.1),
    }
    pours: dict[str, Answer] = {
        "one header that pours": endless(LINE + b"X-Pour: ", block),
        "headers that pour": endless(LINE, b"X-Pour: abcdefgh\r\n" * 4000),
        "a status line that pours": endless(b"HTTP/1.1 200 ", block),
        "100 Continue that pours": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
        "103 that pours": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000),
        "empty lines that pour": endless(b"", b"\r\n" * 20_000),
    }
    for name, answer in drips.items():
        host = setting.world.host(f"endless {name}")
        yield wall(f"endless: {name}", host.page("/page", answer), host=host, most_seconds=8, most_requests=8)
    for name, answer in pours.items():
        host = setting.world.host(f"endless {name}")
        yield unclear(
            f"endless: {name}",
            host.page("/page", answer),
            UNKNOWN,
            FAIL,
            host=host,
            most_bytes=MEGABYTES_24,
            most_seconds=8,
            most_requests=8,
        )
    bodies: dict[str, Answer] = {
        "a body that drips": endless(start(200, [HTML]), b"<p>", 0.1),
        "a body that pours": endless(start(200, [HTML]), block),
        "a body that pours, with its length": endless(start(200, [HTML, "Content-Length: 1099511627776"]), block),
        "chunks that pour": endless(start(200, [HTML, CHUNKS]), b"10000\r\n" + block + b"\r\n"),
        "chunks of one byte that pour": endless(start(200, [HTML, CHUNKS]), b"1\r\nx\r\n" * 10_000),
        "a chunk extension that pours": endless(start(200, [HTML, CHUNKS]) + b"5;", block),
        "trailers that pour": endless(start(200, [HTML, CHUNKS]) + b"0\r\n", b"X-Pour: abcdefgh\r\n" * 4000),
        "a title that pours": endless(start(200, [HTML]) + b"<!doctype html><title>", block),
        "a comment that pours": endless(start(200, [HTML]) + b"<!doctype html><!--", block),
        "open tags that pour": endless(start(200, [HTML]) + b"<!doctype html>", b"<div>" * 13_000),
        "an attribute that pours": endless(start(200, [HTML]) + b'<!doctype html><a id="', block),
        "broken tags that pour": endless(start(200, [HTML]) + b"<!doctype html>", b"<a <!-- </ " * 6000),
        "entities that pour": endless(start(200, [HTML]) + b'<!doctype html><a id="', b"&amp" * 16_000),
        "a film that pours": endless(start(200, ["Content-Type: video/mp4"]), block),
    }
    for name, answer in bodies.items():
        for anchor in ("", "#intro"):
            host = setting.world.host(f"endless {name} {anchor}")
            url = host.page("/page", only_get(answer)) + anchor
            yield living(f"endless: {name} {anchor}", url, host=host, most_bytes=MEGABYTES_24, most_seconds=8, most_requests=12)
    for status in (301, 404, 403, 500):
        host = setting.world.host(f"endless {status}")
        host.page("/end", page())
        outcomes = {301: (PASS, UNKNOWN), 404: (FAIL, UNKNOWN)}.get(status, (UNKNOWN,))
        url = host.page("/page", endless(start(status, [HTML, "Location: /end"]), block))
        yield unclear(f"endless: a {status}", url, *outcomes, host=host, most_bytes=2 * MEGABYTES_24, most_seconds=8)
    crawling = setting.world.host("slow redirects")
    for hop in range(30):
        crawling.page(f"/{hop}", slow(0.9, redirect(f"/{hop + 1}")))
    yield unclear("endless: redirects of a second each", crawling.url("/0"))


def bombs(setting: Setting) -> Iterator[Case]:
    first, again = bomb_blocks()
    for name, headers in {"gzip": ["Content-Encoding: gzip"], "x-gzip": ["Content-Encoding: x-gzip"]}.items():
        for anchor in ("", "#intro"):
            host = setting.world.host(f"bomb {name} {anchor}")
            url = host.page("/page", only_get(endless(start(200, [HTML, *headers]) + first, again))) + anchor
            yield living(f"bomb: {name} {anchor}", url, host=host, most_bytes=MEGABYTES_24, most_seconds=8)
    host = setting.world.host("bomb on every status")
    for status in (404, 403, 503, 302):
        answer = endless(start(status, [HTML, "Content-Encoding: gzip", "Location: /end"]) + first, again)
        yield unclear(f"bomb: {status}", host.page(f"/{status}", answer), PASS, UNKNOWN, FAIL)
    host.page("/end", page())
    deep = document("<div>" * 60_000)
    yield alive("60,000 open tags", host.page("/deep", page(deep)))
    yield living("60,000 open tags and an anchor", host.page("/deep/anchor", page(deep + '<a id="intro">')) + "#intro")


def until(seconds: int, *names: str) -> Answer:
    """429 that names a moment so many seconds from now, in each of the headers."""

    async def answer(request: Request, wire: Wire) -> None:
        moment = time.time() + seconds
        values = {"Retry-After": formatdate(moment, usegmt=True), "X-RateLimit-Reset": f"{moment:.0f}"}
        await page("", 429, *(f"{name}: {values[name]}" for name in names), "X-RateLimit-Remaining: 0")(request, wire)

    return answer


def waits_that_end(setting: Setting) -> Iterator[Case]:
    """Too fast once; well for whoever waits as long as was asked."""
    once: dict[str, tuple[Answer, float]] = {
        "429, one second": (page("", 429, "Retry-After: 1"), 0.9),
        "429, two seconds": (page("", 429, "Retry-After: 2"), 1.9),
        "429, a date": (until(3, "Retry-After"), 1.5),
        "429, X-RateLimit-Reset": (until(3, "X-RateLimit-Reset"), 1.5),
        "429, RateLimit": (page("", 429, 'RateLimit: "pages";r=0;t=2', 'RateLimit-Policy: "pages";q=100;w=60'), 1.5),
        "429, RateLimit-Reset": (page("", 429, "RateLimit-Remaining: 0", "RateLimit-Reset: 2"), 1.5),
        "503, one second": (page("", 503, "Retry-After: 1"), 0.9),
        "403, out of budget": (page("", 403, "X-RateLimit-Remaining: 0", "Retry-After: 1"), 0.9),
    }
    for name, (answer, wait_seconds) in once.items():
        host = setting.world.host(f"{name} once")
        yield living(
            f"{name} once", host.page("/page", in_turn(answer, page())), host=host, least_wait_seconds=wait_seconds, most_requests=6
        )
    closed = setting.world.host("closed for three seconds")
    opens_at: list[float] = []

    def too_early(request: Request) -> bool:
        opens_at[:] = opens_at or [request.at_seconds + 3]
        return request.at_seconds < opens_at[0]

    for number in range(5):
        url = closed.page(f"/{number}", when(too_early, page("", 429, "Retry-After: 3"), page(document(title=f"Page {number}"))))
        yield living(f"a host closed for three seconds, page {number}", url, host=closed, least_wait_seconds=2.5)
    bare = setting.world.host("429 once")
    yield living("429 once, without a word", bare.page("/page", in_turn(page("", 429), page())))
    for value in ODD_WAITS:
        host = setting.world.host(f"429 once, {value[:20]!a}")
        yield living(
            f"429 once, Retry-After {value[:20]!a}",
            host.page("/page", in_turn(page("", 429, f"Retry-After: {value}"), page())),
            host=host,
            most_requests=6,
        )


def waits_that_do_not_end(setting: Setting) -> Iterator[Case]:
    """Nothing is proven about a page that always asks for patience, and nobody waits a day for it."""
    for value in ("1", *ODD_WAITS, *FAR_WAITS):
        host = setting.world.host(f"429 for ever, {value[:20]!a}")
        url = host.page("/page", page("", 429, f"Retry-After: {value}"))
        yield wall(f"429 for ever, Retry-After {value[:20]!a}", url, verdicts=RATE_LIMITED, host=host, most_requests=10)
    for value in ("1", "86400", HTTP_DATE_2099, "soon"):
        host = setting.world.host(f"503 for ever, {value}")
        yield wall(
            f"503 for ever, Retry-After {value}", host.page("/page", page("", 503, f"Retry-After: {value}")), host=host, most_requests=10
        )
    for names in (("Retry-After", "X-RateLimit-Reset"), ("X-RateLimit-Reset",), ()):
        host = setting.world.host(f"429 for ever, {names}")
        yield wall(
            f"429 for ever, {' and '.join(names) or 'no header'}",
            host.page("/page", until(5000, *names)),
            verdicts=RATE_LIMITED,
            host=host,
            most_requests=10,
        )
    empty = setting.world.host("403 without budget")
    spent = page("", 403, "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {time.time() + 5000:.0f}")
    yield wall(
        "403 for ever, out of budget",
        empty.page("/page", spent),
        verdicts=frozenset({"rate-limited", "blocked"}),
        host=empty,
        most_requests=10,
    )
    shut = setting.world.host("shut for a day")
    shut.otherwise = page("", 429, "Retry-After: 86400")
    for number in range(4):  # a fifth would wait for the minute that is the longest anyone waits
        yield wall(f"a host shut for a day, page {number}", shut.url(f"/{number}"), verdicts=RATE_LIMITED, host=shut, most_requests=8)


def budgets(setting: Setting) -> Iterator[Case]:
    """Successes that tell how much is left; all pages are well for whoever listens, and most for whoever does not."""
    now = time.time()
    told = {
        "RateLimit": ['RateLimit: "api";r=0;t=1'],
        "RateLimit and its policy": ['RateLimit: "api";r=1;t=1', 'RateLimit-Policy: "fixed window";"api";q=500;w=300'],
        "RateLimit-Remaining": ["RateLimit-Remaining: 0", "RateLimit-Reset: 1"],
        "X-RateLimit": ["X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {now + 2:.0f}"],
        "X-RateLimit in the past": ["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1"],
        "X-RateLimit in milliseconds": ["X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {now * 1000 + 2000:.0f}"],
        "RateLimit garbage": ["RateLimit: ;;;=", "RateLimit-Policy: \x1b[31m"],
        "RateLimit as in draft 7": ["RateLimit: limit=100, remaining=0, reset=1"],
        "X-RateLimit huge": ["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: " + "9" * 400],
        "X-RateLimit negative": ["X-RateLimit-Remaining: -5", "X-RateLimit-Reset: -1"],
        "X-RateLimit as words": ["X-RateLimit-Remaining: none", "X-RateLimit-Reset: later"],
        "plenty left": ["X-RateLimit-Remaining: 4999", f"X-RateLimit-Reset: {now + 3000:.0f}"],
    }
    for name, headers in told.items():
        host = setting.world.host(f"budget {name}")
        exact = alive if name in {"plenty left", "RateLimit garbage", "X-RateLimit as words", "X-RateLimit in the past"} else living
        for number in range(3):
            yield exact(f"budget: {name}, page {number}", host.page(f"/{number}", page(None, 200, *headers)))
    window = setting.world.host("five a second")
    moments: list[float] = []

    def too_fast(request: Request) -> bool:
        moments.append(request.at_seconds)
        return len([moment for moment in moments if moment > request.at_seconds - 1]) > 5

    for number in range(10):
        url = window.page(f"/{number}", when(too_fast, page("", 429, "Retry-After: 1"), page(document(title=f"Page {number}"))))
        yield living(f"five a second, page {number}", url)


def server_errors(setting: Setting) -> Iterator[Case]:
    for status in (500, 502, 503, 504, 521, 522):
        host = setting.world.host(f"{status} for ever")
        verdicts = frozenset({"server-error", "timeout", "blocked"})
        yield wall(f"{status} for ever", host.page("/page", page("", status)), verdicts=verdicts, host=host, most_requests=8)
    for status in (404, 410):
        host = setting.world.host(f"{status} for ever")
        yield unclear(f"{status} is not asked again and again", host.page("/page", page("", status)), FAIL, host=host, most_requests=6)


def politeness(setting: Setting) -> Iterator[Case]:
    """Many pages of one host, each a little slow: how many it has to serve at once is measured."""
    host = setting.world.host("polite")
    for number in range(40):
        yield alive(f"one of forty pages, {number}", host.page(f"/{number}", slow(0.05, page())), head_first=host)
    for name in ("one", "two", "three"):
        stuck = setting.world.host(f"stuck {name}")
        stuck.otherwise = endless(LINE, b"X-Drip: d\r\n", 0.2)
        for number in range(4):
            yield wall(f"stuck host {name}, page {number}", stuck.url(f"/{number}"))
