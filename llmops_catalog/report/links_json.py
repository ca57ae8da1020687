"""The report as JSON, piece by piece: one line for each link and model, so that ten thousand links take no more memory than one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from llmops_catalog.links.results import SCHEMA, Report


def json_pieces(report: Report) -> Iterator[str]:
    """The text of `Report.as_json()`, in pieces."""
    yield f'{{\n  "schema": {_dumped(SCHEMA)},\n  "summary": {_dumped(report.summary())},\n'
    yield from _listed("links", (result.as_json() for result in report.links))
    yield ",\n"
    yield from _listed("models", (model.as_json() for model in report.models))
    yield ",\n"
    yield from _listed("problems", (problem.as_json() for problem in report.problems))
    yield ",\n"
    yield from _listed("notes", report.notes)
    yield "\n}\n"


def _listed(name: str, items: Iterable[Any]) -> Iterator[str]:
    yield f'  "{name}": ['
    mark = "\n    "
    for item in items:
        yield mark + _dumped(item)
        mark = ",\n    "
    yield "]" if mark == "\n    " else "\n  ]"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
