"""Whatever a record says is text on its page: no markup, no script, no Markdown, no template syntax."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import markdown
import pytest
import yaml
from hostile_records import ID, LINE, PROSE, URL, catalog_of, hostile_records, texts

from llmops_catalog.render.tree import generated
from llmops_catalog.schema import COLLECTIONS

TAGS = frozenset(
    [
        "div",
        "header",
        "p",
        "h1",
        "h2",
        "h3",
        "a",
        "span",
        "section",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "ul",
        "ol",
        "li",
        "b",
        "form",
        "label",
        "select",
        "option",
        "button",
        "noscript",
    ]
)
ATTRIBUTES = frozenset(
    [
        "class",
        "id",
        "href",
        "rel",
        "title",
        "role",
        "tabindex",
        "aria-label",
        "scope",
        "data-v",
        "data-facet",
        "data-lc-table",
        "data-search-exclude",
        "style",
    ]
)
FORM_ATTRIBUTES = ATTRIBUTES | frozenset(
    [
        "method",
        "action",
        "for",
        "name",
        "value",
        "type",
        "data-lc-fit",
        "data-api",
        "data-root",
        "data-refusals",
        "data-lc-answer",
        "aria-live",
        "selected",
    ]
)


class Page(HTMLParser):
    """Collects tags, attributes and text as a browser would see them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data[:80]}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data[:80]}")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {path: text for path, text in generated(catalog_of(hostile_records())).items() if isinstance(text, str)}


def bodies(files: dict[str, str]) -> dict[str, str]:
    return {path: text.split("\n---\n\n", 1)[1] for path, text in files.items() if path.endswith(".md")}


def test_every_page_holds_only_our_markup(files: dict[str, str]) -> None:
    for path, body in bodies(files).items():
        page = Page(body)
        assert page.open == [], path
        assert page.tags <= TAGS, path
        allowed = FORM_ATTRIBUTES if "form" in page.tags else ATTRIBUTES
        assert {name for name, _ in page.attributes} <= allowed, path
        for name, value in page.attributes:
            if name == "href":
                assert re.match(r"https?://[^\s]+$|[.#/a-z0-9_?=&-]*$", value), (path, value)
            if name == "style":  # only the names of columns, for phones
                assert re.fullmatch(r'(--l\d+:"([A-Za-z0-9 ]|\\[0-9a-f]{6})*"(;|$))+', value), (path, value)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_text_of_a_record_is_on_its_page_as_written(collection: str, files: dict[str, str]) -> None:
    page = Page(bodies(files)[f"{collection}/{ID}.md"])
    shown = " ".join(page.text + [value for name, value in page.attributes if name == "title"])
    record = hostile_records()[collection][ID]
    hostile = [value for value in texts(record) if "<script>" in value]
    assert hostile
    assert shown.count(LINE) >= len({json.dumps(path) for path in _places(record)}), "a text of the record is missing on its page"
    if any(value == PROSE for value in hostile):
        assert PROSE in shown


def _places(record: dict[str, object]) -> list[list[object]]:
    found: list[list[object]] = []

    def walk(value: object, place: list[object]) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, [*place, key])
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, [*place, index])
        elif value == LINE and place[-1] != "field":
            found.append(place)

    walk(record, [])
    return found


def test_markdown_readers_change_nothing(files: dict[str, str]) -> None:
    extensions = [
        "admonition",
        "tables",
        "attr_list",
        "toc",
        "md_in_html",
        "def_list",
        "footnotes",
        "abbr",
        "pymdownx.superfences",
        "pymdownx.highlight",
        "pymdownx.emoji",
        "pymdownx.snippets",
        "pymdownx.details",
        "pymdownx.tabbed",
        "pymdownx.keys",
        "pymdownx.magiclink",
        "pymdownx.blocks.admonition",
    ]
    for path, body in bodies(files).items():
        assert markdown.markdown(body, extensions=extensions).strip() == body.strip(), path


def test_no_page_has_a_blank_line_or_template_syntax_in_its_body(files: dict[str, str]) -> None:
    for path, body in bodies(files).items():
        assert body.startswith('<div class="lc '), path
        assert not re.search(r"\n\s|\{\{|\{%|\{#|`", body), path


def test_front_matter_survives_any_title(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".md"):
            meta = yaml.safe_load(text.split("\n---\n", 1)[0].removeprefix("---\n"))
            assert set(meta) <= {"title", "description", "hide", "edit_url", "record_json", "search"}, path
            for key in ("title", "description"):
                assert not set(meta[key]) & set("<>\"'`{}\n"), path
                assert not re.search(r"&[#\w]", meta[key]), path


def test_json_files_hold_the_texts_unchanged_and_no_markup(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".json"):
            assert "<" not in text, path
            json.loads(text)
    record = json.loads(files[f"api/v1/notebooks/{ID}.json"])["record"]
    assert record["title"] == LINE
    assert record["url"] == URL


def test_the_feed_is_well_formed(files: dict[str, str]) -> None:
    from xml.etree import ElementTree

    feed = ElementTree.fromstring(files["feed.xml"])  # noqa: S314 - our own output
    titles = [title.text for title in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert LINE in titles


def test_addresses_that_validation_would_refuse_are_not_linked_either() -> None:
    records = hostile_records()
    for data in records.values():
        for record in data.values():
            for key in ("url", "repository", "docs", "paper", "specification", "pricing_url"):
                if isinstance(record.get(key), str):
                    record[key] = "javascript:hit()"
            record["sources"][0]["url"] = "data:text/html,<script>hit()</script>"
    for path, body in bodies({p: t for p, t in generated(catalog_of(records)).items() if isinstance(t, str)}).items():
        for name, value in Page(body).attributes:
            if name in ("href", "action", "src"):
                assert not value.lower().lstrip().startswith(("javascript:", "data:")), (path, value)
