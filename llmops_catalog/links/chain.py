"""One attempt at one address: HEAD, then GET where that is not a success, redirects followed hop by hop, cookies kept within the chain."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from llmops_catalog.links.connection import Head
from llmops_catalog.links.exchange import Exchange, Hop, NoAnswer, Page, Trouble
from llmops_catalog.links.fetch import SMALL_BODY_BYTES, Fetcher, Request, is_redirect
from llmops_catalog.links.gate import Gate, is_limited
from llmops_catalog.links.inflate import ACCEPTED
from llmops_catalog.links.limits import MOST_HOPS, USER_AGENT, Budget
from llmops_catalog.links.page import Wanted
from llmops_catalog.links.policy import judge
from llmops_catalog.links.soft404 import PATH_THAT_CANNOT_EXIST, SUBSTANTIAL_TEXT, looks_lost
from llmops_catalog.links.target import BadAddress, Target, join, parse_target

LONGEST_COOKIE = 4096
"""Characters of one cookie, and of all that a chain keeps."""
MOST_FOLDERS_ASKED = 50
MOST_PAGES_PROBED = 20
"""Of one host in one run: a host with more links is asked what it answers to a path that cannot exist only where a page looks lost."""
SHORTEST_SECONDS = 0.05
"""Left of an attempt's time, that is not worth another request."""
HEAD_SHARE = 0.4
"""Of an attempt's time, for a HEAD that some servers never answer."""
_HONEST = (
    ("User-Agent", USER_AGENT), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), ("Accept-Language", "en"),
    ("Accept-Encoding", ACCEPTED),
)  # fmt: skip
_BROWSER_LIKE = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9"),
    ("Accept-Encoding", ACCEPTED), ("Upgrade-Insecure-Requests", "1"), ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "none"), ("Sec-Fetch-User", "?1"),
)  # fmt: skip
_NO_DIFFERENCE = frozenset({"bad-address", "forbidden-address", "no-such-host", "resolver", "no-network", "refused", "unreachable",
                            "certificate", "incomplete-chain", "tls", "given-up"})  # fmt: skip
"""Troubles that another method would meet again."""


class Errand(NamedTuple):
    """What is to be found out about one page: its address without fragment, and what all links into it look for there.

    `validators` are headers for a conditional request, where the page is known from an earlier run.
    """

    target: Target
    wanted: Wanted = Wanted()
    validators: tuple[tuple[str, str], ...] = ()
    fresh: bool = False
    browser_like: bool = False
    without_head: bool = False

    @property
    def looks_inside(self) -> bool:
        """True where a link leads to a part of the page."""
        return bool(self.wanted.anchors or self.wanted.texts)


async def attempt(fetcher: Fetcher, errand: Errand, budget: Budget) -> Exchange:
    """One exchange; whatever goes wrong is in its `trouble`."""
    url = errand.target.page_url
    if errand.browser_like:
        return await _as_browser(fetcher, errand, budget, ())
    if errand.without_head:
        return await _compared(fetcher, budget, await _follow(fetcher, errand, budget, "GET", errand.target, _HONEST))
    head = await _follow(fetcher, errand, budget, "HEAD", errand.target, _HONEST + errand.validators)
    last = head.last
    if head.trouble is not None and (head.trouble.kind in _NO_DIFFERENCE or budget.left < SHORTEST_SECONDS):
        return head
    if head.trouble is None and last is not None:
        if is_limited(last.status, dict(last.headers)):
            return head
        if last.status == 304 and errand.validators:
            return head
        is_well = (200 <= last.status < 300 and last.status != 202) or last.status == 300
        if is_well and judge(head).outcome == "pass":  # anything else has to be seen by GET
            return await _page_of(fetcher, errand, budget, head)
    got = await _follow(fetcher, errand, budget, "GET", errand.target, _HONEST)
    if _is_refused(got):
        return await _as_browser(fetcher, errand, budget, got.hops)
    return await _compared(fetcher, budget, Exchange(url, got.hops, got.trouble))


