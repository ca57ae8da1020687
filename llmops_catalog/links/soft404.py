"""Pages that say "not found" with status 200: told by their own words, and by what the host answers to a path that cannot exist. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from llmops_catalog.links.exchange import Hop, Page

SHORT_TEXT = 3000
"""Visible characters of a page that only says it is not there; an article about such pages is longer."""
VERY_SHORT_TEXT = 400
"""Nothing but the message: enough on a host that says 404 to what cannot exist, and so would have said it here."""
SUBSTANTIAL_TEXT = 200
PATH_THAT_CANNOT_EXIST = "llmops-catalog-asks-for-what-is-not-here-7f3a9c"

_SEPARATOR = re.compile(r"\s*[|·•»«—–]\s*|\s-+\s|\s-+$|(?<=\d)\s*[:.]\s|!+\s")
_VOCABULARY = """
    1 404 410 a an and any anymore anything are available be been but by can cannot cant code content could couldnt deleted
    directory document does doesnt error exist exists file find for found gone has have here http i image in is isnt it item its link longer
    looking may might missing moved no not nothing notebook object ok on oops or page post project removed repository requested
    resource site sorry status that the there this to uh unavailable url video was wasnt we were what whoops you your youre
"""
_WORDS = frozenset(_VOCABULARY.split())
"""A title made of nothing but these is a message of the host, not the name of a page."""
_SAYS = re.compile(
    r"\b(?:404|410|not (?:be )?found|(?:cant|cannot|couldnt|wasnt) be found|(?:cant|cannot|couldnt|not) find|"
    r"nothing (?:was )?found|wasnt found|"
    r"(?:does not|doesnt) exist|no longer (?:available|exists?|here)|(?:isnt|is not|not) available|"
    r"(?:been|was|is) (?:removed|deleted|gone|missing)|"
    r"(?:page|video|content) (?:missing|gone|unavailable|removed))\b"
)
_IN_SO_MANY_WORDS = re.compile(
    r"\b(?:not (?:be )?found|(?:cant|cannot|couldnt|wasnt|could not) (?:be found|find)|(?:does not|doesnt) exist|"
    r"no longer (?:available|exists?))\b|nicht gefunden|introuvable|non trouvée|no encontrada|não encontrada|non trovata|niet gevonden|"
    r"znaleziona|не найдена|見つかりません|不存在|未找到|找不到"
)
_NUMBERED = re.compile(r"/(?!errors?/)[^/]{3,}/\d+/?$")
_ELSEWHERE = re.compile(
    r"seite (?:wurde )?nicht gefunden|page (?:introuvable|non trouvée)|página no encontrada|página não encontrada|pagina non trovata|"
    r"pagina niet gevonden|strona nie (?:została )?znaleziona|страница не найдена|"
    r"ページが見つかりません|页面(?:不存在|未找到)|找不到(?:页面|網頁)"
)
"""The same in other languages."""
MOST_WORDS_BESIDE = 4
"""Of what stands beside the message: the name of a site; more is the title of an article about such messages."""
_FOR_SALE = re.compile(
    r"(?:domain|name)\b.{0,60}\b(?:is|may be) for sale|buy this domain|this domain (?:has expired|is parked)|parked (?:free|domain)|"
    r"domain (?:is )?parking|hugedomains|sedoparking", re.IGNORECASE,
)  # fmt: skip
_ABOUT_IT = re.compile(r"(?<!\d)4(?:0\d|10)(?!\d)|not[-_ ]?found|missing|errors?\b|status", re.IGNORECASE)
_ERROR_PATH = re.compile(
    r"/(?:40[04]|410|error[-_]?404|404[-_]?error|not[-_]?found|page[-_]?not[-_]?found|file[-_]?not[-_]?found|errors?/(?:40[04]|not[-_]?found)"
    r"|notfound)(?:\.(?:html?|php|aspx?|jsp))?/?", re.IGNORECASE,
)  # fmt: skip


def says_not_found(text: str) -> bool:
    """True where `text` is nothing but the message, with or without the name of the site beside it."""
    parts = _parts(text)
    said = [part for part in parts if _is_message(part)]
    return bool(said) and all(part in said or len(part.split()) <= MOST_WORDS_BESIDE for part in parts)


def _parts(text: str) -> list[str]:
    """A title taken apart: the name of the page, of its section, of its site."""
    return [part for part in map(_plain, _SEPARATOR.split(text[:300])) if part]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’`]", "", text.lower())).split())


def _is_message(plain: str) -> bool:
    if _ELSEWHERE.fullmatch(plain):
        return True
    return _SAYS.search(plain) is not None and _WORDS.issuperset(plain.split())


def is_error_path(path: str) -> bool:
    """True for the path of a page that only says that another was not found: ``/404.html``. A number behind a word is that of a post."""
    if _NUMBERED.search(path):
        return False
    return any(_ERROR_PATH.fullmatch(path[place:]) for place, char in enumerate(path[:400]) if char == "/")


def looks_lost(url: str, page: Page) -> bool:
    """True where the page's own words make it worth asking what the host answers to a path that cannot exist."""
    if _ABOUT_IT.search(urlsplit(url).path):
        return False
    if _speaks_of_it(page.title):
        return True
    is_short = page.text_length < SHORT_TEXT
    return is_short and (_speaks_of_it(page.heading) or _FOR_SALE.search(f"{page.title} {page.text[:1000]}") is not None)


