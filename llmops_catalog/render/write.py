"""FROM {path: content} TO a folder: only what changed, each file whole, stale pages gone, foreign files untouched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llmops_catalog.errors import RenderError
from llmops_catalog.files import write_bytes

MANIFEST = ".llmops-catalog.json"
"""Names every file we wrote into the folder, so that a later run may remove or replace those and no others."""
MAX_FILES = 200_000
MAX_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What one run did to the folder."""

    destination: Path
    written: int
    unchanged: int
    removed: int
    total_bytes: int

    @property
    def total(self) -> int:
        """Files in the rendered tree."""
        return self.written + self.unchanged

    def __str__(self) -> str:
        return f"{self.total} files in {self.destination} ({self.written} written, {self.unchanged} unchanged, {self.removed} removed)"


def write_tree(files: Mapping[str, str | bytes], destination: Path) -> WriteReport:
    """Makes `destination` hold exactly `files` (besides what others put there).

    A file is written beside its place and renamed into it, so no reader and no interrupted run ever sees half of one.
    Raises `RenderError` for a path outside the folder, a file somebody else wrote, or a disk that does not take it.
    """
    contents = {_checked(path): data if isinstance(data, bytes) else data.encode() for path, data in files.items()}
    total_bytes = sum(map(len, contents.values()))
    if len(contents) > MAX_FILES or total_bytes > MAX_BYTES:
        raise RenderError(
            f"the site would have {len(contents):,} files and {total_bytes:,} bytes",
            "this is more than a site of this kind can be: look for a loop in the records",
        )
    try:
        destination.mkdir(parents=True, exist_ok=True)
        known = _read_manifest(destination)
        _refuse_foreign(contents, known, destination)
        removed = _remove_stale(known - contents.keys(), destination)
        # Named before the first write: an interrupted run leaves files that the next one still knows as ours.
        _write_manifest(known | contents.keys(), destination)
        written = sum(write_bytes(destination / path, data) for path, data in contents.items())
        _write_manifest(set(contents), destination)
    except OSError as error:
        raise RenderError(
            f"cannot write {error.filename or destination}: {error.strerror or error}", "check the folder's permissions and the free space"
        ) from error
    return WriteReport(destination, written, len(contents) - written, removed, total_bytes)


def _checked(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise RenderError(f"{path!r} is not a path inside the site")
    return path


def _read_manifest(destination: Path) -> set[str]:
    try:
        names = json.loads((destination / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {_checked(name) for name in names if isinstance(name, str)}
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError) as error:
        raise RenderError(f"{destination / MANIFEST} is damaged", f"delete the folder {destination} and run the command again") from error


def _write_manifest(names: set[str], destination: Path) -> None:
    write_bytes(destination / MANIFEST, (json.dumps({"files": sorted(names)}, indent=0) + "\n").encode())


def _refuse_foreign(contents: Mapping[str, bytes], known: set[str], destination: Path) -> None:
    if not any(entry.name != MANIFEST for entry in destination.iterdir()):
        return
    for path, data in contents.items():
        target = destination / path
        if path not in known and target.is_file() and _digest(target) != hashlib.sha256(data).digest():
            raise RenderError(f"{target} exists and was not written by this program", "render into an empty folder")


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _remove_stale(names: set[str], destination: Path) -> int:
    for name in sorted(names):
        target = destination / name
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == destination or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
    return len(names)
