"""What was found wrong in the core: each stays here as a case."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from misbehaving import Host, World
from page_answers import (
    NOT_FOUND,
    bare_deflated,
    document,
    endless,
    gzipped,
    message,
    page,
    raw,
    redirect,
    slow,
    start,
    then_hang,
    then_reset,
)
from raw_server import LOOPBACK, SETTINGS, anchors, fetched, request, serving, with_fetcher

from llmops_catalog.links import fetch as fetch_module
from llmops_catalog.links.addresses import why_forbidden
from llmops_catalog.links.ask import ApiAsk
from llmops_catalog.links.chain import Errand, attempt
from llmops_catalog.links.exchange import NoAnswer, Page
from llmops_catalog.links.fetch import Fetcher, Request
from llmops_catalog.links.gate import remaining, wait_seconds
from llmops_catalog.links.hosts import Unreachable
from llmops_catalog.links.inflate import CannotUnpack, Inflater
from llmops_catalog.links.limits import MOST_BODY_BYTES, Budget
from llmops_catalog.links.page import PageReader, Wanted
from llmops_catalog.links.resolver import Resolver
from llmops_catalog.links.target import BadAddress, join, parse_target

HTML = "Content-Type: text/html"
CHUNKED = "Transfer-Encoding: chunked"
COMBINING = "\u0315\u0316".encode()
"""Two marks in the wrong order: putting a long run of them in order takes the square of its length."""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving() as made:
        yield made


def put(host: Host, answer: object) -> str:
    return host.page(f"/{len(host.pages)}", answer)  # type: ignore[arg-type]


def read(*pieces: bytes, wanted: Wanted | None = None, content_type: str = "text/html") -> Page:
    reader = PageReader(content_type, wanted)
    for piece in pieces:
        reader.feed(piece)
    return reader.page(True)


# --- one hostile page stops the run -------------------------------------------------------------------------------------


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


def test_bytes_after_the_end_of_a_packed_body_are_not_collected() -> None:
    """zlib keeps what follows the end, and copies all of it for each piece: a megabyte in pieces of one byte takes minutes."""
    inflater = Inflater("gzip")
    for _ in inflater.feed(gzipped(b"hello")):
        pass
    for _ in range(3000):
        assert list(inflater.feed(b"x")) == []
    assert len(inflater._object.unused_data) < 100  # type: ignore[union-attr]


# --- a limit that is none -----------------------------------------------------------------------------------------------


def test_what_stands_between_chunks_counts_as_body(host: Host) -> None:
    """An extension of 60 kB before each byte: 300 MB a second went over the wire until the time was up."""
    url = put(host, endless(start(200, [HTML, CHUNKED]), b"1;" + b"e" * 60_000 + b"\r\na\r\n"))
    before = host.sent_bytes
    hop = fetched(url, wanted=anchors("nowhere"), seconds=1)
    assert hop.page
    assert not hop.page.complete
    assert host.sent_bytes - before < MOST_BODY_BYTES + 4 * 2**20, f"{(host.sent_bytes - before) / 2**20:.0f} MiB"


@pytest.mark.parametrize(
    "text",
    ["64:ff9b:1:7f00:0:100:808:808", "64:ff9b:1::808:808", "::2", "::ffff", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "100:0:0:1::1",
     "1234::1", "4000::1", "5f00::1", "3fff::1",
     "3fff:fff:ffff::1", "e000::1", "fe00::1", "192.0.0.8", "192.0.0.100", "192.0.0.255"],
)  # fmt: skip
def test_what_no_registry_calls_global_is_not_followed(text: str) -> None:
    """By the registries, not by the tables of the Python that happens to run: only 2000::/3 was ever given out, and a local NAT64 prefix
    (RFC 8215) hides an address anywhere, not in its last four bytes.
    """
    assert why_forbidden(ip_address(text))


@pytest.mark.parametrize("text", ["192.0.0.9", "192.0.0.10", "2000::1", "2620:4f:8000::1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"])
def test_what_a_registry_calls_global_is_followed(text: str) -> None:
    assert why_forbidden(ip_address(text)) is None


# --- secrets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["hf_secret\n", "hf_secret\r\nX-Evil: 1", "hf_secret\0", "hf_secret\u00e4", "hf_secret\u4e2d", "hf_secret\udcff"]
)
def test_a_token_that_cannot_be_sent_is_not_shown(host: Host, token: str) -> None:
    """The reason goes to the report; characters beyond ASCII ended in a `UnicodeEncodeError` instead."""

    async def work(fetcher: Fetcher) -> None:
        fetcher.trusted = {parse_target(host.url()).origin}
        await ApiAsk(fetcher)(put(host, page()), token=token)

    reason = ""
    try:
        with_fetcher(work)
    except Unreachable as error:
        reason = error.reason
    assert "hf_secret" not in reason
    assert reason or not any(char in token for char in "\r\n\0")


# --- exceptions nobody catches --------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("name", ["utf-16", "UTF16"])
@pytest.mark.parametrize(("data", "title"), [("<title>Guide</title>".encode("utf-16-le"), "Guide"), (b"\0\0", ""), (b"\x8b\x8e\x8f", "")])
def test_utf_16_without_a_byte_order_mark_is_read(name: str, data: bytes, title: str) -> None:
    """Python's decoder raises `UnicodeError` there; browsers read it as little-endian (https://encoding.spec.whatwg.org/#utf-16le)."""
    assert read(data, content_type=f"text/html; charset={name}").title == title


