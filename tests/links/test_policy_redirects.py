"""The judge: where redirects lead, what a page says of itself, and which part of it is missing."""

from __future__ import annotations

import pytest
from judged_exchanges import BROWSER, FIND_IT, URL, WORDS, hop, moved, of, page

from llmops_catalog.links.policy import judge
from llmops_catalog.links.results import Judgement
from llmops_catalog.links.soft404 import PATH_THAT_CANNOT_EXIST
from llmops_catalog.links.target import parse_target


def after(first: str, last: str, title: str, heading: str = "") -> Judgement:
    """From `first` for good to `last`, where there is a long page."""
    return judge(of(hop(301, first), hop(200, last, page(title, WORDS * 50, heading=heading)), url=parse_target(first).page_url))


# --- where they lead --------------------------------------------------------------------------------------------------


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


def test_a_choice_among_several_is_no_permanent_move() -> None:
    """A 300 with a Location is followed like the others, and says nothing of for good; `--fix` would have written where it led."""
    hops = (hop(301), hop(300, "https://site.example/b", location="/c"), hop(200, "https://site.example/c", page("C")))
    assert judge(of(*hops)).verdict == "redirected-temporary"


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


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("https://docs.site.example/stable/", "https://docs.site.example/main/"),
        ("https://docs.site.example/latest/", "https://docs.site.example/main/"),
        ("https://comics.example/attention-is-all-you-need", "https://comics.example/3012/"),
        ("https://blog.example/a-post-with-a-long-name", "https://blog.example/20481"),
        ("https://blog.example/review-of-the-year", "https://blog.example/2025/"),
        ("https://notes.example/?p=20481", "https://notes.example/20481/"),
    ],
)
def test_a_folder_is_not_the_front_page(first: str, last: str) -> None:
    """The documentation of the main branch; the number of a post."""
    assert after(first, last, "Attention is all you need").outcome == "pass"


def test_another_sites_front_page_is_a_loss_only_where_everything_leads_there() -> None:
    first, to = "https://old.example/papers/a", "https://new.example/"
    hops = (hop(301, first), hop(200, to, page()))
    assert judge(of(*hops, url=first)).verdict == "redirected-permanent"
    assert judge(of(*hops, url=first, elsewhere=hop(404, f"https://old.example/papers/{PATH_THAT_CANNOT_EXIST}"))).outcome == "pass"
    assert judge(of(*hops, url=first, elsewhere=hop(200, to, page()))).verdict == "broken"


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ("https://short.example/x1", "https://http.example/status/404", "404 Not Found - an HTTP status code explained"),
        ("https://w.example/3xk", "https://en.wiki.example/wiki/404", "404 (number) - Wiki"),
        ("https://docs.example/api/e-NotFoundError", "https://docs.example/errors/not-found", "NotFoundError - API reference"),
        ("https://docs.example/v1/http-404", "https://docs.example/v2/http/404", "What a 404 means and how to answer with one"),
    ],
)
def test_a_page_about_it_may_be_where_a_redirect_leads(first: str, last: str, title: str) -> None:
    """The path alone is no proof: the page has to say it of itself, or be what the host answers to what cannot exist."""
    assert after(first, last, title, title).outcome != "fail"


def test_a_sign_in_page_is_a_wall_and_an_error_page_is_a_loss() -> None:
    told = judge(moved(302, to="https://site.example/login?next=/papers"))
    assert told[:4] == ("unknown", "login-wall", "it leads to a sign-in page (https://site.example/login?next=/papers)", BROWSER)
    told = judge(moved(302, to="https://site.example/404.html", title="Page not found"))
    assert told[:4] == ("fail", "soft-404", "it redirects to a page that says it is not there (https://site.example/404.html)", FIND_IT)


# --- parts of pages ---------------------------------------------------------------------------------------------------


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


# --- pages that say something else ------------------------------------------------------------------------------------


def test_a_page_of_its_own_words_is_a_loss() -> None:
    told = judge(of(hop(200, page=page("Page not found | Example", "Nothing here."))))
    assert told[:4] == ("fail", "soft-404", "the page says it is not there, with status 200: 'Page not found | Example'", FIND_IT)


def test_a_page_that_is_shown_for_everything_proves_nothing() -> None:
    shown = page("Search our papers")
    beside = hop(200, f"https://site.example/papers/{PATH_THAT_CANNOT_EXIST}", shown)
    told = judge(of(hop(200, page=shown), elsewhere=beside))
    assert told[:4] == ("unknown", "soft-404", "the host shows the same page for a path that cannot exist", BROWSER)
