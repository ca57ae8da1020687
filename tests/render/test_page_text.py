"""Values read as intended, and no text is ever more than text."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.render import text


@given(st.text())
def test_escaped_text_reads_as_written_and_holds_no_syntax(value: str) -> None:
    escaped = str(text.to_html(value))
    assert not set(escaped) & set("<>\"'`~{}[]*\\|$\n\r\t")
    if not set(value) & set(
        "\r\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
    ):
        assert html.unescape(escaped) == value


@given(st.text())
def test_a_front_matter_title_needs_no_escaping_anywhere(value: str) -> None:
    plain = text.plain_title(value)
    assert not set(plain) & set("<>\"'`{}\\\n\r\t")
    assert html.unescape(plain) == plain
    assert len(plain) <= 160


@given(st.text())
def test_only_web_addresses_become_links(value: str) -> None:
    href = text.safe_href(value)
    assert href is None or href.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//example.org",
        "/x",
        "http://",
        "https:// x.org",
        "https://x\n.org",
        "http://[",
        "",
    ],
)
def test_other_addresses_are_shown_not_linked(url: str) -> None:
    assert text.safe_href(url) is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (text.gib(5749 * 2**20), "5.61 GiB"),
        (text.billions(8030261248), "8.03 billion"),
        (text.billions(999_900_000_000), "1 trillion"),
        (text.billions(999_885_952), "1 billion"),
        (text.billions(494_032_768), "494 million"),
        (text.billions(900), "900"),
        (text.short_tokens(131072), "128k"),
        (text.short_tokens(1048576), "1M"),
        (text.short_tokens(512), "512"),
        (text.tokens(8192), "8,192 tokens (8k)"),
        (text.day("2024-07-23"), "23 July 2024"),
        (text.day("2024-07"), "July 2024"),
        (text.day("2024"), "2024"),
        (text.number(300.1), "300.1"),
        (text.number(24.0), "24"),
        (text.number(128256), "128,256"),
        (text.money({"amount": 0.8, "currency": "USD", "as_of": "2026-08"}), "0.80 USD (seen August 2026)"),
        (text.money({"amount": 0.8, "currency": "USD"}), "0.80 USD (undated)"),
        (text.first_sentence("Loads 3.1 in 4-bit. Then more."), "Loads 3.1 in 4-bit."),
        (text.words("bits_per_weight"), "Bits per weight"),
    ],
)
def test_values_read_as_people_write_them(shown: str, expected: str) -> None:
    assert shown == expected
