"""DOIs by the resolver's own API: whether a name is registered, and where it leads.

Request and answer: https://doi.info/doi-handbook/HTML/rest-api-response-format.html. A registered name is a good link whatever its
publisher's page says to robots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, inside, parsed, settling
from llmops_catalog.links.results import Judgement

API = "https://doi.org/api/handles"
FOUND, NOT_FOUND = 1, 100
"""Response codes of the Handle System."""

_DOI = re.compile(r"10\.[0-9]{4,9}(\.[0-9]+)*/[!-~]{1,200}")


def doi(url: str) -> str | None:
    """The DOI a link resolves; None where it is another site. Never raises."""
    found = address(url)
    if not found or found.host not in ("doi.org", "www.doi.org", "dx.doi.org") or found.query or found.fragment:
        return None
    name = unquote(found.path.lstrip("/"))
    return name.casefold() if _DOI.fullmatch(name) else None


class Doi:
    """Links to doi.org."""

    def __init__(self, api: str = API) -> None:
        self.api = api.rstrip("/")

    def claims(self, url: str) -> bool:
        return doi(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def one(item: tuple[str, list[str]], told: Settle) -> None:
            answer = await ask(f"{self.api}/{quote(item[0], safe='/')}?type=URL")
            for url in item[1]:
                told(url, judged(item[0], answer.status, parsed(answer)))

        async def look(told: Settle) -> None:
            await each(grouped(urls, doi).items(), lambda item: one(item, told))

        await settling(urls, settle, look)


def judged(name: str, status: int, entry: object) -> Judgement | None:
    """What the resolver says of a name. Status and code have to agree before a link is called dead."""
    code = inside(entry, "responseCode")
    if status == 404 and code == NOT_FOUND:
        return gone(f"no such DOI is registered: {name}", "compare it with the one on the paper, or link the paper's own page")
    if status != 200 or code != FOUND:
        return None
    values = inside(entry, "values")
    targets = (inside(value, "data", "value") for value in values if inside(value, "type") == "URL") if isinstance(values, list) else ()
    target = next((text for text in targets if isinstance(text, str) and address(text)), None)
    return alive(final_url=target)