def _is_refused(exchange: Exchange) -> bool:
    """True where the host will not serve this program, or not what it says it accepts."""
    last = exchange.last
    return exchange.trouble is None and last is not None and last.status in (403, 406) and not is_limited(last.status, dict(last.headers))


async def _as_browser(fetcher: Fetcher, errand: Errand, budget: Budget, before: tuple[Hop, ...]) -> Exchange:
    """The same once more, asked as a browser asks; counts only where it brings the page."""
    again = await _follow(fetcher, errand, budget, "GET", errand.target, _BROWSER_LIKE)
    hops = tuple(hop._replace(browser_like=True) for hop in again.hops)
    if before and not (again.trouble is None and hops and 200 <= hops[-1].status < 300):
        return Exchange(errand.target.page_url, before)
    return Exchange(errand.target.page_url, hops, again.trouble)


async def _page_of(fetcher: Fetcher, errand: Errand, budget: Budget, head: Exchange) -> Exchange:
    """The page a successful HEAD led to, where its words are needed: to find an anchor, or to see that it says "not found"."""
    last = head.hops[-1]
    target = parse_target(last.url)
    gate = fetcher.gate(target)
    if not errand.looks_inside:
        if not _is_quickly_read(last) or (gate.reads_no_more and not gate.hides_loss):
            return head
        if gate.is_closed:  # it has answered, and asks to be left alone
            return head
    gate.pages_read += 1
    got = await _follow(fetcher, errand, budget, "GET", target, _HONEST)
    if got.trouble is not None and not got.hops and not errand.looks_inside:
        return head  # it answered a moment ago
    if got.last is not None and got.last.status in (403, 405, 406, 429, 503) and not errand.looks_inside:
        return head
    return await _compared(fetcher, budget, Exchange(head.url, head.hops + got.hops, got.trouble))


def _is_quickly_read(hop: Hop) -> bool:
    """True for what may be a page, and for anything small: a GET costs little there, and shows whether HEAD said the truth."""
    kind, length = hop.header("content-type").strip().lower(), hop.header("content-length")
    return kind.startswith(("text/", "application/xhtml")) or not kind or (length.isdigit() and int(length[:9]) <= SMALL_BODY_BYTES)


async def _compared(fetcher: Fetcher, budget: Budget, exchange: Exchange) -> Exchange:
    """With what the host answers to a path that cannot exist, where that decides."""
    last = exchange.last
    if exchange.trouble is not None or last is None or not 200 <= last.status < 300:
        return exchange
    first, target = parse_target(exchange.url), parse_target(last.url)
    about = first if target.plain_path == "/" != first.plain_path and target.site != first.site else target
    gate = fetcher.gate(about)
    if gate.is_closed or (about is target and not _is_doubtful(target, last.page, gate)):
        return exchange
    return exchange._replace(elsewhere=await _elsewhere(fetcher, about, budget))


def _is_doubtful(target: Target, page: Page | None, gate: Gate) -> bool:
    """True for a page that speaks of not being there; and for any page of some substance where the host has few, which costs little."""
    if page is None or not page.is_html:
        return False
    is_one_of_few = (
        gate.pages <= MOST_PAGES_PROBED and target.plain_path != "/" and page.text_length >= SUBSTANTIAL_TEXT and not page.is_shell
    )
    return is_one_of_few or looks_lost(target.url, page)


async def _elsewhere(fetcher: Fetcher, about: Target, budget: Budget) -> Hop | None:
    """What the host answers, beside this page, to a path that cannot exist; asked once for each folder."""
    gate = fetcher.gate(about)
    folder = about.plain_path.rpartition("/")[0]
    if folder not in gate.elsewhere and len(gate.elsewhere) < MOST_FOLDERS_ASKED:
        async with gate.asks.setdefault(folder, asyncio.Lock()):
            if folder not in gate.elsewhere:
                beside = about._replace(path=f"{folder}/{PATH_THAT_CANNOT_EXIST}", fragment="")
                found = await _follow(fetcher, Errand(beside), budget, "GET", beside, _HONEST)
                gate.elsewhere[folder] = found.last if found.trouble is None else None
                if found.trouble is None and found.last is not None:
                    other = found.last.page
                    gate.hides_loss = 200 <= found.last.status < 300 and other is not None and looks_lost(about.page_url, other)
    return gate.elsewhere.get(folder)


