"""Strict YAML: bytes in, plain data with the place of every key and value out, or one finding. No recursion, no surprises.

YAML 1.2 core scalars (`no` is text; numbers remember their spelling), one document, text keys. Refused: duplicate keys, anchors and
aliases (a bomb needs them), tags, more than 256 KiB, more than 24 levels, anything that is not UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

from llmops_catalog.catalog.folder import MAX_BYTES, SourceError
from llmops_catalog.catalog.syntax import deep_bracket, syntax_error, unseen_character

MAX_DEPTH = 24
MAX_DIGITS = 40


class Place(NamedTuple):
    """Where a key and its value stand; lines and columns from 1. Items of a sequence have their value's place as key."""

    key_line: int
    key_column: int
    line: int
    column: int


Children = dict[str | int, tuple[Any, Any]]
"""libyaml's marks of a container's entries: of the key and of the value. Turned into a `Place` only when one is asked for."""
Marks = dict[int, Children]
"""The same for every container of a document, by its `id()`."""


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
    marks: Marks

    def place(self, path: Iterable[str | int]) -> Place:
        """The place of the deepest part of `path` that exists; steps that are not there are passed over."""
        container: Any = self.data
        found = Place(1, 1, 1, 1)
        for step in path:
            known = self.marks.get(id(container), {})
            if step in known:
                key, value = known[step]
                found, container = Place(key.line + 1, key.column + 1, value.line + 1, value.column + 1), container[step]
        return found


_NUMBER_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Any] = {word: value for value, words in (
    (None, ("", "~", "null", "Null", "NULL")), (True, ("true", "True", "TRUE")), (False, ("false", "False", "FALSE")),
) for word in words}  # fmt: skip


_MAYBE_NO_TEXT = _NUMBER_START | {word[:1] for word in _WORDS}
"""First letters of what is no text when unquoted (and nothing at all); anything else is text without a second look."""
MOST_SEEN_KEYS = 1000
_SEEN_KEYS: set[str] = set()
"""Keys known to be text: the same few hundred stand in every record."""


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
        number = WrittenFloat(text.replace(".", "") if text[-1].isalpha() else text)
    else:
        return text
    number.as_written = text
    return number


def read_document(raw: bytes) -> Document:
    """The mapping in `raw`. Raises `SourceError` with the place of the first thing that is not acceptable."""
    if len(raw) > MAX_BYTES:
        raise SourceError(
            "too-large", f"the file has more than {MAX_BYTES // 1024} KiB", "split it, or move tables into records of their own"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        hint = "the file looks like UTF-16: save it as UTF-8" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "save the file as UTF-8"
        raise SourceError("not-utf-8", f"byte 0x{raw[error.start]:02x} is not valid UTF-8", hint, line, column) from None
    if text[:200].lstrip().startswith("<"):
        raise SourceError("not-a-mapping", "this is a web page or XML, not a record", "paste the YAML itself")
    try:
        data, marks = _build(CParser(text).get_event)
    except yaml.reader.ReaderError as error:
        raise unseen_character(text, error) from None
    except yaml.MarkedYAMLError as error:
        if "maximum nesting depth" in str(error.problem):  # the parser's own limit, met while it looks ahead of ours
            raise _too_deep(*deep_bracket(text, MAX_DEPTH)) from None
        raise syntax_error(error, text) from None
    if data is None:
        raise SourceError("empty-file", "the file holds no record", "write at least its name and sources; see CONTRIBUTING.md")
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        raise SourceError(
            "not-a-mapping", f"the file holds {what}, not a mapping of keys to values", "start with a line such as 'name: ...'"
        )
    return Document(data, marks)


def _build(next_event: Callable[[], Any]) -> tuple[Any, Marks]:
    """Folds libyaml's events into data, iteratively, so that no depth of nesting can exhaust the stack.

    This loop is most of what reading a catalog costs: it asks the parser itself, and looks at the first letter before anything else.
    """
    marks: Marks = {}
    # One frame per open container: the container, the places of its children, a pending key and the key's mark.
    stack: list[tuple[Any, Children]] = []
    root: Any = None
    container: Any = None
    children: Children = {}
    key: str | None = None
    key_mark: Any = None
    pending: list[tuple[str | None, Any]] = []
    documents = 0
    while True:
        event = next_event()
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            if event.anchor or event.tag:
                raise _refused(event)
            mark = event.start_mark
            value = event.value
            if key is None and container.__class__ is dict:
                key, key_mark = value if value in _SEEN_KEYS and value not in container else _key(event, container, children), mark
                continue
            if value[:1] in _MAYBE_NO_TEXT and event.implicit[0]:
                value = _plain(value)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            if event.anchor or event.tag:
                raise _refused(event)
            if container.__class__ is dict and key is None:
                raise _at(mark, "bad-key", "a key must be text on one line", "quote a key that starts with '{' or '['")
            if len(stack) >= MAX_DEPTH:
                raise _too_deep(mark.line + 1, mark.column + 1)
            value = {} if kind is yaml.MappingStartEvent else []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            container, children = stack.pop()
            key, key_mark = pending.pop()
            continue
        elif kind is yaml.AliasEvent:
            raise _refused(event)
        elif kind is yaml.StreamEndEvent:
            return root, marks
        else:
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise _at(event.start_mark, "several-documents", "a file holds one record", "put the second one into a file of its own")
            continue

        if container is None:
            root = value
        elif container.__class__ is dict:
            children[key] = (key_mark, mark)  # type: ignore[index]  # a key has been read
            container[key] = value
            key = None
        else:
            children[len(container)] = (mark, mark)
            container.append(value)
        if kind is not yaml.ScalarEvent:
            stack.append((container, children))
            pending.append((key, key_mark))
            container, children, key = value, {}, None
            marks[id(value)] = children


def _key(event: Any, container: dict[str, Any], children: Children) -> str:
    text: str = event.value
    if text in container:
        raise _at(
            event.start_mark, "duplicate-key", f"the key {text[:60]!r} is already on line {children[text][0].line + 1}", "keep one of them"
        )
    if not isinstance(_plain(text), str):
        if event.implicit[0]:
            raise _at(event.start_mark, "bad-key", f"the key {text[:60]!r} is not text", "quote it")
    elif len(_SEEN_KEYS) < MOST_SEEN_KEYS:
        _SEEN_KEYS.add(text)
    return text


def _too_deep(line: int, column: int) -> SourceError:
    hint = "no record needs that; look for a missing closing bracket"
    return SourceError("too-deep", f"more than {MAX_DEPTH} levels of nesting", hint, line, column)


def _at(mark: Any, code: str, message: str, hint: str) -> SourceError:
    return SourceError(code, message, hint, mark.line + 1, mark.column + 1)


def _refused(event: Any) -> SourceError:
    if event.__class__ is yaml.AliasEvent or event.anchor:
        name = f"{'*' if event.__class__ is yaml.AliasEvent else '&'}{event.anchor}"
        return _at(
            event.start_mark,
            "yaml-anchor",
            f"anchors and aliases are not used in records ({name[:40]})",
            "write the value out, or quote text that starts with '&' or '*'",
        )
    return _at(
        event.start_mark, "yaml-tag", f"tags are not used in records ({event.tag[:40]})", "remove it, or quote text that starts with '!'"
    )
