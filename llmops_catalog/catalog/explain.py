"""What Pydantic found, said for the person who wrote the file: code, sentence, nearest valid name, place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from llmops_catalog.catalog.source import Document
from llmops_catalog.problems import CODES, Problem, did_you_mean, nearest
from llmops_catalog.schema.describe import model_in, yaml_flow

_EXPECTED = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list", "list_type": "a list", "model_type": "a mapping of keys to values", "dict_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}  # fmt: skip
_OWN = frozenset(CODES)
"""What our own types raise: the code is one of ours, the sentence and the fix come with it."""
_NUMBER_AND_UNIT = re.compile(r"([-+]?\d[\d_, ]*(?:\.\d+)?)\s*[A-Za-z/%]*")

Location = tuple[str | int, ...]


def explain(error: ValidationError, document: Document, path: str, model: type[BaseModel]) -> Iterator[Problem]:
    """One problem per place; the branches of a union are one mistake, not several."""
    details = [(_in_document(detail, document.data), detail) for detail in error.errors(include_url=False)]
    numbers = {location for location, detail in details if detail["type"] in ("float_type", "finite_number")}
    misspelled = _misspelled(details, model)
    seen: set[tuple[int, int, str]] = set()
    for location, detail in details:
        if _is_echo(location, detail, numbers) or (detail["type"] == "missing" and location in misspelled):
            continue
        problem = _problem(detail, location, document, path, model)
        if (problem.line, problem.column, problem.code) not in seen or problem.code == "missing-key":
            seen.add((problem.line, problem.column, problem.code))
            yield problem


def _in_document(detail: Any, data: Any) -> Location:
    """Where in the document the mistake is: Pydantic's location without the labels it adds for the branches of a union."""
    location: list[str | int] = []
    for step in detail["loc"]:
        if isinstance(data, dict) and (step in data or detail["type"] == "missing"):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            continue
        location.append(step)
    return tuple(location)


def _misspelled(details: list[tuple[Location, Any]], model: type[BaseModel]) -> set[Location]:
    """The missing keys that stand there under a name like theirs: one mistake, told at the misspelled one."""
    missing = {location for location, detail in details if detail["type"] == "missing"}
    unknown = [location for location, detail in details if detail["type"] == "extra_forbidden"] if missing else []
    meant = ((*location[:-1], key) for location in unknown for key in nearest(str(location[-1]), _fields(model, location[:-1]), 1))
    return missing.intersection(meant)


def _is_echo(location: Location, detail: Any, numbers: set[Location]) -> bool:
    """True for what only repeats another finding: the whole-number half of a number, a list counted short because its items are wrong."""
    if detail["type"] in ("int_type", "int_from_float") and location in numbers:
        return True
    return detail["type"] == "too_short" and isinstance(detail["input"], list) and len(detail["input"]) >= detail["ctx"]["min_length"]


