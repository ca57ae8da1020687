"""The strict YAML reader: what it takes, what it refuses, and that it knows where everything stands. Never any other exception."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmops_catalog.catalog.folder import MAX_BYTES, SourceError
from llmops_catalog.catalog.source import MAX_DEPTH, Document, Place, read_document
from llmops_catalog.problems import CODES


def read(text: str) -> dict[str, Any]:
    return read_document(text.encode()).data


def refusal(raw: bytes | str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_document(raw.encode() if isinstance(raw, str) else raw)
    return caught.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"), ("true", True), ("False", False), ("~", None),
        ("", None), ("null", None),
        ("12", 12), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("017", 17), ("1_000", "1_000"), ("12:30:00", "12:30:00"),
        ("1:30", "1:30"),
        ("3.10", 3.1), (".5", 0.5), ("5.", 5.0), ("1e5", 100000.0), ("1.5E-3", 0.0015), (".inf", math.inf), ("-.inf", -math.inf),
        ("2024-07-23", "2024-07-23"),
        ("2024-13-01", "2024-13-01"), ("'12'", "12"), ('"true"', "true"), ("1.2.3", "1.2.3"), ("1,000", "1,000"), ("0b11", "0b11"),
        ("=", "="), ("9" * 41, "9" * 41),
        ("v: x".replace(": ", ":"), "v:x"), ("a#b", "a#b"), ("a #b", "a"), ("http://x/#y", "http://x/#y"), ("é", "é"),
        ("\U0001f600", "\U0001f600"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(written: str, value: Any) -> None:
    found = read(f"key: {written}\n")["key"]
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)
    assert isinstance(found, str) == isinstance(value, str)


def test_not_a_number_is_read_and_left_to_the_schema() -> None:
    assert [math.isnan(read(f"key: {word}")["key"]) for word in (".nan", ".NaN", ".NAN")] == [True] * 3
    assert [read(f"key: {word}")["key"] for word in (".Inf", "-.INF", "+.inf")] == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize("written", ["3.10", "2024", "0010", "1e5", "-0", "+1.50", "0x1F", ".inf"])
def test_numbers_remember_how_they_were_written(written: str) -> None:
    assert read(f"key: {written}")["key"].as_written == written


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_line_ending_and_a_byte_order_mark_are_fine(ending: str, mark: bytes) -> None:
    document = read_document(mark + ending.join(["name: vLLM", "status:", "  state: active", ""]).encode())
    assert document.data == {"name": "vLLM", "status": {"state": "active"}}
    assert document.place(("status", "state")) == Place(3, 3, 3, 10)


def test_places_of_keys_values_and_items() -> None:
    document = read_document(b"# first\nname: vLLM\nloads: [a, {b: 1}]\ntext: >-\n  folded\n  text\nlist:\n  - x: 1\n    y: 2\n")
    assert document.place(()) == Place(1, 1, 1, 1)
    assert document.place(("name",)) == Place(2, 1, 2, 7)
    assert document.place(("loads", 0)) == Place(3, 9, 3, 9)
    assert document.place(("loads", 1, "b")) == Place(3, 13, 3, 16)
    assert document.place(("text",)) == Place(4, 1, 4, 7)
    assert document.place(("list", 0, "y")) == Place(9, 5, 9, 8)


def test_the_place_of_what_is_not_there_is_its_nearest_ancestor() -> None:
    document = read_document(b"name: x\nmemory:\n  sold_gb: 24\n")
    assert document.place(("memory", "driver_mib")) == document.place(("memory",))
    assert document.place(("nothing", 3, "deep")) == Place(1, 1, 1, 1)
    assert document.place(("name", "inside")) == document.place(("name",))


def test_columns_count_characters_not_bytes() -> None:
    assert read_document("é: {ü: 1}\n".encode()).place(("é", "ü")) == Place(1, 5, 1, 8)


@pytest.mark.parametrize(
    ("raw", "code", "line", "column"),
    [
        (b"", "empty-file", 1, 1), (b"\n\n# nothing\n", "empty-file", 1, 1), (b"---\n...\n", "empty-file", 1, 1),
        (b"null", "empty-file", 1, 1),
        (b"- a", "not-a-mapping", 1, 1), (b"text", "not-a-mapping", 1, 1), (b"12", "not-a-mapping", 1, 1),
        (b"<html>", "not-a-mapping", 1, 1),
        (b"a: 1\na: 2\n", "duplicate-key", 2, 1), (b"a: {b: 1, b: 2}", "duplicate-key", 1, 11), (b"a: 1\n'a': 2\n", "duplicate-key", 2, 1),
        (b"a: &x 1", "yaml-anchor", 1, 4), (b"a: *x", "yaml-anchor", 1, 4), (b"&x a: 1", "yaml-anchor", 1, 1),
        (b"*x : 1", "yaml-anchor", 1, 1),
        (b"a: {<<: *x}", "yaml-anchor", 1, 9), (b"a: !!str 1", "yaml-tag", 1, 4), (b"a: !x {}", "yaml-tag", 1, 4),
        (b"a: !x []", "yaml-tag", 1, 4),
        (b"!x a: 1", "yaml-tag", 1, 1), (b"---\n!!map {a: 1}", "yaml-tag", 2, 1), (b"a: 1\n---\nb: 2\n", "several-documents", 2, 1),
        (b"1: a", "bad-key", 1, 1),
        (b"true: a", "bad-key", 1, 1), (b"~: a", "bad-key", 1, 1), (b"[a]: b", "bad-key", 1, 1), (b"? {a: b}\n: c", "bad-key", 1, 3),
        (b": a", "yaml-syntax", 1, 1),
        (b"a: \xff", "not-utf-8", 1, 4), (b"a: b\nc: \xc3(", "not-utf-8", 2, 4), (b"\xff\xfea\0", "not-utf-8", 1, 1),
        (b"a: \xed\xa0\x80", "not-utf-8", 1, 4),
        (b"a: \x07", "control-character", 1, 4), (b"a: b\nc:\0", "control-character", 2, 3), (b"a: [b", "yaml-syntax", 1, 4),
        (b"a: b: c", "yaml-syntax", 1, 5),
        (b"a:\n\tb: c", "yaml-syntax", 2, 1), (b'a: "b', "yaml-syntax", 1, 4), (b"a: @b", "yaml-syntax", 1, 4),
        (b"a: [\n", "yaml-syntax", 2, 1),
        (b"a\nb: c\n", "yaml-syntax", 1, 1), (b"a: b\nc\n", "yaml-syntax", 2, 1), (b"a: 'x\nb: c\n", "yaml-syntax", 1, 4),
        (b"%FOO\n---\na: b", "yaml-syntax", 1, 5),
        (b"a: |x\n", "yaml-syntax", 1, 5), (b'a: "\\q"', "yaml-syntax", 1, 5), (b"- a\nb: c", "yaml-syntax", 2, 1),
        (b"a: - b", "yaml-syntax", 1, 4),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(raw: bytes, code: str, line: int, column: int) -> None:
    error = refusal(raw)
    assert (error.code, error.line, error.column) == (code, line, column)
    assert error.message
    assert error.hint


def test_size_has_a_limit() -> None:
    head = b"name: x\ntext: "
    assert read_document(head + b"a" * (MAX_BYTES - len(head)))
    assert refusal(head + b"a" * (MAX_BYTES - len(head) + 1)).code == "too-large"


def test_depth_has_a_limit() -> None:
    assert read("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    assert refusal("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH).code == "too-deep"
    assert refusal("a: " + "[" * 200_000).code == "too-deep"
    assert refusal("a: " + "{b: " * 60_000).code == "too-deep"
    assert refusal("".join(f"{' ' * depth}a:\n" for depth in range(400))).code == "too-deep"


def test_a_bomb_never_explodes() -> None:
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)]
    assert refusal("\n".join(lines)).code == "yaml-anchor"


def test_many_keys_stay_fast() -> None:
    text = "".join(f"key{number}: {number}\n" for number in range(15_000))
    assert len(read(text)) == 15_000


anything = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(str.encode),
    st.text(alphabet="ab:-?!&*[]{},'\"|>%@`#~ \n\t\r\\01.<=éÃ\x00\x85\u2028\ufeff", max_size=200).map(str.encode),
)


@settings(max_examples=400, deadline=None)
@given(anything)
@example(b"a: !<tag:yaml.org,2002:str> b")
@example(b"? ? ? ?")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa: b")
@example(b"--- - - -\n")
def test_no_bytes_raise_anything_but_a_finding(raw: bytes) -> None:
    found: Document | SourceError
    try:
        found = read_document(raw)
    except SourceError as error:
        found = error
    if isinstance(found, Document):
        check_places(found, found.data, ())
    else:
        assert found.code in CODES
        assert 1 <= found.line <= len(raw.decode("utf-8", "replace").splitlines()) + 1
        assert found.column >= 1


def check_places(document: Document, value: Any, path: tuple[str | int, ...]) -> None:
    place = document.place(path)
    assert min(place) >= 1
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inside = document.place((*path, key))
        assert (inside.line, inside.column) >= (inside.key_line, inside.key_column) >= (place.line, place.column) or not path
        check_places(document, item, (*path, key))


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), plain, min_size=1, max_size=5))
def test_plain_data_comes_back_as_it_was_written(data: dict[str, Any]) -> None:
    """Written by PyYAML with every text in quotes, so that its own 1.1 reading of `no` does not matter."""
    text = yaml.dump(data, Dumper=Quoting, allow_unicode=True, sort_keys=False)
    found = read(text)
    assert found == data
    assert list(found) == list(data)


class Quoting(yaml.SafeDumper):
    """Quotes every text; writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{value!r}".replace("e", ".0e") if "." not in repr(value) else repr(value))


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
Quoting.add_representer(float, _float)