@pytest.mark.parametrize("value", ['"\u00e4"', '"\u4e2d"', "\udcff"])
def test_an_entity_tag_beyond_ascii_can_be_sent_back(host: Host, value: str) -> None:
    """Servers send them, the state keeps them, and the next run asks with ``If-None-Match``."""
    url = put(host, page())

    async def work(fetcher: Fetcher) -> int:
        return (await fetcher.hop(Request("GET", parse_target(url), (("If-None-Match", value),), wanted=Wanted()), Budget(5))).status

    assert with_fetcher(work) == 200


def test_what_one_address_is_written_as_can_be_read_again() -> None:
    """1,000 characters beyond ASCII are 9,000 when they are encoded: too long for the next reading."""
    for text in ("http://example.org/" + "日" * 1000, "http://example.org/?" + "😀" * 700, "http://example.org/" + " " * 3000 + "a"):
        try:
            target = parse_target(text)
        except BadAddress:
            continue
        assert parse_target(target.url) == target


def test_a_redirect_to_a_long_address_ends_in_a_judgement(host: Host) -> None:
    """`BadAddress` left `attempt`, and the check told that it had failed itself."""
    url = put(host, redirect("/" + "日" * 1000))
    host.otherwise = page()
    try:
        exchange = with_fetcher(lambda fetcher: attempt(fetcher, Errand(parse_target(url)), Budget(5)))
    finally:
        host.otherwise = NOT_FOUND
    assert exchange.hops


@pytest.mark.parametrize(
    "text", ["http://example.org/\udcff", "http://example.org/?\ud800", "http://\udcff.org/", "http://example.org/#\udcff"]
)
def test_half_characters_are_no_address(text: str) -> None:
    """So come the bytes of a command line that are no UTF-8; a report with them cannot be written."""
    with pytest.raises(BadAddress):
        parse_target(text)
    with pytest.raises(BadAddress):
        join(parse_target("http://example.org/"), text.removeprefix("http://example.org"))


# --- false alarms: a page is taken for whole, or an anchor is not seen -----------------------------------------------------


def test_a_page_that_is_cut_off_by_a_reset_is_not_whole(host: Host) -> None:
    """Without a length the end of the connection is the end of the page; a reset is not."""
    hop = fetched(put(host, then_reset(start(200, [HTML]) + document().encode())), wanted=anchors("nowhere"))
    assert hop.page
    assert not hop.page.complete


@pytest.mark.parametrize("cut", [1, 8, 100, 300])
def test_a_packed_page_that_is_cut_off_is_not_whole(host: Host, cut: int) -> None:
    packed = gzipped(document(json.dumps([number**9 for number in range(200)])).encode())
    hop = fetched(put(host, page(packed[:-cut], 200, "Content-Encoding: gzip")), wanted=anchors("nowhere"))
    assert hop.page
    assert not hop.page.complete


def test_a_packed_page_that_is_whole_is_whole(host: Host) -> None:
    for packed, encoding in ((gzipped(document().encode()), "gzip"), (bare_deflated(document().encode()), "deflate")):
        hop = fetched(put(host, page(packed, 200, f"Content-Encoding: {encoding}")), wanted=anchors("nowhere"))
        assert hop.page
        assert hop.page.complete


def test_bare_deflate_may_come_byte_by_byte() -> None:
    """The first byte alone was taken for the beginning of zlib's header."""
    packed = bare_deflated(b"hello " * 9)
    for cut in range(1, len(packed)):
        inflater = Inflater("deflate")
        try:
            got = b"".join(out for piece in (packed[:cut], packed[cut:]) for out in inflater.feed(piece))
        except CannotUnpack:
            got = b""
        assert got == b"hello " * 9, f"cut at {cut}"


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
    assert read(markup.encode() + document().encode(), wanted=anchors("a", "b", "c")).anchors == there


def test_a_character_set_counts_wherever_the_first_piece_ends() -> None:
    """Servers send the first line of a page before the rest."""
    page_itself = "<!doctype html><html><head><meta charset=windows-1251><title>Привет</title><a id=привет>".encode("cp1251")
    for cut in (1, 15, 40, 60):
        seen = read(page_itself[:cut], page_itself[cut:], wanted=anchors("привет"))
        assert (seen.title, seen.anchors) == ("Привет", {"привет"}), f"cut at {cut}"


def test_a_byte_order_mark_may_come_byte_by_byte() -> None:
    marked = b"\xff\xfe" + "<title>日本</title>".encode("utf-16-le")
    assert read(marked[:1], marked[1:]).title == "日本"


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


