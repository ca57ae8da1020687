"""Kaggle: a page that is missing or private has status 404, and some ask to sign in.

Others rest on that status too: https://github.com/kaifcodec/user-scanner/blob/main/user_scanner/creator/kaggle.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from llmops_catalog.links.exchange import REDIRECTS
from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, settling, walled
from llmops_catalog.links.results import Judgement

SIGN_IN = "/account/login"
PARTS = {"datasets": 3, "code": 3, "models": 3, "competitions": 2, "c": 2}
"""How many parts the address of one thing has at least, by the first of them."""


def thing(url: str) -> bool:
    """True for a link to a dataset, a notebook, a model or a competition. Never raises."""
    found = address(url)
    if not found or found.host not in ("kaggle.com", "www.kaggle.com") or not found.parts:
        return False
    return len(found.parts) >= PARTS.get(found.parts[0], len(found.parts) + 1)


class Kaggle:
    """Links to datasets, notebooks, models and competitions. Old addresses without the first part are left to the page."""

    def claims(self, url: str) -> bool:
        return thing(url)

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            async def one(url: str) -> None:
                told(url, await _judged(url, ask))

            await each(filter(thing, dict.fromkeys(urls)), one)

        await settling(urls, settle, look)


async def _judged(url: str, ask: Ask) -> Judgement | None:
    answer = await ask(url.partition("#")[0])
    if answer.status in (404, 410):
        return gone("no such page on Kaggle, or it is private: both are a 404", "look for another copy, or drop the link", answer.status)
    if answer.status in REDIRECTS and urlsplit(answer.headers.get("location", "")).path.startswith(SIGN_IN):
        return walled("Kaggle asks readers to sign in first", "open it once in a private window", answer.status)
    return alive(http_status=200) if answer.status == 200 else None
