"""The Internet Archive: a copy of what is gone, as a suggestion for the maintainer.

The question and its answer: https://archive.org/help/wayback_api.php.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from llmops_catalog.links.hosts import Ask, Unreachable
from llmops_catalog.links.hosts.asking import LONGEST_URL, address, inside, parsed

API = "https://archive.org/wayback/available"

_COPY = re.compile(r"https?://web\.archive\.org/web/(?P<moment>[0-9]{14})(?:[a-z]{2}_)?/(?P<original>https?://[!-~]+)")


async def archived_copy(url: str, ask: Ask) -> str | None:
    """The nearest good copy of a page; None where there is none or the Archive does not answer. Never raises."""
    wanted = address(url)
    if wanted is None:
        return None
    try:
        answer = await ask(f"{API}?{urlencode({'url': url.partition('#')[0]})}")
    except Unreachable:
        return None
    closest = inside(parsed(answer), "archived_snapshots", "closest") if answer.status == 200 else None
    found, place = inside(closest, "available"), inside(closest, "url")
    if found is not True or inside(closest, "status") != "200" or not isinstance(place, str) or len(place) > 2 * LONGEST_URL:
        return None
    copy = _COPY.fullmatch(place)
    original = address(copy["original"]) if copy else None
    if copy is None or original is None or _site(original.host) != _site(wanted.host):
        return None
    return f"https://web.archive.org/web/{copy['moment']}/{copy['original']}"


def _site(host: str) -> str:
    return host.removeprefix("www.")
