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
        self._object = zlib.decompressobj(zlib.MAX_WBITS | (16 if "gzip" in self._kind else 0)) if names else None
        self._started = False

    @property
    def is_whole(self) -> bool:
        """True where the packed stream has ended, and nothing stands behind it."""
        return self._object is None or (self._object.eof and not self._object.unused_data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most `PIECE_BYTES`, so that what looks at them never holds up the others for long. Raises `CannotUnpack`."""
        if self._object is None:
            yield from (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
            return
        while data:
            try:
                piece = self._object.decompress(data, PIECE_BYTES)
            except zlib.error:
                if self._kind != "deflate" or self._started:
                    raise CannotUnpack(f"the body is not {self._kind}") from None
                self._object, self._started = zlib.decompressobj(-zlib.MAX_WBITS), True  # raw, as some servers send it
                continue
            self._started = True
            if piece:
                yield piece
            data = self._object.unconsumed_tail
            if self._object.eof:
                return
