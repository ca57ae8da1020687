"""The bare connection against servers that break HTTP: one kind of trouble each, bounded, and never an answer to another question."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeVar

import pytest
from misbehaving import Host, Wire
from page_answers import chunked, message, page, start
from raw_server import Scripted, put, with_fetcher

from llmops_catalog.links.connection import MAX_HEADER_BYTES, MAX_INTERIM_ANSWERS, MAX_WAITING_BYTES, Connection, Head, connect
from llmops_catalog.links.exchange import NoAnswer, Trouble
from llmops_catalog.links.fetch import Fetcher, Request
from llmops_catalog.links.limits import Budget
from llmops_catalog.links.page import Wanted
from llmops_catalog.links.target import parse_target

Result = TypeVar("Result")
LINE = b"HTTP/1.1 200 OK\r\n"
EMPTY = message(200)
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"


def connected(server: Scripted, work: Callable[[Connection], Awaitable[Result]], *addresses: str) -> Result:
    """`work` with one connection, within five seconds."""

    async def run() -> Result:
        target = parse_target(server.host.url("/"))
        async with asyncio.timeout(5):
            connection = await connect(target, [ip_address(address) for address in addresses or ["127.0.0.1"]], 4)
            try:
                return await work(connection)
            finally:
                connection.close()
                await asyncio.sleep(0)

    return asyncio.run(run())


async def ask(connection: Connection, method: str = "GET", path: str = "/") -> tuple[Head, bytes]:
    """Head and whole body of one answer."""
    head = await connection.request(method, path, [("Host", "a"), ("User-Agent", "test")])
    body = b""
    while (piece := await connection.read()) is not None:
        body += piece
    return head, body


def answered(server: Scripted, *pieces: bytes, method: str = "GET", pause_seconds: float = 0.0) -> tuple[Head, bytes, bool]:
    server.says(*pieces, pause_seconds=pause_seconds)

    async def work(connection: Connection) -> tuple[Head, bytes, bool]:
        head, body = await ask(connection, method)
        return head, body, connection.is_reusable

    return connected(server, work)


def trouble(server: Scripted, *pieces: bytes, method: str = "GET", pause_seconds: float = 0.0) -> Trouble:
    with pytest.raises(NoAnswer) as caught:
        answered(server, *pieces, method=method, pause_seconds=pause_seconds)
    assert len(caught.value.trouble.sentence) < 400
    return caught.value.trouble


@pytest.mark.parametrize(
    ("sent", "body", "reusable"),
    [
        (message(200, b"hello"), b"hello", True), (start(200, ["Transfer-Encoding: chunked"]) + chunked(b"hel", b"lo"), b"hello", True),
        (start(200) + b"until the end", b"until the end", False), (message(200, b"hello", ["Connection: close"]), b"hello", False),
        (message(200, b"hello") + b"more", b"hello", False), (message(200, b"hello") * 2, b"hello", False),
        (message(200, b"hello").replace(b"1.1", b"1.0", 1), b"hello", False), (start(204), b"", True),
        (start(304, ["Content-Length: 5"]), b"", True),
        (start(304, ["Content-Length: 5"]) + b"hello", b"", False), (EARLY * 3 + message(200, b"hello"), b"hello", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + EMPTY, b"", True),
        (start(200, ["Content-Length: 5", "Content-Length: 5"]) + b"hello", b"hello", True),
    ],
)  # fmt: skip
def test_where_an_answer_ends(server: Scripted, sent: bytes, body: bytes, reusable: bool) -> None:
    head, got, can_be_reused = answered(server, sent)
    assert (got, can_be_reused) == (body, reusable)
    assert all(name == name.lower() for name, _ in head.headers)


@pytest.mark.parametrize("sent", [message(200, b"hello"), start(404, ["Transfer-Encoding: chunked"]), EARLY + start(200)])
def test_answers_byte_by_byte_are_the_same(server: Scripted, sent: bytes) -> None:
    head, _, _ = answered(server, *(sent[at : at + 1] for at in range(len(sent))), *([b"0\r\n\r\n"] if b"chunked" in sent else []))
    assert head.status in (200, 404)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ((), "reset"), ((b"HTTP/1.1 2",), "protocol"), ((b"HTTP/1.1 200 OK\r\nContent-Type: te",), "protocol"),
        ((LINE + b"Content-Length: 9\r\n\r\nhel",), "protocol"),
        ((LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",), "protocol"),
        ((LINE + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",), "protocol"),
        ((LINE + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",), "protocol"),
        ((LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 99,), "protocol"),
        ((b"SSH-2.0-OpenSSH\r\n",), "protocol"), ((b"\0" * 5000,), "protocol"), ((b"<html>" + b"x" * 5000,), "protocol"),
        ((LINE + b"Content-Length: -1\r\n\r\n",), "protocol"), ((LINE + b"Content-Length: 1e3\r\n\r\n",), "protocol"),
        ((LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",), "protocol"),
        ((LINE + b"Transfer-Encoding: gzip\r\n\r\nhello",), "protocol"),
        ((LINE + b"X: a\0b\r\n\r\n",), "protocol"), ((LINE + b"no colon\r\n\r\n",), "protocol"),
        ((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + b"x" * 99,), "protocol"),
    ],
)  # fmt: skip
def test_what_is_no_answer(server: Scripted, sent: tuple[bytes, ...], kind: str) -> None:
    assert trouble(server, *sent).kind == kind


def test_a_reset_before_the_answer(server: Scripted) -> None:
    async def script(wire: Wire) -> None:
        await wire.take()
        wire.reset()

    server.script = script
    with pytest.raises(NoAnswer) as caught:
        connected(server, ask)
    assert caught.value.trouble.kind == "reset"


@pytest.mark.parametrize("pad", ["one long header", "many headers", "a long status line", "a long name", "a folded header"])
def test_headers_of_more_than_64_kib_are_too_large(server: Scripted, pad: str) -> None:
    size = MAX_HEADER_BYTES + 1000
    sent = {
        "one long header": LINE + b"X: " + b"x" * size + b"\r\n\r\n",
        "many headers": LINE + b"X: 12345678\r\n" * (size // 8) + b"\r\n",
        "a long status line": b"HTTP/1.1 200 " + b"x" * 5 * size + b"\r\n\r\n",
        "a long name": LINE + b"x" * size + b": 1\r\n\r\n",
        "a folded header": LINE + b"X: 1\r\n" + b" 12345678\r\n" * (size // 8) + b"\r\n",
    }[pad]
    assert trouble(server, sent).kind == "too-large"


def test_headers_of_nearly_64_kib_are_read(server: Scripted) -> None:
    head, _, _ = answered(server, start(204, [f"X: {'x' * (MAX_HEADER_BYTES - 100)}"]))
    assert len(head.headers) == 1


@pytest.mark.parametrize("again", [b"X: 12345678\r\n", b"x" * 100])
def test_endless_headers_end_at_64_kib(server: Scripted, again: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.take()
        await wire.send(LINE)
        while True:
            await wire.send(again * 100)

    server.script = script
    before = server.host.sent_bytes
    with pytest.raises(NoAnswer) as caught:
        connected(server, ask)
    assert caught.value.trouble.kind == "too-large"
    assert server.host.sent_bytes - before < 8 * 2**20  # what the kernel's buffers take, not what an endless answer sends


def test_interim_answers_are_counted(server: Scripted) -> None:
    head, _, _ = answered(server, EARLY * (MAX_INTERIM_ANSWERS - 1) + EMPTY)
    assert head.status == 200
    assert trouble(server, EARLY * MAX_INTERIM_ANSWERS + EMPTY).kind == "protocol"


def test_a_flood_of_interim_answers_ends(server: Scripted) -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.send(EARLY * 100)

    server.script = script
    with pytest.raises(NoAnswer) as caught:
        connected(server, ask)
    assert caught.value.trouble.kind == "protocol"


# --- one connection, several questions --------------------------------------------------------------------------------


def in_turn(server: Scripted, *answers: bytes, pause_seconds: float = 0.0) -> None:
    """One answer to each request of a connection, then silence."""

    async def script(wire: Wire) -> None:
        for answer in answers:
            if not await wire.take():
                return
            await wire.send(answer)
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
        else:
            await wire.wait_for_hang_up()

    server.script = script


def test_requests_follow_each_other_on_one_connection(server: Scripted) -> None:
    in_turn(server, message(200, b"1"), message(404, b"2", ["X: y"]), start(204), message(200, b"4"))
    before = server.host.connections

    async def work(connection: Connection) -> list[tuple[int, bytes]]:
        got = []
        for _ in range(4):
            head, body = await ask(connection)
            got.append((head.status, body))
            assert connection.is_reusable
            connection.prepare()
            assert connection.is_open
        return got

    assert connected(server, work) == [(200, b"1"), (404, b"2"), (204, b""), (200, b"4")]
    assert server.host.connections == before + 1


@pytest.mark.parametrize("body", [b"hello", message(200, b"a second answer"), b"\r\n"])
def test_a_body_after_the_answer_to_head_makes_the_connection_unusable(server: Scripted, body: bytes) -> None:
    """The next question would get it for an answer."""
    in_turn(server, message(200, b"", [f"X-Length: {len(body)}"]) + body)

    async def work(connection: Connection) -> None:
        head = await connection.request("HEAD", "/", [("Host", "a")])
        assert head.status == 200
        assert connection.awaits_no_body
        assert await connection.read() is None
        assert not connection.is_reusable

    connected(server, work)


@pytest.mark.parametrize("body", [b"<html>", message(200, b"a second answer"), b"\n"])
def test_bytes_that_come_later_close_a_kept_connection(server: Scripted, body: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.take()
        await wire.send(message(200, b"", ["X: y"]))
        await wire.take()
        await wire.send(body)

    server.script = script

    async def work(connection: Connection) -> None:
        await ask(connection, "HEAD")
        assert connection.is_reusable
        connection.prepare()
        assert connection.is_open
        connection._transport.write(b"\r\n")  # type: ignore[union-attr]
        for _ in itertools.takewhile(lambda _: connection.is_open, range(200)):
            await asyncio.sleep(0.01)
        assert not connection.is_open

    connected(server, work)


def test_a_kept_connection_that_the_server_closes_is_not_open(server: Scripted) -> None:
    in_turn(server, EMPTY, pause_seconds=0.01)

    async def work(connection: Connection) -> None:
        await ask(connection)
        connection.prepare()
        for _ in itertools.takewhile(lambda _: connection.is_open, range(200)):
            await asyncio.sleep(0.01)
        assert not connection.is_open
        with pytest.raises(NoAnswer) as caught:
            await ask(connection)
        assert caught.value.trouble.kind == "reset"
        assert not connection.was_answered

    connected(server, work)


def test_a_server_has_to_wait_for_a_reader_that_is_slow(server: Scripted) -> None:
    sent = 0

    async def script(wire: Wire) -> None:
        nonlocal sent
        await wire.take()
        await wire.send(start(200))
        for _ in range(1000):
            await wire.send(bytes(65536))
            sent += 65536

    server.script = script

    async def work(connection: Connection) -> None:
        await connection.request("GET", "/", [("Host", "a")])
        for _ in range(40):
            before = sent
            await asyncio.sleep(0.1)
            if sent == before:
                break
        assert len(await connection.read() or b"") <= 4 * MAX_WAITING_BYTES

    connected(server, work)
    assert sent < 40 * 2**20, "64 MiB went to somebody who reads nothing"


# --- where to -----------------------------------------------------------------------------------------------------------


def test_the_next_address_is_tried_where_one_refuses(server: Scripted) -> None:
    server.says(EMPTY)
    assert connected(server, ask, "127.0.0.9", "127.0.0.1")[0].status == 200


def test_refused_everywhere(server: Scripted) -> None:
    with pytest.raises(NoAnswer) as caught:
        connected(server, ask, "127.0.0.9", "127.0.0.10")
    assert caught.value.trouble.kind == "refused"


@pytest.mark.parametrize("header", [("X", "a\r\nHost: evil"), ("X\r\nY", "a"), ("X", "a\0b"), ("Cookie", "a\nb")])
def test_no_header_breaks_out_of_its_line(server: Scripted, header: tuple[str, str]) -> None:
    got = b""

    async def script(wire: Wire) -> None:
        nonlocal got
        got = await wire.take()

    server.script = script

    async def work(connection: Connection) -> None:
        with pytest.raises(NoAnswer) as caught:
            await connection.request("GET", "/", [("Host", "a"), header])
        assert caught.value.trouble.kind == "protocol"

    connected(server, work)
    assert got == b""


@pytest.mark.parametrize("value", ['"\u00e4"', '"\u4e2d"', "\udcff"])
def test_an_entity_tag_beyond_ascii_can_be_sent_back(host: Host, value: str) -> None:
    """Servers send them, the state keeps them, and the next run asks with ``If-None-Match``."""
    url = put(host, page())

    async def work(fetcher: Fetcher) -> int:
        return (await fetcher.hop(Request("GET", parse_target(url), (("If-None-Match", value),), wanted=Wanted()), Budget(5))).status

    assert with_fetcher(work) == 200
