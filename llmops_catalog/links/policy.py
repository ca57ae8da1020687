"""From an exchange to a judgement: a pure function, and the one place where it is decided what is proof.

Only proof fails: gone (404, 410), no such host, refused or reset after retries, a bad certificate, a redirect to the site's own
front page, the host's "not found" page with another status, an anchor that a static page does not have. Anything else is unknown.
"""

from __future__ import annotations

import re

from llmops_catalog.links import soft404
from llmops_catalog.links.anchors import look
from llmops_catalog.links.exchange import Exchange, Hop, Trouble, TroubleKind
from llmops_catalog.links.gate import is_limited
from llmops_catalog.links.results import Judgement, Outcome, VerdictName
from llmops_catalog.links.target import Target, parse_target
from llmops_catalog.links.walls import is_sign_in, wall

FIND_IT = "find where it went, or link to an archived copy"
PERMANENT = frozenset({301, 308})
_LANGUAGES = "ar|cs|da|de|en|es|fi|fr|hu|id|it|ja|ko|nl|no|pl|pt|ro|ru|sv|th|tr|uk|vi|zh"
_FRONT_PAGE = re.compile(
    rf"/?(?:(?:{_LANGUAGES})(?:[-_][a-z]{{2,4}})?/?)?(?:(?:index|default|home|main)(?:\.\w{{2,5}})?/?)?",
    re.IGNORECASE,
)

_VERSION = re.compile(r"/(?:latest|stable|main|master|current|trunk|v\d+(?:\.(?:\d+|x))*|\d+(?:\.(?:\d+|x))+)/?", re.IGNORECASE)
"""Front pages of the versions of a manual."""

_SAYS_NOTHING = re.compile(
    r"(?:(?:utm\w*|from|ref|source|src|error|status|404|not_?found|redirected?|lang|hl|r|fbclid|gclid)(?:=[^&]*)?(?:&|$))*", re.I
)
"""Queries that say where a visitor comes from, and name no page."""

_TROUBLES: dict[TroubleKind, tuple[Outcome, VerdictName, str]] = {
    "bad-address": ("unknown", "refused", "write the whole address: https://host/path"),
    "forbidden-address": ("unknown", "refused", "link to a page everybody can open; --allow-address CIDR allows a range"),
    "no-such-host": ("fail", "broken", "check the spelling; if the site is gone, find where its pages went"),
    "resolver": ("unknown", "timeout", "try again later"),
    "no-network": ("unknown", "timeout", "check the network of this machine"),
    "refused": ("fail", "broken", "nothing answers there; find where its pages went"),
    "reset": ("fail", "broken", "open it in a browser; if it is gone, find where its pages went"),
    "unreachable": ("unknown", "timeout", "try again later, or from another network"),
    "certificate": ("fail", "broken", "browsers warn every reader; tell its owner, or link elsewhere"),
    "incomplete-chain": ("unknown", "blocked", "readers' browsers open it; its owner should send the whole chain"),
    "tls": ("unknown", "blocked", "open it in a browser"),
    "timeout": ("unknown", "timeout", "try again later, or with a longer --timeout"),
    "protocol": ("unknown", "server-error", "open it in a browser"),
    "too-large": ("unknown", "server-error", "open it in a browser"),
    "redirect-circle": ("unknown", "server-error", "open it in a browser"),
    "too-many-redirects": ("unknown", "server-error", "open it in a browser"),
    "given-up": ("unknown", "rate-limited", "run it again later; with --state only what is due is asked"),
}
"""What each trouble proves, under which name, and what to do."""
RETRIED_TROUBLES = frozenset({"no-such-host", "resolver", "refused", "reset", "unreachable", "timeout", "tls", "protocol"})
RETRIED_STATUSES = frozenset({408, 421, 425, 429, 500, 502, 503, 504, *range(520, 528), 530})


def judge(exchange: Exchange, fragment: str = "") -> Judgement:
    """What `exchange` proves about its address, and about the part of the page that `fragment` leads to."""
    told = _judged(exchange, fragment)
    if not fragment or told.final_url is None or "#" in told.final_url:
        return told
    whole = f"{told.final_url}#{fragment}"
    return told._replace(final_url=whole, better_url=whole if told.better_url else None)


def _judged(exchange: Exchange, fragment: str) -> Judgement:
    if exchange.trouble is not None:
        return _of_trouble(exchange.trouble, exchange)
    last = exchange.last
    if last is None:
        return Judgement("unknown", "skipped", "it was not asked", "run it again")
    kind = wall(last)
    if kind is not None:
        return _told(exchange, "unknown", "blocked", f"{kind} stands before the page", "open it in a browser")
    if last.status == 304:
        return _told(exchange, "pass", "ok", "unchanged since it was last read")
    if not 200 <= last.status < 300 and last.status != 300:
        return _of_status(exchange, last)
    return _of_page(exchange, last, fragment)


def is_worth_another_try(exchange: Exchange) -> bool:
    """True where the same question may get another answer in a moment."""
    if exchange.trouble is not None:
        return exchange.trouble.kind in RETRIED_TROUBLES
    return exchange.last is not None and (
        exchange.last.status in RETRIED_STATUSES or is_limited(exchange.last.status, dict(exchange.last.headers))
    )


def _of_trouble(trouble: Trouble, exchange: Exchange) -> Judgement:
    outcome, verdict, hint = _TROUBLES[trouble.kind]
    if exchange.hops and trouble.kind == "bad-address":
        hint = "open it in a browser; what it redirects to is not followed"
    if exchange.hops and trouble.kind not in ("bad-address", "redirect-circle", "too-many-redirects"):
        return _told(exchange, outcome, verdict, f"after {_times(len(exchange.hops), 'redirect')}: {trouble.sentence}", hint)
    return _told(exchange, outcome, verdict, trouble.sentence, hint)


