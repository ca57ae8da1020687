"""Addresses as they are asked for: whatever the text is, one target or `BadAddress`, and nothing of it can break out of its place."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmops_catalog.links.addresses import spelled_address
from llmops_catalog.links.target import MAX_LENGTH, BadAddress, Target, ascii_host, join, parse_target

PIECES = st.lists(
    st.sampled_from(
        ["http", "https", "HTTP", "ftp", ":", "//", "/", "\\", "\\\\", "@", "#", "?", "%", "%00", "%0d%0a", "%2f", "%40", "%25", " ", "\t",
         "\r\n", "\n", "\0", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\u3002", "\uff0e", "..", ".", "-", "_", "[", "]", "[::1]", "[::",
         "127.0.0.1", "2130706433", "0x7f.1", "１２７", "①", "ß", "faß", "ü", "münchen", "xn--", "xn--a", "a", "b.org", "example.org",
         ":80",
         ":0", ":65536", ":99999999999", "Host: evil", "\u200d", "\u0301", "אב", "日本語", "😀",
         "℀", "＃", "／", "＠", "&amp;", '"', "<", ">"]
    ),
    max_size=14,
).map("".join)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60), PIECES, st.builds("".join, st.tuples(st.sampled_from(["http://", "https://", "HTTPS:\\\\"]), PIECES))
)
VISIBLE = re.compile(r"[!-~]+")
AUTHORITY = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?")
MANY = settings(max_examples=600, deadline=None)


def parsed(text: str) -> Target | None:
    """None where it is no address; anything but `BadAddress` is a bug."""
    try:
        return parse_target(text)
    except BadAddress as bad:
        return None if bad.reason else pytest.fail("no reason is given")


def joined(base: Target, location: str) -> Target | None:
    try:
        return join(base, location)
    except BadAddress as bad:
        return None if bad.reason else pytest.fail("no reason is given")


def cannot_break_out(target: Target) -> None:
    assert target.scheme in ("http", "https")
    assert 0 < target.port < 65536
    assert VISIBLE.fullmatch(target.path), ascii(target.path)
    assert target.path.startswith("/")
    assert "#" not in target.path
    assert AUTHORITY.fullmatch(target.authority), ascii(target.authority)
    assert not re.search(r"[\x00-\x1f\x7f]", target.fragment), ascii(target.fragment)


@MANY
@given(TEXTS)
@example("http://a\r\nHost: evil/")
@example("http://a/ HTTP/1.1\r\nX: y")
@example("http://%0d%0aevil/")
def test_any_text_is_a_target_or_a_bad_address(text: str) -> None:
    if target := parsed(text):
        cannot_break_out(target)


@MANY
@given(TEXTS)
def test_what_is_written_out_is_read_the_same(text: str) -> None:
    if target := parsed(text):
        assert parse_target(target.url) == target
        assert parse_target(target.page_url) == target._replace(fragment="")


def test_what_one_address_is_written_as_can_be_read_again() -> None:
    """1,000 characters beyond ASCII are 9,000 when they are encoded: too long for the next reading."""
    for text in ("http://example.org/" + "日" * 1000, "http://example.org/?" + "😀" * 700, "http://example.org/" + " " * 3000 + "a"):
        try:
            target = parse_target(text)
        except BadAddress:
            continue
        assert parse_target(target.url) == target


@MANY
@given(TEXTS)
def test_any_location_leads_to_a_target_or_a_bad_address(location: str) -> None:
    for base in (parse_target("http://example.org:8080/a/b?c#d"), parse_target("https://[::1]/")):
        if target := joined(base, location):
            cannot_break_out(target)
            assert parse_target(target.url) == target


@MANY
@given(
    st.sampled_from(["good.org", "1.2.3.4", "[::1]"]),
    st.text(alphabet="\\/@:.#?%a1[]", max_size=8),
    st.sampled_from(["evil.org", "127.0.0.1"]),
)
def test_the_host_is_what_stands_before_the_first_slash(host: str, between: str, other: str) -> None:
    """No mix of slashes, colons and at-signs smuggles a second host in."""
    target = parsed(f"http://{host}{between}{other}/")
    if target and re.match(r"[\\/?#]", between):
        assert target.host == host
    if target and other in target.host:
        assert "@" not in between
        assert re.fullmatch(r"[^\\/?#]*", between)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"/?(?:[a-z]{1,4}|\.\.?|[a-z]{0,3}/){0,5}(?:\?[a-z=&]{1,6})?", fullmatch=True).filter(lambda text: "//" not in text))
def test_plain_locations_are_joined_as_urllib_joins_them(location: str) -> None:
    base = parse_target("http://example.org/x/y/z?q=1")
    if location:
        assert join(base, location).page_url == urljoin(base.page_url, location)


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        ("/y", "https://example.org:8443/y#part"), ("y", "https://example.org:8443/a/y#part"),
        ("?q", "https://example.org:8443/a/b?q#part"),
        ("//other.org/z", "https://other.org/z#part"), ("\\\\other.org\\z", "https://other.org/z#part"),
        ("/\\other.org/z", "https://other.org/z#part"), ("http://other.org", "http://other.org/#part"),
        ("#new", "https://example.org:8443/a/b?c#new"), ("/y#new", "https://example.org:8443/y#new"),
        (" /y\t", "https://example.org:8443/y#part"),
        ("/\n/other.org", "https://other.org/#part"), ("/ä ö", "https://example.org:8443/%C3%A4%20%C3%B6#part"),
        ("HTTP://OTHER.org", "http://other.org/#part"), ("https://other.org\\@evil.org/", "https://other.org/@evil.org/#part"),
    ],
)  # fmt: skip
def test_where_a_location_leads(location: str, wanted: str) -> None:
    assert join(parse_target("https://example.org:8443/a/b?c#part"), location).url == wanted


@pytest.mark.parametrize(
    "location",
    ["", " ", "\t", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://a.org/", "gopher://a", "mailto:a@b.org",
     "https://user:secret@a.org/", "//user@a.org", "http://[::1", "http://a.org:99999/", "http://a.org:x/", "https://", "x" * 9000,
     "http://a.org/\0", "http://a.org/\x1b[31m"],
)  # fmt: skip
def test_locations_that_lead_nowhere(location: str) -> None:
    with pytest.raises(BadAddress):
        join(parse_target("http://example.org/"), location)


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("http://EXAMPLE.org", "example.org", 80, "/"), ("https://example.org:443/a", "example.org", 443, "/a"),
        ("http://example.org.:8080", "example.org", 8080, "/"), ("http://example.org:/", "example.org", 80, "/"),
        ("http://example.org?q", "example.org", 80, "/?q"), ("http://münchen.de/ü?ü", "xn--mnchen-3ya.de", 80, "/%C3%BC?%C3%BC"),
        ("http://faß.de", "xn--fa-hia.de", 80, "/"), ("http://日本語。jp/", "xn--wgv71a119e.jp", 80, "/"),
        ("http://%65xample.org/", "example.org", 80, "/"), ("http://１２７.0.0.1/", "127.0.0.1", 80, "/"),
        ("http://①②⑦.⓪.⓪.①/", "127.0.0.1", 80, "/"), ("http://[::FFFF:127.0.0.1]:81/", "[::ffff:127.0.0.1]", 81, "/"),
        ("http://a_b.example.org/", "a_b.example.org", 80, "/"), ("http://example.org/a b", "example.org", 80, "/a%20b"),
        ("http://example.org/%zz%", "example.org", 80, "/%zz%"), ("http://example.org/a\\b?c\\d", "example.org", 80, "/a/b?c%5Cd"),
        ("\n http://exam\nple.org/\t", "example.org", 80, "/"),
        ("http://example.org/\u202e\u200b", "example.org", 80, "/%E2%80%AE%E2%80%8B"),
    ],
)  # fmt: skip
def test_spellings(text: str, host: str, port: int, path: str) -> None:
    target = parse_target(text)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "//example.org", "http", "http:", "http:/", "http://", "http://?", "http://#a", "http:///", "http://:80/",
     "http://.",
     "http://..", "http://a..b/", "http://-a.org/", "http://a-.org-/", "http://a b/", "http://a%20b/", "http://a%00b/", "http://a%0d%0ab/",
     "http://a%2fb/", "http://a%40b/", "http://a%23b/", "http://a/\0", "http://a\0b/", "http://a@b/", "http://:@b/", "http://a:b@c/",
     "http://a:-1/",
     "http://a:0/", "http://a:65536/", "http://a:8 0/", "http://a:８０/", "http://[::1/", "http://[::1%25lo]/", "http://[::1]x/",
     "http://::1/",
     "http://℀.org/", "http://＃.org/", "http://" + "a" * 64 + ".org/", "http://" + "a." * 130 + "org/", "ws://a/",
     "http://" + "a" * MAX_LENGTH],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_target(text)


@pytest.mark.parametrize(
    "text", ["http://example.org/\udcff", "http://example.org/?\ud800", "http://\udcff.org/", "http://example.org/#\udcff"]
)
def test_half_characters_are_no_address(text: str) -> None:
    """So come the bytes of a command line that are no UTF-8; a report with them cannot be written."""
    with pytest.raises(BadAddress):
        parse_target(text)
    with pytest.raises(BadAddress):
        join(parse_target("http://example.org/"), text.removeprefix("http://example.org"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from("０①⓪٠0"), st.booleans())
def test_digits_of_other_scripts_are_the_address_they_look_like_or_none(number: int, zero: str, dots: bool) -> None:
    """Whatever a resolver would make of odd digits has to be an address to us too, so that it is checked."""
    plain = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)) if dots else str(number)
    digits = dict(zip("0123456789", "⓪①②③④⑤⑥⑦⑧⑨" if zero in "①⓪" else map(chr, range(ord(zero), ord(zero) + 10)), strict=True))
    try:
        host = ascii_host("".join(digits.get(char, char) for char in plain))
    except BadAddress:
        return
    address = spelled_address(host)
    assert (address is not None and int(address) == number) or host.startswith("xn--")


@given(st.sampled_from(["http", "https"]), st.integers(1, 65535))
def test_host_header_origin_and_site(scheme: str, port: int) -> None:
    target = parse_target(f"{scheme}://www.example.org:{port}/a?b#c")
    is_default = port == {"http": 80, "https": 443}[scheme]
    assert target.authority == ("www.example.org" if is_default else f"www.example.org:{port}")
    assert target.origin == f"{scheme}://www.example.org:{port}"
    assert target.plain_path == "/a"
    assert target.page_url + "#c" == target.url
