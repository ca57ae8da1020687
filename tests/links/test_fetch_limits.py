"""One request within every limit: bytes, memory and seconds."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
import zlib

import pytest
from misbehaving import Answer, Host, Wire
from misbehaving import Request as Seen
from page_answers import (
    NOT_FOUND,
    bare_deflated,
    bomb_blocks,
    by_method,
    chunked,
    document,
    endless,
    gzipped,
    hang,
    message,
    page,
    raw,
    slow,
    start,
    then_hang,
    then_reset,
)
from raw_server import SETTINGS, anchors, fetched, put, request, trouble_of, with_fetcher

from llmops_catalog.links.exchange import NoAnswer
from llmops_catalog.links.fetch import SMALL_BODY_BYTES, Fetcher
from llmops_catalog.links.limits import MOST_BODY_BYTES, MOST_INFLATED_BYTES, Budget
from llmops_catalog.links.page import ENOUGH_BYTES, Wanted

HTML = "Content-Type: text/html"
HIDDEN = "<a id=there>There</a>"
ROUND = 4 * 2**20
"""What may lie in the buffers of two sockets and two programs of one machine."""


# --- bytes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "wanted"),
    [(start(200, [HTML]), Wanted()), (start(200, [HTML, "Content-Length: 99999999999"]), anchors("nowhere")), (start(404, [HTML]),
    anchors("nowhere")),
     (start(200, [HTML]), Wanted(texts=frozenset({"nothing of it"})))],
)  # fmt: skip
def test_an_endless_body_is_left_after_one_mebibyte(host: Host, head: bytes, wanted: Wanted) -> None:
    url = put(host, endless(head, b"<p>Endless</p>" * 4000))
    before = host.sent_bytes
    hop = fetched(url, wanted=wanted)
    assert hop.page
    assert hop.page.complete == (wanted == Wanted())
    assert host.sent_bytes - before < MOST_BODY_BYTES + ROUND


def test_what_stands_between_chunks_counts_as_body(host: Host) -> None:
    """An extension of 60 kB before each byte: 300 MB a second went over the wire until the time was up."""
    url = put(host, endless(start(200, [HTML, "Transfer-Encoding: chunked"]), b"1;" + b"e" * 60_000 + b"\r\na\r\n"))
    before = host.sent_bytes
    hop = fetched(url, wanted=anchors("nowhere"), seconds=1)
    assert hop.page
    assert not hop.page.complete
    assert host.sent_bytes - before < MOST_BODY_BYTES + ROUND, f"{(host.sent_bytes - before) / 2**20:.0f} MiB"


def test_what_stands_within_the_limit_is_found_and_nothing_behind_it(host: Host) -> None:
    for size, is_found in ((MOST_BODY_BYTES - 1000, True), (MOST_BODY_BYTES + 300_000, False)):
        hop = fetched(put(host, page("x" * size + HIDDEN)), wanted=anchors("there"))
        assert hop.page
        assert (hop.page.anchors == {"there"}, hop.page.complete) == (is_found, is_found)


def test_a_page_is_left_as_soon_as_its_anchors_are_found(host: Host) -> None:
    url = put(host, endless(start(200, [HTML]) + HIDDEN.encode() + bytes(5000), b"x" * 60_000, 0.01))
    before = host.sent_bytes
    hop = fetched(url, wanted=anchors("there"))
    assert hop.page
    assert hop.page.anchors == {"there"}
    assert host.sent_bytes - before < MOST_BODY_BYTES


def test_an_endless_page_without_anchors_is_left_after_its_beginning(host: Host) -> None:
    url = put(host, endless(start(200, [HTML]), b"<p>Endless</p>" * 1000, 0.005))
    before = host.sent_bytes
    hop = fetched(url)
    assert hop.page
    assert hop.page.complete
    assert host.sent_bytes - before < 4 * ENOUGH_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_left_after_five_mebibytes_and_swells_nothing(host: Host, encoding: str) -> None:
    first, block = bomb_blocks()
    if encoding == "deflate":
        packer = zlib.compressobj(9)
        first, block = (
            packer.compress(b"<p>") + packer.flush(zlib.Z_FULL_FLUSH),
            packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH),
        )
    url = put(host, endless(start(200, [HTML, f"Content-Encoding: {encoding}"]) + first, block))
    fetched(put(host, page()))  # what is imported and cached only once
    tracemalloc.start()
    try:
        hop = fetched(url, wanted=anchors("nowhere"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert hop.page
    assert not hop.page.complete
    assert peak < MOST_INFLATED_BYTES, f"{peak:,} bytes at once"


def test_what_stands_within_five_inflated_mebibytes_is_found(host: Host) -> None:
    url = put(host, page(gzipped(b" " * (MOST_INFLATED_BYTES - 70_000) + HIDDEN.encode()), 200, "Content-Encoding: gzip"))
    hop = fetched(url, wanted=anchors("there"))
    assert hop.page
    assert hop.page.anchors == {"there"}


def test_the_whole_answer_for_an_api_is_bounded_too(host: Host) -> None:
    small, large = (
        put(host, page(gzipped(b"[1]"), 200, "Content-Encoding: gzip", kind="application/json")),
        put(host, endless(start(200), b"x" * 60_000)),
    )
    first, block = bomb_blocks()
    bomb = put(host, endless(start(200, ["Content-Encoding: gzip"]) + first, block))

    async def work(fetcher: Fetcher) -> None:
        head, body = await fetcher.whole(request(small), Budget(5))
        assert (head.status, body) == (200, b"[1]")
        for url in (large, bomb, put(host, raw(message(200, b"hello")[:-2])), put(host, page(b"x", 200, "Content-Encoding: br"))):
            with pytest.raises(NoAnswer) as caught:
                await fetcher.whole(request(url), Budget(5))
            assert caught.value.trouble.kind == "too-large"

    with_fetcher(work)


@pytest.mark.parametrize(
    "answer",
    [page("x" * 50_000, kind="image/png"), page("x" * 50_000, 302, "Location: /x"), by_method(page("x" * 50_000), NOT_FOUND),
     page("x" * 100, kind="text/plain")],
)  # fmt: skip
def test_bodies_nobody_looks_at_have_no_page(host: Host, answer: Answer) -> None:
    url = put(host, answer)
    for method in ("GET", "HEAD"):
        hop = fetched(url, method)
        assert hop.page is None or not hop.page.is_html or hop.page.title == "Guide to serving" or hop.status == 404


def connections_for(host: Host, urls: list[str], method: str = "GET") -> int:
    before = host.connections

    async def work(fetcher: Fetcher) -> None:
        for url in urls:
            await fetcher.hop(request(url, method), Budget(5))

    with_fetcher(work)
    return host.connections - before


@pytest.mark.parametrize("size", [0, 1, SMALL_BODY_BYTES])
def test_a_small_body_is_read_so_that_the_connection_can_be_used_again(host: Host, size: int) -> None:
    url = put(host, page("x" * size, kind="image/png"))
    assert connections_for(host, [url] * 3) == 1


def test_a_large_body_that_nobody_wants_costs_the_connection(host: Host) -> None:
    url = put(host, page("x" * (SMALL_BODY_BYTES + 1), kind="image/png"))
    assert connections_for(host, [url] * 3) == 3


# --- bodies that are not what they say ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(document().encode(), "gzip"), (document().encode(), "br"), (document().encode(), "deflate"), (document().encode(), "gzip, gzip"),
    (b"\x1f\x8b\x08", "gzip"),
     (gzipped(b"<p>")[:4] + b"\xff" * 99, "gzip"), (gzipped(document().encode()), "br")],
)  # fmt: skip
def test_what_cannot_be_unpacked_proves_nothing_but_is_an_answer(host: Host, body: bytes, encoding: str) -> None:
    hop = fetched(put(host, page(body, 200, f"Content-Encoding: {encoding}")), wanted=anchors("there"))
    assert hop.status == 200
    assert hop.page
    assert not hop.page.anchors
    assert not hop.page.complete or body[:3] == b"\x1f\x8b\x08"  # whether a stream that never began has ended is asked elsewhere


@pytest.mark.parametrize(
    "sent",
    [start(200, [HTML, "Content-Length: 1000"]) + HIDDEN.encode(), start(200, [HTML,
     "Transfer-Encoding: chunked"]) + b"64\r\n" + HIDDEN.encode(),
     start(200, [HTML, "Transfer-Encoding: chunked"]) + chunked(HIDDEN.encode())[:-5] + b"zz\r\n"],
)  # fmt: skip
def test_a_body_that_breaks_off_shows_what_came(host: Host, sent: bytes) -> None:
    hop = fetched(put(host, raw(sent)), wanted=anchors("nowhere", "there"))
    assert hop.page
    assert (hop.page.anchors, hop.page.complete) == ({"there"}, False)


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


def test_a_short_answer_is_still_whole(host: Host) -> None:
    hop = fetched(put(host, raw(message(200, b"<p>x</p>", [HTML]))), wanted=anchors("nowhere"))
    assert hop.page
    assert hop.page.complete


# --- seconds --------------------------------------------------------------------------------------------------------------


def dripping(first: bytes, drop: bytes) -> Answer:
    return endless(first, drop, 0.02)


@pytest.mark.parametrize(
    "answer",
    [hang, then_hang(b"HTTP/1.1 200 OK\r\n"), dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), dripping(b"", b"H"), dripping(b"",
     b"HTTP/1.1 103 Early\r\n\r\n"),
     dripping(b"HTTP/1.1 200 O", b"K"), slow(9, page())],
)  # fmt: skip
def test_a_head_that_does_not_end_ends_with_the_budget(host: Host, answer: Answer) -> None:
    started = time.monotonic()
    trouble = trouble_of(put(host, answer), seconds=0.15)
    assert trouble.kind in ("timeout", "protocol")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "answer",
    [then_hang(start(200, [HTML]) + HIDDEN.encode()), dripping(start(200, [HTML]) + HIDDEN.encode(), b"."),
     dripping(start(200, [HTML, "Transfer-Encoding: chunked"]) + b"15\r\n" + HIDDEN.encode() + b"\r\n", b"1\r\n.\r\n")],
)  # fmt: skip
def test_a_body_that_does_not_end_ends_with_the_budget(host: Host, answer: Answer) -> None:
    started = time.monotonic()
    hop = fetched(put(host, answer), wanted=anchors("there", "nowhere"), seconds=0.2)
    assert time.monotonic() - started < 3
    assert hop.page
    assert (hop.page.anchors, hop.page.complete) == ({"there"}, False)


def test_the_wait_for_the_head_alone_can_be_shorter(host: Host) -> None:
    url = put(host, hang)

    async def work(fetcher: Fetcher) -> float:
        budget = Budget(5)
        with pytest.raises(NoAnswer):
            await fetcher.hop(request(url, "HEAD"), budget, 0.2)
        return budget.left

    assert 3 < with_fetcher(work) < 4.9


def test_a_body_nobody_wants_does_not_use_up_the_time_of_the_chain(host: Host) -> None:
    """A redirect that announces ten bytes and never sends them: browsers go on at once."""
    url = put(host, then_hang(start(302, ["Location: /x", "Content-Length: 10"])))

    async def work(fetcher: Fetcher) -> float:
        budget = Budget(2)
        assert (await fetcher.hop(request(url), budget)).status == 302
        return budget.left

    assert with_fetcher(work) > 0.5


def test_waiting_for_ones_turn_costs_no_budget(host: Host) -> None:
    """Five requests of 0.15 s each behind one another, each with 0.6 s to spend."""
    url = put(host, slow(0.15, page()))

    async def work(fetcher: Fetcher) -> list[float]:
        async def one() -> float:
            budget = Budget(0.6)
            assert (await fetcher.hop(request(url), budget)).status == 200
            return budget.left

        return await asyncio.gather(*(one() for _ in range(5)))

    assert all(left > 0.05 for left in with_fetcher(work, SETTINGS._replace(per_host=1)))


def test_a_host_that_hangs_is_hung_up_on(host: Host) -> None:
    gone = asyncio.Event()

    async def answer(_: Seen, wire: Wire) -> None:
        await wire.wait_for_hang_up()
        gone.set()

    trouble_of(put(host, answer), seconds=0.2)
    for _ in range(100):
        if gone.is_set():
            return
        time.sleep(0.02)
    raise AssertionError("the connection is still open")