def _of_status(exchange: Exchange, last: Hop) -> Judgement:
    status = last.status
    behind = f" where it redirects to ({last.url[:200]})" if parse_target(last.url).page_url != exchange.url else ""
    if status in (404, 410):
        gone = "gone for good (410)" if status == 410 else "not found (404)"
        return _told(exchange, "fail", "broken", f"{gone}{behind}", FIND_IT)
    if is_limited(status, dict(last.headers)):
        return _told(exchange, "unknown", "rate-limited", f"the host asks to come back later ({status}){behind}", "run it again later")
    if status == 401:
        return _told(exchange, "unknown", "login-wall", f"it asks for a password (401){behind}", "open it in a browser")
    if status >= 500 and status != 999:
        return _told(exchange, "unknown", "server-error", f"the server says it has a problem ({status}){behind}", "try again later")
    if status in (408, 425):
        return _told(exchange, "unknown", "server-error", f"the server was not ready ({status}){behind}", "try again later")
    if 300 <= status < 400:
        return _told(exchange, "unknown", "server-error", f"it redirects without saying where ({status})", "open it in a browser")
    return _told(exchange, "unknown", "blocked", f"it refuses programs, or this request ({status}){behind}", "open it in a browser")


def _of_page(exchange: Exchange, last: Hop, fragment: str) -> Judgement:
    first, final = parse_target(exchange.url), parse_target(last.url)
    if lost := _lost_page(exchange, first, final):
        return lost
    finding = look("" if final.fragment and final.fragment != fragment else fragment, last)  # a redirect may bring its own
    shown = fragment[:100]
    if finding == "missing":
        return _told(
            exchange,
            "fail",
            "broken-fragment",
            f"the page has no anchor #{shown}",
            "open the page, and link to the part by the name it has now",
        )
    if finding == "cannot-tell":
        reason = f"the page is there; #{shown} cannot be seen without running its scripts, or has changed"
        return _told(exchange, "unknown", "broken-fragment", reason, "open it in a browser")
    return _told(exchange, "pass", *_moved(exchange, first, final))


def _lost_page(exchange: Exchange, first: Target, final: Target) -> Judgement | None:
    """The judgement where the answer is a page, but not the page that was asked for."""
    last = exchange.hops[-1]
    if final.page_url != first.page_url:
        if is_sign_in(final) and not is_sign_in(first):
            return _told(exchange, "unknown", "login-wall", f"it leads to a sign-in page ({final.page_url[:200]})", "open it in a browser")
        if soft404.is_error_path(final.plain_path) and not soft404.is_error_path(first.plain_path) and _says_so(last):
            return _told(exchange, "fail", "soft-404", f"it redirects to a page that says it is not there ({final.page_url[:200]})",
                         FIND_IT)  # fmt: skip
        if _lands_on_front_page(exchange, first, final):
            return _told(exchange, "fail", "broken", f"it redirects to the front page ({final.page_url[:200]})",
                         FIND_IT)  # fmt: skip
    page = last.page
    if page is None or not page.is_html:
        return None
    if soft404.is_not_found(last.url, page, exchange.elsewhere):
        reason = f"the page says it is not there, with status {last.status}: {(page.title or page.heading)[:80]!r}"
        return _told(exchange, "fail", "soft-404", reason, FIND_IT)
    if soft404.may_be_not_found(last.url, page):
        reason = f"the page may say that it is not there: {(page.title or page.heading)[:80]!r}"
        return _told(exchange, "unknown", "soft-404", reason, "open it in a browser")
    if final.plain_path != "/" and not page.is_shell and soft404.says_nothing(last.url, page, exchange.elsewhere):
        return _told(exchange, "unknown", "soft-404", "the host shows the same page for a path that cannot exist", "open it in a browser")
    return None


def _says_so(hop: Hop) -> bool:
    """The path alone is no proof: documentation has pages about errors."""
    page = hop.page
    return page is not None and (soft404.says_not_found(page.title) or soft404.says_not_found(page.heading))


def _lands_on_front_page(exchange: Exchange, first: Target, final: Target) -> bool:
    """True where a page was asked for and the front page came; on another site that is a move, unless the old one sends all there."""
    query = final.path.partition("?")[2]
    if not _FRONT_PAGE.fullmatch(final.plain_path) or final.fragment or not _SAYS_NOTHING.fullmatch(query):
        return False
    if _FRONT_PAGE.fullmatch(first.plain_path) or _VERSION.fullmatch(first.plain_path):
        return False
    if first.site == final.site:
        return True
    elsewhere = exchange.elsewhere
    return final.plain_path == "/" and elsewhere is not None and parse_target(elsewhere.url).page_url == final.page_url


def _moved(exchange: Exchange, first: Target, final: Target) -> tuple[VerdictName, str, str]:
    """Verdict, reason and hint of a page that answered."""
    redirects = [hop.status for hop in exchange.hops[:-1] if 300 <= hop.status < 400]
    if final.page_url == first.page_url:
        return "ok", "", ""
    if redirects and all(status in PERMANENT for status in redirects) and not any(hop.page and hop.page.refresh for hop in exchange.hops):
        return "redirected-permanent", f"it has moved to {final.page_url[:300]}", "run with --fix to write the new address"
    return "redirected-temporary", f"it redirects to {final.page_url[:300]} for now", ""


def _told(exchange: Exchange, outcome: Outcome, verdict: VerdictName, reason: str = "", hint: str = "") -> Judgement:
    last = exchange.last
    status, final_url = (last.status, last.url) if last is not None else (None, None)
    better = final_url if verdict == "redirected-permanent" else None
    return Judgement(outcome, verdict, reason, hint, status, final_url, better)


def _times(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
