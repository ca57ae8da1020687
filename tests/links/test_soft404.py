"""Pages that say "not found" with status 200 are dead; pages that only speak of it, and every other innocent page, are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links.exchange import Exchange, Hop, Page
from llmops_catalog.links.policy import judge
from llmops_catalog.links.results import Judgement
from llmops_catalog.links.soft404 import (
    PATH_THAT_CANNOT_EXIST,
    is_error_path,
    is_not_found,
    looks_lost,
    same_page,
    says_not_found,
    says_nothing,
)

URL = "https://site.example/papers/attention.html"
BESIDE = f"https://site.example/papers/{PATH_THAT_CANNOT_EXIST}"
PROSE = "Weights are read once, a cache grows with every token, and what is left of the card decides the batch. "


def page(title: str, heading: str = "", text: str = PROSE * 5, length: int | None = None) -> Page:
    return Page(title, heading, text[:4096], len(text) if length is None else length)


def hop(shown: Page | None, url: str = URL, status: int = 200) -> Hop:
    return Hop("GET", url, "192.0.2.1", status, (), shown)


def told(shown: Page, url: str = URL, elsewhere: Hop | None = None) -> Judgement:
    return judge(Exchange(url, (hop(shown, url),), None, elsewhere))


HONEST = hop(page("Nothing here"), BESIDE, 404)

IN_SO_MANY_WORDS = (
    "404 Not Found", "Page not found", "Page Not Found!", "Not Found", "Page not found (404)", "404: This page could not be found",
    "Oops! Page not found", "Whoops! We couldn't find that page", "The page you requested was not found",
    "The page you are looking for does not exist", "This page doesn’t exist", "The requested URL was not found",
    "Sorry, we can't find that page", "This content is no longer available", "Repository not found", "Document not found",
    "Page not found - Example", "Example – Page not found", "Not Found · GitHub", "Page not found • My Site", "404\u00a0Not Found",
    "404 Not Found | The Example Library",
    "404 - File or directory not found.",  # Internet Information Services, since version 7
)  # fmt: skip
IN_OTHER_LANGUAGES = (
    "Seite nicht gefunden", "Seite nicht gefunden | Beispiel", "Page introuvable", "Página no encontrada - Ejemplo", "Pagina non trovata",
    "Страница не найдена", "ページが見つかりません", "页面不存在", "找不到网页 - 找不到页面",
)  # fmt: skip
HINTS = (
    "404", "Error 404", "404 Error", "HTTP 404", "410 Gone", "404 | Example", "404 » Example Blog", "Sorry, this page isn't available",
    "This video has been removed", "Page has been deleted", "The item you were looking for may have been deleted",
)  # fmt: skip
"""A number alone may be the name of something."""


@pytest.mark.parametrize("title", IN_SO_MANY_WORDS)
def test_a_title_or_a_heading_that_is_a_message_is_proof_on_a_short_page(title: str) -> None:
    assert says_not_found(title)
    for shown in (page(title), page(title, heading=title), page("Example", heading=title)):
        assert told(shown)[:2] == ("fail", "soft-404")
        assert told(shown, elsewhere=HONEST)[:2] == ("fail", "soft-404")


@pytest.mark.parametrize("title", IN_OTHER_LANGUAGES)
def test_messages_in_other_languages(title: str) -> None:
    assert says_not_found(title)
    assert told(page(title, heading=title))[:2] == ("fail", "soft-404")


@pytest.mark.parametrize("heading", ["Seite nicht gefunden", "Page introuvable", "ページが見つかりません", "页面不存在"])
def test_a_heading_in_another_language_is_a_message_as_a_title_is(heading: str) -> None:
    """With the name of the site for a title; it counted until the titles of articles were let through."""
    assert told(page("Beispiel", heading=heading)).outcome != "pass"


@pytest.mark.parametrize("title", HINTS)
def test_a_hint_is_proof_only_where_the_host_shows_it_for_what_cannot_exist(title: str) -> None:
    shown = page(title, heading=title)
    assert looks_lost(URL, shown)
    assert told(shown)[:2] == told(shown, elsewhere=HONEST)[:2] == ("unknown", "soft-404")
    assert told(shown, elsewhere=hop(shown, BESIDE))[:2] == ("fail", "soft-404")


TITLES_OF_PAGES = (
    "How to fix 404 errors", "Fixing 404 Not Found pages for good", "Custom error pages", "The Missing Semester of Your CS Education",
    "Area code 404: Atlanta", "Room 404 | Hotel", "404 Media", "Peugeot 404 - Wikipedia", "Not Found (film)", "Error 404 (album) | Music",
    "Learning when values are not found", "Missing data imputation", "Where did my GPU memory go?",
    "No module named torch: module not found", "Attention Is All You Need", "What is not lost: a survey", "Gone with the wind",
    "I'm No Longer Here | Netflix", "This Person Does Not Exist", "This X Does Not Exist", "This Cat Does Not Exist",
    "GPUs that do not exist (yet)", "Unavailable", "Error handling", "Errors", "Error", "Exceptions and errors | Python docs",
    "CUDA error: out of memory", "Status codes", "Nothing", "KeyError: 'model.embed_tokens.weight' not found",
    "A missing page table entry", "Page faults", "Page", "Not", "OK", "Nothing to see",
    "Lost in the Middle: How Language Models Use Long Contexts", "Model not available in your region: what to do about it, explained",
    "Cannot find -lcudart: how to fix it", "410 tokens per second on one card", "Llama 4 is here", "The link between loss and quality",
    "Videos", "Post", "Project", "Image to text", "Document understanding", "Content removed by moderation: a dataset", "", " ", "-", "|",
    "::", "Removed and deleted features in CUDA 13", "Deprecated and removed", "Sorry, but you need a bigger GPU",
)  # fmt: skip


@pytest.mark.parametrize("title", TITLES_OF_PAGES)
def test_titles_of_pages_are_no_messages(title: str) -> None:
    assert not says_not_found(title)
    for shown in (
        page(title),
        page(title, heading=title),
        page("Example", heading=title),
        page(title, text="Short."),
        page(title, text=""),
    ):
        assert told(shown).outcome == "pass"
        assert told(shown, elsewhere=HONEST).outcome == "pass"


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://thisimagedoesnotexist.com/", "This Image Does Not Exist"),
        ("https://thisrepositorydoesnotexist.com/", "This Repository Does Not Exist"),
        ("https://thiscodedoesnotexist.com/", "This Code Does Not Exist"),
        ("https://lyrics.example/songs/81923", "Here Is Gone | Lyrics"),
    ],
)
def test_what_a_page_is_called(url: str, title: str) -> None:
    """Sites of generated things are called so (thisimagedoesnotexist.com and its sisters)."""
    assert told(page(title, heading=title), url, HONEST).outcome != "fail"


@pytest.mark.parametrize(
    "title",
    [
        "「ページが見つかりません」と表示される原因と対処法", "GitHub Pagesで「ページが見つかりません」になるときの直し方",
        "页面不存在怎么办？五种常见原因", "部署后提示找不到页面的解决办法", "Was bedeutet „Seite nicht gefunden“ und wie behebt man das?",
        "Page introuvable : causes et solutions pour votre site", "Que significa página no encontrada y cómo se arregla",
        "Страница не найдена: как настроить сервер",
    ],
)  # fmt: skip
def test_articles_about_it_in_other_languages(title: str) -> None:
    assert not says_not_found(title)
    assert told(page(title, heading=title), "https://blog.example/entry/81923", HONEST).outcome == "pass"


@pytest.mark.parametrize(
    "url",
    [
        "https://developer.example/en-US/docs/Web/HTTP/Status/404", "https://en.wikipedia.example/wiki/HTTP_404",
        "https://blog.example/how-to-fix-404-errors", "https://docs.example/errors/not-found", "https://docs.example/reference/not_found",
        "https://http.example/404", "https://docs.example/missing-pages", "https://docs.example/http-status-codes#gone",
"https://films.example/not-found-2018", "https://docs.example/error-messages/gone.html",
    ],
)  # fmt: skip
def test_a_page_whose_address_speaks_of_it_is_about_it(url: str) -> None:
    assert told(page("404 Not Found", heading="404 Not Found"), url).outcome == "pass"
    assert told(page("Page not found | Example"), url, HONEST).outcome == "pass"


def test_a_long_article_about_it_is_no_message() -> None:
    article = page("Page not found", heading="Why pages are not found, and what to tell readers", text=PROSE * 60)
    assert told(article).outcome == "pass"
    assert told(page("404 Not Found", text=PROSE * 60)).outcome == "pass"


def test_a_long_message_is_one_where_the_host_says_it_of_what_cannot_exist() -> None:
    long = page("Page not found", text=PROSE * 60)
    assert told(long, elsewhere=hop(long, BESIDE))[:2] == ("fail", "soft-404")
    assert told(long, elsewhere=HONEST).outcome == "pass"


def test_a_short_article_with_a_heading_of_its_own_is_not_a_message() -> None:
    article = page("Page not found", heading="Designing a page that helps readers who are lost")
    assert told(article).outcome == "pass"
    assert told(article, elsewhere=HONEST).outcome == "pass"


def test_the_same_page_for_everything_is_unsure_and_its_front_page_is_not_asked() -> None:
    shown = page("Example", heading="Search our papers")
    assert told(shown, elsewhere=hop(shown, BESIDE))[:2] == ("unknown", "soft-404")
    front = "https://site.example/"
    assert told(shown, front, hop(shown, f"https://site.example/{PATH_THAT_CANNOT_EXIST}")).outcome == "pass"


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (None, 200),
        (page("Another title"), 200),
        (page("Example", text=PROSE * 4 + "And something else."), 200),
        (page("Example"), 404),
        (page("Example"), 410),
        (page("Example"), 301),
        (page("Example"), 500),
    ],
)
def test_what_is_not_the_same_page(other: Page | None, status: int) -> None:
    shown = page("Example")
    beside = hop(other, BESIDE, status)
    assert not same_page(shown, URL, beside)
    assert told(shown, elsewhere=beside).outcome == "pass"


def test_a_page_that_repeats_its_path_or_counts_is_still_the_same() -> None:
    mine = page("Example", text=f"{PROSE * 3} No page papers/attention.html, visitor 31,337, 2026-11-20.")
    other = page("Example", text=f"{PROSE * 3} No page papers/{PATH_THAT_CANNOT_EXIST}, visitor 31,338, 2026-11-21.")
    assert same_page(mine, URL, hop(other, BESIDE))


def test_an_app_that_draws_itself_is_the_same_for_all_and_passes() -> None:
    shell = Page("App", "", "Loading", 7, scripts=2, is_shell=True)
    assert told(shell, elsewhere=hop(shell, BESIDE)).outcome == "pass"
    assert not says_nothing(URL, Page("App", "", "Loading", 7), hop(Page("App", "", "Loading", 7), BESIDE))


@pytest.mark.parametrize("title", ["example.org is for sale", "Buy this domain", "This domain has expired", "HugeDomains.com"])
def test_a_parked_name_looks_lost(title: str) -> None:
    text = f"The domain name {title} may be for sale. Make an offer."
    shown = page(title, text=text)
    assert looks_lost(URL, shown)
    assert told(shown, elsewhere=hop(shown, BESIDE))[:2] == ("fail", "soft-404")


def test_a_long_page_that_mentions_a_sale_is_let_be() -> None:
    assert not looks_lost(
        URL, page("How I bought a domain", text="The domain name was for sale; buy this domain, they said. " + PROSE * 40)
    )


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Domain parking - Help center", "Domain parking shows a page of ours until your site is ready. " + PROSE * 5),
        ("Why I bought vicuna.example", "The domain name I wanted is for sale at an auction, so I wrote to its owner. " + PROSE * 5),
        ("News", "A name that everybody in machine learning knows is for sale again. " + PROSE * 5),
    ],
)
def test_a_short_page_that_mentions_a_sale_is_no_parked_name(title: str, text: str) -> None:
    """A parked name shows the same page for everything; on a host that says 404 to what cannot exist these words prove nothing."""
    assert told(page(title, text=text), elsewhere=HONEST).outcome != "fail"


@pytest.mark.parametrize(
    "path",
    [
        "/404", "/404.html", "/404/", "/error404", "/error-404", "/404-error", "/not-found", "/not_found", "/notfound.php",
        "/page-not-found", "/PageNotFound.aspx", "/errors/404", "/error/404", "/en/404", "/de/not-found.html", "/docs/404.html", "/400",
        "/410",
    ],
)  # fmt: skip
def test_paths_of_error_pages(path: str) -> None:
    assert is_error_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "/", "", "/404-days", "/room-404", "/papers/404-media", "/4040", "/v404/", "/http-404", "/blog/how-to-fix-404", "/not-found-film",
        "/notfoundation", "/errors", "/errors/", "/error", "/posts/4042", "/products/410-series", "/404x", "/x404", "/found",
        "/status/404/why",
    ],
)  # fmt: skip
def test_paths_of_other_pages(path: str) -> None:
    assert not is_error_path(path)


def test_no_title_takes_long() -> None:
    started = time.process_time()
    for title in (
        "404 - " * 20_000,
        "is gone " * 20_000,
        "a" * 400_000,
        ("domain " * 60 + "x") * 1200,
        "!" * 400_000,
        " -" * 400_000,
        "'" * 400_000,
    ):
        shown = page(title, heading=title, text=title)
        looks_lost(URL, shown)
        is_not_found(URL, shown, hop(shown, BESIDE))
        says_not_found(title)
    assert is_error_path("/404" * 100_000) in (True, False)
    assert time.process_time() - started < 2


@settings(max_examples=200)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200), st.integers(0, 10_000))
def test_any_page_can_be_looked_at(title: str, heading: str, text: str, length: int) -> None:
    shown = page(title, heading, text, length)
    lost = is_not_found(URL, shown, HONEST)
    assert not lost or looks_lost(URL, shown)
    assert is_not_found(URL, shown, None) == lost, "an honest host proves nothing about this page"
    assert not says_nothing(URL, shown, HONEST)
