"""Unpacking in pieces: the same bytes whatever the pieces were, and a bomb costs what one piece may hold."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_answers import bare_deflated, bomb_blocks, gzipped

from llmops_catalog.links.inflate import ACCEPTED, PIECE_BYTES, CannotUnpack, Inflater

PACKERS = {"gzip": gzipped, "x-gzip": gzipped, "GZIP": gzipped, "deflate": zlib.compress, "Deflate": bare_deflated, "identity": bytes,
"": bytes,
           " gzip , identity": gzipped}  # fmt: skip
QUICK = settings(max_examples=150, deadline=None)


def noise(size: int) -> bytes:
    """Bytes that cannot be packed, the same each time."""
    return b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(size // 32 + 1))[:size]


def unpacked(encoding: str, *pieces: bytes) -> bytes:
    inflater = Inflater(encoding)
    return b"".join(out for piece in pieces for out in inflater.feed(piece))


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({place % (len(data) + 1) for place in places})
    return [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]


@QUICK
@given(
    st.sampled_from(sorted(PACKERS.keys() - {"Deflate"})),
    st.one_of(st.binary(max_size=3000), st.integers(0, 300_000).map(bytes)),
    st.lists(st.integers(0, 10**6), max_size=6),
)
def test_any_pieces_give_the_same_bytes(encoding: str, data: bytes, places: list[int]) -> None:
    assert unpacked(encoding, *cut(PACKERS[encoding](data), places)) == data


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_one_byte_at_a_time(encoding: str) -> None:
    data = b"A page of no great length. " * 40
    packed = PACKERS[encoding](data)
    assert unpacked(encoding, *(packed[at : at + 1] for at in range(len(packed)))) == data


def test_bare_deflate_may_come_byte_by_byte() -> None:
    """The first byte alone was taken for the beginning of zlib's header."""
    packed = bare_deflated(b"hello " * 9)
    for at in range(1, len(packed)):
        assert unpacked("deflate", packed[:at], packed[at:]) == b"hello " * 9, f"cut at {at}"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "Deflate"])
@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_no_piece_is_larger_than_allowed_and_none_is_lost(encoding: str, size: int) -> None:
    data = noise(size // 2) + bytes(size - size // 2)
    pieces = list(Inflater(encoding).feed(PACKERS[encoding](data)))
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert b"".join(pieces) == data


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "deflate,gzip", "identity, br", "gzip;q=1", "\0", "x" * 10_000]
)
def test_what_was_not_asked_for_is_not_unpacked(encoding: str) -> None:
    with pytest.raises(CannotUnpack) as caught:
        Inflater(encoding)
    assert len(str(caught.value)) < 100


def test_what_is_asked_for_can_be_unpacked() -> None:
    for encoding in ACCEPTED.split(","):
        assert unpacked(encoding, PACKERS[encoding.strip()](b"hello")) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "data", [b"<!doctype html><title>not packed at all</title>", b"\x1f\x8b\x08broken header and body", b"\xff" * 50, bytes(50)]
)
def test_garbage_is_said_to_be_garbage(encoding: str, data: bytes) -> None:
    with pytest.raises(CannotUnpack):
        unpacked(encoding, data)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_breaks_in_the_middle_gives_what_came_before(encoding: str) -> None:
    data = noise(50_000)
    packed = bytearray(PACKERS[encoding](data))
    inflater = Inflater(encoding)
    got = b"".join(inflater.feed(bytes(packed[:30_000])))
    assert data.startswith(got)
    assert len(got) > 20_000


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "identity"]), st.lists(st.integers(0, 300), max_size=3))
@QUICK
def test_any_bytes_are_unpacked_or_refused(data: bytes, encoding: str, places: list[int]) -> None:
    inflater = Inflater(encoding)
    try:
        for piece in cut(data, places):
            assert all(len(out) <= PIECE_BYTES for out in inflater.feed(piece))
    except CannotUnpack:
        pass


def test_bytes_after_the_end_are_left_alone() -> None:
    assert unpacked("gzip", gzip.compress(b"hello") + b"more", b"and more") == b"hello"


def test_bytes_after_the_end_of_a_packed_body_are_not_collected() -> None:
    """zlib keeps what follows the end, and copies all of it for each piece: a megabyte in pieces of one byte takes minutes."""
    inflater = Inflater("gzip")
    for _ in inflater.feed(gzipped(b"hello")):
        pass
    for _ in range(3000):
        assert list(inflater.feed(b"x")) == []
    assert len(inflater._object.unused_data) < 100  # type: ignore[union-attr]


def test_a_bomb_costs_one_piece_of_memory() -> None:
    first, block = bomb_blocks()
    packed = first + block * 4
    inflater = Inflater("gzip")
    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in inflater.feed(packed))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 64 * 2**20
    assert peak < 2**20, f"{peak:,} bytes for {total:,} inflated ones"


def test_nothing_is_inflated_that_nobody_takes() -> None:
    """Whoever has had enough stops taking; the rest of the bomb is never unpacked."""
    first, block = bomb_blocks()
    pieces = Inflater("gzip").feed(first + block)
    taken = [next(pieces), next(pieces)]
    pieces.close()  # type: ignore[attr-defined]  # a generator
    assert sum(map(len, taken)) <= 2 * PIECE_BYTES
