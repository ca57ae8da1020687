"""Results back from JSON: every key's type and range is checked before anything believes it."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast, get_args, get_type_hints

from llmops_catalog.links.results import (
    ACCESS_STATES,
    SCHEMA,
    VERDICTS,
    Access,
    Finding,
    Judgement,
    LinkResult,
    ModelResult,
    Outcome,
    Place,
    Report,
    VerdictName,
)
from llmops_catalog.problems import Level, Problem

FINDING_CODES: tuple[str, ...] = get_args(get_type_hints(Finding)["code"])
LARGEST_NUMBER = 2**53
_CODE = re.compile(r"[a-z0-9-]{1,60}")
_NEEDED = object()


class Malformed(Exception):
    """What is wrong with a value, as one sentence."""


def report_from(value: Any) -> Report:
    """The report in the whole object of `check-links --format json`; its summary is counted anew. Raises `Malformed`."""
    check_schema(value)
    return Report(
        links=tuple(link_from(item) for item in _objects(value, "links", needed=True)),
        models=tuple(model_from(item) for item in _objects(value, "models")),
        problems=tuple(problem_from(item) for item in _objects(value, "problems")),
        notes=tuple(_text({"note": note}, "note") for note in _list(value, "notes")),
    )


def check_schema(value: Any) -> None:
    """Raises `Malformed` unless `value` is an object that says it is a link report."""
    if not isinstance(value, Mapping):
        raise Malformed(f"{_shown(value)} is no object of a link report")
    if value.get("schema") != SCHEMA:
        said = f"is of schema {_shown(value['schema'])}" if "schema" in value else "names no schema"
        raise Malformed(f"it {said}, where a link report says '{SCHEMA}'")


def link_from(value: Mapping[str, Any]) -> LinkResult:
    """One object of `links`. Raises `Malformed`."""
    status = value.get("http_status")
    judgement = Judgement(
        outcome=cast(Outcome, _one_of(value, "outcome", get_args(Outcome))),
        verdict=cast(VerdictName, _one_of(value, "verdict", VERDICTS)),
        reason=_text(value, "reason", ""),
        hint=_text(value, "hint", ""),
        http_status=None if status is None else _number(value, "http_status"),
        final_url=_perhaps(value, "final_url"),
        better_url=_perhaps(value, "better_url"),
        archived_url=_perhaps(value, "archived_url"),
    )
    remembered = value.get("remembered", False)
    if not isinstance(remembered, bool):
        raise Malformed(f"'remembered' is {_shown(remembered)}, neither true nor false")
    return LinkResult(
        url=_text(value, "url"),
        places=_places(value),
        judgement=judgement,
        attempts=_number(value, "attempts", 0),
        elapsed_ms=_number(value, "elapsed_ms", 0),
        checked_at=_time(value, "checked_at"),
        remembered=remembered,
    )


def model_from(value: Mapping[str, Any]) -> ModelResult:
    """One object of `models`. Raises `Malformed`."""
    return ModelResult(
        hub_id=_text(value, "hub_id"),
        access=cast(Access, _one_of(value, "access", ACCESS_STATES)),
        recorded=_perhaps(value, "recorded"),
        outcome=cast(Outcome, _one_of(value, "outcome", get_args(Outcome))),
        hint=_text(value, "hint", ""),
        places=_places(value),
        true_id=_perhaps(value, "true_id"),
        gated=_perhaps(value, "gated"),
        findings=tuple(_finding(item) for item in _objects(value, "findings")),
    )


def problem_from(value: Mapping[str, Any]) -> Problem:
    """One object of `problems`. Raises `Malformed`."""
    return Problem(
        path=_text(value, "path"),
        line=_number(value, "line", lowest=1),
        column=_number(value, "column", lowest=1),
        code=_code(value, "code"),
        message=_text(value, "message"),
        hint=_text(value, "hint", ""),
        level=cast(Level, _one_of(value, "level", get_args(Level))),
    )


def note_from(value: Mapping[str, Any]) -> str:
    """The text of ``{"note": ...}``. Raises `Malformed`."""
    return _text(value, "note")


def _finding(value: Mapping[str, Any]) -> Finding:
    place = value.get("place")
    if not isinstance(place, Mapping):
        raise Malformed(f"'place' is {_shown(place)}, no object")
    code = cast(Any, _one_of(value, "code", FINDING_CODES))
    return Finding(code, _text(value, "message"), _text(value, "hint", ""), _place(place))


def _places(value: Mapping[str, Any]) -> tuple[Place, ...]:
    return tuple(_place(place) for place in _objects(value, "places"))


def _place(value: Mapping[str, Any]) -> Place:
    return Place(_text(value, "path"), _number(value, "line", lowest=1), _number(value, "column", lowest=1), _text(value, "field", ""))


def _objects(value: Mapping[str, Any], key: str, needed: bool = False) -> Iterator[Mapping[str, Any]]:
    for position, item in enumerate(_list(value, key, needed), start=1):
        if not isinstance(item, Mapping):
            raise Malformed(f"'{key}' has {_shown(item)} at position {position}, no object")
        yield item


def _list(value: Mapping[str, Any], key: str, needed: bool = False) -> list[Any]:
    found = value.get(key, None if needed else [])
    if not isinstance(found, list):
        raise Malformed(f"'{key}' is {_shown(found)}, no list" if key in value else f"'{key}' is missing")
    return found


def _text(value: Mapping[str, Any], key: str, default: Any = _NEEDED) -> str:
    """Text that can be written as UTF-8, whatever half characters JSON let through."""
    found = value.get(key, default)
    if not isinstance(found, str):
        raise Malformed(f"'{key}' is missing" if found is _NEEDED else f"'{key}' is {_shown(found)}, no text")
    return found if found.isascii() else found.encode("utf-8", "replace").decode()


def _perhaps(value: Mapping[str, Any], key: str) -> str | None:
    return None if value.get(key) is None else _text(value, key)


def _number(value: Mapping[str, Any], key: str, default: Any = _NEEDED, lowest: int = 0) -> int:
    found = value.get(key, default)
    if found is _NEEDED:
        raise Malformed(f"'{key}' is missing")
    if not isinstance(found, int) or isinstance(found, bool) or not lowest <= found <= LARGEST_NUMBER:
        raise Malformed(f"'{key}' is {_shown(found)}, no whole number from {lowest}")
    return found


def _one_of(value: Mapping[str, Any], key: str, names: Sequence[str]) -> str:
    found = _text(value, key)
    if found not in names:
        raise Malformed(f"'{key}' is {_shown(found)}, none of {', '.join(names)}")
    return found


def _code(value: Mapping[str, Any], key: str) -> str:
    """The name of a kind of problem, which is shown unescaped."""
    found = _text(value, key)
    if not _CODE.fullmatch(found):
        raise Malformed(f"'{key}' is {_shown(found)}, no name of a problem")
    return found


def _time(value: Mapping[str, Any], key: str) -> str:
    found = _text(value, key, "")
    if found:
        try:
            datetime.fromisoformat(found)
        except ValueError:
            raise Malformed(f"'{key}' is {_shown(found)}, no time in ISO 8601") from None
    return found


def _shown(value: Any) -> str:
    return reprlib.repr(value)
