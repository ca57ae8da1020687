"""Do the rendered pages' own links lead somewhere? Site builders do not look inside raw HTML, so we do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from llmops_catalog.errors import RenderError

_LINK = re.compile(r'\s(?:href|src|action)="([^"]*)"')
_ANCHOR = re.compile(r'\sid="([^"]*)"')
SHOWN = 10


def page_url(path: str) -> str:
    """The address below the site's root that a builder with directory addresses gives to a Markdown file."""
    if not path.endswith(".md"):
        return path
    stem = path.removesuffix(".md")
    return "" if stem == "index" else stem.removesuffix("/index") + "/"


def relative(here: str, target: str) -> str:
    """`target` (a site path, perhaps with query or fragment) as seen from the page at `here`; both without leading slash."""
    path, mark, rest = target, "", ""
    if found := re.search(r"[?#]", target):
        path, mark, rest = target[: found.start()], found[0], target[found.end() :]
    up = here.split("/")[:-1]
    down = path.split("/")
    while up and len(down) > 1 and up[0] == down[0]:
        up, down = up[1:], down[1:]
    steps = "../" * len(up) + "/".join(down)
    return (steps or ("./" if not mark or mark == "?" else "")) + mark + rest


def check_internal_links(files: Mapping[str, str | bytes]) -> None:
    """Raises `RenderError` that names the first few links (and fragments) of generated pages that lead nowhere."""
    pages = {page_url(path): text for path, text in files.items() if path.endswith(".md") and isinstance(text, str)}
    known = {page_url(path) for path in files}
    anchors: dict[str, set[str]] = {}
    broken: list[str] = []
    for here, text in pages.items():
        for link in _links(text):
            target, fragment = _resolve(here, link)
            if target not in known:
                broken.append(f"{here or 'home'} -> {link}")
            elif fragment and target in pages and not _hand_written(pages[target]):
                if target not in anchors:
                    anchors[target] = set(_ANCHOR.findall(pages[target]))
                if fragment not in anchors[target]:
                    broken.append(f"{here or 'home'} -> {link} (no such place on the page)")
    if broken:
        more = f" and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        raise RenderError(
            f"{len(broken)} links inside the site lead nowhere: {'; '.join(broken[:SHOWN])}{more}",
            "this is a fault of the templates: please report it",
        )


def _links(text: str) -> Iterable[str]:
    """Links of a page's HTML that stay inside the site."""
    for raw in dict.fromkeys(_LINK.findall(text)):
        link = unescape(raw)
        if not urlsplit(link).scheme and not link.startswith("//"):
            yield link


def _hand_written(text: str) -> bool:
    """Headings of hand-written Markdown get their ids from the site builder, which also checks them."""
    return '\n<div class="lc ' not in text


def _resolve(here: str, link: str) -> tuple[str, str]:
    parts = urlsplit(link)
    if link.startswith("/"):
        return f"(absolute) {link}", ""
    folder = here.rpartition("/")[0]
    path = unquote(parts.path)
    if not path:
        return here, unquote(parts.fragment)
    joined = normpath(f"{folder}/{path}" if folder else path)
    if joined == ".":
        joined = ""
    if joined and (path.endswith(("/", "/..", "/.")) or path in ("..", ".")):
        joined += "/"
    return joined, unquote(parts.fragment)
