"""The judge: what each status and each trouble means, word for word; and laws that hold for any exchange whatever."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links.exchange import Exchange, Hop, Page, Trouble, TroubleKind
from llmops_catalog.links.policy import is_worth_another_try, judge
from llmops_catalog.links.results import VERDICTS, Judgement, Outcome
from llmops_catalog.links.soft404 import PATH_THAT_CANNOT_EXIST
from llmops_catalog.links.target import BadAddress, parse_target

URL = "https://site.example/papers/attention.html"
FIND_IT = "find where it went, or link to an archived copy"
BROWSER = "open it in a browser"
PROOFS = {"no-such-host", "refused", "reset", "certificate"}
WORDS = "A model is quantized once and served many times, so what it costs to store it matters less than what it costs to read it. "


def hop(status: int = 200, url: str = URL, page: Page | None = None, **headers: str) -> Hop:
    return Hop("GET", url, "192.0.2.1", status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), page)


def page(title: str = "Attention is all you need", text: str = WORDS * 10, **more: object) -> Page:
    return Page(title=title, text=text, text_length=len(text), has_ids=True)._replace(**more)


def of(*hops: Hop, url: str = URL, trouble: Trouble | None = None, elsewhere: Hop | None = None) -> Exchange:
    return Exchange(url, hops, trouble, elsewhere)


def moved(*statuses: int, to: str = "https://site.example/new", ends: int = 200, title: str = "Attention", **more: object) -> Exchange:
    """From `URL` by as many redirects to `to`, where a page is called `title`."""
    hops = [hop(status, URL if number == 0 else f"https://site.example/step/{number}") for number, status in enumerate(statuses)]
    return of(*hops, hop(ends, to, page(title, **more)))


# --- statuses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (200, {}, ("pass", "ok", "", "")),
        (206, {}, ("pass", "ok", "", "")),
        (300, {}, ("pass", "ok", "", "")),
        (304, {}, ("pass", "ok", "unchanged since it was last read", "")),
        (301, {}, ("unknown", "server-error", "it redirects without saying where (301)", BROWSER)),
        (305, {}, ("unknown", "server-error", "it redirects without saying where (305)", BROWSER)),
        (400, {}, ("unknown", "blocked", "it refuses programs, or this request (400)", BROWSER)),
        (401, {}, ("unknown", "login-wall", "it asks for a password (401)", BROWSER)),
        (402, {}, ("unknown", "blocked", "it refuses programs, or this request (402)", BROWSER)),
        (403, {}, ("unknown", "blocked", "it refuses programs, or this request (403)", BROWSER)),
        (403, {"retry_after": "9"}, ("unknown", "rate-limited", "the host asks to come back later (403)", "run it again later")),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "9"},
         ("unknown", "rate-limited", "the host asks to come back later (403)", "run it again later")),
        (404, {}, ("fail", "broken", "not found (404)", FIND_IT)),
        (406, {}, ("unknown", "blocked", "it refuses programs, or this request (406)", BROWSER)),
        (408, {}, ("unknown", "server-error", "the server was not ready (408)", "try again later")),
        (410, {}, ("fail", "broken", "gone for good (410)", FIND_IT)),
        (425, {}, ("unknown", "server-error", "the server was not ready (425)", "try again later")),
        (429, {}, ("unknown", "rate-limited", "the host asks to come back later (429)", "run it again later")),
        (451, {}, ("unknown", "blocked", "it refuses programs, or this request (451)", BROWSER)),
        (500, {}, ("unknown", "server-error", "the server says it has a problem (500)", "try again later")),
        (503, {}, ("unknown", "server-error", "the server says it has a problem (503)", "try again later")),
        (503, {"retry_after": "9"}, ("unknown", "rate-limited", "the host asks to come back later (503)", "run it again later")),
        (599, {}, ("unknown", "server-error", "the server says it has a problem (599)", "try again later")),
        (999, {}, ("unknown", "blocked", "it refuses programs, or this request (999)", BROWSER)),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, headers: dict[str, str], told: tuple[str, ...]) -> None:
    assert judge(of(hop(status, **headers))) == Judgement(*told, http_status=status, final_url=URL)


def test_two_statuses_are_proof_and_no_other_is() -> None:
    """Whatever stands beside it, with a page or without."""
    for status in range(100, 1000):
        expected = "fail" if status in (404, 410) else "pass" if 200 <= status <= 300 or status == 304 else "unknown"
        for answer in (hop(status), hop(status, page=page()), hop(status, page=page(scripts=3))):
            assert judge(of(answer)).outcome == expected, status


@pytest.mark.parametrize("status", [404, 410])
def test_a_redirect_to_what_is_gone_says_where(status: int) -> None:
    told = judge(moved(301, to="https://new.example/x", ends=status))
    gone = "not found (404)" if status == 404 else "gone for good (410)"
    assert told[:3] == ("fail", "broken", f"{gone} where it redirects to (https://new.example/x)")
    assert (told.final_url, told.better_url) == ("https://new.example/x", None)


@pytest.mark.parametrize("status", [401, 403, 408, 429, 451, 500, 503, 999])
def test_a_redirect_to_a_wall_says_where_and_fails_nobody(status: int) -> None:
    told = judge(moved(301, to="https://new.example/x", ends=status))
    assert told.outcome == "unknown"
    assert told.reason.endswith(f"({status}) where it redirects to (https://new.example/x)")


def test_nothing_asked_is_nothing_known() -> None:
    assert judge(of()) == Judgement("unknown", "skipped", "it was not asked", "run it again")


# --- troubles ---------------------------------------------------------------------------------------------------------

TROUBLES: dict[TroubleKind, tuple[Outcome, str, str]] = {
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
    "tls": ("unknown", "blocked", BROWSER),
    "timeout": ("unknown", "timeout", "try again later, or with a longer --timeout"),
    "protocol": ("unknown", "server-error", BROWSER),
    "too-large": ("unknown", "server-error", BROWSER),
    "redirect-circle": ("unknown", "server-error", BROWSER),
    "too-many-redirects": ("unknown", "server-error", BROWSER),
    "given-up": ("unknown", "rate-limited", "run it again later; with --state only what is due is asked"),
}


def test_every_trouble_is_in_the_table() -> None:
    assert set(TROUBLES) == set(get_args(TroubleKind))
    assert {kind for kind, told in TROUBLES.items() if told[0] == "fail"} == PROOFS


@pytest.mark.parametrize("kind", TROUBLES)
def test_what_a_trouble_means(kind: TroubleKind) -> None:
    outcome, verdict, hint = TROUBLES[kind]
    assert judge(of(trouble=Trouble(kind, "so it was"))) == Judgement(outcome, verdict, "so it was", hint)


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_trouble_behind_redirects_tells_how_many(kind: TroubleKind) -> None:
    outcome, verdict, hint = TROUBLES[kind]
    told = judge(of(hop(301), hop(302, "https://site.example/b"), trouble=Trouble(kind, "so it was")))
    assert (told.outcome, told.verdict) == (outcome, verdict)
    assert (told.final_url, told.http_status) == ("https://site.example/b", 302)
    says_itself = kind in ("bad-address", "redirect-circle", "too-many-redirects")
    assert told.reason == ("so it was" if says_itself else "after 2 redirects: so it was")
    assert told.hint == ("open it in a browser; what it redirects to is not followed" if kind == "bad-address" else hint)
    assert judge(of(hop(301), trouble=Trouble("refused", "it was"))).reason == "after 1 redirect: it was"


RETRIED = {"no-such-host", "resolver", "refused", "reset", "unreachable", "timeout", "tls", "protocol"}


@pytest.mark.parametrize("kind", TROUBLES)
def test_which_troubles_are_tried_again(kind: TroubleKind) -> None:
    assert is_worth_another_try(of(trouble=Trouble(kind, ""))) == (kind in RETRIED)
    assert is_worth_another_try(of(hop(301), trouble=Trouble(kind, ""))) == (kind in RETRIED)


def test_what_is_proof_was_tried_more_than_once_unless_no_try_could_change_it() -> None:
    assert {"certificate"} == PROOFS - RETRIED


def test_which_statuses_are_tried_again() -> None:
    again = [status for status in range(100, 1000) if is_worth_another_try(of(hop(status)))]
    assert again == [408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530]


def test_a_403_that_says_when_is_tried_again_and_nothing_asked_is_not() -> None:
    assert is_worth_another_try(of(hop(403, retry_after="1")))
    assert not is_worth_another_try(of())


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((301,), "redirected-permanent"),
        ((308,), "redirected-permanent"),
        ((301, 308, 301), "redirected-permanent"),
        ((302,), "redirected-temporary"),
        ((303,), "redirected-temporary"),
        ((307,), "redirected-temporary"),
        ((301, 302), "redirected-temporary"),
        ((302, 301), "redirected-temporary"),
        ((308, 301, 307, 301), "redirected-temporary"),
    ],
)
def test_a_chain_is_permanent_only_if_every_redirect_is(statuses: tuple[int, ...], verdict: str) -> None:
    told = judge(moved(*statuses))
    permanent = verdict == "redirected-permanent"
    assert (told.outcome, told.verdict, told.final_url) == ("pass", verdict, "https://site.example/new")
    assert told.better_url == ("https://site.example/new" if permanent else None)
    expected = "it has moved to https://site.example/new" if permanent else "it redirects to https://site.example/new for now"
    assert told.reason == expected
    assert told.hint == ("run with --fix to write the new address" if permanent else "")


def test_a_page_that_sends_on_by_itself_is_never_permanent() -> None:
    there = hop(200, "https://site.example/b", page(refresh="/new"))
    told = judge(of(hop(301), there, hop(200, "https://site.example/new", page())))
    assert (told.verdict, told.better_url) == ("redirected-temporary", None)


def test_a_chain_that_comes_back_to_where_it_began_is_no_redirect() -> None:
    """A cookie wall: the same address answers in the end."""
    told = judge(of(hop(302), hop(302, "https://site.example/consent"), hop(200, URL, page())))
    assert told == Judgement("pass", "ok", "", "", 200, URL)


@pytest.mark.parametrize("path", ["/", "/index.html", "/index.php", "/default.aspx", "/home", "/en/", "/de", "/pt-br/", "/en/index.html"])
def test_a_page_that_sends_to_the_front_page_is_gone(path: str) -> None:
    to = f"https://site.example{path}"
    told = judge(moved(301, to=to))
    assert told == Judgement("fail", "broken", f"it redirects to the front page ({to})", FIND_IT, 200, to)
    assert judge(moved(302, to=f"https://www.site.example{path}")).verdict == "broken"


@pytest.mark.parametrize(
    ("first", "to"),
    [
        ("https://site.example/", "https://site.example/en/"),
        ("https://site.example", "https://site.example/index.html"),
        ("https://site.example/index.html", "https://site.example/"),
        ("https://site.example/de/", "https://site.example/en-us/"),
        ("https://site.example/?ref=list", "https://site.example/"),
        ("https://site.example/2021/05/a-post", "https://site.example/?p=123"),
        ("https://site.example/guide/a", "https://site.example/#/guide/a"),
        ("https://site.example/pricing", "https://site.example/#pricing"),
        ("https://site.example/docs", "https://site.example/docs/"),
        ("https://site.example/docs", "https://docs.site.example/"),
        ("https://org.github.io/project/", "https://project.example/"),
        ("https://site.example/docs/", "https://site.example/docs/en/"),
        ("https://site.example/latest/", "https://site.example/v2/"),
        ("https://site.example/paper", "https://site.example/homework/"),
        ("https://site.example/paper", "https://site.example/index-of-papers"),
    ],
)
def test_redirects_that_lead_to_no_front_page(first: str, to: str) -> None:
    last = hop(200, to, page())
    assert judge(of(hop(301, first), last, url=parse_target(first).page_url)).verdict == "redirected-permanent"


def test_another_sites_front_page_is_a_loss_only_where_everything_leads_there() -> None:
    first, to = "https://old.example/papers/a", "https://new.example/"
    hops = (hop(301, first), hop(200, to, page()))
    assert judge(of(*hops, url=first)).verdict == "redirected-permanent"
    assert judge(of(*hops, url=first, elsewhere=hop(404, f"https://old.example/papers/{PATH_THAT_CANNOT_EXIST}"))).outcome == "pass"
    assert judge(of(*hops, url=first, elsewhere=hop(200, to, page()))).verdict == "broken"


def test_the_part_of_the_page_goes_with_the_address() -> None:
    shown = page(anchors=frozenset({"intro"}))
    told = judge(of(hop(301), hop(200, "https://site.example/new", shown)), "intro")
    assert (told.final_url, told.better_url) == ("https://site.example/new#intro", "https://site.example/new#intro")
    own = judge(of(hop(301), hop(200, "https://site.example/new#part", shown)), "intro")
    assert (own.final_url, own.better_url) == ("https://site.example/new#part", "https://site.example/new#part")


def test_a_redirect_that_brings_its_own_fragment_is_not_asked_for_the_old_one() -> None:
    assert judge(of(hop(301), hop(200, "https://site.example/new#part", page())), "gone-since").outcome == "pass"


def test_a_missing_anchor_is_told_with_the_next_step() -> None:
    told = judge(of(hop(200, page=page())), "intro")
    assert told == Judgement(
        "fail",
        "broken-fragment",
        "the page has no anchor #intro",
        "open the page, and link to the part by the name it has now",
        200,
        f"{URL}#intro",
    )
    unsure = judge(of(hop(200, page=page(is_shell=True))), "intro")
    assert unsure[:4] == (
        "unknown", "broken-fragment", "the page is there; #intro cannot be seen without running its scripts, or has changed", BROWSER,
    )  # fmt: skip


def test_a_long_fragment_is_told_in_part() -> None:
    assert judge(of(hop(200, page=page())), "a" * 5000).reason == f"the page has no anchor #{'a' * 100}"


def test_a_sign_in_page_is_a_wall_and_an_error_page_is_a_loss() -> None:
    told = judge(moved(302, to="https://site.example/login?next=/papers"))
    assert told[:4] == ("unknown", "login-wall", "it leads to a sign-in page (https://site.example/login?next=/papers)", BROWSER)
    told = judge(moved(302, to="https://site.example/404.html", title="Page not found"))
    assert told[:4] == ("fail", "soft-404", "it redirects to a page that says it is not there (https://site.example/404.html)", FIND_IT)


def test_a_page_of_its_own_words_is_a_loss() -> None:
    told = judge(of(hop(200, page=page("Page not found | Example", "Nothing here."))))
    assert told[:4] == ("fail", "soft-404", "the page says it is not there, with status 200: 'Page not found | Example'", FIND_IT)


def test_a_page_that_is_shown_for_everything_proves_nothing() -> None:
    shown = page("Search our papers")
    beside = hop(200, f"https://site.example/papers/{PATH_THAT_CANNOT_EXIST}", shown)
    told = judge(of(hop(200, page=shown), elsewhere=beside))
    assert told[:4] == ("unknown", "soft-404", "the host shows the same page for a path that cannot exist", BROWSER)


# --- laws -------------------------------------------------------------------------------------------------------------

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
