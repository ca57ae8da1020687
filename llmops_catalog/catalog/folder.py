"""A catalog folder as bytes: every file read once and never beyond the limit, no link followed. Neither YAML nor Pydantic."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from llmops_catalog.errors import CatalogError, CatalogNotFound
from llmops_catalog.problems import Problem

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILES = 50_000
MAX_BYTES = 256 * 1024
"""Of one file; no record needs more."""
NOT_RECORDS = frozenset({"LICENSE", "README.md", "schemas"})
"""What may lie in the catalog folder beside the collections."""


_name = attrgetter("name")


class SourceError(Exception):
    """The bytes are not a document we accept; carries the finding's parts (line and column from 1)."""

    def __init__(self, code: str, message: str, hint: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.line, self.column = code, message, hint, line, column

    def problem(self, path: str) -> Problem:
        """The finding, in the file `path`."""
        return Problem(path, self.line, self.column, self.code, self.message, self.hint)


class Folder(NamedTuple):
    """The bytes of a catalog folder, read once: `files` by path below the catalog (POSIX form), `problems` of files that cannot be read."""

    root: Path
    files: dict[str, bytes]
    problems: tuple[Problem, ...]

    @property
    def content_hash(self) -> str:
        """Equal exactly when all paths and all bytes are equal."""
        import hashlib

        digest = hashlib.blake2b(digest_size=16)
        for path in sorted(self.files):
            raw = self.files[path]
            name = path.encode("utf-8", "surrogateescape")
            digest.update(b"%d:%b:%d:" % (len(name), name, len(raw)))
            digest.update(raw)
        for problem in self.problems:
            digest.update(repr(problem).encode())
        return digest.hexdigest()

    def shown(self, path: str) -> str:
        """`path` as people see it: relative to the catalog's parent."""
        return f"{self.root.name}/{path}" if path else self.root.name


def walk(root: str | os.PathLike[str], in_order: bool = True) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every entry below `root` that is not hidden, as (path below root, entry); links are yielded, never followed.

    Sorted, unless the caller needs no order.
    """
    if not os.path.isdir(root):
        raise CatalogNotFound(
            f"there is no catalog folder at {root}", "name one with '--catalog DIR', or leave the option out to use the packaged one"
        )
    found = 0
    folders = [""]
    while folders:
        folder = folders.pop()
        place = os.path.join(root, folder)
        try:
            entries = sorted(os.scandir(place), key=_name) if in_order else list(os.scandir(place))
        except OSError as error:
            raise CatalogError(f"cannot read {place}: {error.strerror}", "check the folder's permissions") from None
        for entry in entries:
            name = entry.name
            if name[0] == "." or name[-1] == "~":
                continue
            found += 1
            if found > MAX_FILES:
                raise CatalogError(f"{root} holds more than {MAX_FILES} files", "is this the catalog folder?")
            path = f"{folder}/{name}" if folder else name
            yield path, entry
            if not name.endswith((".yaml", ".yml")) and path not in NOT_RECORDS and entry.is_dir(follow_symlinks=False):
                folders.append(path)


def read_folder(root: Path) -> Folder:
    """Every YAML file below `root`, each read once and never beyond the size limit."""
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    shown = Folder(root, {}, ()).shown
    for path, entry in walk(root):
        if path in NOT_RECORDS or (entry.is_dir(follow_symlinks=False) and not path.endswith((".yaml", ".yml"))):
            continue
        if not path.endswith(".yaml") and not entry.is_symlink():
            problems.append(_stray(shown(path), entry.name))
            continue
        try:
            files[path] = _read_regular_file(entry.path)
        except SourceError as error:
            problems.append(error.problem(shown(path)))
        except OSError as error:
            problems.append(Problem(shown(path), 1, 1, "not-a-file", f"the file cannot be read: {error.strerror}", "check its permissions"))
    return Folder(root, files, tuple(problems))


def _stray(path: str, name: str) -> Problem:
    if name.endswith(".yml"):
        return Problem(path, 1, 1, "bad-file-name", "records end in .yaml", f"rename it to {name.removesuffix('.yml')}.yaml")
    return Problem(path, 1, 1, "stray-file", f"{name[:80]!r} is no record", "move it out of the catalog folder", level="warning")


def _read_regular_file(path: str) -> bytes:
    """The bytes of a plain file; folders, links, pipes and devices are refused without being opened."""
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "a special file"
        raise SourceError(
            "not-a-file", f"this is {what}, not a plain file", "a record is a plain file called <id>.yaml in the folder of its collection"
        )
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)
