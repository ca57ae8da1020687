"""A record's data as labelled facts in groups, led by the record's own JSON Schema: a new field shows up by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Cell, Column, Fact, FactGroup, Row, Span, Table, joined, plain, web_link
from llmops_catalog.schema import COLLECTIONS

Node = Mapping[str, Any]


@cache
def schema_of(collection: str) -> Node:
    """The JSON Schema of one collection's records."""
    return COLLECTIONS[collection].model_json_schema()


def resolve(node: Node, root: Node) -> Node:
    """`node` without references and without the 'or null' of optional fields; a definition's name is kept as ``x-name``."""
    merged = dict(node)
    while "$ref" in merged or "anyOf" in merged:
        if "$ref" in merged:
            name = merged.pop("$ref").rpartition("/")[2]
            merged = {"x-name": name, **root["$defs"][name], **merged}
        else:
            options = [option for option in merged.pop("anyOf") if option.get("type") != "null"]
            merged = {**options[0], **merged}
    return merged


class FactReader:
    """Reads the facts out of one collection's records."""

    def __init__(self, library: Library, collection: str) -> None:
        self.library, self.collection, self.root = library, collection, schema_of(collection)

    def groups(self, data: Mapping[str, Any]) -> tuple[FactGroup, ...]:
        """All facts of a record in the collection's groups; what no group names comes last."""
        marks = {doubt["field"]: f"{doubt['confidence']} confidence: {doubt['why']}" for doubt in data.get("doubts", ())}
        hidden = wording.HIDDEN | wording.SHOWN_ELSEWHERE.get(self.collection, frozenset())
        facts: dict[str, Fact] = {}
        for key, value in data.items():
            if key not in hidden and value is not None and value not in ([], {}, ""):
                for path, node, inner in self._leaves(key, self._property(key), value):
                    facts[path] = self._fact(path, node, inner, marks)
        for gap in data.get("not_known", ()):
            if gap["field"] not in facts:
                facts[gap["field"]] = Fact(wording.label(gap["field"]), plain(f"not known: {gap['why']}", "lc-gap"))
        return tuple(self._grouped(facts))

    def _grouped(self, facts: dict[str, Fact]) -> Iterator[FactGroup]:
        left = dict(facts)
        for title, prefixes in wording.GROUPS.get(self.collection, ()):
            chosen = [path for prefix in prefixes for path in left if path == prefix or path.startswith(f"{prefix}.")]
            if found := tuple(left.pop(path) for path in dict.fromkeys(chosen)):
                yield FactGroup(title, found)
        if left:
            yield FactGroup("More" if len(left) < len(facts) else "Facts", tuple(left.values()))

    def _property(self, key: str) -> Node:
        return resolve(self.root["properties"].get(key, {}), self.root)

    def _leaves(self, path: str, node: Node, value: Any) -> Iterator[tuple[str, Node, Any]]:
        """Values with their dotted paths; objects that read as one fact (a licence, a price) stay whole."""
        if isinstance(value, Mapping) and node.get("x-name") not in COMPOSED:
            for key, inner in value.items():
                if inner is not None and inner not in ([], {}):
                    yield from self._leaves(f"{path}.{key}", resolve(node.get("properties", {}).get(key, {}), self.root), inner)
        else:
            yield path, node, value

    def _fact(self, path: str, node: Node, value: Any, marks: Mapping[str, str]) -> Fact:
        mark = next(
            (why for field, why in marks.items() if path == field or path.startswith(f"{field}.") or field.startswith(f"{path}.")), ""
        )
        return Fact(wording.label(path), self.spans(path, node, value), str(node.get("description", "")), mark)

    def spans(self, path: str, node: Node, value: Any) -> tuple[Span, ...]:
        """One value as text and links, formatted by what the schema says it is."""
        if isinstance(value, list):
            item = resolve(node.get("items", {}), self.root)
            separator = "; " if any(isinstance(entry, Mapping) or (isinstance(entry, str) and "," in entry) for entry in value) else ", "
            return joined((self.spans(path, item, entry) for entry in value), separator)
        if isinstance(value, Mapping):
            composer = COMPOSED.get(str(node.get("x-name")))
            if composer is not None:
                return composer(value)
            inner = (
                (wording.label(f"{path}.{key}"), self.spans(f"{path}.{key}", self._inner(node, key), entry)) for key, entry in value.items()
            )
            return joined(((Span(f"{name} "), *spans) for name, spans in inner), ", ")
        return self._scalar(path, node, value)

    def _inner(self, node: Node, key: str) -> Node:
        return resolve(node.get("properties", {}).get(key, {}), self.root)

    def _scalar(self, path: str, node: Node, value: Any) -> tuple[Span, ...]:
        if target := node.get("x-refers-to"):
            return (self.library.link_any(value) if target == "*" else self.library.link(target, value),)
        if node.get("format") == "uri":
            return (web_link(value),)
        if value is True or value is False:
            return plain("yes" if value else "no")
        if formatter := wording.FORMATS.get(path.rpartition(".")[2]):
            return plain(formatter(value))
        if isinstance(value, int | float):
            return plain(text.number(value))
        name = wording.named(path.rpartition(".")[2], value)
        return plain(text.words(name) if "enum" in node and path in wording.SPELLED_OUT else name)

    def table(self, path: str, items: list[Any], title: str, *, skip: frozenset[str] = frozenset()) -> Table:
        """A list of objects as a table with the columns that occur."""
        node = resolve(self._property(path).get("items", {}), self.root)
        keys = [key for key in node.get("properties", {}) if key not in skip and any(item.get(key) not in (None, [], {}) for item in items)]
        rows = tuple(Row(tuple(self._table_cell(path, key, node, item.get(key)) for key in keys)) for item in items)
        return Table(title, tuple(Column(wording.label(f"{path}.{key}")) for key in keys), rows, title=title, anchor=path)

    def _table_cell(self, path: str, key: str, node: Node, value: Any) -> Cell:
        if value in (None, [], {}):
            return Cell()
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return Cell(self.spans(f"{path}.{key}", self._inner(node, key), value), sort=value if numeric else None, css="n" if numeric else "")


