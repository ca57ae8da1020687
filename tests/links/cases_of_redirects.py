"""Redirects by how they are written: plain, mixed, malformed, endless, with cookies, and by the page itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from link_case import EVERY_OUTCOME, PERMANENT, TEMPORARY, Case, Setting, alive, living, unclear
from misbehaving import Answer, Host
from page_answers import by_method, document, page, raw, redirect, start, when

FOR_GOOD = {301, 308}
STATUSES = (301, 302, 303, 307, 308)


def cases(setting: Setting) -> Iterator[Case]:
    yield from chains(setting)
    yield from ways_to_write_a_location(setting)
    yield from broken_locations(setting)
    yield from hops_and_loops(setting)
    yield from cookies(setting)
    yield from by_the_page(setting)


def chains(setting: Setting) -> Iterator[Case]:
    """A chain is permanent only if every hop is."""
    host = setting.world.host("chains")
    host.page("/end", page())
    for status in STATUSES:
        kind = PERMANENT if status in FOR_GOOD else TEMPORARY
        yield alive(f"redirect {status}", host.page(f"/one/{status}", redirect("/end", status)), verdicts=kind)
    for first, second in product(STATUSES, STATUSES):
        host.page(f"/second/{first}/{second}", redirect("/end", second))
        kind = PERMANENT if {first, second} <= FOR_GOOD else TEMPORARY
        url = host.page(f"/first/{first}/{second}", redirect(f"/second/{first}/{second}", first))
        yield alive(f"redirect {first} then {second}", url, verdicts=kind)
    for status in (300, 304, 305, 306):
        yield living(f"status {status} with a Location", host.page(f"/odd/{status}", redirect("/end", status)))
    yield living("status 200 with a Location", host.page("/odd/200", redirect("/nothing", 200)))
    yield living("status 201 with a Location", host.page("/odd/201", redirect("/nothing", 201)))


def ways_to_write_a_location(setting: Setting) -> Iterator[Case]:
    """All of these bring a browser to a living page."""
    host = setting.world.host("locations")
    for target in ("/a/b/target", "/a/target", "/target", "/a/b/page?page=2", "/a/b/caf%C3%A9", "/a/b/with%20space", "/a/b/%3Cp%3E"):
        host.page(target, page(document('<h2 id="part">Part</h2>', title=f"Page {target}")))
    strict = {
        "relative": "target",
        "with a dot": "./target",
        "with two dots": "../target",
        "absolute path": "/a/target",
        "many dots": "../../../../target",
        "protocol-relative": f"//{host.netloc}/target",
        "whole": host.url("/target"),
        "upper-case scheme": f"HTTP://{host.netloc}/target",
        "with a fragment": "/target#part",
        "encoded": "/a/b/caf%C3%A9",
        "encoded in lower case": "/a/b/caf%c3%a9",
        "UTF-8": "/a/b/café",
        "a space inside": "/a/b/with space",
        "spaces around": "  /target  ",
    }
    host.page("/a/b/caf%c3%a9", page())
    for number, (name, location) in enumerate(strict.items()):
        url = host.page(f"/a/b/from{number}", redirect(location, 301))
        yield alive(f"Location {name}", url, verdicts=PERMANENT)
    yield alive("Location of a query only", host.page("/a/b/page", redirect("?page=2")), verdicts=TEMPORARY)
    for target in (
        "/a/b/caf%E9",
        "/a/b/caf%C3%83%C2%A9",
        "/a/b/x",
        f"/{'l' * 4000}",
        f"/{'l' * 16_000}",
        "/tabbed",
        "/tab%09bed",
        "/%5Ctarget",
    ):
        host.page(target, page())
    named = setting.world.host("locations by name")
    named.page("/target", page())
    lenient = {
        "Latin-1": b"/a/b/caf\xe9",
        "a tab inside": "/tab\tbed",
        "backslashes": f"http:\\\\{host.netloc}\\target",
        "angle brackets": "/a/b/<p>",
        "of 4,000 characters": f"/{'l' * 4000}",
        "of 16,000 characters": f"/{'l' * 16_000}",
        "three slashes": f"///{host.netloc}/target",
        "fragment of another page": "/target#nowhere",
        "scheme alone": "http:target",
        "a bad percent sign": "/target%zz",
        "other letters in the host": f"http://LOCALHOST:{named.port}/target",
    }
    host.page("/target%zz", page())
    host.page("/target%25zz", page())
    for number, (name, location) in enumerate(lenient.items()):
        yield living(f"Location {name}", host.page(f"/a/b/odd{number}", redirect(location)))
    yield unclear("Location one slash", host.page("/a/b/slash", redirect(f"http:/{host.netloc}/target")), *EVERY_OUTCOME)
    yield living("Location twice the same", host.page("/twice", redirect("/target", 302, "Location: /target")))
    yield living("Location twice, to two pages", host.page("/two", redirect("/target", 302, "Location: /a/target")))
    yield living("Location in lower case", host.page("/lower", page("", 302, "location: /target")))
    yield living("Content-Location only", host.page("/content", page("", 302, "Content-Location: /target")))


def broken_locations(setting: Setting) -> Iterator[Case]:
    """A server that does not say where to go has proved nothing; none of these may stop the run."""
    host = setting.world.host("broken locations")
    for status in STATUSES:
        yield living(f"{status} without a Location", host.page(f"/none/{status}", redirect(None, status)))
    yield unclear("an empty Location", host.page("/empty", redirect("")), *EVERY_OUTCOME)
    odd = {
        "port 99999": "http://127.0.0.1:99999/",
        "port 0": "http://127.0.0.1:0/",
        "a word for a port": "http://127.0.0.1:http/",
        "a negative port": "http://127.0.0.1:-1/",
        "no host": "http:///path",
        "two slashes": "http://",
        "a scheme alone": "http:",
        "an open bracket": "http://[::1",
        "a bracket with letters": "http://[zz]/",
        "an empty bracket": "http://[]/",
        "a host of dots": "http://.../",
        "a host with a space": "http://a b/",
        "NUL": b"http://127.0.0.1\x00.invalid/",
        "escape characters": "http://\x1b[31mred/",
        "a host of 300 letters": f"http://{'h' * 300}.invalid/",
        "a percent sign in the host": "http://127.0.0.1%/",
        "a huge port": f"http://127.0.0.1:{'9' * 5000}/",
        "an invalid IDN": "http://xn--a-ecp.ru-\u200d/",
        "a lone surrogate": b"http://\xed\xa0\x80.invalid/",
        "invalid UTF-8": b"http://\xff\xfe/",
    }
    for number, (name, location) in enumerate(odd.items()):
        yield unclear(f"Location with {name}", host.page(f"/odd/{number}", redirect(location)))
    for kilobytes in (60, 200, 2000):
        url = host.page(f"/long/{kilobytes}", redirect("/" + "l" * kilobytes * 1000))
        yield unclear(f"Location of {kilobytes} kB to nowhere", url)


def chain_of(host: Host, hops: int, status: int = 302) -> str:
    """As many redirects, then a page."""
    host.page(f"/{hops}/0", page())
    for left in range(1, hops + 1):
        host.page(f"/{hops}/{left}", redirect(f"/{hops}/{left - 1}", status))
    return host.url(f"/{hops}/{hops}")


def hops_and_loops(setting: Setting) -> Iterator[Case]:
    for hops in (5, 10, 19, 20):
        host = setting.world.host(f"{hops} hops")
        yield alive(f"{hops} redirects", chain_of(host, hops), verdicts=TEMPORARY)
    yield alive("12 permanent redirects", chain_of(setting.world.host("12 hops"), 12, 308), verdicts=PERMANENT)
    for hops in (21, 50, 200):
        host = setting.world.host(f"{hops} hops")
        yield unclear(f"{hops} redirects", chain_of(host, hops), host=host, most_requests=70)
    loops = {"itself": {"/a": "/a"}, "two pages": {"/a": "/b", "/b": "/a"}, "three pages": {"/a": "/b", "/b": "/c", "/c": "/a"}}
    loops["itself with a fragment"] = {"/a": "/a#again"}
    for name, hop in loops.items():
        host = setting.world.host(f"loop of {name}")
        for path, location in hop.items():
            host.page(path, redirect(location, 301))
        yield unclear(f"a loop of {name}", host.url("/a"), host=host, most_requests=70)

    growing = setting.world.host("growing loop")

    async def longer(request, wire):
        await redirect(request.target + "a")(request, wire)

    growing.otherwise = longer
    yield unclear("a loop that grows", growing.url("/a"), host=growing, most_requests=70)
    other, one = setting.world.host("loop here"), setting.world.host("loop there")
    one.page("/x", redirect(other.url("/x")))
    yield unclear("a loop over two hosts", other.page("/x", redirect(one.url("/x"))), host=other, most_requests=70)


def cookies(setting: Setting) -> Iterator[Case]:
    """Pages that send away whoever brings no cookie: fine for browsers, a loop for those without a jar."""
    host = setting.world.host("cookies")

    def until(cookie: str, back: Answer) -> Answer:
        return when(lambda request: cookie in request.cookies, page(), back)

    for number, attributes in enumerate(
        ("", "; Path=/", "; Path=/; HttpOnly; SameSite=Lax", "; Max-Age=3600", "; Expires=Fri, 01 Jan 2100 00:00:00 GMT")
    ):
        path = f"/set/{number}"
        yield alive(
            f"a cookie ends the loop{attributes}",
            host.page(path, until(f"seen{number}=1", redirect(path, 302, f"Set-Cookie: seen{number}=1{attributes}"))),
        )
    host.page("/consent", redirect("/asked", 302, "Set-Cookie: asked=yes; Path=/"))
    yield alive("a cookie set on the way", host.page("/asked", until("asked=yes", redirect("/consent"))))
    both = when(
        lambda request: "one=1" in request.cookies and "two=2" in request.cookies,
        page(),
        redirect("/both", 302, "Set-Cookie: one=1", "Set-Cookie: two=2"),
    )
    yield alive("two cookies end the loop", host.page("/both", both))
    junk = redirect(
        "/junk", 302, "Set-Cookie: ", "Set-Cookie: =;=;", b"Set-Cookie: \xff\xfe", f"Set-Cookie: big={'b' * 20_000}", "Set-Cookie: junk=1"
    )
    yield living("a cookie among junk", host.page("/junk", when(lambda request: "junk=1" in request.cookies, page(), junk)))
    host.page("/tell", when(lambda request: "private=1" in request.cookies, page(status=404), page()))
    yield alive("a cookie of another chain is not sent", host.page("/own", redirect("/told", 302, "Set-Cookie: private=1; Path=/")))
    host.page("/told", page())
    yield alive("no cookie of another chain", host.url("/tell"))


def by_the_page(setting: Setting) -> Iterator[Case]:
    """The page itself sends on; and redirects whose message is odd."""
    host = setting.world.host("sent on by the page")
    host.page("/end", page())

    def refresh(to: str) -> Answer:
        return page(f'<!doctype html><html><head><title>Moved</title><meta http-equiv="refresh" content="{to}"></head><p>Moved.</p></html>')

    for number, to in enumerate(("0; url=/end", "0;URL='/end'", "5; url=../end", "0;/end", "30", "0; url=")):
        yield living(f"meta refresh {to}", host.page(f"/meta/{number}", refresh(to)))
    yield living("Refresh header", host.page("/header", page(None, 200, "Refresh: 0; url=/end")))
    yield unclear("meta refresh to 404", host.page("/meta/404", refresh("0; url=/nothing")), *EVERY_OUTCOME)
    yield unclear("meta refresh in a circle", host.page("/meta/loop", refresh("0; url=/meta/loop")), *EVERY_OUTCOME)
    yield unclear(
        "meta refresh to a forbidden address",
        host.page("/meta/forbidden", refresh(f"0; url=http://127.0.0.9:{setting.canary.port}/meta")),
        *EVERY_OUTCOME,
    )
    yield living("a redirect cut short", host.page("/cut", raw(start(302, ["Location: /end", "Content-Length: 5000"]) + b"<p>")))
    yield living("a redirect without a length", host.page("/length", raw(start(302, ["Location: /end"]) + b"<p>Moved</p>")))
    yield alive("HEAD 405 then a redirect", host.page("/405", by_method(page("", 405), redirect("/end", 301))), verdicts=PERMANENT)
    yield alive("HEAD 404 then a redirect", host.page("/404", by_method(page("", 404), redirect("/end", 301))), verdicts=PERMANENT)
