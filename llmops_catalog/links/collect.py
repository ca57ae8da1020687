"""Every address of every record and of the hand-written pages, each once, with every place it stands at. Reads; asks nobody.

Of a record: every text that is an address, whatever the field, and every address within prose; a file that is not readable as YAML
is counted and left to `validate`. Of `README.md`, `CONTRIBUTING.md`, `CHANGELOG.md` and `docs/` beside the catalog: what `markdown_links`
finds. Pages (not records) name hosts that nobody is meant to open: those reserved for examples (``example.com``, ``.org``, ``.net``, the
names ``.example``, ``.invalid``, ``.test``: https://www.rfc-editor.org/rfc/rfc6761) are never collected, the reader's own machine
(``localhost``, loopback) only where the caller wants it. The file of link exceptions is not a record.
"""

from __future__ import annotations

import ipaddress
import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from llmops_catalog.catalog.folder import SourceError, read_folder
from llmops_catalog.catalog.load import EXCEPTIONS_FILE
from llmops_catalog.catalog.source import Document, read_document
from llmops_catalog.links.markdown_links import bare_addresses, markdown_addresses
from llmops_catalog.links.results import Link, Place
from llmops_catalog.links.scalars import layout_of

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES_FOLDER, PAGE_SUFFIX = "docs", ".md"
MAX_PAGE_BYTES = 2 * 2**20
MAX_PAGES = 10_000
TEXT_FIELD = "text"
"""What a place in a page has for a field."""

ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
"""A value that is nothing but an address."""
_MAYBE = re.compile("https?://", re.IGNORECASE)
_EXAMPLE_HOST = re.compile(r"(?:.*\.)?(?:example\.(?:com|org|net)|example|invalid|test)")
_OWN_MACHINE = re.compile(r"(?:.*\.)?localhost")

Steps = tuple[str | int, ...]
"""The way to a value: keys and indexes."""


class Collected(NamedTuple):
    """The distinct addresses in the order of their first places, how many records and pages were read, and how many could not be."""

    links: tuple[Link, ...]
    records: int
    pages: int = 0
    unreadable: int = 0


def collect(root: Path, wanted: Sequence[str] = (), *, own_machine: bool = False) -> Collected:
    """The addresses of the catalog at `root` and of the pages beside it; only of the files and folders `wanted`, where any are named
    (relative to the catalog's parent; a page may be named that lies elsewhere below it).

    Raises `CatalogNotFound` where there is no such folder.
    """
    found: dict[str, set[Place]] = {}
    records = pages = unreadable = 0
    for path, raw in _files(root, wanted):
        is_page = path.endswith(PAGE_SUFFIX)
        try:
            if raw is None:
                raise SourceError("not-a-file", "", "")
            addresses = list(page_addresses(path, raw, own_machine)) if is_page else list(record_addresses(path, raw))
        except SourceError:
            unreadable += 1
            continue
        records, pages = records + (not is_page), pages + is_page
        for url, place in addresses:
            found.setdefault(url, set()).add(place)
    links = [Link(url, tuple(sorted(places))) for url, places in found.items()]
    return Collected(tuple(sorted(links, key=lambda link: (link.places, link.url))), records, pages, unreadable)


def addresses_in(path: str, raw: bytes, own_machine: bool = False) -> Iterator[tuple[str, Place]]:
    """Every address in one file, which is a page or a record by its name. Raises `SourceError` where it cannot be read."""
    return page_addresses(path, raw, own_machine) if path.endswith(PAGE_SUFFIX) else record_addresses(path, raw)


# --- files ------------------------------------------------------------------------------------------------------------


