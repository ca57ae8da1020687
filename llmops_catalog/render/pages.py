"""Views + templates -> {path: text}. Each page is a Markdown file: front matter, then one HTML block no Markdown reader looks into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from llmops_catalog.errors import RenderError
from llmops_catalog.render import text
from llmops_catalog.render.internal_links import page_url, relative
from llmops_catalog.render.views.parts import Column, PageView, Span


@cache
def _environment() -> Environment:
    """Autoescape is on; on top of it every value passes `to_html`, which also hides Markdown and template syntax."""
    environment = Environment(
        loader=PackageLoader("llmops_catalog.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=text.to_html,
    )
    environment.filters["tag"] = _tag
    environment.filters["labels"] = _labels
    return environment


def render_pages(views: Iterable[PageView]) -> dict[str, str]:
    """The Markdown file of every view, by path. Raises `RenderError` where two views would share an address."""
    pages: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for view in views:
        url = page_url(view.path)
        if (other := addresses.setdefault(url, view.path)) != view.path or view.path in pages:
            raise RenderError(f"{view.path} and {other} would both be the page /{url}", "rename one of the two records")
        pages[view.path] = render_page(view)
    return pages


def render_page(view: PageView) -> str:
    """One page: front matter and body."""
    body = (
        _environment()
        .get_template("page.html.j2")
        .render(page=view, span=_span_writer(page_url(view.path)), path=_path_writer(page_url(view.path)))
    )
    # No blank line and no indentation: either would end the HTML block for a CommonMark reader.
    lines = (line.strip() for line in body.splitlines())
    return _front_matter(view) + "\n".join(line for line in lines if line) + "\n"


def _front_matter(view: PageView) -> str:
    meta: dict[str, Any] = {
        "title": text.plain_title(view.title),
        "description": text.plain_title(view.description, 200),
        "hide": list(view.hide),
    }
    if view.edit_url:
        meta |= {"edit_url": view.edit_url, "record_json": view.record_json}
    if not view.search:
        meta["search"] = {"exclude": True}
    elif view.boost > 1:
        meta["search"] = {"boost": view.boost}
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in meta.items())
    return "---\n" + "\n".join(lines) + "\n---\n\n"


def _path_writer(here: str) -> Callable[[str], str]:
    return lambda target: relative(here, target)


def _span_writer(here: str) -> Callable[[Span], Markup]:
    """How a span reads on the page at `here`: text, or a link with the address relative to it."""

    def write(span: Span) -> Markup:
        inner = text.to_html(span.text)
        css = f' class="{span.css}"' if span.css else ""
        if span.page is not None:
            return Markup(f'<a{css} href="{text.to_html(relative(here, span.page))}">{inner}</a>')  # noqa: S704 - parts are escaped
        if span.href is not None:
            return Markup(f'<a{css} href="{text.to_html(span.href)}" rel="noopener">{inner}</a>')  # noqa: S704
        return Markup(f"<span{css}>{inner}</span>") if css else inner  # noqa: S704

    return write


def _labels(columns: Iterable[Column]) -> str:
    """The columns' names as CSS variables, for tables whose rows a phone shows as cards."""
    names = (_css_text(column.short or column.title) for column in columns)
    return ";".join(f'--l{position}:"{name}"' for position, name in enumerate(names) if position)


def _css_text(value: str) -> str:
    """`value` between the quotes of a CSS string: all but letters, digits and spaces as escapes."""
    return "".join(char if char == " " or (char.isalnum() and char.isascii()) else f"\\{ord(char):06x}" for char in value)


def _tag(name: str, value: object) -> Markup:
    """An HTML attribute, or nothing where the value is empty."""
    return Markup(f' {name}="{text.to_html(value)}"') if value not in (None, "") else Markup("")  # noqa: S704
