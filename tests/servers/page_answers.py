"""What a page of a misbehaving host answers: ordinary messages, and the pieces the odd ones are put together from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from html import escape
from http import HTTPStatus

from misbehaving import Answer, Request, Wire

PROSE = "<p>" + "Weights are read once, a cache grows with every token, and what is left of the card decides the batch. " * 12 + "</p>"
BODILESS = {204, 205, 304}
"""Statuses that must not carry a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""
SHELL = '<!doctype html><html><head><title>App</title></head><body><div id="root"></div><script src="/app.js"></script></body></html>'
"""What single-page applications send for every path: the text is put there by the script."""


def document(inner: str = "", title: str = "Guide to serving") -> str:
    """A static page with enough prose to be one, and no script."""
    heading = f"<h1>{escape(title)}</h1>"
    return f"<!doctype html><html><head><title>{escape(title)}</title></head><body>{heading}{PROSE}{inner}{PROSE}</body></html>"


def message(status: int = 200, body: bytes = b"", headers: Iterable[str | bytes] = (), *, reason: str | None = None) -> bytes:
    """One whole answer, with its length."""
    return start(status, [f"Content-Length: {len(body)}", *headers], reason=reason) + body


def start(status: int = 200, headers: Iterable[str | bytes] = (), *, reason: str | None = None) -> bytes:
    """Status line and headers."""
    if reason is None:
        reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Odd"
    lines = [f"HTTP/1.1 {status:03d} {reason}", *headers]
    return b"".join((line if isinstance(line, bytes) else line.encode("utf-8")) + b"\r\n" for line in lines) + b"\r\n"


def page(
    body: str | bytes | None = None,
    status: int = 200,
    *headers: str | bytes,
    kind: str | None = "text/html; charset=utf-8",
    reason: str | None = None,
) -> Answer:
    """An ordinary answer: nothing but the header to a HEAD, and the connection stays open."""
    data = (document() if body is None else body) if status not in BODILESS else b""
    whole = data.encode() if isinstance(data, str) else data
    sent = message(status, whole, [*([f"Content-Type: {kind}"] if kind else []), *headers], reason=reason)
    head = sent[: len(sent) - len(whole)]

    async def answer(request: Request, wire: Wire) -> None:
        wire.keep = True
        await wire.send(head if request.method == "HEAD" else sent)

    return answer


def redirect(location: str | bytes | None, status: int = 302, *headers: str | bytes) -> Answer:
    """A redirect; None leaves the header out."""
    where = [] if location is None else [b"Location: " + (location.encode() if isinstance(location, str) else location)]
    return page("<p>Elsewhere</p>", status, *where, *headers)


def raw(*pieces: bytes, pause_seconds: float = 0) -> Answer:
    """Bytes as they are, whatever was asked, then the end of the connection."""

    async def answer(_: Request, wire: Wire) -> None:
        for index, piece in enumerate(pieces):
            if index and pause_seconds:
                await wire.pause(pause_seconds)
            await wire.send(piece)

    return answer


def endless(first: bytes, again: bytes, pause_seconds: float = 0) -> Answer:
    """The same bytes until the client has had enough."""

    async def answer(_: Request, wire: Wire) -> None:
        await wire.send(first)
        while True:
            await wire.send(again)
            if pause_seconds:
                await wire.pause(pause_seconds)

    return answer


def slow(seconds: float, then: Answer) -> Answer:
    async def answer(request: Request, wire: Wire) -> None:
        await wire.pause(seconds)
        await then(request, wire)

    return answer


async def reset(_: Request, wire: Wire) -> None:
    wire.reset()


async def hang_up(_: Request, wire: Wire) -> None:
    """The connection ends without a byte."""


async def hang(_: Request, wire: Wire) -> None:
    await wire.wait_for_hang_up()


def then_hang(first: bytes) -> Answer:
    async def answer(_: Request, wire: Wire) -> None:
        await wire.send(first)
        await wire.wait_for_hang_up()

    return answer


def then_reset(first: bytes) -> Answer:
    async def answer(_: Request, wire: Wire) -> None:
        await wire.send(first)
        await wire.pause(0.05)
        wire.reset()

    return answer


def when(test: Callable[[Request], bool], then: Answer, otherwise: Answer) -> Answer:
    async def answer(request: Request, wire: Wire) -> None:
        await (then if test(request) else otherwise)(request, wire)

    return answer


def by_method(head: Answer, get: Answer) -> Answer:
    return when(lambda request: request.method == "HEAD", head, get)


def only_get(get: Answer) -> Answer:
    """HEAD is not allowed here, so that the answer to GET is what counts."""
    return by_method(page("", 405, "Allow: GET"), get)


def in_turn(*answers: Answer) -> Answer:
    """The first request to this target gets the first answer, the next the second; the last one is for all that follow."""

    async def answer(request: Request, wire: Wire) -> None:
        await answers[min(request.turn, len(answers)) - 1](request, wire)

    return answer


def gzipped(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def bare_deflated(data: bytes) -> bytes:
    """Deflate without zlib's header, as some servers send it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def bomb_blocks() -> tuple[bytes, bytes]:
    """A gzip header, and a block that inflates to 16 MiB of zeros and may follow itself for ever (a full flush forgets what was before)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(b"<!doctype html><title>Guide</title>") + packer.flush(zlib.Z_FULL_FLUSH)
    return first, packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


NOT_FOUND = page(document(title="Nothing is here"), 404)
FILE = page(bytes(20_000), kind="application/pdf")
"""Large, and no page: it is not fetched, so that a link is one request."""
