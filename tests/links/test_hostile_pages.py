"""Any markup in any pieces is read, what is told of it is bounded, and no hostile page is expensive."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import LOOKING, PROSE, QUICK, read
from raw_server import anchors

from llmops_catalog.links import page as module
from llmops_catalog.links.page import KEPT_TEXT, LONGEST_TITLE, PageReader, Wanted

PIECES = [
    "<a id=x>", '<h2 id="there">', "<a name='there'>", "</a>", "<!--", "-->", "--", "<!", "<", ">", "</", "/>", '"', "'", "=", " ", "\n",
    "id=", "there", "&amp;", "&#116;here",
    "&#", "&", ";", "<title>", "</title>", "<h1>", "</h1>", "<script>", "</script>", "<SCRIPT src=a>", "<style>", "</style", "<noscript>",
    "</noscript>", "<template>", "<svg>",
    "<iframe/>", "<meta charset=gbk>", '<meta http-equiv="refresh" content="0; url=/x">', "captcha", "\0", "é", "日", "\u0301", "<p",
    "text", "<?xml?>", "<![CDATA[", "]]>",
]  # fmt: skip
MARKUP = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join)


# --- any markup, any pieces -------------------------------------------------------------------------------------------


@QUICK
@given(MARKUP)
def test_any_markup_is_read_and_what_is_told_is_bounded(markup: str) -> None:
    page = read(PROSE + markup + PROSE, wanted=LOOKING)
    assert len(page.title) <= LONGEST_TITLE
    assert len(page.heading) <= LONGEST_TITLE
    assert len(page.text) <= KEPT_TEXT
    assert page.anchors <= LOOKING.anchors
    assert page.texts <= LOOKING.texts


@QUICK
@given(MARKUP, st.integers(1, 30))
def test_tags_are_seen_the_same_whatever_the_pieces_are(markup: str, step: int) -> None:
    """Anchors, scripts and refreshes; text at the seams and character sets are another matter."""
    markup = re.sub("(?i)charset", "", markup)
    whole, pieces = read(markup, wanted=LOOKING), read(markup, wanted=LOOKING, step=step)
    assert (whole.anchors, whole.has_ids, whole.scripts, whole.refresh) == (pieces.anchors, pieces.has_ids, pieces.scripts, pieces.refresh)


SEAMS = {
    "blanks": ("<p>" + "hello" + " " * 40 + "world ", Wanted(texts=frozenset({"hello world"}))),
    "an entity": ("<p>one &amp;&#38;&amp; two", Wanted(texts=frozenset({"one &&& two"}))),
    "an accent": ("<p>cafe\u0301\u0323\u0301\u0323", Wanted(texts=frozenset({"caf\u1eb9\u0301\u0323\u0301"}))),
    "a wall": ("<p>Request unsuccessful", None),
    "a long anchor": ("<script>go('a-rather-long-name-of-an-anchor')</script>", anchors("a-rather-long-name-of-an-anchor")),
    "an anchor": ('<a title="\'>" class=x id=there>', anchors("there")),
    "a comment": ("<!-- <a id=there> --><!-- -- > -->", anchors("there")),
    "a refresh": ('<meta http-equiv="refresh" content="0; url=/new">', None),
    "characters": ("<a id=\U0001f600日本>", anchors("\U0001f600日本")),
}


@pytest.mark.parametrize("name", SEAMS)
def test_wherever_a_piece_ends_the_page_shows_the_same(name: str) -> None:
    """Blanks between two pieces were lost; entities, marks of walls and what scripts speak of were missed at the seams."""
    piece, wanted = SEAMS[name]
    before, after = b"<title>Guide</title><p>" + b"x" * 10_000, b"<p>" + b"y" * 10_000
    whole = read(before + piece.encode() + after, wanted=wanted)
    for at in range(len(piece.encode()) + 1):
        data = piece.encode()
        assert read(before + data[:at], data[at:] + after, wanted=wanted) == whole, f"cut behind {data[:at]!r}"


# --- work -------------------------------------------------------------------------------------------------------------


HOSTILE = {
    "half-open tags": b"<a ", "half-open quotes": b'<a x="', "alternating quotes": b"<a x=\"'", "comments": b"<!--",
    "half comments": b"<!-", "lone brackets": b"<", "closing": b"</",
    "names": b"<aaaaaaaa", "attributes": b"<a id=x ", "ids": b"<a id=there2>", "entities": b"&#1;", "half entities": b"&#",
    "spaces": b" ", "equal signs": b"<a = = = ", "scripts": b"<script>",
    "half scripts": b"<script></scrip", "titles": b"<title>", "meta": b"<meta content='0;url=",
    "refreshes": b"<meta http-equiv=refresh content='0;              '>", "doctypes": b"<!doctype ",
    "blank values": b"<a id=          >", "slashes": b"<a/////", "letters": b"a", "NULs": b"\0", "marks": b"captcha ",
    "broken UTF-8": b"\xff\xe2\x82", "nested": b"<div><p>",
    "semicolons": b"&amp;amp;", "half marks": b"challenge-platfor", "charsets": b"<meta charset=",
}  # fmt: skip
NAME = module._TAG_NAME
"""Ends by itself after so many characters."""


class Counting:
    """A pattern that adds up how many characters it was made to look at, at most."""

    total = 0

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def findall(self, text: str) -> list[Any]:
        Counting.total += len(text)
        return self._pattern.findall(text)

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        match = self._pattern.search(text, at)
        Counting.total += (match.end() if match else len(text)) - at
        return match

    def match(self, text: str, at: int = 0, end: int = 10**9) -> re.Match[str] | None:
        match = self._pattern.match(text, at, end)
        longest = 64 if self._pattern is NAME else min(end, len(text)) - at
        Counting.total += match.end() - at if match else longest
        return match

    def sub(self, by: str, text: str) -> str:
        Counting.total += len(text)
        return self._pattern.sub(by, text)


def work_for(data: bytes, step: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Characters looked at by all patterns of the module."""
    with monkeypatch.context() as patch:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                patch.setattr(module, name, Counting(value))
        Counting.total = 0
        read(data, wanted=LOOKING, step=step)
        return Counting.total


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_as_much_markup_is_twice_as_much_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    piece = HOSTILE[name]
    small, large = (work_for(piece * (size // len(piece)), 16_384, monkeypatch) for size in (80_000, 160_000))
    assert large < 2.6 * small + 100_000, f"{small:,} then {large:,}"
    assert large < 60 * 160_000, f"{large:,} characters looked at for 160,000"


COMBINING = "\u0315\u0316".encode()
"""Two marks in the wrong order: putting a long run of them in order takes the square of its length."""


@pytest.mark.parametrize(
    ("start_of_page", "wanted"),
    [(b"<script>a", anchors("there")), (b"<p>a", Wanted(texts=frozenset({"there"}))), (b'<a id="a', anchors("there"))],
)  # fmt: skip
def test_runs_of_combining_marks_cost_no_square(start_of_page: bytes, wanted: Wanted) -> None:
    """256 KiB take 12 s of processor time during which nothing else of the run moves, not even a time-out; 0.1 s is enough."""
    markup = start_of_page + COMBINING * 7500 + b'">'  # 30 KiB: a tag may be that long; all of it takes 0.2 s or nearly nothing
    started = time.process_time()
    for _ in range(3):
        read(markup, wanted=wanted)
    assert time.process_time() - started < 0.15


@pytest.mark.parametrize("tail", [b"", b"<a x='"])
def test_tiny_chunks_of_a_half_open_tag_cost_no_square(tail: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte that came made the reader look at up to 32 KiB again: 13 s of processor time for 300 kB in chunks of one byte."""
    looked_at = 0

    class Counting:
        def findall(self, text: str) -> list[str]:
            nonlocal looked_at
            looked_at += len(text)
            return []

    monkeypatch.setattr("llmops_catalog.links.page._MARKS", Counting())
    reader = PageReader("text/html", anchors("there"))
    data = b"<a " + b"x" * 20_000 + tail
    for at in range(len(data)):
        reader.feed(data[at : at + 1])
    reader.page(True)
    assert looked_at < 20 * len(data), f"{looked_at:,} characters for {len(data):,}"


# --- memory -----------------------------------------------------------------------------------------------------------


def held(value: object) -> int:
    """Characters and items in everything a reader holds."""
    if isinstance(value, dict):
        return sum(map(held, value.values()))
    return len(value) if isinstance(value, str | bytes | set) else 0


@pytest.mark.parametrize("name", HOSTILE)
def test_no_page_is_kept(name: str) -> None:
    piece = HOSTILE[name]
    reader = PageReader("text/html", LOOKING)
    for _ in range(12):
        reader.feed(piece * (16_384 // len(piece)))
        assert held(vars(reader)) < module.LONGEST_TAG + 16_384 + 4 * KEPT_TEXT
