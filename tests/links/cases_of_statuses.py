"""Every status there is, each for HEAD and GET alike; and hosts whose HEAD says something else than their GET."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, Case, Setting, alive, dead, living, unclear, wall
from page_answers import (
    BODILESS,
    by_method,
    document,
    hang,
    hang_up,
    message,
    only_get,
    page,
    raw,
    redirect,
    reset,
    start,
)

PLAIN_SUCCESSES = {200, 203, 204, 206}
GONE = {404, 410}
VERDICTS = {
    401: {"blocked", "login-wall"}, 403: {"blocked"}, 404: {"broken"}, 406: {"blocked"}, 410: {"broken"}, 429: {"rate-limited"},
    451: {"blocked"}, 500: {"server-error"}, 502: {"server-error"}, 503: {"server-error", "blocked", "rate-limited"},
    504: {"server-error", "timeout"}, 999: {"blocked"},
}  # fmt: skip
CLOSES_THE_HOST = {429, 503}
"""Statuses that may rightly slow down every other page of the host."""


def cases(setting: Setting) -> Iterator[Case]:
    yield from every_status(setting)
    yield from odd_statuses(setting)
    yield from head_lies(setting)
    yield from head_and_get_disagree(setting)


def every_status(setting: Setting) -> Iterator[Case]:
    """Four statuses to a host, as many as are asked at once: the retries and pauses of one hold up no other."""
    for status in range(200, 600):
        alone = status in CLOSES_THE_HOST
        name = f"statuses {status}" if alone else f"statuses from {status - status % 4}"
        host = setting.world.hosts.get(name) or setting.world.host(name)
        yield of_status(status, host.page(f"/status/{status}", page(status=status)))


def of_status(status: int, url: str) -> Case:
    """What a status proves by itself: two of them a death, the successes a life, the rest nothing."""
    named = f"status {status}"
    verdicts = frozenset(VERDICTS.get(status, ()))
    if status in PLAIN_SUCCESSES:
        return alive(named, url)
    if status < 400:  # a redirect that names no target says nothing about the page
        return living(named, url)
    if status in GONE:
        return dead(named, url, verdicts=verdicts)
    return wall(named, url, verdicts=verdicts)


def odd_statuses(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("odd statuses")
    yield wall("status 999", host.page("/status/999", page(status=999)), verdicts=frozenset(VERDICTS[999]))
    for status in (600, 666, 700, 800, 998):
        yield unclear(f"status {status}", host.page(f"/status/{status}", page(status=status)), "unknown")
    for number, spelled in enumerate(("0", "000", "099", "1000", "20", "2OO", "-200", "200.5", "", "２００")):
        line = f"HTTP/1.1 {spelled} Odd\r\nContent-Length: 2\r\n\r\nok".encode()
        url = setting.world.host(f"odd status {number}").page("/spelled", raw(line))
        yield unclear(f"status spelled {spelled!a}", url, "unknown", "fail", "pass")
    yield wall("101 unasked for", host.page("/101", raw(start(101, ["Upgrade: websocket", "Connection: Upgrade"]))))
    empty = setting.world.host("empty successes")
    for status in sorted(BODILESS - {304}):
        lying = raw(start(status, ["Content-Length: 5"]) + b"extra")
        yield living(f"{status} that sends a body", empty.page(f"/body/{status}", lying))
    yield living("206 without a range", empty.page("/206", page("half", 206, "Content-Range: bytes 0-3/900")))
    yield living("200 with an empty body", empty.page("/empty", page("")))


def head_lies(setting: Setting) -> Iterator[Case]:
    """What a browser gets is well; only HEAD is answered badly. Known from many application servers and firewalls."""
    for status in (400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 415, 418, 422, 451, 500, 501, 502, 503, 520, 999):
        host = setting.world.host(f"head says {status}")
        yield alive(f"HEAD {status}, GET 200", host.page("/page", by_method(page("", status), page())), head_first=host)
    well = page()
    odd = {
        "hangs up on HEAD": hang_up,
        "resets HEAD": reset,
        "answers HEAD with no HTTP": raw(b"what?\r\n\r\n"),
        "answers HEAD with half a status line": raw(b"HTTP/1.1 2"),
    }
    for name, answer in odd.items():
        host = setting.world.host(name)
        yield alive(name, host.page("/page", by_method(answer, well)))
    more = {
        "HEAD hangs": hang,
        "HEAD 429": page("", 429),
        "HEAD sends a body": raw(message(200, document().encode(), ["Content-Type: text/html"])),
        "HEAD redirects to what is not there": redirect("/nothing"),
        "HEAD redirects to the root": redirect("/"),
        "HEAD redirects in a circle": redirect("/page"),
        "HEAD has no length and stays open": raw(start(200, ["Content-Type: text/html"])),
    }
    for name, answer in more.items():
        host = setting.world.host(name)
        host.page("/", page(document(title="Home")))
        yield living(name, host.page("/page", by_method(answer, well)))


def head_and_get_disagree(setting: Setting) -> Iterator[Case]:
    """HEAD says well, GET does not: a checker that asked politely once cannot know."""
    host = setting.world.host("get says otherwise")
    for status in (404, 410, 500, 403):
        answer = by_method(page(""), page(status=status))
        yield unclear(f"HEAD 200, GET {status}", host.page(f"/get/{status}", answer), *EVERY_OUTCOME)
    for status in (404, 410):
        yield dead(f"HEAD 405, GET {status}", host.page(f"/405/{status}", only_get(page(status=status))))
        yield dead(f"HEAD 500, GET {status}", host.page(f"/500/{status}", by_method(page("", 500), page(status=status))))
        yield dead(f"HEAD 403, GET {status}", host.page(f"/403/{status}", by_method(page("", 403), page(status=status))))
        yield dead(f"HEAD hangs up, GET {status}", host.page(f"/up/{status}", by_method(hang_up, page(status=status))))
