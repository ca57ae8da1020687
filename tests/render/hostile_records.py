"""Records whose every free text is an attack, made from the schema itself: a field added later is attacked by itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llmops_catalog.catalog.compiled import _TABLES
from llmops_catalog.catalog.names import label_of
from llmops_catalog.catalog.store import Catalog
from llmops_catalog.schema import COLLECTIONS

ID = "evil/one"
LINE = (
    """<script>hit()</script><img src=x onerror=hit()> [x](javascript:hit()) **b** `c` <!-- a --></div></td> {{ 7*7 }} {% raw %}"""
    """ <?php x ?>"""
    """ &lt;script&gt;hit()&lt;/script&gt; " onmouseover="hit() ' autofocus {: onclick=hit() } | # @ $x$ ~~~ ::: --8<-- "x" """
).strip()
PROSE = (
    LINE
    + "\n```html\n<script>hit()</script>\n```\n---\ntitle: x\n---\n# Heading\n\n<div markdown=1 onclick=hit()>\n[ref]: javascript:hit()\n"
    + "w" * 400
)
URL = "https://example.org/a'b?x=1&lt;=2&y=(javascript:hit())#:~:text=`c`".replace("`", "%60")
PROSE_FIELDS = {"summary", "because", "method", "matters_because", "quote", "says"}


def record(collection: str) -> dict[str, Any]:
    """A valid record of the collection with every field filled, and hostile in every text the schema lets be hostile."""
    model = COLLECTIONS[collection]
    schema = model.model_json_schema()
    attack, harmless = (
        {key: _value(key, node, schema, hostile) for key, node in schema["properties"].items()} for hostile in (True, False)
    )
    if collection == "measurements":
        for data in (attack, harmless, *attack["readings"], *harmless["readings"]):
            del data["model_name"]
    if collection == "lists":
        for data in (attack, harmless):
            carried, none = dict(data["items"][0]), dict(data["items"][0], item_id="000-L033-1")
            del carried["why_none"], none["record"]
            data["items"] = [carried, none]
    for _ in range(20):
        try:
            return json.loads(model.model_validate(attack).model_dump_json(exclude_none=True))
        except ValidationError as error:
            places = {tuple(found["loc"]) for found in error.errors()}
            for place in places:
                if not any(
                    other[: len(place)] == place and other != place for other in places
                ):  # "too short" follows from what is wrong inside
                    _make_harmless(attack, harmless, place)
    raise AssertionError(f"no valid hostile record of {collection}")


def _make_harmless(attack: Any, harmless: Any, place: tuple[Any, ...]) -> None:
    """Replaces the value at `place` (the deepest part of it that both records have) by the schema's own example."""
    for part in place[:-1]:
        if not isinstance(attack[part], dict | list):
            break
        attack, harmless = attack[part], harmless[part]
    else:
        part = place[-1]
    attack[part] = harmless[part]


def _value(key: str, node: Mapping[str, Any], root: Mapping[str, Any], hostile: bool, inherited: Any = None) -> Any:
    node = dict(node)
    example = node.get("examples", [inherited])[0]
    while "$ref" in node or "anyOf" in node:
        if "$ref" in node:
            node = {**root["$defs"][node.pop("$ref").rpartition("/")[2]], **node}
        else:
            node = {**next(option for option in node.pop("anyOf") if option.get("type") != "null"), **node}
    if node.get("type") == "array":
        inner = example[0] if isinstance(example, list) and example else None
        return [_value(key, node["items"], root, hostile, inner) for _ in range(3 if key == "columns" else 1)]
    if node.get("type") == "object" and "properties" in node:
        return {name: _value(name, child, root, hostile) for name, child in node["properties"].items()}
    if target := node.get("x-refers-to"):
        return f"models/{ID}" if target == "*" else ID
    if node.get("format") == "uri":
        return URL
    if node.get("type") != "string" or "enum" in node or "const" in node or not hostile:
        return example
    return PROSE if key in PROSE_FIELDS else LINE


def hostile_records() -> dict[str, dict[str, dict[str, Any]]]:
    """One hostile record per collection."""
    return {collection: {ID: record(collection)} for collection in COLLECTIONS}


def texts(value: Any) -> Iterator[str]:
    """Every string of a record."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def catalog_of(records: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Catalog:
    """A catalog of exactly these records, references taken from the schema and not checked."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(_TABLES)
    for position, collection in enumerate(COLLECTIONS):
        found = records.get(collection, {})
        connection.execute("INSERT INTO collections VALUES (?, ?, ?)", (collection, position, len(found)))
        for record_id, data in found.items():
            path = f"catalog/{collection}/{record_id}.yaml"
            connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?)", (collection, record_id, label_of(data, record_id), path, json.dumps(data))
            )
            for target in COLLECTIONS:
                connection.execute("INSERT INTO refs VALUES (?, ?, ?, ?, ?)", (target, ID, collection, record_id, "field"))
    return Catalog(connection, Path("catalog"))
