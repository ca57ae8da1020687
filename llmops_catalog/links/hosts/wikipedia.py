"""Wikipedia by the action API, fifty articles in one request: those that are not there, and where redirects lead.

The query: https://www.mediawiki.org/wiki/API:Query. A redirect is how a wiki works, no reason to rewrite a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, inside, parsed, quote_of, settling
from llmops_catalog.links.results import Judgement

API = "https://{language}.wikipedia.org/w/api.php"
TITLES_AT_ONCE, QUERY_BYTES_AT_ONCE = 50, 4_000
"""The limit for anonymous callers, and what an address may hold of titles in other scripts."""
MOST_REDIRECTS = 10

_HOST = re.compile(r"(?P<language>(?!www)[a-z]{2,3}(?:-[a-z]{2,12}){0,2}|simple)(?:\.m)?\.wikipedia\.org")
_NO_TITLE = re.compile(r"[<>\[\]{}|#\x00-\x1f\x7f\ufffd]|~~~|^[:\s_]")


class Article(NamedTuple):
    """A title as it is asked for, with blanks, in one language's Wikipedia."""

    language: str
    title: str


def article(url: str) -> Article | None:
    """The article a link leads to; None for special pages of the software and other sites. Never raises."""
    found = address(url)
    host = _HOST.fullmatch(found.host) if found else None
    if not found or not host or len(found.parts) < 2 or found.parts[0] != "wiki" or found.query:
        return None
    title = " ".join("/".join(found.parts[1:]).replace("_", " ").split())
    if _NO_TITLE.search(title) or len(title.encode()) > 255 or not title:
        return None
    return Article(host["language"], title)


class Wikipedia:
    """Links to articles. One with a section is left to the page once the article is known to be there."""

    def __init__(self, api: str = API) -> None:
        self.api = api

    def claims(self, url: str) -> bool:
        return article(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            articles = grouped(urls, article)

            async def one(batch: Sequence[Article]) -> None:
                question = {"action": "query", "format": "json", "formatversion": "2", "redirects": "1"}
                question["titles"] = "|".join(asked.title for asked in batch)
                answer = await ask(f"{self.api.format(language=batch[0].language)}?{urlencode(question)}")
                said = inside(parsed(answer), "query") if answer.status == 200 else None
                for asked in batch:
                    judgement = judged(asked, said)
                    for url in articles[asked]:
                        told(url, None if "#" in url and judgement and judgement.outcome == "pass" else judgement)

            await each(batches(sorted(articles)), one)

        await settling(urls, settle, look)


def batches(articles: Sequence[Article]) -> Iterator[list[Article]]:
    """Articles of one language that fit into one question."""
    batch: list[Article] = []
    size = 0
    for asked in articles:
        own = len(urlencode({"titles": f"{asked.title}|"}))
        full = len(batch) == TITLES_AT_ONCE or size + own > QUERY_BYTES_AT_ONCE
        if batch and (full or batch[0].language != asked.language):
            yield batch
            batch, size = [], 0
        batch.append(asked)
        size += own
    if batch:
        yield batch


def judged(asked: Article, said: Any) -> Judgement | None:
    """What an answer says of one title; None where it says nothing, or the title is none of an article (another wiki, a special page)."""
    title = _names(said, "normalized").get(asked.title, asked.title)
    redirects, seen = _names(said, "redirects"), 0
    target = title
    while target in redirects and seen < MOST_REDIRECTS:
        target, seen = redirects[target], seen + 1
    pages = inside(said, "pages")
    page = next((entry for entry in pages if inside(entry, "title") == target), None) if isinstance(pages, list) else None
    if inside(page, "special") or inside(page, "invalid") or inside(page, "known"):
        return None
    if inside(page, "missing") is True:
        return gone(f"Wikipedia ({asked.language}) has no article '{target}'", "look for what it is called now, or drop the link")
    if not isinstance(inside(page, "pageid"), int):
        return None
    return alive(f"leads to the article '{quote_of(target)}'" if target != title else "")


def _names(said: Any, kind: str) -> dict[str, str]:
    """The pairs ``from`` and ``to`` of one list of the answer."""
    pairs = inside(said, kind)
    named = ((inside(pair, "from"), inside(pair, "to")) for pair in pairs) if isinstance(pairs, list) else ()
    return {one: other for one, other in named if isinstance(one, str) and isinstance(other, str)}
