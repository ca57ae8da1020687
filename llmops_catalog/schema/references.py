"""Where in a record of each collection the ids of other records stand, and where its addresses: read off the schema's types."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from llmops_catalog.schema import COLLECTIONS
from llmops_catalog.schema.base import RefTo

EACH = "*"
"""A step that stands for every item of a sequence."""


class ReferenceField(NamedTuple):
    """A path of field names (`EACH` for items) at which ids of `collection` stand; ``*`` for ``collection/id`` of any."""

    path: tuple[str, ...]
    collection: str

    @property
    def name(self) -> str:
        """The path as people read it: ``uses[].model``."""
        return ".".join(self.path).replace(f".{EACH}", "[]")


@cache
def reference_fields(collection: str) -> tuple[ReferenceField, ...]:
    """Every field of the collection's records that refers to another record."""
    return tuple(_walk(COLLECTIONS[collection], (), ()))


def _walk(annotation: Any, metadata: tuple[Any, ...], path: tuple[str, ...]) -> Iterator[ReferenceField]:
    for mark in metadata:
        if isinstance(mark, RefTo):
            yield ReferenceField(path, mark.collection)
            return
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        yield from _walk(inner, tuple(marks), path)
    elif origin is tuple:
        yield from _walk(get_args(annotation)[0], (), (*path, EACH))
    elif origin in (Union, UnionType):
        for branch in get_args(annotation):
            yield from _walk(branch, (), path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from _walk(field.annotation, tuple(field.metadata), (*path, name))


def values_at(data: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value at `path` in plain data, with its exact place (indexes instead of `EACH`); missing steps yield nothing."""
    if not path:
        yield (), data
        return
    step, rest = path[0], path[1:]
    if step == EACH:
        for index, item in enumerate(data if isinstance(data, (list, tuple)) else ()):
            for place, value in values_at(item, rest):
                yield (index, *place), value
    elif isinstance(data, dict) and data.get(step) is not None:
        for place, value in values_at(data[step], rest):
            yield (step, *place), value
