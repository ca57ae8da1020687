"""Reads a page as the checker does, in whatever pieces it comes."""

from __future__ import annotations

from hypothesis import settings

from llmops_catalog.links.exchange import Page
from llmops_catalog.links.page import PageReader, Wanted

PROSE = "<p>Weights are read once, and what is left of the card decides the batch. </p>"
LOOKING = Wanted(frozenset({"there", "x"}), frozenset({"left of the card", "text"}))
QUICK = settings(max_examples=300, deadline=None)


def read(*pieces: bytes | str, content_type: str = "text/html", wanted: Wanted | None = None, step: int | None = None) -> Page:
    """What the whole page shows; each piece is read at once, or `step` bytes at a time."""
    reader = PageReader(content_type, wanted)
    for piece in pieces:
        data = piece.encode() if isinstance(piece, str) else piece
        for start in range(0, len(data), step or len(data) or 1):
            reader.feed(data[start : start + (step or len(data))])
    return reader.page(True)