def _problem(detail: Any, location: Location, document: Document, path: str, model: type[BaseModel]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    place = document.place((*location, "id") if kind == "bad-license" else location)
    field = _dotted(location)
    if kind == "extra_forbidden":
        name = str(location[-1])[:80]
        if detail["input"] is None and " " in name:
            hint = "the comma before it ended the value: put the whole value in quotes"
            return Problem(path, place.key_line, place.key_column, "unknown-key", f"{name!r} stands where a key should be", hint)
        return Problem(
            path,
            place.key_line,
            place.key_column,
            "unknown-key",
            f"{name!r} is not a key of {_where(location[:-1], model)}",
            _valid_keys(location, document, model),
        )
    if kind == "missing":
        parent = document.place(location[:-1])
        where = f" in {_dotted(location[:-1])}" if len(location) > 1 else ""
        return Problem(
            path,
            parent.key_line,
            parent.key_column,
            "missing-key",
            f"the key {location[-1]!r} is missing{where}",
            _example(model, location),
        )
    if kind in _EXPECTED:
        message, hint = _wrong_type(field, _EXPECTED[kind], detail["input"], location, model)
        return Problem(path, place.line, place.column, "wrong-type", message, hint)
    if kind == "literal_error":
        valid = _literals(context.get("expected", ""))
        given = str(detail["input"])[:60]
        return Problem(
            path,
            place.line,
            place.column,
            "invalid-value",
            f"{field} cannot be {given!r}",
            did_you_mean(nearest(given, valid)) or f"one of: {', '.join(valid)}",
        )
    if kind in _OWN:
        return Problem(
            path, place.line, place.column, kind, f"{field}: {detail['msg']}" if field else detail["msg"], str(context.get("hint", ""))
        )
    return Problem(
        path, place.line, place.column, "invalid-value", f"{field} {_broken_bound(kind, context, detail)}", _example(model, location)
    )


def _wrong_type(field: str, expected: str, value: Any, location: Location, model: type[BaseModel]) -> tuple[str, str]:
    """The sentence, and what to write instead: the same value in the right spelling where one can be guessed."""
    key = location[-1] if location and isinstance(location[-1], str) else None
    if value is None:
        return f"{field} has no value", _example(model, location)
    hint = _example(model, location)
    if key and isinstance(value, str):
        number = _NUMBER_AND_UNIT.fullmatch(value) if len(value) <= 40 else None
        if "number" in expected and number:
            hint = f"write the number alone, without quotes, separators or unit: {key}: {re.sub('[_, ]', '', number[1])}"
        elif expected == "true or false" and value.casefold() in ("yes", "y", "on", "true", "no", "n", "off", "false"):
            hint = f"write {key}: {'true' if value.casefold() in ('yes', 'y', 'on', 'true') else 'false'}"
        elif expected == "a list" and len(value) <= 80:
            hint = f"write it in brackets: {key}: [{value}]"
    elif key and expected == "text" and isinstance(value, bool):
        hint = f"put it in quotes if it is meant as text: {key}: {str(value).lower()!r}"
    return f"{field} must be {expected}, not {_found(value)}", hint


def _broken_bound(kind: str, context: dict[str, Any], detail: Any) -> str:
    value = detail["input"]
    shown = str(getattr(value, "as_written", value))
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if isinstance(value, str) and kind in ("too_short", "string_too_short"):
        return "is empty"
    if isinstance(value, str) and kind in ("too_long", "string_too_long"):
        return f"is longer than {context.get('max_length')} characters ({len(value)})"
    if kind == "too_short":
        least = context.get("min_length")
        return f"needs at least {'one entry' if least == 1 else f'{least} entries'}"
    sentences = {
        "greater_than_equal": f"must be at least {_amount(context.get('ge'))}, not {shown}",
        "less_than_equal": f"must be at most {_amount(context.get('le'))}, not {shown}",
        "string_pattern_mismatch": f"cannot be written {shown!r}",
        "finite_number": f"must be a finite number, not {shown}",
    }
    return sentences.get(kind, f"is not valid: {detail['msg']}")


def _amount(bound: Any) -> str:
    return f"{bound:,}" if isinstance(bound, int) else str(bound)


def _literals(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def _found(value: Any) -> str:
    written = getattr(value, "as_written", None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if written:
        return f"the number {written}"
    text = str(value)
    return f"a number of {len(text)} digits" if len(text) > 40 and text.isdigit() else f"the text {text[:60]!r}"


def _dotted(location: Location) -> str:
    """``uses[].model``: fields joined by dots; which item it is, the line says."""
    return ".".join("[]" if isinstance(step, int) else step for step in location).replace(".[]", "[]")


def _where(location: Location, model: type[BaseModel]) -> str:
    return _dotted(location) or f"a record in {getattr(model, 'collection', 'this file')}"


def _valid_keys(location: Location, document: Document, model: type[BaseModel]) -> str:
    """The key that was probably meant: spelled alike, one level further in, or one of those still free."""
    name = str(location[-1])
    valid = _fields(model, location[:-1])
    if near := nearest(name, valid):
        return did_you_mean(near)
    inside = [f"{field}.{name}" for field in valid if name in _fields(model, (*location[:-1], field))]
    if inside:
        return f"it belongs further in: {', '.join(inside[:3])}"
    written = document.data
    for step in location[:-1]:
        written = written[step]  # type: ignore[index]  # the steps are known to exist
    free = sorted(set(valid) - set(written))
    return f"still free here: {', '.join(free)}" if free else "every key there is stands here already: remove it"


def _submodel(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that describes the value at `location`."""
    current: type[BaseModel] | None = model
    for step in location:
        if current is None or isinstance(step, int):
            continue
        field = current.model_fields.get(step)
        current = model_in(field.annotation) if field else None
    return current


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    submodel = _submodel(model, location)
    return list(submodel.model_fields) if submodel else []


def _example(model: type[BaseModel], location: Location) -> str:
    """``for example: released: 2024-07-23``, from the schema."""
    named = [index for index, step in enumerate(location) if isinstance(step, str)]
    if not named:
        return ""
    last = named[-1]
    submodel = _submodel(model, location[:last])
    field = submodel.model_fields.get(str(location[last])) if submodel else None
    if field is None or not field.examples:
        return ""
    example = field.examples[0]
    return f"for example: {location[last]}: {yaml_flow(example)}"
