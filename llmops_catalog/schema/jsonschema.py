"""The JSON Schema of each collection, as editors and other tools read it: generated from the Pydantic models, never written by hand."""

from __future__ import annotations

import json
from typing import Any

from llmops_catalog.schema import COLLECTIONS


def json_schema(collection: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one collection's records."""
    model = COLLECTIONS[collection]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://llmops-catalog.github.io/llmops-catalog/api/v1/schemas/{collection}.json",
        **model.model_json_schema(),
    }


def schema_text(collection: str) -> str:
    """The schema as committed: indented, stable, with a final newline."""
    return json.dumps(json_schema(collection), indent=2, ensure_ascii=False) + "\n"
