"""One attempt over real sockets: HEAD and GET, the one try as a browser, cookies of one chain."""

from __future__ import annotations

import pytest
from live_world import QUICK, checked, judged, live, methods
from misbehaving import Answer
from page_answers import by_method, document, hang, hang_up, in_turn, page, redirect, reset, when

from llmops_catalog.links.limits import USER_AGENT

# --- HEAD and GET -----------------------------------------------------------------------------------------------------


def test_a_large_file_is_asked_about_and_not_fetched() -> None:
    with live() as world:
        host = world.host("files")
        url = host.page("/paper.pdf", page(bytes(100_000), kind="application/pdf"))
        world.start()
        assert judged(url)[:2] == ("pass", "ok")
        assert methods(host) == ["HEAD"]
        assert host.sent_bytes < 1000


def test_a_page_is_asked_about_and_then_opened_once() -> None:
    with live() as world:
        host = world.host("pages")
        url = host.page("/guide.html", page(document('<h2 id="intro">')))
        world.start()
        assert judged(url)[:2] == ("pass", "ok")
        assert methods(host) == ["HEAD", "GET"]
        host.seen.clear()
        assert judged(f"{url}#intro")[:2] == ("pass", "ok")
        assert methods(host) == ["HEAD", "GET"]


HEADS: dict[str, Answer] = {
    "404": page("", 404), "405": page("", 405), "403": page("", 403), "500": page("", 500), "501": page("", 501), "400": page("", 400),
    "202": page("", 202), "hang up": hang_up, "reset": reset, "to 404": redirect("/nothing"), "to itself": redirect("/file"),
}  # fmt: skip


def test_what_head_says_is_proof_of_nothing() -> None:
    with live() as world:
        urls = {name: world.host(name).page("/file", by_method(head, page(document()))) for name, head in HEADS.items()}
        world.start()
        told = checked(urls.values())
        assert {name: told[url].judgement[:2] for name, url in urls.items()} == dict.fromkeys(HEADS, ("pass", "ok"))


def test_a_head_that_is_never_answered_leaves_time_for_get() -> None:
    with live() as world:
        url = world.host("head hangs").page("/file", by_method(hang, page(document())))
        world.start()
        assert judged(url, QUICK._replace(timeout_seconds=0.6))[:2] == ("pass", "ok")


def test_what_is_gone_is_asked_twice_and_not_more() -> None:
    with live() as world:
        host = world.host("gone")
        url = host.url("/gone")
        world.start()
        assert judged(url)[:3] == ("fail", "broken", "not found (404)")
        assert methods(host) == ["HEAD", "GET"]


def test_a_page_that_is_well_is_asked_no_third_time() -> None:
    with live() as world:
        host = world.host("once")
        url = host.page("/page", in_turn(page(), page(), page("", 500)))
        world.start()
        assert judged(url)[:2] == ("pass", "ok")
        assert methods(host) == ["HEAD", "GET"]


def test_it_says_who_it_is_and_sends_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.setenv(name, "secret-of-the-environment")
    with live() as world:
        host = world.host("who")
        url = host.page("/page", page())
        world.start()
        judged(url)
        assert {request.headers["user-agent"] for request in host.seen} == {USER_AGENT}
        assert "secret" not in "".join(line for request in host.seen for line in request.lines)
        assert all(request.headers["host"] == host.netloc for request in host.seen)


# --- once more as a browser -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 406])
def test_one_more_try_as_a_browser(status: int) -> None:
    with live() as world:
        host = world.host("browsers only")
        url = host.page("/page", when(lambda request: request.like_a_browser, page(), page("", status)))
        world.start()
        told = judged(url)
        assert told[:2] == ("pass", "ok")
        assert [request.like_a_browser for request in host.seen[:3]] == [False, False, True]
        assert methods(host) == ["HEAD", "GET", "GET"]


