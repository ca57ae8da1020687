"""One attempt over real sockets: HEAD and GET, redirects, cookies of one chain, the one try as a browser, forbidden addresses."""

from __future__ import annotations

import pytest
from live_world import QUICK, checked, judged, live
from misbehaving import Answer, Host
from page_answers import by_method, document, hang, hang_up, in_turn, only_get, page, redirect, reset, when

from llmops_catalog.links.limits import MOST_HOPS, USER_AGENT


def methods(host: Host, target: str = "") -> list[str]:
    """How a host was asked, the path that cannot exist left out."""
    return [request.method for request in host.seen if "asks-for-what-is-not-here" not in request.target and target in request.target]


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


# --- redirects --------------------------------------------------------------------------------------------------------


LOCATIONS = {
    "target": "/a/b/target", "./target": "/a/b/target", "../target": "/a/target", "/target": "/target", "../../../../target": "/target",
    "?page=2": "/a/b/{}?page=2", "//{netloc}/target": "/target", "http://{netloc}/target": "/target", "HTTP://{netloc}/target": "/target",
    "  /target  ": "/target", "/caf\u00e9": "/caf%C3%A9", "/with space": "/with%20space", "/target#part": "/target#part",
    "target;v=1": "/a/b/target;v=1", "\\target": "/target", "?a=b?c=d&e=f/../g": "/a/b/{}?a=b?c=d&e=f/../g",
}  # fmt: skip


def test_where_a_location_leads() -> None:
    with live() as world:
        host = world.host("locations")
        expected = {}
        for number, (location, ends) in enumerate(LOCATIONS.items()):
            end = ends.format(number)
            expected[host.page(f"/a/b/{number}", redirect(location.format(netloc=host.netloc), 301))] = host.url(end)
            host.pages[end.partition("#")[0]] = page()
        world.start()
        told = checked(expected)
        assert {url: result.judgement.better_url for url, result in told.items()} == expected
        assert {result.judgement.verdict for result in told.values()} == {"redirected-permanent"}


NOT_FOLLOWED = (
    "http://[::1", "http://a b/", "http://127.0.0.1:99999/", "http://u:p@127.0.0.1/", "file:///etc/passwd", "javascript:alert(1)",
    "data:text/html,x", "ftp://127.0.0.1/", "http://...", "mailto:a@b.c", "http://127.0.0.1:0/",
)  # fmt: skip


def test_locations_that_are_not_followed() -> None:
    with live() as world:
        host = world.host("odd")
        urls = {location: host.page(f"/{number}", redirect(location, 301)) for number, location in enumerate(NOT_FOLLOWED)}
        world.start()
        told = checked(urls.values())
        assert {location: told[url].judgement[:2] for location, url in urls.items()} == dict.fromkeys(urls, ("unknown", "refused"))
        assert all(result.judgement.reason.startswith("it redirects to ") for result in told.values())
        assert {result.judgement.better_url for result in told.values()} == {None}


def chain(host: Host, hops: int) -> str:
    host.page(f"/{hops}/0", page())
    for left in range(1, hops + 1):
        host.page(f"/{hops}/{left}", redirect(f"{left - 1}", 302))
    return host.url(f"/{hops}/{hops}")


def test_twenty_hops_and_no_more() -> None:
    with live() as world:
        host = world.host("hops")
        longest, longer, endless = (chain(host, hops) for hops in (MOST_HOPS, MOST_HOPS + 1, 60))
        world.start()
        told = checked([longest, longer, endless])
        assert told[longest].judgement[:2] == ("pass", "redirected-temporary")
        assert told[longer].judgement[:3] == ("unknown", "server-error", "it redirects more than 20 times")
        assert told[endless].judgement[:2] == ("unknown", "server-error")
        assert len([1 for request in host.seen if request.target.startswith("/60/")]) == 2 * (MOST_HOPS + 1)


CIRCLES = ({"/a": "/a"}, {"/a": "/b", "/b": "/a"}, {"/a": "/b", "/b": "/c", "/c": "/b"}, {"/a": "/a#x"}, {"/a": "?", "/a?": "?"})


def test_circles_end_when_they_are_seen() -> None:
    with live() as world:
        hosts = [world.host(f"circle {number}") for number in range(len(CIRCLES))]
        for host, hops in zip(hosts, CIRCLES, strict=True):
            for path, location in hops.items():
                host.page(path, redirect(location, 301))
        world.start()
        told = checked([host.url("/a") for host in hosts])
        circle = ("unknown", "server-error", "the redirects lead in a circle")
        assert [result.judgement[:3] for result in told.values()] == [circle] * len(hosts)
        assert all(len(host.seen) <= 2 * (len(hops) + 1) for host, hops in zip(hosts, CIRCLES, strict=True))


# --- pages that send on -----------------------------------------------------------------------------------------------


def refresh(content: str) -> Answer:
    return page(f'<!doctype html><title>Moved</title><meta http-equiv="Refresh" content="{content}"><p>Moved.</p>')


