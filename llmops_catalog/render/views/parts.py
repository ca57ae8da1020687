"""What pages are made of: frozen pieces that templates lay out without deciding anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from llmops_catalog.render.text import safe_href


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text: plain, or a link to a page of the site (`page`, a site path) or to the web (`href`)."""

    text: str
    page: str | None = None
    href: str | None = None
    css: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell. `sort` is what sorting compares (a number sorts as a number), `facet` what a choice list offers."""

    spans: tuple[Span, ...] = ()
    sort: float | str | None = None
    css: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One table column; `facet` adds a choice list over its values, `sub` is a second, smaller line.

    `short` names its cells where a phone shows each row as a card (default: the title).
    """

    title: str
    css: str = ""
    facet: bool = False
    sub: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One table row; its first cell heads it. `anchor` makes it addressable."""

    cells: tuple[Cell, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table inside its own scrolling frame; `tools` adds the filter field and sorting (by script, never needed to read).

    `stack` shows each row as a card on a phone, so that nothing lies beyond its edge.
    """

    kind: ClassVar[str] = "table"
    label: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    title: str = ""
    anchor: str = ""
    intro: tuple[Span, ...] = ()
    note: tuple[Span, ...] = ()
    tools: bool = False
    searchable: bool = False
    css: str = ""
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value; `mark` says where doubt is, in words."""

    label: str
    spans: tuple[Span, ...]
    hint: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Facts that belong together."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All fact groups of a record."""

    kind: ClassVar[str] = "facts"
    groups: tuple[FactGroup, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph, perhaps under a heading; `css` picks a look (lead, note, warning)."""

    kind: ClassVar[str] = "prose"
    spans: tuple[Span, ...]
    title: str = ""
    anchor: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; numbered where order matters."""

    kind: ClassVar[str] = "items"
    items: tuple[tuple[Span, ...], ...]
    title: str = ""
    anchor: str = ""
    ordered: bool = False
    css: str = ""
    searchable: bool = True


@dataclass(frozen=True, slots=True)
class Node:
    """A branch of a tree: what it says, and what hangs on it."""

    spans: tuple[Span, ...]
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """What came from what, as nested lists."""

    kind: ClassVar[str] = "tree"
    nodes: tuple[Node, ...]
    title: str = ""
    anchor: str = ""
    note: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """An entry to a part of the site."""

    title: str
    page: str
    count: str
    text: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """The entries of the home page."""

    kind: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]
    title: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a form's list."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class FitForm:
    """The question 'does this model run on this card', as a form whose address holds its state."""

    kind: ClassVar[str] = "fit_form"
    models: tuple[Choice, ...]
    gpus: tuple[Choice, ...]
    model: str = ""
    gpu: str = ""
    refusals: str = "{}"


Block = Table | Facts | Prose | Items | Tree | Tiles | FitForm


@dataclass(frozen=True, slots=True)
class PageView:
    """One page, fully decided: `path` is the Markdown file below the tree's root."""

    path: str
    title: str
    description: str
    blocks: tuple[Block, ...]
    lead: str = ""
    trail: tuple[Span, ...] = ()
    badges: tuple[Span, ...] = ()
    actions: tuple[Span, ...] = ()
    edit_url: str = ""
    record_json: str = ""
    css: str = ""
    search: bool = True
    boost: int = 1
    hide: tuple[str, ...] = field(default=("navigation", "toc"))


def plain(text: object, css: str = "") -> tuple[Span, ...]:
    """`text` as the one span of a cell or fact."""
    return (Span(str(text), css=css),)


def web_link(url: str, text: str = "", css: str = "") -> Span:
    """A link to the web; an address that is not http(s) is shown and not linked."""
    return Span(text or short_url(url), href=safe_href(url), css=css)


def short_url(url: str, limit: int = 70) -> str:
    """An address without scheme, shortened in the middle."""
    bare = url.split("://", 1)[-1].removeprefix("www.").rstrip("/")
    return bare if len(bare) <= limit else f"{bare[: limit - 25]}…{bare[-22:]}"


def joined(groups: Iterable[Iterable[Span]], separator: str = ", ") -> tuple[Span, ...]:
    """Spans of several values with a separator between the values."""
    result: list[Span] = []
    for group in groups:
        if result:
            result.append(Span(separator))
        result.extend(group)
    return tuple(result)


def verdict_words(verdict: str) -> str:
    """A verdict as people read it."""
    return {"fits": "fits", "tight": "tight", "does-not-fit": "does not fit", "unsupported": "unsupported"}.get(verdict, "unknown")


def verdict_css(verdict: str) -> str:
    """The class that colours and marks a verdict; the word is always there too."""
    return {"fits": "v vf", "tight": "v vt", "does-not-fit": "v vn", "unsupported": "v vu"}.get(verdict, "v vq")


def without_empty(table: Table) -> Table:
    """The table without columns in which no cell says anything; the first that is left heads the rows."""
    said = [any(span.text for row in table.rows for span in row.cells[index].spans) for index in range(len(table.columns))]
    kept = [index for index, says in enumerate(said) if says] or [0]
    rows = tuple(Row(tuple(row.cells[index] for index in kept), row.anchor) for row in table.rows)
    return replace(table, columns=tuple(table.columns[index] for index in kept), rows=rows)
