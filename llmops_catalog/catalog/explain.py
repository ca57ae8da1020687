"""What Pydantic found, said for the person who wrote the file: code, sentence, nearest valid name, place."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from llmops_catalog.catalog.source import Document
from llmops_catalog.problems import Problem, did_you_mean, nearest

_EXPECTED = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number", "bool_type": "true or false",
    "tuple_type": "a list", "list_type": "a list", "model_type": "a mapping of keys to values", "dict_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values", "finite_number": "a finite number",
}  # fmt: skip


def explain(error: ValidationError, document: Document, path: str, model: type[BaseModel]) -> Iterator[Problem]:
    """One problem per place; the branches of a union are one mistake, not several."""
    seen: set[tuple[int, int, str]] = set()
    for detail in error.errors(include_url=False):
        location = tuple(step for step in detail["loc"] if not (isinstance(step, str) and ("[" in step or step in ("int", "float", "str"))))
        problem = _problem(detail, location, document, path, model)
        if (problem.line, problem.column, problem.code) not in seen:
            seen.add((problem.line, problem.column, problem.code))
            yield problem


def _problem(detail: Any, location: tuple[str | int, ...], document: Document, path: str, model: type[BaseModel]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    name = str(location[-1]) if location else "the record"
    place = document.place(location)
    if kind == "extra_forbidden":
        valid = sorted(_fields(model, location[:-1]))
        hint = did_you_mean(nearest(name, valid)) or f"valid here: {', '.join(valid)}"
        return Problem(path, place.key_line, place.key_column, "unknown-key", f"{name[:80]!r} is not a key of {_where(location[:-1], model)}", hint)
    if kind == "missing":
        parent = document.place(location[:-1])
        return Problem(path, parent.key_line, parent.key_column, "missing-key", f"{_where(location[:-1], model)} needs the key {name!r}", _example(model, location))
    field = ".".join(str(step) for step in location) or "the record"
    if kind in _EXPECTED:
        found = _found(detail["input"])
        return Problem(path, place.line, place.column, "wrong-type", f"{field} must be {_EXPECTED[kind]}, not {found}", _example(model, location))
    if kind == "literal_error":
        valid = [value for value in _literals(context.get("expected", ""))]
        given = str(detail["input"])[:60]
        hint = did_you_mean(nearest(given, valid)) or f"one of: {', '.join(valid)}"
        return Problem(path, place.line, place.column, "invalid-value", f"{field} cannot be {given!r}", hint)
    if "-" in kind:  # raised by our own types: the sentence and the fix come with it
        return Problem(path, place.line, place.column, kind, f"{field}: {detail['msg']}", str(context.get("hint", "")))
    return Problem(path, place.line, place.column, "invalid-value", f"{field}: {_constraint(kind, context, detail)}", _example(model, location))


def _constraint(kind: str, context: dict[str, Any], detail: Any) -> str:
    shown = str(detail["input"])
    shown = repr(shown if len(shown) <= 60 else shown[:57] + "...")
    sentences = {
        "greater_than_equal": f"{shown} is below {context.get('ge')}",
        "less_than_equal": f"{shown} is above {context.get('le')}",
        "string_too_short": "the text is empty",
        "string_too_long": f"the text is longer than {context.get('max_length')} characters",
        "string_pattern_mismatch": f"{shown} does not have the expected form",
        "too_short": f"at least {context.get('min_length')} needed",
        "int_parsing_size": f"{shown} is too large",
    }
    return sentences.get(kind, str(detail["msg"]))


def _literals(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def _found(value: Any) -> str:
    written = getattr(value, "as_written", None)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {written}" if written else f"the text {str(value)[:60]!r}"


def _where(location: tuple[str | int, ...], model: type[BaseModel]) -> str:
    if location:
        return ".".join(str(step) for step in location)
    return f"a record in {getattr(model, 'collection', 'this file')}"


def _submodel(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that describes the value at `location`."""
    current: type[BaseModel] | None = model
    for step in location:
        if current is None or isinstance(step, int):
            continue
        field = current.model_fields.get(step)
        current = _model_in(field.annotation) if field else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple):
        return next(filter(None, map(_model_in, get_args(annotation))), None)
    return None


def _fields(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    submodel = _submodel(model, location)
    return list(submodel.model_fields) if submodel else []


def _example(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
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
    return f"for example: {location[last]}: {_flow(example)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
