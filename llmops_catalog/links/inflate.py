"""The body of an answer unpacked piece by piece, never more at once than asked for: a bomb costs what was allowed and no more."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 16 * 1024
ACCEPTED = "gzip, deflate"
"""What we ask for; both can be unpacked with a bound."""


class CannotUnpack(Exception):
    """The bytes are not what the header says, or packed in a way we did not ask for."""


class Inflater:
    """Unpacks `Content-Encoding` gzip, deflate (with its header or without) and identity."""

    def __init__(self, encoding: str) -> None:
        names = [name.strip() for name in encoding.lower().split(",") if name.strip() not in ("", "identity")]
        if names and (len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate")):
            raise CannotUnpack(f"packed as {encoding[:40]!r}")
        self._kind = names[0] if names else "identity"
        self._first = b""
        self._object = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in self._kind else None
        self._has_more = False

    @property
    def is_whole(self) -> bool:
        """True where the packed stream has ended, and nothing stands behind it."""
        if self._kind == "identity":
            return True
        return self._object is not None and self._object.eof and not self._has_more

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most `PIECE_BYTES`, so that what looks at them never holds up the others for long. Raises `CannotUnpack`."""
        if self._kind == "identity":
            yield from (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
            return
        if self._object is None:
            data = self._first = self._first + data
            if len(data) < 2:
                return
            self._object = zlib.decompressobj(zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS)
        while data:
            if self._object.eof:  # zlib would keep what follows, and copy all of it each time
                self._has_more = True
                return
            try:
                piece = self._object.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise CannotUnpack(f"the body is not {self._kind}") from None
            if piece:
                yield piece
            self._has_more = self._has_more or bool(self._object.unused_data)
            data = self._object.unconsumed_tail


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950, 2.2; what some servers call deflate comes without."""
    return data[0] & 0x0F == 8 and (data[0] * 256 + data[1]) % 31 == 0