def license_spans(value: Mapping[str, Any]) -> tuple[Span, ...]:
    """A licence: its name, its text, and what a business may do."""
    name = value.get("name") or value["id"].removeprefix("LicenseRef-")
    spans = [web_link(value["url"], name) if value.get("url") else Span(name)]
    if value.get("name") and not value["id"].startswith("LicenseRef-"):
        spans.append(Span(f" ({value['id']})"))
    elif value["id"].startswith("LicenseRef-"):
        spans.append(Span(f" ({value['id']}, not an SPDX licence)"))
    if use := value.get("commercial_use"):
        spans.append(Span(f" · commercial use: {wording.COMMERCIAL[use]}"))
    if value.get("note"):
        spans.append(Span(f" · {value['note']}"))
    return tuple(spans)


def _money(value: Mapping[str, Any]) -> tuple[Span, ...]:
    return plain(text.money(dict(value)))


def _gated(value: Mapping[str, Any]) -> tuple[Span, ...]:
    words = {"no": "free to download", "auto": "after accepting the terms, at once", "manual": "after a request somebody approves"}[
        value["mode"]
    ]
    return (Span(words), Span(" · "), web_link(value["url"], "ask for access")) if value.get("url") else plain(words)


def _block(value: Mapping[str, Any]) -> tuple[Span, ...]:
    return plain(f"{value['weights']} weight{'s' if value['weights'] != 1 else ''} in {value['bytes']} bytes")


def _layer_group(value: Mapping[str, Any]) -> tuple[Span, ...]:
    parts = [
        f"{wording.label(f'architecture.attention.{key}').lower()} {text.number(value[key])}"
        for key in value
        if key not in ("layers", "type")
    ]
    said = f" ({', '.join(parts)})" if parts else ""
    return plain(f"{value['layers']} × {value['type'].replace('_', ' ')}{said}")


def _system_limit(value: Mapping[str, Any]) -> tuple[Span, ...]:
    note = f" ({value['note']})" if value.get("note") else ""
    return plain(f"{value['low_gib']:,.2f} to {value['high_gib']:,.2f} GiB{note}")


def _repository(value: Mapping[str, Any]) -> tuple[Span, ...]:
    return (
        web_link(f"{value['repository']}/blob/{value['commit']}/{value['path']}", value["path"]),
        Span(f" at {value['commit']} of "),
        web_link(value["repository"]),
    )


COMPOSED: dict[str, Callable[[Mapping[str, Any]], tuple[Span, ...]]] = {
    "License": license_spans, "Money": _money, "Gated": _gated, "Block": _block, "SystemLimit": _system_limit, "Repository": _repository,
    "LayerGroup": _layer_group,
}  # fmt: skip
