"""Writing files: whole or not at all, and only where the bytes changed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> bool:
    """As `write_bytes`, in UTF-8."""
    return write_bytes(path, text.encode())


def write_bytes(path: Path, raw: bytes) -> bool:
    """Makes `path` hold exactly `raw`; True where anything changed.

    Written under a temporary name beside it, then renamed, so that a reader or an interruption never meets half a file.
    Raises `OSError` where the place cannot be written.
    """
    if _holds(path, raw):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    return True


def _holds(path: Path, raw: bytes) -> bool:
    try:
        return path.stat().st_size == len(raw) and path.read_bytes() == raw
    except OSError:
        return False


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
