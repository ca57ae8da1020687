"""One HTTP/1.1 connection to one checked address. The protocol is h11's; here are the socket, the limits and what may be reused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import NamedTuple

import h11

from llmops_catalog.links import tls
from llmops_catalog.links.addresses import Address
from llmops_catalog.links.exchange import NoAnswer, Trouble
from llmops_catalog.links.target import Target

MAX_HEADER_BYTES = 64 * 1024
MAX_HEADERS = 500
MAX_WAITING_BYTES = 256 * 1024
"""Unread bytes after which the server has to wait."""
MAX_INTERIM_ANSWERS = 20
"""``100 Continue`` and ``103 Early Hints`` before the answer itself."""


class Head(NamedTuple):
    """Status and headers of an answer, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]


class Connection(asyncio.Protocol):
    """Send a request with `request`, then call `read` until it returns None; then `is_reusable` says whether another may follow."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests = 0
        self.idle_since = 0.0
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._unread = 0
        self._ended = False
        self._lost: Exception | None = None
        self._answered = False
        self._bodyless = False
        self._received_bytes = 0
        self._is_idle = True

    # --- what asyncio calls -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport

    def data_received(self, data: bytes) -> None:
        self._answered = True
        self._unread += len(data)
        self._received_bytes += len(data)
        if self._is_idle:  # nobody asked: it is not used again
            self.close()
        if self._is_idle or self._http.their_state is h11.ERROR:
            return
        self._http.receive_data(data)
        if self._unread > MAX_WAITING_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc
        self._end()

    def _end(self) -> None:
        """Without a length the end of the connection is the end of the body; a connection that breaks is no end."""
        if not self._ended:
            self._ended = True
            if self._http.their_state is not h11.ERROR and self._lost is None:
                self._http.receive_data(b"")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what we call -------------------------------------------------------------------------------------------------

    async def request(self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> Head:
        """Sends one request and waits for the head of its answer. Raises `NoAnswer`."""
        self.requests += 1
        self._answered = False
        self._received_bytes = 0
        self._bodyless = method == "HEAD"
        self._is_idle = False
        try:
            out = self._http.send(h11.Request(method=method, target=path, headers=headers)) or b""
            if body:
                out += self._http.send(h11.Data(data=body)) or b""
            out += self._http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise NoAnswer(Trouble("protocol", "the request cannot be sent")) from error  # the error quotes headers, secret ones too
        assert self._transport is not None  # noqa: S101 (connected before the first request)
        self._transport.write(out)
        for _ in range(MAX_INTERIM_ANSWERS):
            event = await self._event()
            if isinstance(event, h11.Response):
                return self._head(event)
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                break
        raise NoAnswer(Trouble("protocol", "the server does not come to an answer"))

    async def read(self, most_bytes: int | None = None) -> bytes | None:
        """The next piece of the body; None at its end. Raises `NoAnswer` where it breaks off, and where more than `most_bytes` came over
        the wire for the whole answer: what stands between chunks counts too.
        """
        event = await self._event(most_bytes)
        return bytes(event.data) if isinstance(event, h11.Data) else None

    @property
    def is_reusable(self) -> bool:
        """True where the answer was read to its end, nothing came after it, and the server keeps the line open."""
        if self._ended or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        return not self._http.trailing_data[0]

    @property
    def awaits_no_body(self) -> bool:
        """True where the answer ends with its headers: it was to HEAD, or has a status without a body."""
        return self._bodyless

    @property
    def is_open(self) -> bool:
        """False once the server has hung up, or says something nobody asked for."""
        return not self._ended and not self._unread

    @property
    def was_answered(self) -> bool:
        """True where at least one byte came back for the last request."""
        return self._answered

    def prepare(self) -> None:
        """Makes an `is_reusable` connection ready for its next request."""
        self._http.start_next_cycle()
        self._unread = 0
        self._is_idle = True

    def close(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _event(self, most_bytes: int | None = None) -> h11.Event | type[h11.NEED_DATA]:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise NoAnswer(self._broken(error)) from None
            if event is not h11.NEED_DATA:
                if isinstance(event, h11.ConnectionClosed):
                    raise NoAnswer(self._hung_up())
                return event  # type: ignore[return-value]  # PAUSED comes to a client only after its own end
            if self._ended:
                raise NoAnswer(self._hung_up())
            if most_bytes is not None and self._received_bytes > most_bytes:
                raise NoAnswer(Trouble("too-large", f"more than {most_bytes:,} bytes came"))
            self._unread = 0
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _head(self, response: h11.Response) -> Head:
        if len(response.headers) > MAX_HEADERS:
            raise NoAnswer(Trouble("too-large", f"the answer has more than {MAX_HEADERS} headers"))
        headers = tuple((name.decode("latin-1"), _text(value)) for name, value in response.headers)
        if sum(len(name) + len(value) + 4 for name, value in headers) > MAX_HEADER_BYTES:
            raise NoAnswer(Trouble("too-large", f"the headers of the answer are larger than {MAX_HEADER_BYTES // 1024} KiB"))
        return Head(response.status_code, headers)

    def _broken(self, error: h11.RemoteProtocolError) -> Trouble:
        if error.error_status_hint == 431:
            return Trouble("too-large", f"the headers of the answer are larger than {MAX_HEADER_BYTES // 1024} KiB")
        if self._ended and (not self._answered or self._lost is not None):
            return self._hung_up()
        return Trouble("protocol", f"the answer is not HTTP as it should be ({str(error)[:120]})")

    @property
    def _was_reset(self) -> bool:
        return isinstance(self._lost, ConnectionError)

    def _hung_up(self) -> Trouble:
        if isinstance(self._lost, ssl.SSLError):
            return Trouble("tls", f"the server ended the encrypted connection ({self._lost.reason or 'no reason given'})")
        if self._was_reset:
            return Trouble("reset", "the server broke the connection off")
        if self._answered:
            return Trouble("protocol", "the connection broke off in the middle of the answer")
        return Trouble("reset", "the server closed the connection without an answer")


def _text(value: bytes) -> str:
    """A header's value: UTF-8 where it is, else Latin-1, which takes any byte."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def connect(target: Target, addresses: Sequence[Address], seconds: float) -> Connection:
    """A connection to one of `addresses`, tried in turn; `seconds` for all of them. Raises `NoAnswer`, `TimeoutError`."""
    troubles = []
    each = max(seconds / len(addresses), min(seconds, 4.0)) if len(addresses) > 1 else seconds
    for address in addresses[:4]:
        try:
            async with asyncio.timeout(each):
                return await _connect(target, str(address))
        except NoAnswer as error:
            troubles.append(error.trouble)
            if error.trouble.kind not in ("refused", "unreachable", "reset"):
                break
        except TimeoutError:
            troubles.append(Trouble("timeout", f"{target.authority} did not take the connection in time"))
    raise NoAnswer(_most_telling(troubles))


