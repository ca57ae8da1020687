"""The catalog -> {path: JSON}: the static API under /api/v1, one file per record, per collection and per schema."""

from __future__ import annotations

import json
from typing import Any

from llmops_catalog.catalog import Catalog, Record
from llmops_catalog.fit import ModelFacts
from llmops_catalog.problems import DOCUMENTATION
from llmops_catalog.render.views.library import Library, edit_url, record_json
from llmops_catalog.render.views.matrix import WAYS, Answer, Matrix
from llmops_catalog.render.views.wording import TITLES
from llmops_catalog.schema import COLLECTIONS

LICENSE = {"id": "CC-BY-4.0", "url": "https://creativecommons.org/licenses/by/4.0/", "attribution": "llmops-catalog"}
"""Of the data; each file carries it, so that a copy of one file is never without."""


def render_api(library: Library, matrix: Matrix) -> dict[str, str]:
    """Every file of the API by its site path; the bytes depend on the records alone."""
    catalog = library.catalog
    files = {
        "api/v1/index.json": _json(
            {"schema": "llmops-catalog/index/1", "license": LICENSE, "collections": [_entry(catalog, name) for name in catalog.counts]}
        )
    }
    for collection, records in library.records.items():
        listed = [record.as_json() for record in records.values()]
        files[f"api/v1/{collection}.json"] = _json(
            {"schema": "llmops-catalog/records/1", "license": LICENSE, "collection": collection, "total": len(listed), "records": listed}
        )
        for record in records.values():
            files[record_json(collection, record.id)] = _json(_record(catalog, record))
    files |= {f"api/v1/fit/{model.id}.json": _json(_fit(library, matrix, model)) for model in library.models.values()}
    for collection, model in COLLECTIONS.items():
        identifier = f"{DOCUMENTATION}/api/v1/schemas/{collection}.json"
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": identifier,
            "x-schema": "llmops-catalog/json-schema/1",
            "x-data-license": LICENSE,
        }
        files[f"api/v1/schemas/{collection}.json"] = _json(schema | model.model_json_schema())
    return files


def _entry(catalog: Catalog, collection: str) -> dict[str, Any]:
    return {
        "collection": collection,
        "title": TITLES[collection],
        "total": catalog.counts[collection],
        "records": f"api/v1/{collection}.json",
        "json_schema": f"api/v1/schemas/{collection}.json",
        "page": f"{collection}/",
    }


def _record(catalog: Catalog, record: Record) -> dict[str, Any]:
    referrers = catalog.referrers(record.collection, record.id)
    return {
        "schema": "llmops-catalog/record/1",
        "license": LICENSE,
        "collection": record.collection,
        "id": record.id,
        "label": record.label,
        "page": f"{record.collection}/{record.id}/",
        "edit_url": edit_url(record.collection, record.id),
        "record": record.as_json(),
        "referred_to_by": [{"collection": referrer.collection, "id": referrer.id, "field": referrer.field} for referrer in referrers],
    }


def _fit(library: Library, matrix: Matrix, model: ModelFacts) -> dict[str, Any]:
    """One model on every card: per card and way the verdict, the longest context tried that fits, a reason's code."""
    memories = [matrix.memory(model, way) for way in WAYS]
    return {
        "schema": "llmops-catalog/fit-matrix/1",
        "license": LICENSE,
        "model": model.id,
        "name": model.name,
        "context_tokens": matrix.context(model),
        "columns": ["verdict", "reach_tokens", "code", "quantization_instead"],
        "ways": [
            {"quantization": way.quantization, "runtime": way.runtime, "title": way.title, "memory": memory and memory.as_json()}
            for way, memory in zip(WAYS, memories, strict=True)
        ],
        "gpus": {gpu.id: [_answer(matrix.answer(model, gpu, way)) for way in WAYS] for gpu in library.gpus.values()},
    }


def _answer(answer: Answer) -> list[Any]:
    found = [answer.verdict, answer.reach_tokens, answer.code, answer.instead]
    while not found[-1] and len(found) > 2:
        found.pop()
    return found


def _json(value: Any) -> str:
    """Readable, in a stable order; `<` is escaped, so that a sniffing browser never finds markup in it."""
    return (
        json.dumps(value, ensure_ascii=False, indent=None if "ways" in value else 1, separators=(",", ":") if "ways" in value else None)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
        + "\n"
    )
