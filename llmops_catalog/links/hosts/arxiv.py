"""arXiv by its export API, a hundred papers in one request: papers that are not there, and those withdrawn.

The API: https://info.arxiv.org/help/api/user-manual.html; identifiers: https://info.arxiv.org/help/arxiv_identifier.html.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from xml.parsers import expat

from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, quote_of, settling

API, PAGES = "https://export.arxiv.org/api/query", "https://arxiv.org/abs"
PAPERS_AT_ONCE, PAUSE_SECONDS = 100, 3.0
"""No more than one request in three seconds: https://info.arxiv.org/help/api/tou.html."""
DEEPEST, LONGEST_TEXT = 16, 4_000

_PAPER = re.compile(
    r"(?P<id>[0-9]{2}(?:0[1-9]|1[0-2])\.[0-9]{4,5}|(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[A-Z]{2})?/(?P<number>[0-9]{7}))(?P<version>v[1-9][0-9]?)?"
)
_ATOM, _ARXIV = "http://www.w3.org/2005/Atom", "http://arxiv.org/schemas/atom"
_WITHDRAWN = re.compile(r"\bwithdrawn\b", re.IGNORECASE)


class Paper(NamedTuple):
    """An identifier in the form the API answers with (``math.GT/0309136`` is ``math/0309136``), and the version if one was asked for."""

    id: str
    version: str

    @property
    def asked(self) -> str:
        """As it stands in an address."""
        return self.id + self.version


class Entry(NamedTuple):
    """One paper of the API's answer."""

    paper: Paper
    comment: str


def paper_in(text: str) -> Paper | None:
    """The paper that a text names; None where it is no identifier of arXiv."""
    found = _PAPER.fullmatch(text)
    if not found:
        return None
    return Paper(f"{found['archive']}/{found['number']}" if found["archive"] else found["id"], found["version"] or "")


def paper(url: str) -> Paper | None:
    """The paper a link to an abstract or a PDF leads to. Never raises."""
    found = address(url)
    if not found or found.host not in ("arxiv.org", "www.arxiv.org", "export.arxiv.org") or found.parts[:1] not in (("abs",), ("pdf",)):
        return None
    name = "/".join(found.parts[1:])
    return paper_in(name.removesuffix(".pdf") if found.parts[0] == "pdf" else name)


class Arxiv:
    """Links to papers on arXiv. One that names a section or a page is left to the page once its paper is known to be there."""

    def __init__(self, api: str = API, pause_seconds: float = PAUSE_SECONDS) -> None:
        self.api, self.pause_seconds = api, pause_seconds

    def claims(self, url: str) -> bool:
        return paper(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            papers = grouped(urls, paper)
            waiting = sorted(papers)
            unseen: list[Paper] = []
            while waiting:
                batch, waiting = waiting[:PAPERS_AT_ONCE], waiting[PAPERS_AT_ONCE:]
                entries = await self._entries(batch, ask)
                if entries is None:
                    break
                for asked in batch:
                    if asked in entries:
                        _tell(papers[asked], entries[asked], told)
                    else:
                        unseen.append(asked)
                if waiting:
                    await asyncio.sleep(self.pause_seconds)
            await each(unseen, lambda asked: _confirm(asked, papers[asked], ask, told))

        await settling(urls, settle, look)

    async def _entries(self, batch: Sequence[Paper], ask: Ask) -> dict[Paper, str] | None:
        """The comments of the papers that are there, as they were asked for; None where the API gives no feed. It leaves out what it
        does not know: recorded in https://docs.rs/crate/rsxiv/latest/source/src/response/tests/query_empty.xml.
        """
        question = {"id_list": ",".join(paper.asked for paper in batch), "max_results": str(len(batch))}
        answer = await ask(f"{self.api}?{urlencode(question, safe=',/')}")
        found = read_feed(answer.body) if answer.status == 200 else None
        if found is None:
            return None
        comments = {entry.paper: entry.comment for entry in found}
        return comments | {Paper(entry.paper.id, ""): entry.comment for entry in found}


def _tell(urls: Sequence[str], comment: str, told: Settle) -> None:
    hint = f"withdrawn: “{quote_of(comment)}”" if _WITHDRAWN.search(comment) else ""
    for url in urls:
        found = address(url)
        whole = found is not None and not found.fragment and not (hint and found.parts[0] == "pdf")
        told(url, alive(hint) if whole else None)


async def _confirm(asked: Paper, urls: Sequence[str], ask: Ask, told: Settle) -> None:
    """The API left the paper out, which it also does by mistake (https://github.com/autobib/autobib/issues/183): its page decides."""
    page = await ask(f"{PAGES}/{asked.asked}", method="HEAD")
    if page.status == 404:
        what = f"version {asked.version[1:]} of {asked.id}" if asked.version else asked.id
        for url in urls:
            told(url, gone(f"arXiv has no paper {what}", "look the paper up by its title and correct the number", page.status))


def read_feed(body: bytes) -> list[Entry] | None:
    """The papers of an Atom feed; None where it is no whole feed. A document type, and with it every entity, is refused."""
    reader = _Feed()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = reader.start, reader.end, reader.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    return reader.entries if reader.is_feed else None


class _Feed:
    """Collects identifier and comment of each entry while the parser goes by; nothing else of the document is kept."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.path: list[str] = []
        self.found: dict[str, str] = {}
        self.is_feed = False

    def refuse(self, *_: object) -> None:
        raise ValueError("a feed needs no document type")

    def start(self, name: str, _: object) -> None:
        if len(self.path) >= DEEPEST:
            raise ValueError("nested too deeply")
        self.is_feed = self.is_feed or (not self.path and name == f"{_ATOM} feed")
        self.path.append(name)
        if self.path[1:] == [f"{_ATOM} entry"]:
            self.found = {}

    def text(self, data: str) -> None:
        if len(self.path) == 3 and self.path[1] == f"{_ATOM} entry" and self.path[2] in (f"{_ATOM} id", f"{_ARXIV} comment"):
            self.found[self.path[2]] = (self.found.get(self.path[2], "") + data)[:LONGEST_TEXT]

    def end(self, _: str) -> None:
        if self.path[1:] == [f"{_ATOM} entry"]:
            _, _, name = self.found.get(f"{_ATOM} id", "").strip().partition("arxiv.org/abs/")
            if found := paper_in(name):
                self.entries.append(Entry(found, self.found.get(f"{_ARXIV} comment", "")))
        self.path.pop()
