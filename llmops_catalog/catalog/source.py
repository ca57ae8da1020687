"""Strict YAML: bytes in, plain data with the place of every key and value out, or one finding. No recursion, no surprises.

YAML 1.2 core scalars (`no` is text; numbers remember their spelling), one document, text keys. Refused: duplicate keys, anchors and
aliases (a bomb needs them), tags, more than 256 KiB, more than 24 levels, anything that is not UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from llmops_catalog.catalog.folder import MAX_BYTES, SourceError

MAX_DEPTH = 24
MAX_DIGITS = 40

PathInFile = tuple[str | int, ...]
"""Keys and indexes from the top of a document down to a value."""


class Place(NamedTuple):
    """Where a key and its value stand; lines and columns from 1. Items of a sequence have their value's place as key."""

    key_line: int
    key_column: int
    line: int
    column: int


class WrittenInt(int):
    """An integer that remembers how it was written, for fields that are text (`2024`, `0010`)."""

    as_written: str


class WrittenFloat(float):
    """A number with decimals that remembers how it was written (`3.10`)."""

    as_written: str


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file and the place of everything in it."""

    data: dict[str, Any]
    places: dict[int, dict[str | int, Place]]

    def place(self, path: Iterable[str | int]) -> Place:
        """The place of the deepest part of `path` that exists; steps that are not there are passed over."""
        container: Any = self.data
        found = Place(1, 1, 1, 1)
        for step in path:
            known = self.places.get(id(container), {})
            if step in known:
                found, container = known[step], container[step]
        return found


_NUMBER_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Any] = {word: value for value, words in (
    (None, ("", "~", "null", "Null", "NULL")), (True, ("true", "True", "TRUE")), (False, ("false", "False", "FALSE")),
) for word in words}  # fmt: skip


def _plain(text: str) -> Any:
    """The value of an unquoted scalar under the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > MAX_DIGITS:
        return text
    number: WrittenInt | WrittenFloat
    if _INT.fullmatch(text):
        number = WrittenInt(text, 0) if text[:2] in ("0o", "0x") else WrittenInt(text)
    elif _FLOAT.fullmatch(text):
        number = WrittenFloat(text.replace(".inf", "inf").replace(".nan", "nan") if text[-1].isalpha() else text)
    else:
        return text
    number.as_written = text
    return number


def read_document(raw: bytes) -> Document:
    """The mapping in `raw`. Raises `SourceError` with the place of the first thing that is not acceptable."""
    if len(raw) > MAX_BYTES:
        raise SourceError("too-large", f"the file has more than {MAX_BYTES // 1024} KiB", "split it, or move tables into records of their own")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise SourceError("not-utf-8", f"byte 0x{raw[error.start]:02x} is not valid UTF-8", "save the file as UTF-8", line, column) from None
    try:
        data, places = _build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, error) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    if data is None:
        raise SourceError("empty-file", "the file holds no record", "write at least its name and sources; see CONTRIBUTING.md")
    if not isinstance(data, dict):
        raise SourceError("not-a-mapping", "a record is a mapping of keys to values", "start with a line such as 'name: ...'")
    return Document(data, places)


def _build(events: Iterator[Any]) -> tuple[Any, dict[int, dict[str | int, Place]]]:
    """Folds libyaml's events into data, iteratively, so that no depth of nesting can exhaust the stack."""
    places: dict[int, dict[str | int, Place]] = {}
    # One frame per open container: the container, the places of its children, a pending key and the key's mark.
    stack: list[tuple[Any, dict[str | int, Place]]] = []
    root: Any = None
    container: Any = None
    children: dict[str | int, Place] = {}
    key: str | None = None
    key_mark: Any = None
    pending: list[tuple[str | None, Any]] = []
    documents = 0
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.anchor or event.tag:
                raise _refused(event)
            mark = event.start_mark
            if container.__class__ is dict and key is None:
                key, key_mark = _key(event, container), mark
                continue
            value = _plain(event.value) if event.implicit[0] else event.value
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            if event.anchor or event.tag:
                raise _refused(event)
            if container.__class__ is dict and key is None:
                raise _at(mark, "bad-key", "a key must be text on one line", "quote a key that starts with '{' or '['")
            if len(stack) >= MAX_DEPTH:
                raise _at(mark, "too-deep", f"more than {MAX_DEPTH} levels of nesting", "no record needs that; look for a missing closing bracket")
            value = {} if kind is yaml.MappingStartEvent else []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            container, children = stack.pop()
            key, key_mark = pending.pop()
            continue
        elif kind is yaml.AliasEvent:
            raise _refused(event)
        else:
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise _at(event.start_mark, "several-documents", "a file holds one record", "put the second one into a file of its own")
            continue

        if container is None:
            root = value
        elif container.__class__ is dict:
            children[key] = Place(key_mark.line + 1, key_mark.column + 1, mark.line + 1, mark.column + 1)  # type: ignore[index]
            container[key] = value
            key = None
        else:
            children[len(container)] = Place(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1)
            container.append(value)
        if kind is not yaml.ScalarEvent:
            stack.append((container, children))
            pending.append((key, key_mark))
            container, children, key = value, {}, None
            places[id(value)] = children
    return root, places


def _key(event: Any, container: dict[str, Any]) -> str:
    text: str = event.value
    if text in container:
        raise _at(event.start_mark, "duplicate-key", f"the key {text[:60]!r} stands here twice", "keep one of them")
    if event.implicit[0] and not isinstance(_plain(text), str):
        raise _at(event.start_mark, "bad-key", f"the key {text[:60]!r} is not text", "quote it")
    return text


def _at(mark: Any, code: str, message: str, hint: str) -> SourceError:
    return SourceError(code, message, hint, mark.line + 1, mark.column + 1)


def _refused(event: Any) -> SourceError:
    if event.__class__ is yaml.AliasEvent or event.anchor:
        name = f"{'*' if event.__class__ is yaml.AliasEvent else '&'}{event.anchor}"
        return _at(event.start_mark, "yaml-anchor", f"anchors and aliases are not used in records ({name[:40]})", "write the value out, or quote text that starts with '&' or '*'")
    return _at(event.start_mark, "yaml-tag", f"tags are not used in records ({event.tag[:40]})", "remove it, or quote text that starts with '!'")


_CAUSES = (
    ("mapping values are not allowed", "a value that contains ': ' must be quoted, or the line is indented too far"),
    ("\\t", "indent with spaces, not with tabs"),
    ("cannot start any token", "quote text that starts with one of @ ` % , [ ] { }"),
    ("could not find expected ':'", "the line lacks a colon, or the text before it must be quoted"),
    ("did not find expected key", "check the indentation of this line and the quotes of the one before"),
    ("did not find expected '-' indicator", "check the indentation of this list"),
    ("did not find expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("unexpected end of stream", "a quote or bracket is not closed"),
    ("found undefined tag", "quote text that starts with '!'"),
)


def _syntax(error: yaml.MarkedYAMLError) -> SourceError:
    mark = error.problem_mark or error.context_mark
    sentence = str(error.problem or error.context or "this is not YAML")
    hint = next((cause for sign, cause in _CAUSES if sign in sentence), "check indentation, quotes and brackets around this place")
    return SourceError("yaml-syntax", sentence, hint, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)


def _unreadable(text: str, error: yaml.reader.ReaderError) -> SourceError:
    character = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]", text)
    offset = character.start() if character else 0
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    number = f"U+{ord(character[0]):04X}" if character else str(error.reason)
    return SourceError("control-character", f"the file contains the invisible character {number}", "delete it", line, column)
