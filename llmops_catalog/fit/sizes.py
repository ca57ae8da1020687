"""Bytes, and the ways people write them."""

from __future__ import annotations

import re

from llmops_catalog.errors import FitInputError

KIB, MIB, GIB = 2**10, 2**20, 2**30

_UNITS = {
    "": 1, "b": 1,
    "k": KIB, "kib": KIB, "kb": 10**3,
    "m": MIB, "mib": MIB, "mb": 10**6,
    "g": GIB, "gib": GIB, "gb": 10**9,
    "t": 2**40, "tib": 2**40, "tb": 10**12,
}  # fmt: skip
_SIZE = r"([+-]?[0-9_]*\.?[0-9]+)\s*([a-z]*)"
_LARGEST = 2**50
_EXAMPLES = "write it as 24GiB (2^30 bytes), 24GB (10^9 bytes) or 24g (GiB)"


def parse_size(text: str) -> int:
    """Bytes of ``24GiB``, ``24 GB``, ``16g`` or ``1.5t``: GB counts by 1000, GiB and a bare letter by 1024.

    A bare number is bytes, and a small one is refused: `--memory 24` never means 24 bytes.
    Raises `FitInputError` for what is no size, is negative or beyond a petabyte.
    """
    shown = text if len(text) <= 40 else text[:37] + "..."
    match = re.fullmatch(_SIZE, text.strip().casefold())
    if not match or match[2] not in _UNITS:
        raise FitInputError(f"{shown!r} is not a size", _EXAMPLES)
    size = float(match[1].replace("_", "")) * _UNITS[match[2]]
    if size < 0:
        raise FitInputError(f"{shown!r} is a negative size", _EXAMPLES)
    if size > _LARGEST:
        raise FitInputError(f"{shown!r} is more memory than any machine has", _EXAMPLES)
    if size < MIB:
        raise FitInputError(f"{shown!r} is less than 1 MiB", _EXAMPLES)
    return int(size)


def shown(size_bytes: int) -> str:
    """GiB with two decimals, as people read them in our sentences."""
    return f"{size_bytes / GIB:.2f} GiB"


def padded(value: int, step: int) -> int:
    """`value` rounded up to a multiple of `step`."""
    return -(-value // step) * step
