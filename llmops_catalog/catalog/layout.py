"""The one form in which records are written: keys in the schema's order, short things on one line, prose folded. Pure text work.

What a record says never changes: `in_form` reads its own result back, and leaves the text alone rather than alter a value. Comments
stay with the top-level key they stand above; a value with a comment inside keeps the form it has.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from llmops_catalog.catalog.folder import SourceError
from llmops_catalog.catalog.source import Document, read_document
from llmops_catalog.schema import COLLECTIONS, Record
from llmops_catalog.schema.describe import model_in

WIDTH = 150
"""Longest line, where a value can be broken."""
ROW_WIDTH, TABLE_ROWS = 240, 12
"""Longest line of one row of a table, and from how many rows a sequence is one: rows are compared, so they stay on one line."""
FIRST, LAST = ("summary", "aliases"), ("tags", "confidence", "doubts", "not_known", "sources")

_PLAIN = re.compile(r"[A-Za-z(][^\n:#{}\[\],&*!|>'\"%@`]*|[0-9][0-9A-Za-z./_-]*[A-Za-z-][0-9A-Za-z./_-]*")
"""Text that needs no quotes anywhere."""
_ADDRESS = re.compile(r"https?://[^\s,\[\]{}#\"'?]+")
_MAYBE_COMMENT = re.compile(r"(^|\s)#")
_WORDS_OF_YAML = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"])


def in_form(raw: bytes, collection: str) -> str:
    """The record in `raw` in canonical form. Raises `SourceError` where it cannot be read."""
    document = read_document(raw)
    text = raw.decode("utf-8-sig")
    lead, blocks = _blocks(text, document)
    model = COLLECTIONS[collection]
    parts = []
    for key in _ordered(document.data, model):
        comments, body = blocks[key]
        commented = "#" in body and _has_comment(body, {key: document.data[key]})
        written = body if commented else "\n".join(_entry(key, document.data[key], _inside(model, key), 0))
        parts.append("\n".join([*comments, written]))
    result = "\n".join([*lead, *parts]) + "\n"
    return result if _reads_the_same(result, document.data) else text


@cache
def key_order(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a record or of a part of one, in the order they are written: its name and what it is about come first,
    where it comes from last.
    """
    fields = list(model.model_fields)
    if not issubclass(model, Record):
        return tuple(fields)
    common = Record.model_fields
    own = [name for name in fields if name not in common and name not in (model.label_field, *FIRST)]
    return tuple(name for name in (model.label_field, *FIRST, *own, *LAST) if name in fields)


# --- reading: the text of each top-level key --------------------------------------------------------------------------


def _blocks(text: str, document: Document) -> tuple[list[str], dict[str, tuple[list[str], str]]]:
    """Lines before the first key, and for each key its comment lines and its own text."""
    lines = text.lstrip("\ufeff").splitlines()
    starts = sorted((document.place((key,)).key_line - 1, key) for key in document.data)
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    blocks = {}
    comments: list[str] = []
    lead = [line for line in lines[: starts[0][0]] if line.startswith("#")]
    for (start, key), end in zip(starts, ends, strict=True):
        body = lines[start:end]
        following: list[str] = []
        while len(body) > 1 and (not body[-1].strip() or body[-1].startswith("#")):
            following.insert(0, body.pop())
        blocks[key] = (comments, "\n".join(body))
        comments = [line for line in following if line.strip()]
    if comments:  # after the last key: they close the record
        last = starts[-1][1]
        blocks[last] = (blocks[last][0], "\n".join([blocks[last][1], *comments]))
    return lead, blocks


def _has_comment(body: str, data: dict[str, Any]) -> bool:
    """True where a line of the text of one key says the same without what follows a `#`: that is a comment, and no part of a value."""
    lines = body.splitlines()
    for number, line in enumerate(lines):
        if mark := _MAYBE_COMMENT.search(line):
            without = "\n".join([*lines[:number], line[: mark.start()], *lines[number + 1 :]])
            if _reads_the_same(without, data):
                return True
    return False


# --- writing ----------------------------------------------------------------------------------------------------------


