"""What a contributor may write: every field of every collection with its type, meaning and example, read off the schema."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llmops_catalog.render.text import plain_title
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Cell, Column, Items, PageView, Row, Span, Table
from llmops_catalog.schema import COLLECTIONS
from llmops_catalog.schema.base import RefTo
from llmops_catalog.schema.describe import is_list, model_in, yaml_flow

COLUMNS = (Column("Field"), Column("Takes"), Column("Meaning"), Column("Example"))
PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def fields_pages(library: Library) -> Iterator[PageView]:
    """An overview, then a page per collection."""
    lead = (
        "What a record may hold: every field with its meaning, unit and an example. "
        "Fields marked with * are needed; everything else is left out where no source says it."
    )
    entries = tuple(
        (Span(wording.TITLES[name], page=f"fields/{name}/"), Span(f": {_first_line(model)}")) for name, model in COLLECTIONS.items()
    )
    yield PageView("fields/index.md", "Fields", lead, (Items(entries),), lead=lead)
    for name, model in COLLECTIONS.items():
        title = f"Fields: {wording.TITLES[name].lower() if name != 'gpus' else wording.TITLES[name]}"
        intro = f"{_first_line(model)} One file per record, catalog/{name}/<id>.yaml."
        note = (
            Span("For editors and programs: "),
            Span("JSON Schema", page=f"api/v1/schemas/{name}.json"),
            Span(" · "),
            Span("all records", page=f"{name}/"),
        )
        tables = tuple(_tables(model, "", note))
        yield PageView(f"fields/{name}.md", title, plain_title(intro, 200), tables, lead=intro, trail=(Span("Fields", page="fields/"),))


def _tables(model: type[BaseModel], path: str, note: tuple[Span, ...] = ()) -> Iterator[Table]:
    """The fields of a model, then those of the models inside it, each under its dotted path."""
    rows = tuple(_row(name, field) for name, field in model.model_fields.items())
    label = path or "The record"
    yield Table(label, COLUMNS, rows, title=label, intro=(Span(_first_line(model)),) if path else (), note=note, css="fields", stack=True)
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            many = "[]" if is_list(field.annotation) else ""
            yield from _tables(inner, f"{path}.{name}{many}" if path else f"{name}{many}")


def _row(name: str, field: FieldInfo) -> Row:
    needed = "*" if field.is_required() else ""
    example = yaml_flow(field.examples[0]) if field.examples else ""
    cells = (f"{name}{needed}", _takes(field.annotation, tuple(field.metadata)), field.description or "", example)
    return Row(tuple(Cell((Span(text),), css="code" if index in (0, 3) else "") for index, text in enumerate(cells)))


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _takes(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """The type in words: ``list of ids in gpus``."""
    for mark in metadata:
        if isinstance(mark, RefTo):
            return "collection/id of any record" if mark.collection == "*" else f"an id in {mark.collection}"
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        return _takes(inner, tuple(marks))
    if origin is tuple:
        return f"list of: {_takes(get_args(annotation)[0])}"
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if origin in (Union, UnionType):
        branches = [branch for branch in get_args(annotation) if branch is not type(None)]
        return "number" if set(branches) == {int, float} else " or ".join(dict.fromkeys(map(_takes, branches)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a mapping, see below"
    return PLAIN.get(annotation, "text")