def test_a_refresh_is_followed_and_is_not_for_good() -> None:
    contents = ("0; url=/end", "0;URL='/end'", "0;/end", "1; url=&#47;end", "0, url=/end", "5;url=end")
    with live() as world:
        host = world.host("refresh")
        host.page("/end", page())
        urls = [host.page(f"/{number}", refresh(content)) for number, content in enumerate(contents)]
        world.start()
        told = [result.judgement for result in checked(urls).values()]
        seen = [(one.outcome, one.verdict, one.final_url, one.better_url) for one in told]
        assert seen == [("pass", "redirected-temporary", host.url("/end"), None)] * len(contents)


def test_a_refresh_to_what_is_gone_is_a_loss_and_one_to_itself_is_nothing() -> None:
    with live() as world:
        host = world.host("refresh")
        gone, clock = host.page("/old", refresh("0; url=/nothing")), host.page("/clock", refresh("0; url=/clock"))
        later, empty = host.page("/later", refresh("30; url=/nothing")), host.page("/empty", refresh("0; url="))
        one = host.page("/one", refresh("0; url=/two"))
        host.page("/two", refresh("0; url=/one"))
        world.start()
        told = {url: result.judgement for url, result in checked([gone, clock, later, empty, one]).items()}
        assert told[gone][:2] == ("fail", "broken")
        assert told[clock][:2] == told[later][:2] == told[empty][:2] == ("pass", "ok")
        assert told[one][:3] == ("unknown", "server-error", "the redirects lead in a circle")


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


# --- addresses no link may lead to ------------------------------------------------------------------------------------

CANARY = "127.0.0.9"


def spellings(port: int) -> list[str]:
    return [
        f"http://{CANARY}:{port}/x", f"//{CANARY}:{port}/x", f"http://2130706441:{port}/", f"http://0x7f000009:{port}/", f"http://127.9:{port}/",
        f"http://0177.0.0.011:{port}/", f"http://[::ffff:{CANARY}]:{port}/", f"http://[::ffff:7f00:9]:{port}/", f"http://127.0.0.9.:{port}/",
        f"http://%31%32%37.0.0.9:{port}/", f"http://１２７.0.0.9:{port}/", f"http:\\\\{CANARY}:{port}\\x", f"http://user@{CANARY}:{port}/",
        f"http://127.0.0.1@{CANARY}:{port}/", f"http://127.0.0.1:1\\@{CANARY}:{port}/", f"http://127。0。0。9:{port}/",
        f"http://{CANARY}:{port}#@127.0.0.1/", f"HTTP://{CANARY}:{port}", f"https://{CANARY}:{port}/",
    ]  # fmt: skip


def test_no_way_leads_to_a_forbidden_address() -> None:
    """Directly, by a redirect, in two hops, by a refresh; however it is spelled."""
    with live() as world:
        canary, host = world.host("canary", address=CANARY), world.host("host")
        canary.otherwise = page()
        urls = []
        for number, spelled in enumerate(spellings(canary.port)):
            if "://" in spelled:
                urls.append(spelled)
            urls.append(host.page(f"/redirect/{number}", redirect(spelled, 301)))
            urls.append(host.page(f"/first/{number}", redirect(f"/redirect/{number}", 302)))
            urls.append(host.page(f"/head/{number}", by_method(redirect(spelled), page("", 404))))
            urls.append(host.page(f"/get/{number}", only_get(redirect(spelled))))
            urls.append(host.page(f"/refresh/{number}", refresh(f"0; url={spelled}")))
            urls.append(host.page(f"/anchor/{number}", redirect(spelled)) + "#intro")
        world.start()
        told = checked(urls)
        assert canary.connections == 0
        passed = [url for url, result in told.items() if result.judgement.outcome == "pass"]
        assert not passed
        assert all(result.judgement.better_url is None for result in told.values())
        direct = told[urls[0]].judgement
        assert direct[:3] == ("unknown", "refused", "it leads to the loopback address 127.0.0.9")
        behind = told[host.url("/first/0")].judgement
        assert behind[:3] == ("unknown", "refused", "after 2 redirects: it leads to the loopback address 127.0.0.9")


def test_a_path_that_cannot_exist_may_not_lead_there_either() -> None:
    """What a host answers beside a page is asked for too, and follows the same rules."""
    with live() as world:
        canary, host = world.host("canary", address=CANARY), world.host("host")
        canary.otherwise = page()
        host.otherwise = redirect(canary.url("/trap"))
        url = host.page("/papers/a", page(document(title="Page not found")))
        world.start()
        assert judged(url).outcome in ("fail", "unknown")
        assert any("asks-for-what-is-not-here" in request.target for request in host.seen)
        assert canary.connections == 0


def test_a_page_that_is_well_is_asked_no_third_time() -> None:
    with live() as world:
        host = world.host("once")
        url = host.page("/page", in_turn(page(), page(), page("", 500)))
        world.start()
        assert judged(url)[:2] == ("pass", "ok")
        assert methods(host) == ["HEAD", "GET"]
