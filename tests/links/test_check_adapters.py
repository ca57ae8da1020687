"""Links that a site's API answers for: settled once, by the first that claims them, and looked at as pages where it says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from live_world import QUICK, asked, checked, live
from misbehaving import Host
from page_answers import FILE, document, page, slow

from llmops_catalog.links.check import Checker
from llmops_catalog.links.hosts import Ask, Settle, Unreachable
from llmops_catalog.links.results import Judgement, Link

ALIVE = Judgement("pass", "ok", "said the API")


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
            looked = sorted(request.target for request in asked(adapter.host) if request.target != "/api")
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


def test_a_link_that_somebody_else_has_settled_stops_nobody() -> None:
    """An adapter that answers for a link of a page being looked at: that page's other links, and its host's other pages, were skipped."""

    class Busybody:
        def __init__(self, own: Host, other: Host) -> None:
            self.own, self.other = own, other

        def claims(self, url: str) -> bool:
            return url.startswith(self.own.url())

        async def judge(self, _urls: Sequence[str], _ask: Ask, settle: Settle) -> None:
            while not self.other.seen:
                await asyncio.sleep(0.01)
            settle(self.other.url("/page#a"), Judgement("pass", "ok", "said the API"))

    with live() as world:
        own, other = world.host("own"), world.host("other")
        other.page("/page", slow(0.2, page(document('<h2 id="a"></h2><h2 id="b"></h2>'))))
        urls = [own.page("/x", FILE), other.url("/page#a"), other.url("/page#b"), *(other.page(f"/{number}", FILE) for number in range(4))]
        world.start()
        results = checked(urls, QUICK._replace(per_host=1), [Busybody(own, other)])
        assert {result.judgement.verdict for result in results.values()} == {"ok"}
