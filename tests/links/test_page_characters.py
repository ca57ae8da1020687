"""Pages in any character set: told by the header, by the page itself or by a byte order mark, and wherever the first piece ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import LOOKING, QUICK, read
from raw_server import anchors

from llmops_catalog.links.page import Wanted, folded

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


def test_a_character_set_counts_wherever_the_first_piece_ends() -> None:
    """Servers send the first line of a page before the rest."""
    page_itself = "<!doctype html><html><head><meta charset=windows-1251><title>Привет</title><a id=привет>".encode("cp1251")
    for cut in (1, 15, 40, 60):
        seen = read(page_itself[:cut], page_itself[cut:], wanted=anchors("привет"))
        assert (seen.title, seen.anchors) == ("Привет", {"привет"}), f"cut at {cut}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_byte_order_marks_count_more_than_what_is_said(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    for content_type in ("text/html", "text/html; charset=utf-8"):
        assert read(mark + "<title>日本</title>".encode(encoding), content_type=content_type).title == "日本"


def test_a_byte_order_mark_may_come_byte_by_byte() -> None:
    marked = b"\xff\xfe" + "<title>日本</title>".encode("utf-16-le")
    assert read(marked[:1], marked[1:]).title == "日本"


@pytest.mark.parametrize("name", ["utf-16", "UTF16"])
@pytest.mark.parametrize(("data", "title"), [("<title>Guide</title>".encode("utf-16-le"), "Guide"), (b"\0\0", ""), (b"\x8b\x8e\x8f", "")])
def test_utf_16_without_a_byte_order_mark_is_read(name: str, data: bytes, title: str) -> None:
    """Python's decoder raises `UnicodeError` there; browsers read it as little-endian (https://encoding.spec.whatwg.org/#utf-16le)."""
    assert read(data, content_type=f"text/html; charset={name}").title == title


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