@pytest.mark.parametrize("markup", ["<!doctype html>",
'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
                                    '<?xml version="1.0" encoding="utf-8"?>', "</>", "<![if IE]>"])  # fmt: skip
def test_declarations_are_not_text(markup: str) -> None:
    seen = read(markup.encode() + b"<p>hello</p>")
    assert (seen.text, seen.text_length) == ("hello", 5)


# --- a living host is not reached -----------------------------------------------------------------------------------------


def test_look_ups_that_hang_hold_up_only_who_asked() -> None:
    """Also when those who asked have given up meanwhile."""
    release = threading.Event()

    def lookup(name: str) -> list[str]:
        if name.startswith("slow"):
            release.wait(10)
        return ["93.184.215.14"]

    async def run() -> None:
        resolver = Resolver((), lookup)
        hanging = [asyncio.create_task(resolver.addresses(f"slow{number}.org")) for number in range(60)]
        await asyncio.sleep(0.05)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        try:
            async with asyncio.timeout(3):
                assert await resolver.addresses("quick.org")
        finally:
            release.set()

    asyncio.run(run())


def test_a_lookup_that_fails_in_another_way_is_trouble() -> None:
    def lookup(_: str) -> list[str]:
        raise OSError(24, "Too many open files")

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(Resolver((), lookup).addresses("there.org"))
    assert caught.value.trouble.kind == "resolver"


def test_a_body_nobody_wants_does_not_use_up_the_time_of_the_chain(host: Host) -> None:
    """A redirect that announces ten bytes and never sends them: browsers go on at once."""
    url = put(host, then_hang(start(302, ["Location: /x", "Content-Length: 10"])))

    async def work(fetcher: Fetcher) -> float:
        budget = Budget(2)
        assert (await fetcher.hop(request(url), budget)).status == 302
        return budget.left

    assert with_fetcher(work) > 0.5


def test_idle_connections_to_hosts_that_are_done_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 256 hosts no connection was kept any more for the rest of the run."""
    monkeypatch.setattr(fetch_module, "MOST_IDLE_CONNECTIONS", 2)
    world = World(page())
    hosts = [world.host(f"host {number}") for number in range(4)]
    world.start()
    try:

        async def work(fetcher: Fetcher) -> None:
            for host in hosts:
                for _ in range(3):
                    await fetcher.hop(request(host.url("/")), Budget(5))

        with_fetcher(work)
    finally:
        time.sleep(0.05)
        world.stop()
    assert [host.connections for host in hosts] == [1] * 4


def test_fresh_requests_open_no_more_connections_than_the_host_is_given(host: Host) -> None:
    world = World(slow(0.03, page()))
    crowded = world.host("crowded")
    world.start()
    try:

        async def work(fetcher: Fetcher) -> None:
            for fresh in (False, True):
                await asyncio.gather(*(fetcher.hop(request(crowded.url(f"/{number}"), fresh=fresh), Budget(5)) for number in range(4)))
                await asyncio.sleep(0.05)

        with_fetcher(work, SETTINGS._replace(per_host=4))
    finally:
        time.sleep(0.05)
        world.stop()
    assert crowded.most_open <= 4


# --- politeness -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["garbage", "", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_a_date_to_come_back_at_counts_where_the_servers_own_is_garbage(date: str) -> None:
    seconds = wait_seconds({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": date})
    assert seconds is not None
    assert seconds > 3600


def test_a_number_too_long_to_read_is_a_long_wait() -> None:
    assert (wait_seconds({"retry-after": "9" * 13}) or 0) > 3600
    assert (wait_seconds({"retry-after": "9" * 300}) or 0) > 3600


def test_of_several_limits_the_tightest_counts() -> None:
    """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ allows one item for each policy."""
    assert remaining({"ratelimit": '"day";r=900;t=4000, "burst";r=0;t=5'}) == (0, 5)
    assert remaining({"ratelimit": '"burst";r=7;t=5,"day";r=3;t=60'}) == (3, 60)


# --- things that must stay as they are ------------------------------------------------------------------------------------


def test_the_addresses_of_localhost_are_this_machines() -> None:
    """Whatever a server says (RFC 6761, 6.3)."""
    found = asyncio.run(Resolver(LOOPBACK, lambda _: ["93.184.215.14"]).addresses("localhost"))
    assert all(address.is_loopback for address in found)


def test_names_with_no_address_are_told_so() -> None:
    def lookup(_: str) -> list[str]:
        raise socket.gaierror(getattr(socket, "EAI_NODATA", socket.EAI_NONAME), "No address associated with hostname")

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(Resolver((), lookup).addresses("nothing.invalid"))
    assert caught.value.trouble.kind == "no-such-host"


def test_a_short_answer_is_still_whole(host: Host) -> None:
    hop = fetched(put(host, raw(message(200, b"<p>x</p>", [HTML]))), wanted=anchors("nowhere"))
    assert hop.page
    assert hop.page.complete