def _entry(key: str, value: Any, model: type[BaseModel] | None, indent: int) -> Iterator[str]:
    """The lines of ``key: value``."""
    pad = " " * indent
    line = f"{pad}{key}: {_flow(value, model)}"
    if isinstance(value, Mapping) and value:
        if len(line) <= WIDTH and not (indent == 0 and any(isinstance(item, Mapping) for item in value.values())):
            yield line
        else:
            yield f"{pad}{key}:"
            yield from _mapping(value, model, indent + 2)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        if not isinstance(value[0], Mapping) and len(line) <= WIDTH:
            yield line
        else:
            yield from _sequence(key, value, model, indent)
    elif len(line) > WIDTH and _foldable(value):
        yield from _folded(f"{pad}{key}: >-", value, indent + 2)
    else:
        yield line if not isinstance(value, str) else f"{pad}{key}: {_scalar(value, in_flow=False)}"


def _mapping(value: Mapping[str, Any], model: type[BaseModel] | None, indent: int) -> Iterator[str]:
    for key in _ordered(value, model):
        yield from _entry(key, value[key], _inside(model, key), indent)


def _sequence(key: str, value: Sequence[Any], model: type[BaseModel] | None, indent: int) -> Iterator[str]:
    pad = " " * indent
    yield f"{pad}{key}:"
    if all(isinstance(item, str) and " " not in item for item in value):  # many short words: several to a line
        body = textwrap.wrap(", ".join(_scalar(item) for item in value), WIDTH - indent - 4, break_long_words=False, break_on_hyphens=False)
        yield f"{pad}  [" + f"\n{pad}   ".join(body) + "]"
        return
    widest = ROW_WIDTH if len(value) >= TABLE_ROWS and isinstance(value[0], Mapping) else WIDTH
    for item in value:
        line = f"{pad}  - {_flow(item, model)}"
        if len(line) <= widest or not item:
            yield line if not isinstance(item, str) else f"{pad}  - {_scalar(item, in_flow=False)}"
        elif isinstance(item, Mapping):
            first, *rest = _mapping(item, model, indent + 4)
            yield f"{pad}  - {first.lstrip()}"
            yield from rest
        elif _foldable(item):
            yield from _folded(f"{pad}  - >-", item, indent + 4)
        else:
            yield line


def _ordered(value: Mapping[str, Any], model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return list(value)
    order = {name: position for position, name in enumerate(key_order(model))}
    return sorted(value, key=lambda key: order.get(key, len(order)))


def _inside(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    """The model of what a key holds; None where it holds plain values, or nobody knows the key."""
    field = model.model_fields.get(key) if model else None
    return model_in(field.annotation) if field else None


def _flow(value: Any, model: type[BaseModel] | None) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(value[key], _inside(model, key))}" for key in _ordered(value, model)) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item, model) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any, in_flow: bool = True) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(getattr(value, "as_written", value))
    if _plain_text(value, in_flow):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _plain_text(text: str, in_flow: bool) -> bool:
    """True where YAML reads the text back as the same text without quotes."""
    if text.casefold() in _WORDS_OF_YAML or text != text.strip():
        return False
    if _PLAIN.fullmatch(text) or (_ADDRESS.fullmatch(text) and not text.endswith(":")):
        return True
    if in_flow or not text or not text.isprintable():
        return False
    return text[0].isalpha() and ": " not in text and " #" not in text and not text.endswith(":")


def _foldable(value: Any) -> bool:
    return isinstance(value, str) and " " in value and value.isprintable() and value == " ".join(value.split())


def _folded(head: str, text: str, indent: int) -> Iterator[str]:
    yield head
    pad = " " * indent
    yield from textwrap.wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False)


def _reads_the_same(text: str, data: dict[str, Any]) -> bool:
    try:
        return _same(read_document(text.encode()).data, data)
    except SourceError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Equal in value, in type and in the spelling of numbers."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_same, one, other))
    return (
        type(one) is type(other) and (one == other or one != one) and getattr(one, "as_written", None) == getattr(other, "as_written", None)
    )