def _files(root: Path, wanted: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """Every wanted file by its path relative to the catalog's parent; None for what cannot be read."""
    folder = read_folder(root)
    for path in sorted(folder.files):
        shown = folder.shown(path)
        if path != EXCEPTIONS_FILE and _inside(shown, wanted):
            yield shown, folder.files[path]
    yield from ((problem.path, None) for problem in folder.problems if problem.level == "error" and _inside(problem.path, wanted))
    for shown in sorted(_pages(root.parent, wanted)):
        yield shown, _page_bytes(root.parent / shown)


def _pages(beside: Path, wanted: Sequence[str]) -> set[str]:
    """The pages there are, and those named. No link is followed."""
    found = {name for name in PAGES if (beside / name).is_file() and _inside(name, wanted)}
    found.update(name for name in wanted if name.endswith(PAGE_SUFFIX) and (beside / name).is_file())
    for place, folders, names in os.walk(beside / PAGES_FOLDER):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = [(Path(place) / name).relative_to(beside).as_posix() for name in names if name.endswith(PAGE_SUFFIX)]
        found.update(path for path in relative if _inside(path, wanted))
        if len(found) > MAX_PAGES:
            break
    return found


def _page_bytes(path: Path) -> bytes | None:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_PAGE_BYTES:
            return None
        with path.open("rb") as file:
            return file.read(MAX_PAGE_BYTES)
    except OSError:
        return None


def _inside(path: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(prefix == "." or path == prefix or path.startswith(f"{prefix}/") for prefix in wanted)


# --- records ----------------------------------------------------------------------------------------------------------


def record_addresses(path: str, raw: bytes) -> Iterator[tuple[str, Place]]:
    """The addresses in the values of one record. Raises `SourceError` where it is not YAML we accept."""
    document = read_document(raw)
    prose: list[tuple[Steps, str]] = []
    for steps, value in address_values(document):
        if ADDRESS.fullmatch(value):
            at = document.place(steps)
            yield value, Place(path, at.line, at.column, dotted(steps))
        else:
            prose.append((steps, value))
    if prose:
        yield from _prose_addresses(path, raw.decode("utf-8-sig"), document, prose)


def address_values(document: Document) -> Iterator[tuple[Steps, str]]:
    """Every text of a document that holds an address, with the way to it."""
    return _values(document.data, ())


def _values(value: Any, steps: Steps) -> Iterator[tuple[Steps, str]]:
    """No deeper than the strict reader lets a file nest."""
    if value.__class__ is str:
        if "://" in value and _MAYBE.search(value):
            yield steps, value
    elif value.__class__ is dict:
        for key, child in value.items():
            if child.__class__ in (str, dict, list):
                yield from _values(child, (*steps, key))
    elif value.__class__ is list:
        for index, child in enumerate(value):
            if child.__class__ in (str, dict, list):
                yield from _values(child, (*steps, index))


def _prose_addresses(path: str, text: str, document: Document, prose: list[tuple[Steps, str]]) -> Iterator[tuple[str, Place]]:
    """Addresses within sentences, at the line they stand on where they are written there as they read."""
    layout, lines = layout_of(text), Lines(text)
    for steps, value in prose:
        urls = {found.url for found in bare_addresses(value)}
        at = document.place(steps)
        scalar = layout.scalars.get((at.line, at.column))
        literal = [found for found in bare_addresses(text, scalar.start, scalar.end) if found.url in urls] if scalar else []
        for found in literal:
            yield found.url, Place(path, *lines.place(found.start), dotted(steps))
        for url in urls - {found.url for found in literal}:
            yield url, Place(path, at.line, at.column, dotted(steps))


def dotted(steps: Steps) -> str:
    """``sources[0].url``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


# --- pages ------------------------------------------------------------------------------------------------------------


def page_addresses(path: str, raw: bytes, own_machine: bool = False) -> Iterator[tuple[str, Place]]:
    """The addresses in one Markdown page. Raises `SourceError` where it is not UTF-8."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError("not-utf-8", "the page is not UTF-8", "save it as UTF-8") from None
    lines = Lines(text)
    for found in markdown_addresses(text):
        if not is_example(found.url, own_machine):
            yield found.url, Place(path, *lines.place(found.start), TEXT_FIELD)


def is_example(url: str, own_machine: bool = False) -> bool:
    """True for hosts that are named in documentation and never meant to be opened (see the head of this module)."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if _EXAMPLE_HOST.fullmatch(host):
        return True
    return not own_machine and (bool(_OWN_MACHINE.fullmatch(host)) or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


class Lines:
    """Line and column of every character of a text, both from 1."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text))]

    def place(self, position: int) -> tuple[int, int]:
        """Where the character at `position` stands."""
        line = bisect_right(self.starts, position)
        return line, position - self.starts[line - 1] + 1
