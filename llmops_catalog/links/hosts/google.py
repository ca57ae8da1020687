"""Google Drive and Docs: what is not shared with everybody leads to a sign-in page, which is no answer to a reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from llmops_catalog.links.exchange import REDIRECTS
from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, limited, settling, walled
from llmops_catalog.links.results import Judgement

ACCOUNTS = "accounts.google.com"
"""``/ServiceLogin`` there is where unshared files lead, e.g. in https://github.com/mozilla/multi-account-containers/issues/874."""
MOST_REDIRECTS = 5

_ID = re.compile(r"[\w-]{10,120}", re.ASCII)
_SHARE_IT = "ask its owner to share it with everyone who has the link, or link a public copy"


def document(url: str) -> bool:
    """True for a link to a file, a folder, a document or a form. Never raises."""
    found = address(url)
    if not found:
        return False
    if found.host == "forms.gle":
        return len(found.parts) == 1
    if found.host not in ("drive.google.com", "docs.google.com"):
        return False
    return any(_ID.fullmatch(part) for part in found.parts) or bool(re.search(r"(^|&)id=[\w-]{10,}", found.query, re.ASCII))


class Google:
    """Links to Drive, Docs and Forms."""

    def claims(self, url: str) -> bool:
        return document(url)

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            async def one(url: str) -> None:
                told(url, await judged(url, ask))

            await each(filter(document, dict.fromkeys(urls)), one)

        await settling(urls, settle, look)


async def judged(url: str, ask: Ask) -> Judgement | None:
    """Follow a link as far as it stays with Google's document sites; None where the page has to tell."""
    place = url.partition("#")[0]
    for _ in range(MOST_REDIRECTS + 1):
        answer = await ask(place)
        if answer.status in REDIRECTS:
            place = urljoin(place, answer.headers.get("location", ""))
            if urlsplit(place).hostname == ACCOUNTS:
                return walled("it is not shared with everybody: Google asks readers to sign in", _SHARE_IT, answer.status)
            if not document(place):
                return None
            continue
        if answer.status == 401:
            return walled("it is not shared with everybody: Google asks readers to sign in", _SHARE_IT, answer.status)
        if answer.status in (404, 410):
            return gone(
                "Google has no such file: it was deleted, or its owner closed it", "link another copy, or drop the link", answer.status
            )
        if answer.status == 429:
            return limited("Google")
        return alive(http_status=answer.status) if answer.status == 200 else None
    return None