def _speaks_of_it(text: str) -> bool:
    plain = _plain(text)
    return _SAYS.search(plain) is not None or _ELSEWHERE.search(plain) is not None


def is_not_found(url: str, page: Page, elsewhere: Hop | None) -> bool:
    """Proof that the page is the host's way to say "not found".

    Either its words and the very same answer to a path that cannot exist; or, on a short page, a title that says nothing else, in so many
    words. A number alone, or "gone", may be the name of something; a long heading that says something else is that of an article.
    """
    if looks_lost(url, page) and same_page(page, url, elsewhere):
        return True
    if urlsplit(url).path in ("", "/"):
        return False  # the front page of a site that is called so
    words = (page.title, page.heading, page.text if page.text_length < VERY_SHORT_TEXT else "")
    if not any(_IN_SO_MANY_WORDS.search(_plain(text)) for text in words) or not may_be_not_found(url, page):
        return False
    is_honest = elsewhere is not None and elsewhere.status in (404, 410)
    is_article = len(_parts(page.title)) > 2 and not says_not_found(page.heading)  # "404 Not Found - HTTP | Some manual"
    return not (is_honest and is_article) or page.text_length < VERY_SHORT_TEXT


def may_be_not_found(url: str, page: Page) -> bool:
    """True where a short page is called like a message that something is not there: more than nothing, less than proof."""
    if page.text_length >= SHORT_TEXT or not looks_lost(url, page):
        return False
    is_heading_another = len(page.heading.split()) > MOST_WORDS_BESIDE and not says_not_found(page.heading)
    return (says_not_found(page.title) or says_not_found(page.heading)) and not is_heading_another


def says_nothing(url: str, page: Page, elsewhere: Hop | None) -> bool:
    """True where the host shows this very page, a real one, to any path: that it answered proves nothing."""
    return page.text_length >= SUBSTANTIAL_TEXT and same_page(page, url, elsewhere)


def same_page(page: Page, url: str, elsewhere: Hop | None) -> bool:
    """True where a path that cannot exist shows the same text; what repeats the path or counts does not make it another."""
    if elsewhere is None or elsewhere.page is None or not 200 <= elsewhere.status < 300:
        return False
    other = elsewhere.page
    return page.title == other.title and _essence(page, url) == _essence(other, elsewhere.url)


def _essence(page: Page, url: str) -> str:
    text = page.text
    for piece in sorted({part for part in re.split(r"[/?#&=]", url) if len(part) > 3}, key=len, reverse=True)[:20]:
        text = text.replace(piece, "")
    return re.sub(r"[\d\s]+", " ", text)[:2000]
