"""One address explained hop by hop: what was said on the way, and the judgement the check itself would give."""

from __future__ import annotations

import asyncio

import pytest
from live_world import QUICK, judged, live
from page_answers import document, hang_up, in_turn, page, redirect, when

from llmops_catalog.links.explain import Explained, explain
from llmops_catalog.report.link_exchange import as_text


def explained(url: str) -> Explained:
    return asyncio.run(explain(url, QUICK))


def test_a_page_after_a_redirect() -> None:
    with live() as world:
        host = world.host("explained")
        url = host.page("/old", redirect("/new", 301, "X-Note: hello"))
        host.page("/new", page(document('<h2 id="intro">')))
        world.start()
        told = explained(f"{url}#intro")
        assert told.judgement[:2] == ("pass", "redirected-permanent")
        assert (told.attempts, told.url) == (1, f"{url}#intro")
        assert [(hop.method, hop.status) for hop in told.exchange.hops] == [("HEAD", 301), ("HEAD", 200), ("GET", 200)]
        assert {hop.address for hop in told.exchange.hops} == {"127.0.0.1"}
        text = as_text(told)
        assert text.startswith(f"{url}#intro\n\n1  HEAD {url}\n   at 127.0.0.1: 301 in ")
        assert "     x-note: hello\n" in text
        assert "     location: /new\n" in text
        assert "anchors found: intro" in text
        assert f"pass[redirected-permanent] after 1 attempt, 0.{text.rpartition(', 0.')[2][:2]} s\n  reason: it has moved to" in text
        assert text.endswith("  help: run with --fix to write the new address\n")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://x.example/a", "only http and https are followed, not 'ftp'"),
        ("nothing", "the address does not start with http:// or https://"),
        ("", "the address does not start with http:// or https://"),
        ("http://127.0.0.9/", "it leads to the loopback address 127.0.0.9"),
    ],
)
def test_what_is_not_followed(url: str, reason: str) -> None:
    told = explained(url)
    assert told.judgement[:3] == ("unknown", "refused", reason)
    assert told.exchange.hops == ()
    assert f"unknown[refused] after {told.attempts} attempt" in as_text(told)
    assert reason in as_text(told)


def test_the_same_judgement_as_the_check() -> None:
    with live() as world:
        host = world.host("same")
        host.page("/soft", page(document(title="Page not found")))
        host.page("/walled", page("", 403))
        host.page("/browser", when(lambda request: request.like_a_browser, page(), page("", 403)))
        host.page("/home", redirect("/", 301))
        host.page("/", page(document(title="Welcome")))
        host.page("/broken", hang_up)
        host.page("/page", page(document('<h2 id="a">')))
        world.start()
        for path in (*host.pages, "/gone", "/page#a", "/page#b"):
            assert explained(host.url(path)).judgement == judged(host.url(path)), path


def test_a_long_address_can_be_explained() -> None:
    with live() as world:
        url = world.host("long").url(f"/{'é' * 3000}")
        world.start()
        assert explained(url).judgement.verdict in ("broken", "refused")


def test_attempts_and_the_try_as_a_browser_are_told() -> None:
    with live() as world:
        host = world.host("tries")
        again = host.page("/again", in_turn(page("", 503), page("", 503), page()))
        shy = host.page("/shy", when(lambda request: request.like_a_browser, page(), page("", 403)))
        world.start()
        assert explained(again).attempts == 2
        assert "after 2 attempts," in as_text(explained(host.page("/more", in_turn(page("", 503), page("", 503), page()))))
        assert ", as a browser: 200" in as_text(explained(shy))


def test_what_servers_say_is_shown_harmless() -> None:
    """An escape sequence, a workflow command and a change of direction, in a title, a header and an address."""
    nasty = "\x1b[31m\u202eevil\u2066"
    with live() as world:
        host = world.host("hostile")
        url = host.page("/x", redirect("/\u202ey", 302, f"X-Note: {nasty}"))
        host.page("/%E2%80%AEy", page(document(title=nasty)))
        long = host.page("/long", page("", 200, *(f"X-{number}: {'v' * 300}" for number in range(100))))
        world.start()
        text = as_text(explained(url))
        assert all(char.isprintable() or char == "\n" for char in text)
        assert "\\u202e" in text or "\\x202e" in text or "202e" in text
        told = as_text(explained(long))
        assert "... and " in told
        assert max(map(len, told.splitlines())) < 400
