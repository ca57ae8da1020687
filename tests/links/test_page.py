"""What a page shows: titles, anchors, text, traces of walls, in any character set, and nothing that hostile markup can make expensive."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links import page as module
from llmops_catalog.links.exchange import Page
from llmops_catalog.links.page import ENOUGH_BYTES, KEPT_TEXT, LONGEST_TITLE, PageReader, Wanted, folded

PROSE = "<p>Weights are read once, and what is left of the card decides the batch. </p>"
PIECES = [
    "<a id=x>", '<h2 id="there">', "<a name='there'>", "</a>", "<!--", "-->", "--", "<!", "<", ">", "</", "/>", '"', "'", "=", " ", "\n",
    "id=", "there", "&amp;", "&#116;here",
    "&#", "&", ";", "<title>", "</title>", "<h1>", "</h1>", "<script>", "</script>", "<SCRIPT src=a>", "<style>", "</style", "<noscript>",
    "</noscript>", "<template>", "<svg>",
    "<iframe/>", "<meta charset=gbk>", '<meta http-equiv="refresh" content="0; url=/x">', "captcha", "\0", "é", "日", "\u0301", "<p",
    "text", "<?xml?>", "<![CDATA[", "]]>",
]  # fmt: skip
MARKUP = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join)
QUICK = settings(max_examples=300, deadline=None)
LOOKING = Wanted(frozenset({"there", "x"}), frozenset({"left of the card", "text"}))


def read(data: bytes | str, *, content_type: str = "text/html", wanted: Wanted | None = None, step: int | None = None) -> Page:
    """The whole page, in pieces of `step` bytes."""
    whole = data.encode() if isinstance(data, str) else data
    reader = PageReader(content_type, wanted)
    for start in range(0, len(whole), step or len(whole) or 1):
        reader.feed(whole[start : start + (step or len(whole))])
    return reader.page(True)


def found(markup: str, *wanted: str) -> set[str]:
    return set(read(markup, wanted=Wanted(frozenset(wanted))).anchors)


# --- what is seen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("<title>Guide</title>", "Guide"), ("<TITLE lang=en>\n  A   guide\n</TITLE>", "A guide"),
        ("<title>a &lt; b &amp; c &#8212; d</title>", "a < b & c — d"),
        ("<title></title><title>second</title>", "second"), ("<title>first</title><title>second</title>", "first"),
        ("<title>never closed", "never closed"),
        ("<!-- <title>hidden</title> --><title>seen</title>", "seen"),
        ("<script>'<title>hidden</title>'</script><title>seen</title>", "seen"),
        ("<title>" + "x" * 5000 + "</title>", "x" * LONGEST_TITLE), ("no title", ""), ("<titlepage>no</titlepage>", ""),
    ],
)  # fmt: skip
def test_titles(markup: str, title: str) -> None:
    assert read(markup).title == title


def test_heading_and_text_are_what_a_reader_sees() -> None:
    page = read(
        "<title>T</title><style>p {}</style><h1>A <b>big</b> head</h1><script>var x;</script>"
        "<p>One &amp; two</p><!-- no --><noscript>no</noscript>"
    )
    assert (page.title, page.heading, page.text) == ("T", "A big head", "A big head One & two")
    assert page.scripts == 1
    assert page.is_shell


@pytest.mark.parametrize(
    "markup",
    ["<a id=there>", '<a id="there">', "<a id='there'>", "<a ID = 'There' >", "<p class=x id=there>", "<a\nid\n=\nthere\n>",
     "<a name=there>", '<a href="#x"id="there">',
     "<a id=&#116;here>", '<a id="&#x74;here">', '<h2 title="a > b" id="there">', "<h2 title='\"' id=there>", "<p id=other><h2 id=there>",
     "<custom-element id=there>",
     '<br id="there"/>', "<a id=' there '>", "</p id=x><p id=there>", "< a><b id=there>", "<!doctype html><b id=there>", "<3 <b id=there>",
     '<div data-x="<p id=\'no\'>" id="there">', "<b id=there", "<!-- a --><b id=there>", "<!-- > -- > --><b id=there>",
     "<script>if (a < b) '<!--'</script><b id=there>", "<style>a > b {}</style><b id=there>", "<![CDATA[x]]><b id=there>",
     "<?php x ?><b id=there>"],
)  # fmt: skip
def test_anchors_that_are_there(markup: str) -> None:
    closed = markup if markup.endswith(">") else markup + ">"
    assert found(PROSE + closed + PROSE, "there") == {"there"}


@pytest.mark.parametrize(
    "markup",
    ["there", "id=there", "&lt;a id=there&gt;", "<!-- <a id=there> -->", "<script>'<a id=there>'</script>", "<style><a id=there></style>",
     "<a data-id=there>", "<a ids=there>",
     "<a class=there>", "<p name=there>", "<meta name=there>", "<input name=there>", "<a href='#there'>", "</a id=there", "<a id=''>",
     "<a id>", "<a id=there2>", "<a id=' the re '>",
     "<a xid=there>", "<a id:there>", "<template><a id=there></template>"],
)  # fmt: skip
def test_anchors_that_are_not(markup: str) -> None:
    assert found(PROSE + markup + " " + PROSE, "there") == set()


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("Über-uns", "über-uns"),
        ("U\u0308ber", "über"),
        ("ÜBER", "u\u0308ber"),
        ("STRASSE", "straße"),
        ("a\u00a0 b", "a b"),
        ("日本語", "日本語"),
    ],
)
def test_spellings_of_one_anchor(written: str, sought: str) -> None:
    assert found(f'<a id="{written}">', folded(sought)) == {folded(sought)}


def test_anchors_a_script_speaks_of_are_mentioned_and_not_found() -> None:
    page = read("<script>make('there')</script><style>#x {}</style><p id=z>", wanted=Wanted(frozenset({"there", "x"})))
    assert (page.anchors, page.mentioned, page.has_ids) == (set(), {"there"}, True)


@pytest.mark.parametrize(
    ("markup", "where"),
    [
        ('<meta http-equiv="refresh" content="0; url=/new">', "/new"), ("<META HTTP-EQUIV=Refresh CONTENT='0;URL=/new'>", "/new"),
        ("<meta http-equiv=refresh content=\"0; url='/new'\">", "/new"), ('<meta content="1,/new" http-equiv="refresh">', "/new"),
        ('<meta http-equiv="refresh" content="0; url=/a?b=1&amp;c=2">', "/a?b=1&c=2"),
        ('<meta http-equiv="refresh" content="300; url=/new">', None),
        ('<meta http-equiv="refresh" content="0">', None), ('<meta http-equiv="refresh">', None),
        ('<!-- <meta http-equiv="refresh" content="0; url=/new"> -->', None),
        ('<noscript><meta http-equiv="refresh" content="0; url=/new"></noscript>', None),
        ('<meta name="refresh" content="0; url=/new">', None),
        ('<meta http-equiv=refresh content="0;/a"><meta http-equiv=refresh content="0;/b">', "/a"),
        ('<meta http-equiv="refresh" content="-1; url=/new">', None),
        ('<meta http-equiv="refresh" content="garbage">', None),
    ],
)  # fmt: skip
def test_where_a_refresh_leads(markup: str, where: str | None) -> None:
    assert read(markup).refresh == where


def test_where_a_refresh_leads_is_bounded() -> None:
    assert len(read(f'<meta http-equiv=refresh content="0; url={"x" * 20_000}">').refresh or "") <= 2000


@pytest.mark.parametrize("mark", ["captcha", "cf-chl", "_Incapsula_Resource", "DataDome"])
def test_traces_of_walls(mark: str) -> None:
    for markup in (f"<p>{mark}</p>", f"<script src='/{mark}.js'></script>", f"<script>{mark}</script>", f"<!-- {mark} -->"):
        assert mark.lower() in read(markup).marks


@pytest.mark.parametrize(
    ("sought", "is_there"),
    [("left of the card", True), ("LEFT   of\nthe card", True), ("once, and", True), ("the batch. weights", True), ("of the of", False),
    ("a & b", True), ("caf\u00e9", True)],
)  # fmt: skip
def test_pieces_of_text(sought: str, is_there: bool) -> None:
    markup = PROSE * 3 + "<p>a &amp; b</p><p>cafe\u0301</p>"
    assert (read(markup, wanted=Wanted(texts=frozenset({folded(sought)}))).texts == {folded(sought)}) is is_there


def test_when_enough_is_known() -> None:
    """Not before the beginning is there, and soon after all that is looked for."""
    reader = PageReader("text/html", Wanted(frozenset({"there"}), frozenset({"seen"})))
    assert not reader.feed(b"<a id=there>")
    assert not reader.feed(b"x" * 2 * KEPT_TEXT)
    assert reader.feed(b" seen " + b"x" * 2 * KEPT_TEXT)
    reader = PageReader("text/html")
    assert not reader.feed(b"x" * (ENOUGH_BYTES - 1))
    assert reader.feed(b"x" * KEPT_TEXT)


# --- character sets ---------------------------------------------------------------------------------------------------

WORDS = {"utf-8": "Übersicht 日本", "windows-1252": "Übersicht “x”", "iso-8859-1": "Übersicht", "iso-8859-2": "Łódź",
"windows-1251": "Привет", "koi8-r": "Привет", "gbk": "中文", "gb2312": "中文",
         "gb18030": "中文", "big5": "繁體", "shift_jis": "日本語", "euc-jp": "日本語", "euc-kr": "한국어"}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_character_sets_by_header_and_by_the_page_itself(name: str) -> None:
    word = WORDS[name]
    body = f"<title>{word}</title><a id='{word}'>".encode(name)
    for content_type in (f"text/html; charset={name}", f'text/html;Charset="{name.upper()}"', f"text/html; charset = '{name}'; x=y"):
        assert read(body, content_type=content_type).title == word
    for inside in (
        f"<meta charset={name}>",
        f"<META http-equiv=Content-Type content='text/html; charset={name}'>",
        f'<meta charset="{name.upper()}" />',
    ):
        page = read(inside.encode() + body, wanted=Wanted(frozenset({folded(word)})))
        assert (page.title, page.anchors) == (word, {folded(word)})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_byte_order_marks_count_more_than_what_is_said(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    for content_type in ("text/html", "text/html; charset=utf-8"):
        assert read(mark + "<title>日本</title>".encode(encoding), content_type=content_type).title == "日本"


@pytest.mark.parametrize(
    "name",
    [
        "idna",
        "unicode_escape",
        "utf-7",
        "hex",
        "rot13",
        "zlib",
        "base64",
        "punycode",
        "undefined",
        "mbcs",
        "iso-8859-99",
        "x" * 9999,
        "",
        "raw_unicode_escape",
        "\0",
        "utf_8_sig",
    ],
)
def test_names_that_are_no_character_sets_are_read_as_utf_8(name: str) -> None:
    assert read("<title>Ü</title>", content_type=f"text/html; charset={name}").title == "Ü"
    assert read(f"<meta charset={name}><title>Ü</title>").title == "Ü"


@QUICK
@given(
    st.binary(max_size=400),
    st.sampled_from([*WORDS, "utf-16le", "utf-16-be", "us-ascii", "macintosh", "cp1250", "sjis", "nonsense"]),
    st.integers(1, 50),
)
def test_any_bytes_in_any_character_set_are_read(data: bytes, name: str, step: int) -> None:
    read(data, content_type=f"text/html; charset={name}", wanted=LOOKING, step=step)
    read(f"<meta charset={name}>".encode() + data, step=step)


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


# --- hostile markup ---------------------------------------------------------------------------------------------------

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
