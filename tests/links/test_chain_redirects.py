"""One attempt that is sent on: where redirects and refreshes lead, where they end, and that no way leads to a forbidden address."""

from __future__ import annotations

from live_world import checked, judged, live
from misbehaving import Answer, Host
from page_answers import by_method, document, only_get, page, redirect
from raw_server import put, with_fetcher

from llmops_catalog.links.chain import Errand, attempt
from llmops_catalog.links.limits import MOST_HOPS, Budget
from llmops_catalog.links.target import parse_target

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


def test_a_redirect_to_a_long_address_ends_in_a_judgement(host: Host) -> None:
    """`BadAddress` left `attempt`, and the check told that it had failed itself."""
    url = put(host, redirect("/" + "日" * 1000))
    exchange = with_fetcher(lambda fetcher: attempt(fetcher, Errand(parse_target(url)), Budget(5)))
    assert exchange.hops


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