def _most_telling(troubles: Sequence[Trouble]) -> Trouble:
    """No route over IPv6 says nothing where IPv4 was refused; a time-out of one address leaves all of them open."""
    return next((trouble for trouble in troubles if trouble.kind == "timeout"),
                next((trouble for trouble in troubles if trouble.kind != "unreachable"), troubles[0]))  # fmt: skip


async def _connect(target: Target, address: str) -> Connection:
    loop = asyncio.get_running_loop()
    encrypted = target.scheme == "https"
    name = target.host.strip("[]")
    try:
        _, connection = await loop.create_connection(
            lambda: Connection(address), address, target.port,
            ssl=tls.trusting() if encrypted else None, server_hostname=name if encrypted else None,
        )  # fmt: skip
    except ConnectionRefusedError:
        raise NoAnswer(Trouble("refused", f"{target.authority} refuses the connection")) from None
    except ConnectionError as error:
        if encrypted and error.errno is None:  # asyncio's own: the server hung up in the middle of the handshake
            raise NoAnswer(Trouble("tls", f"{target.authority} hung up while encryption was agreed on")) from None
        raise NoAnswer(Trouble("reset", f"{target.authority} broke the connection off")) from None
    except ssl.SSLError as error:
        raise NoAnswer(await tls.why_refused(error, address, target.port, name)) from None
    except OSError as error:
        raise NoAnswer(Trouble("unreachable", f"{target.authority} cannot be reached ({error.strerror or error})")) from None
    return connection