async def _follow(
    fetcher: Fetcher, errand: Errand, budget: Budget, method: str, start: Target, headers: tuple[tuple[str, str], ...]
) -> Exchange:
    """All hops from `start` to an answer that is no redirect."""
    hops: list[Hop] = []
    cookies: dict[str, dict[str, str]] = {}
    seen: set[int] = set()
    target = start
    wanted = errand.wanted if method == "GET" else None

    def ended(trouble: Trouble | None) -> Exchange:
        return Exchange(errand.target.page_url, tuple(hops), trouble)

    for _ in range(MOST_HOPS + 1):
        cookie = _cookie_header(cookies, target)
        if hash((target.page_url, cookie)) in seen:
            return ended(Trouble("redirect-circle", "the redirects lead in a circle"))
        seen.add(hash((target.page_url, cookie)))
        request = Request(
            method, target, headers + ((("Cookie", cookie),) if cookie else ()), wanted=wanted, fresh=errand.fresh and not hops
        )
        try:
            hop = await fetcher.hop(request, budget, budget.left * HEAD_SHARE if method == "HEAD" else None)
        except NoAnswer as error:
            return ended(error.trouble)
        hops.append(hop)
        _keep_cookies(cookies, target, hop)
        location = _next(hop)
        if location is None:
            return ended(None)
        try:
            following = join(target, location)
        except BadAddress as error:
            return ended(Trouble("bad-address", f"it redirects to {location[:200]!r}: {error.reason}"))
        if hop.page is not None and hop.page.refresh and following.page_url == target.page_url:
            return ended(None)  # a page that reloads itself
        target = following
        if not fetcher.settings.keeps_everything:
            hops[-1] = hops[-1].passed()
    return ended(Trouble("too-many-redirects", f"it redirects more than {MOST_HOPS} times"))


def _next(hop: Hop) -> str | None:
    """Where the answer sends a browser: its `Location`, or the refresh a page asks for at once."""
    if is_redirect(Head(hop.status, hop.headers)):
        return hop.header("location")
    return hop.page.refresh if hop.page is not None and hop.status == 200 else None


def _cookie_header(cookies: dict[str, dict[str, str]], target: Target) -> str:
    pairs = [f"{name}={value}" for host, jar in cookies.items() if target.host == host or target.host.endswith(f".{host}")
             for name, value in jar.items()]  # fmt: skip
    return "; ".join(pairs)[:LONGEST_COOKIE]


def _keep_cookies(cookies: dict[str, dict[str, str]], target: Target, hop: Hop) -> None:
    """Remembers what the server set, for its own host (or the domain it belongs to) and this chain alone."""
    for name, value in hop.headers:
        if name != "set-cookie" or len(value) > LONGEST_COOKIE:
            continue
        if sum(len(key) + len(content) for jar in cookies.values() for key, content in jar.items()) > LONGEST_COOKIE:
            return
        pair, *attributes = value.split(";")
        key, _, content = pair.partition("=")
        if not key.strip() or not (key + content).isascii() or not (key + content).isprintable():
            continue
        named = {part.partition("=")[0].strip().lower(): part.partition("=")[2].strip().lower() for part in attributes}
        domain = named.get("domain", "").lstrip(".")
        is_parent = "." in domain and target.host.endswith(f".{domain}")
        jar = cookies.setdefault(domain if is_parent else target.host, {})
        if named.get("max-age", "1").startswith(("0", "-")):
            jar.pop(key.strip(), None)
        else:
            jar[key.strip()] = content.strip()
