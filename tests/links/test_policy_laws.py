"""Laws of the judge, for any exchange whatever: only proof fails, only a permanent move is a better address, any address can be judged."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_exchanges import PROOFS, URL, hop, of, page

from llmops_catalog.links.exchange import Exchange, Hop, Page, Trouble, TroubleKind
from llmops_catalog.links.policy import is_worth_another_try, judge
from llmops_catalog.links.results import VERDICTS, Outcome
from llmops_catalog.links.target import BadAddress, parse_target

PATHS = (
    "/", "/index.html", "/en/", "/login", "/404", "/papers/a", "/papers/a?b=c", "/#/route", "/papers/a#part", "/?p=1", "/sso", "/caf%C3%A9",
    "/blob/main/x.py", "/authorize", "/not-found.html", "/docs/en/", "/a%zz", "/[x]", "/;,=",
)  # fmt: skip
HOSTS = (
    "site.example", "www.site.example", "other.example:8080", "login.other.example", "192.0.2.7", "[2001:db8::1]", "xn--caf-dma.example",
)  # fmt: skip
TITLES = (
    "", "Attention", "404 Not Found", "Page not found | X", "Just a moment...", "Access denied", "Domain for sale", "Blocked",
    "ページが見つかりません",
    "\x1b[31m::error::", "\u202e", "a" * 5000,
)  # fmt: skip
STATUSES = (
    200,
    202,
    204,
    206,
    300,
    301,
    302,
    303,
    304,
    307,
    308,
    400,
    401,
    403,
    404,
    406,
    408,
    410,
    425,
    429,
    451,
    500,
    503,
    599,
    999,
    100,
)
HEADERS = (
    ("location", "/x"), ("retry-after", "10"), ("retry-after", "never"), ("cf-mitigated", "challenge"), ("x-ratelimit-remaining", "0"),
    ("ratelimit", '"a";r=0;t=5'), ("content-type", "text/html"), ("x-amzn-waf-action", ""), ("x-datadome", "protected"), ("", ""),
    ("set-cookie", "a=b"), ("x-ratelimit-reset", "99999999999999"), ("date", "yesterday"), ("\x00", "\ud800"),
)  # fmt: skip
FRAGMENTS = (
    "",
    "intro",
    "L10",
    "L10-L20",
    ":~:text=a,b",
    "/route",
    "!x",
    "top",
    "a=b",
    "%",
    "%E4%BD",
    "é",
    " ",
    "#",
    "\x00",
    "user-content-x",
)
urls = st.builds(lambda scheme, host, path: parse_target(f"{scheme}://{host}{path}").url, st.sampled_from(("http", "https")),
                 st.sampled_from(HOSTS), st.sampled_from(PATHS))  # fmt: skip
some = st.frozensets(st.sampled_from(("intro", "l10", "a", "captcha", "x")), max_size=3)
texts = st.one_of(st.text(max_size=60), st.sampled_from(TITLES))
pages = st.builds(
    Page, texts, texts, texts, st.integers(0, 10**7), some, some, st.booleans(), st.integers(0, 5), st.booleans(),
    st.one_of(st.none(), texts), some, some, st.booleans(), st.booleans(),
)  # fmt: skip
hops = st.builds(
    Hop, st.sampled_from(("HEAD", "GET")), urls, st.just("192.0.2.1"), st.sampled_from(STATUSES) | st.integers(0, 999),
    st.lists(st.sampled_from(HEADERS) | st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=4).map(tuple),
    st.one_of(st.none(), pages), st.just(1), st.booleans(),
)  # fmt: skip
troubles = st.builds(Trouble, st.sampled_from(get_args(TroubleKind)), texts)
exchanges = st.builds(
    Exchange, urls, st.lists(hops, max_size=4).map(tuple), st.one_of(st.none(), st.none(), troubles), st.one_of(st.none(), hops)
)
fragments = st.sampled_from(FRAGMENTS) | st.text(max_size=20)
EXAMPLES = settings(max_examples=150)


@EXAMPLES
@given(exchanges, fragments)
def test_any_exchange_gives_a_judgement(exchange: Exchange, fragment: str) -> None:
    told = judge(exchange, fragment)
    assert told.outcome in get_args(Outcome)
    assert told.verdict in VERDICTS
    assert told == judge(exchange, fragment)
    assert is_worth_another_try(exchange) in (True, False)
    assert len(told.reason) < 1000 or exchange.trouble
    if told.outcome != "pass":
        assert told.reason or exchange.trouble
        assert told.hint


@EXAMPLES
@given(exchanges, fragments)
def test_only_proof_fails(exchange: Exchange, fragment: str) -> None:
    told = judge(exchange, fragment)
    if told.outcome != "fail":
        return
    last = exchange.last
    if exchange.trouble is not None:
        assert (exchange.trouble.kind in PROOFS, told.verdict) == (True, "broken")
        return
    assert last is not None
    if last.status in (404, 410):
        assert told.verdict == "broken"
        return
    assert 200 <= last.status <= 300
    shown, final = last.page, parse_target(last.url)
    if told.verdict == "broken":  # the front page instead of the page
        assert final.page_url != parse_target(exchange.url).page_url
        assert "?" not in final.path
        assert final.fragment == ""
    elif told.verdict == "broken-fragment":
        assert shown is not None
        assert (shown.is_html, shown.complete, shown.is_shell) == (True, True, False)
        assert fragment.casefold() not in shown.anchors
    else:
        assert told.verdict == "soft-404"


@EXAMPLES
@given(exchanges, fragments)
def test_walls_limits_and_slowness_fail_nobody(exchange: Exchange, fragment: str) -> None:
    last = exchange.last
    if (
        exchange.trouble is None
        and last is not None
        and (last.status in (401, 402, 403, 406, 408, 425, 429, 451, 999) or last.status >= 500)
    ):
        assert judge(exchange, fragment).outcome == "unknown"
    if exchange.trouble is not None and exchange.trouble.kind not in PROOFS:
        assert judge(exchange, fragment).outcome == "unknown"


@EXAMPLES
@given(exchanges, fragments)
def test_a_better_address_is_that_of_a_permanent_move(exchange: Exchange, fragment: str) -> None:
    told = judge(exchange, fragment)
    assert (told.better_url is not None) == (told.verdict == "redirected-permanent")
    if told.better_url is not None:
        assert told.outcome == "pass"
        assert told.better_url == told.final_url
        assert parse_target(told.better_url).page_url != exchange.url
        assert exchange.last is not None
        assert exchange.last.status in range(200, 301)


@EXAMPLES
@given(exchanges, fragments, st.integers(0, 3))
def test_headers_that_mean_nothing_change_nothing(exchange: Exchange, fragment: str, number: int) -> None:
    """A server cannot talk itself out of a 404 by something it says beside it."""
    more = (("server", "nginx"), ("date", "Fri, 20 Nov 2026 00:00:00 GMT"), ("x-powered-by", "x"), ("etag", '"a"'))[number]
    same = exchange._replace(hops=tuple(hop._replace(headers=(*hop.headers, more)) for hop in exchange.hops))
    assert judge(same, fragment) == judge(exchange, fragment)


@pytest.mark.parametrize("status", [404, 410])
@given(st.lists(st.sampled_from(HEADERS) | st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=4))
def test_no_header_makes_what_is_gone_pass(status: int, headers: list[tuple[str, str]]) -> None:
    assert judge(of(Hop("GET", URL, "", status, tuple(headers), page()))).outcome != "pass"


@EXAMPLES
@given(exchanges)
def test_a_temporary_hop_before_it_never_makes_a_move_permanent(exchange: Exchange) -> None:
    started = hop(302, exchange.url)
    assert judge(exchange._replace(hops=(started, *exchange.hops))).verdict != "redirected-permanent"


@EXAMPLES
@given(st.text(max_size=200), st.sampled_from(STATUSES), st.booleans())
def test_any_address_that_can_be_asked_can_be_judged(text: str, status: int, redirected: bool) -> None:
    try:
        target = parse_target(f"https://site.example/{text}")
    except BadAddress:
        return
    first = hop(301, "https://site.example/") if redirected else hop(302, target.page_url)
    exchange = Exchange("https://site.example/" if redirected else target.page_url, (first, hop(status, target.url, page())))
    assert judge(exchange, target.fragment).outcome in get_args(Outcome)


LONG = "é" * 3000
"""Short enough to be taken, six times as long when it is asked for."""


@pytest.mark.parametrize(
    "text",
    [f"https://site.example/{LONG}", f"https://site.example/{'é' * 1300}#{'a' * 6000}", f"https://site.example/?{'<' * 3000}",
     "https://[1.2.3]/papers/a"],
    ids=["a long path", "a long fragment", "a long query", "an address in brackets that is none"],
)  # fmt: skip
def test_long_and_odd_addresses_can_be_judged(text: str) -> None:
    try:
        target = parse_target(text)
    except BadAddress:
        return  # to refuse it is as good
    assert judge(of(hop(404, target.url), url=target.page_url)).verdict == "broken"
    assert judge(of(hop(200, target.url, Page("Page not found")), url=target.page_url)).verdict == "soft-404"
