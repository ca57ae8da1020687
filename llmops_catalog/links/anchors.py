"""What stands behind the ``#``: an anchor of the page, a piece of its text, a line, a route of a program; and whether it is there. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import unquote

from llmops_catalog.links.exchange import Hop
from llmops_catalog.links.page import Wanted, folded

Finding = Literal["nothing-sought", "found", "missing", "cannot-tell"]

_LINES = re.compile(r"(?:L|line-|lines-|LC)?\d+(?:C\d+)?(?:[-:,]L?\d+(?:C\d+)?)?")
_CODE_VIEW = re.compile(r"/(?:blob|src|tree|browse|blame|raw|edit|plain)/|/-/")
_USER_CONTENT = "user-content-"
"""What GitHub and others put before ids that authors wrote: https://github.com/gjtorikian/html-pipeline (its old table of contents)."""
MOST_TEXTS = 8


class Sought(NamedTuple):
    """What one fragment asks for. `spellings` are those of one anchor, any of which will do; `texts` all have to be there."""

    kind: Literal["nothing", "anchor", "text", "lines", "route", "state"]
    spellings: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


@lru_cache(maxsize=256)
def sought(fragment: str) -> Sought:
    """What `fragment` (without its ``#``, as written) asks for."""
    anchor, _, directive = fragment.partition(":~:")
    texts = frozenset(list(filter(None, map(_directive_text, directive.split("&"))))[:MOST_TEXTS])
    plain = folded(unquote(anchor))
    if plain in ("", "top"):
        return Sought("text" if texts else "nothing", texts=texts)
    if plain[0] in "/!":
        return Sought("route")
    spellings = frozenset({plain, folded(anchor), _USER_CONTENT + plain, plain.removeprefix(_USER_CONTENT), *_misread(plain)})
    if _LINES.fullmatch(anchor):
        return Sought("lines", spellings)
    return Sought("state" if "=" in plain or "&" in plain else "anchor", spellings, texts)


def _misread(plain: str) -> set[str]:
    """How an anchor that is not ASCII looks where a page is written in another character set than it says."""
    if plain.isascii():
        return set()
    as_latin = plain.encode("utf-8", "replace").decode("latin-1")
    return {folded(as_latin), "".join(char if char.isascii() else "\ufffd" for char in plain)}


def _directive_text(part: str) -> str:
    """The start of ``text=prefix-,start,end,-suffix`` (https://wicg.github.io/scroll-to-text-fragment/)."""
    name, _, value = part.partition("=")
    if name != "text":
        return ""
    pieces = [piece for piece in value.split(",") if not piece.endswith("-") and not piece.startswith("-")]
    return folded(unquote(pieces[0]))[:300] if pieces else ""


def wanted_of(fragments: list[str]) -> Wanted:
    """Everything a reader of the page has to look for, for all links into it."""
    all_sought = [sought(fragment) for fragment in fragments]
    return Wanted(
        frozenset().union(*(one.spellings for one in all_sought)), frozenset().union(*(one.texts for one in all_sought))
    )  # fmt: skip


def look(fragment: str, hop: Hop) -> Finding:
    """Whether what `fragment` asks for is on the page of `hop`. Only a static page read to its end proves that something is missing."""
    wish = sought(fragment)
    page = hop.page
    if wish.kind == "nothing":
        return "nothing-sought"
    if wish.kind == "route":
        return "cannot-tell"
    if wish.kind == "lines" and _CODE_VIEW.search(hop.url):
        return "found"
    if page is None:
        return "cannot-tell"
    if not page.is_html:
        return "found"  # pages of a PDF, lines of a text: the viewer's business
    if wish.spellings and not (wish.spellings & page.anchors):
        return "missing" if wish.kind == "anchor" and _proves_absence(hop, wish) else "cannot-tell"
    return "found" if wish.texts <= page.texts else "cannot-tell"


def _proves_absence(hop: Hop, wish: Sought) -> bool:
    page = hop.page
    if page is None or not page.complete or not page.text_length or page.is_shell:
        return False
    if page.scripts and wish.spellings & page.mentioned:
        return False
    return page.loaded_scripts == 0 and (page.scripts == 0 or page.has_ids) and not _CODE_VIEW.search(hop.url)
