"""What a page shows: titles, anchors, text, refreshes and traces of walls, as browsers see them."""

from __future__ import annotations

import pytest
from page_answers import document
from page_reading import PROSE, read
from raw_server import anchors

from llmops_catalog.links.page import ENOUGH_BYTES, KEPT_TEXT, LONGEST_TITLE, PageReader, Wanted, folded


def found(markup: str, *wanted: str) -> set[str]:
    return set(read(markup, wanted=Wanted(frozenset(wanted))).anchors)


# --- titles and text --------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("markup", ["<!doctype html>",
'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
                                    '<?xml version="1.0" encoding="utf-8"?>', "</>", "<![if IE]>"])  # fmt: skip
def test_declarations_are_not_text(markup: str) -> None:
    seen = read(markup.encode() + b"<p>hello</p>")
    assert (seen.text, seen.text_length) == ("hello", 5)


DIGITS = b"1" * 5000


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        ((b'<a id="&#' + DIGITS + b';">',), anchors("there")), ((b'<a id="&#' + DIGITS + b';">',), None),
        ((b"<p>&#" + DIGITS,), Wanted(texts=frozenset({"there"}))),
        ((b"<p>&#" + DIGITS[:4000], DIGITS[:4000] + b";</p>"), None),
        ((b'<meta http-equiv=refresh content="0; url=&#' + DIGITS + b';">',), None),
    ],
)  # fmt: skip
def test_a_character_reference_of_thousands_of_digits_is_read(pieces: tuple[bytes, ...], wanted: Wanted | None) -> None:
    """`html.unescape` raises `ValueError` on more than 4,300 digits."""
    assert read(*pieces, b"<title>Guide</title>", wanted=wanted).title == "Guide"


@pytest.mark.parametrize(
    ("sought", "is_there"),
    [("left of the card", True), ("LEFT   of\nthe card", True), ("once, and", True), ("the batch. weights", True), ("of the of", False),
    ("a & b", True), ("caf\u00e9", True)],
)  # fmt: skip
def test_pieces_of_text(sought: str, is_there: bool) -> None:
    markup = PROSE * 3 + "<p>a &amp; b</p><p>cafe\u0301</p>"
    assert (read(markup, wanted=Wanted(texts=frozenset({folded(sought)}))).texts == {folded(sought)}) is is_there


# --- anchors ----------------------------------------------------------------------------------------------------------


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
    ("markup", "there"),
    [
        ('<a href="x"" id="a">A</a><h2 id="b">It is</h2><h2 id="c">', {"a", "b", "c"}),
        ("<p title=it's><h2 id=a>A</h2><p id=b>it's", {"a", "b"}),
        ("<td width=5\"><h2 id='a'>A</h2><h2 id='b'>B</h2>", {"a", "b"}), ("<p don't><h2 id=a>", {"a"}), ('<a id="a" id="b">', {"a"}),
        ("<!--><h2 id=a>A</h2>", {"a"}), ("<!---><h2 id=a>A</h2>", {"a"}), ("<!-- x --!><h2 id=a>A</h2>", {"a"}),
        ('<p title="a>b" id="a">', {"a"}), ("<p title='\"'><p id=a title='>'>", {"a"}),
        ('<p data-x=a"b id=a><p id=b title="c">', {"a", "b"}),
    ],
)  # fmt: skip
def test_anchors_are_seen_where_browsers_see_them(markup: str, there: set[str]) -> None:
    """A quote matters only after ``=`` (https://html.spec.whatwg.org/multipage/parsing.html#attribute-name-state); one too many hid all
    that followed. ``<!-->`` is a whole comment, ``--!>`` ends one, and the first of two attributes of a name counts.
    """
    assert read(markup, document(), wanted=anchors("a", "b", "c")).anchors == there


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


# --- what else counts -------------------------------------------------------------------------------------------------


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


def test_when_enough_is_known() -> None:
    """Not before the beginning is there, and soon after all that is looked for."""
    reader = PageReader("text/html", Wanted(frozenset({"there"}), frozenset({"seen"})))
    assert not reader.feed(b"<a id=there>")
    assert not reader.feed(b"x" * 2 * KEPT_TEXT)
    assert reader.feed(b" seen " + b"x" * 2 * KEPT_TEXT)
    reader = PageReader("text/html")
    assert not reader.feed(b"x" * (ENOUGH_BYTES - 1))
    assert reader.feed(b"x" * KEPT_TEXT)