@pytest.mark.parametrize("status", [403, 406])
def test_and_no_second_one(status: int) -> None:
    with live() as world:
        host = world.host("shut")
        url = host.page("/page", page("", status))
        world.start()
        assert judged(url)[:3] == ("unknown", "blocked", f"it refuses programs, or this request ({status})")
        assert [request.like_a_browser for request in host.seen] == [False, False, True]


def test_nor_one_for_any_other_status() -> None:
    with live() as world:
        host = world.host("other")
        urls = {status: host.page(f"/{status}", page("", status)) for status in (401, 402, 404, 410, 451, 999)}
        world.start()
        told = checked(urls.values())
        outcomes = {status: told[url].judgement.outcome for status, url in urls.items()}
        assert outcomes == {status: "fail" if status in (404, 410) else "unknown" for status in urls}
        assert not any(request.like_a_browser for request in host.seen)


def test_a_browser_is_told_otherwise_only_if_it_is_shown_the_page() -> None:
    """A wall answers a program with 403 and its own browser check with whatever it likes."""
    with live() as world:
        host = world.host("odd")
        for status in (404, 410, 500):
            host.page(f"/{status}", when(lambda request: request.like_a_browser, page("", status), page("", 403)))
        world.start()
        told = checked([host.url(path) for path in host.pages])
        expected = ("unknown", "blocked", "it refuses programs, or this request (403)")
        assert [result.judgement[:3] for result in told.values()] == [expected] * 3


# --- cookies ----------------------------------------------------------------------------------------------------------


def test_a_cookie_opens_the_door_it_was_given_for() -> None:
    with live() as world:
        host = world.host("cookies")
        both = when(lambda request: "a=1" in request.cookies and "b=2" in request.cookies, page(),
                    redirect("/door", 302, "Set-Cookie: a=1; Path=/; HttpOnly", "Set-Cookie: b=2; Secure; SameSite=None"))  # fmt: skip
        url = host.page("/door", both)
        world.start()
        assert judged(url)[:2] == ("pass", "ok")


def test_a_cookie_stays_with_its_host_and_its_chain() -> None:
    with live() as world:
        there, here = world.host("there"), world.host("here")
        there.page("/landing", page())
        by_name = f"http://localhost:{there.port}/landing"
        odd = ("Set-Cookie: c=3; Domain=localhost", "Set-Cookie: d=4; Domain=.0.1", "Set-Cookie: e=5; Domain=1")
        leaving = here.page("/leaving", redirect(by_name, 302, "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Domain=127.0.0.1", *odd))
        later = here.page("/later", page())
        world.start()
        told = checked([leaving, later], QUICK._replace(concurrency=1, per_host=1))
        assert told[leaving].judgement.verdict == "redirected-temporary"
        assert [request.cookies for request in there.seen] == [""] * len(there.seen)
        assert len(there.seen) >= 2
        assert [request.cookies for request in here.seen if request.target != "/leaving"] == [""] * (len(here.seen) - 1)


def test_a_cookie_that_is_taken_back_is_not_sent() -> None:
    with live() as world:
        host = world.host("taken back")
        url = host.page("/one", redirect("/two", 302, "Set-Cookie: a=1", "Set-Cookie: b=2"))
        host.page("/two", redirect("/three", 302, "Set-Cookie: a=; Max-Age=0"))
        host.page("/three", page())
        world.start()
        assert judged(url).outcome == "pass"
        assert {request.cookies for request in host.seen if request.target == "/three"} <= {"b=2", ""}
        assert "b=2" in {request.cookies for request in host.seen if request.target == "/three"}


def test_cookies_have_a_bound_and_break_no_request() -> None:
    with live() as world:
        host = world.host("jar")
        many = [f"Set-Cookie: c{number}={'x' * 300}" for number in range(100)]
        url = host.page(
            "/one", redirect("/two", 302, *many, "Set-Cookie: ", "Set-Cookie: =", "Set-Cookie: \u00e9=1", f"Set-Cookie: big={'b' * 9000}")
        )
        host.page("/two", page())
        world.start()
        assert judged(url).outcome == "pass"
        assert max(len(request.cookies) for request in host.seen) <= 4096
