"""Exchanges put together by hand for the judge: answers, pages, and redirects from one address to another."""

from __future__ import annotations

from llmops_catalog.links.exchange import Exchange, Hop, Page, Trouble

URL = "https://site.example/papers/attention.html"
FIND_IT = "find where it went, or link to an archived copy"
BROWSER = "open it in a browser"
PROOFS = {"no-such-host", "refused", "reset", "certificate"}
WORDS = "A model is quantized once and served many times, so what it costs to store it matters less than what it costs to read it. "


def hop(status: int = 200, url: str = URL, page: Page | None = None, **headers: str) -> Hop:
    return Hop("GET", url, "192.0.2.1", status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), page)


def page(title: str = "Attention is all you need", text: str = WORDS * 10, **more: object) -> Page:
    return Page(title=title, text=text[:4096], text_length=len(text), has_ids=True)._replace(**more)


def of(*hops: Hop, url: str = URL, trouble: Trouble | None = None, elsewhere: Hop | None = None) -> Exchange:
    return Exchange(url, hops, trouble, elsewhere)


def moved(*statuses: int, to: str = "https://site.example/new", ends: int = 200, title: str = "Attention", **more: object) -> Exchange:
    """From `URL` by as many redirects to `to`, where a page is called `title`."""
    hops = [hop(status, URL if number == 0 else f"https://site.example/step/{number}") for number, status in enumerate(statuses)]
    return of(*hops, hop(ends, to, page(title, **more)))
