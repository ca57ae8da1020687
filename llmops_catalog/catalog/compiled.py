"""The compiled catalog: one SQLite file named by the content of the records, so that a question costs no YAML and no Pydantic.

Never stale: the name is a hash of every path and byte. A stamp remembers the hash for a state of the folder (sizes, times, inodes), and
is believed only when the newest change is older than the file system's clock can blur. Safe for several processes: files are
written beside, flushed, then renamed; a reader keeps what it has opened.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import sqlite3
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from llmops_catalog import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from llmops_catalog.catalog.check import Checked

FORMAT = 6
BLUR_NS = 2_000_000_000
"""Changes younger than this may share a time stamp with the reading of it (coarse file-system clocks, as git's 'racy' files)."""
KEPT = 6
"""Compiled files that stay in the cache folder: a few catalogs, a few versions."""
CACHE_VARIABLE = "LLMOPS_CATALOG_CACHE"

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE collections (name TEXT PRIMARY KEY, position INTEGER, total INTEGER) WITHOUT ROWID;
CREATE TABLE records (collection TEXT, id TEXT, label TEXT, path TEXT, data TEXT, PRIMARY KEY (collection, id)) WITHOUT ROWID;
CREATE TABLE names (key TEXT, collection TEXT, id TEXT, tier INTEGER, PRIMARY KEY (key, collection, id, tier)) WITHOUT ROWID;
CREATE TABLE refs (to_collection TEXT, to_id TEXT, from_collection TEXT, from_id TEXT, field TEXT,
                   PRIMARY KEY (to_collection, to_id, from_collection, from_id, field)) WITHOUT ROWID;
CREATE TABLE rentals (gpu TEXT, usd_per_gpu_hour REAL, gpus INTEGER, provider TEXT, kind TEXT, as_of TEXT, source TEXT);
CREATE TABLE support (written TEXT);
CREATE INDEX rentals_by_gpu ON rentals (gpu, usd_per_gpu_hour);
CREATE VIRTUAL TABLE texts USING fts5 (collection UNINDEXED, id UNINDEXED, label, names, summary, rest,
                                       tokenize = "unicode61 remove_diacritics 2");
"""


class _State(NamedTuple):
    """What the folder looks like from outside: every name with its size, times and inode, and the newest of the times."""

    listing: bytes
    newest_ns: int


def open_compiled(folder: str | os.PathLike[str]) -> sqlite3.Connection:
    """A read-only connection to the compiled form of the catalog in `folder`, built first if need be.

    Raises `CatalogInvalid` where the records have errors, `CatalogNotFound` where there is no folder.
    """
    root = os.path.normpath(os.path.join(os.getcwd(), folder))
    cache = _cache_folder()
    # The check sum only spreads catalogs over files; stamp and compiled file repeat what it stands for.
    subject = f"{os.fsencode(root).decode('utf-8', 'backslashreplace')}\n{_code_state()}"
    if cache is None:
        return _fill(_checked(root), subject)
    name = f"{zlib.crc32(subject.encode()):08x}"
    looked_ns = time.time_ns()
    state = _folder_state(root)
    stamp = _Stamp(f"{cache}/{name}.stamp", subject)
    believed = stamp.content(state)
    content = believed or _hash_content(root)
    connection = _open(f"{cache}/{name}-{content}.sqlite", subject)
    if connection is None:
        content, connection = _build(root, cache, name, subject)
    if content and content != believed:
        stamp.write(state, content, looked_ns)
    return connection


# --- is it still the same folder? -------------------------------------------------------------------------------------


def _folder_state(root: str) -> _State:
    from llmops_catalog.catalog.folder import walk

    newest = 0
    entries = []
    for path, entry in walk(root, in_order=False):
        status = entry.stat(follow_symlinks=False)
        written, changed = status.st_mtime_ns, status.st_ctime_ns  # the latter is the day of creation on Windows
        if changed > newest:
            newest = changed
        if written > newest:
            newest = written
        entries.append((path, status.st_size, written, changed, status.st_ino))
    entries.sort()
    return _State(marshal.dumps(entries, 2), newest)  # only compared, never read back; version 2 depends on the values alone


class _Stamp(NamedTuple):
    """A file that says which content a state of the folder had: a header of lines, then the whole listing, compared byte by byte."""

    path: str
    subject: str

    def content(self, state: _State) -> str | None:
        """The content hash of this state, unless the stamp is about another one, or looked too soon after the newest change."""
        try:
            with open(self.path, "rb") as file:
                content, looked_ns, known = file.read().split(b"\n", 2)
            if known == self._about(state) and state.newest_ns + BLUR_NS < int(looked_ns):
                return content.decode()
        except (OSError, ValueError):
            pass
        return None

    def write(self, state: _State, content: str, looked_ns: int) -> None:
        """Remembers the state; a disk that refuses only makes the next question slower."""
        from pathlib import Path

        from llmops_catalog.files import write_bytes

        with contextlib.suppress(OSError):
            write_bytes(Path(self.path), f"{content}\n{looked_ns}\n".encode() + self._about(state))

    def _about(self, state: _State) -> bytes:
        return self.subject.encode("utf-8", "surrogateescape") + b"\n" + state.listing


def _hash_content(root: str) -> str:
    from pathlib import Path

    from llmops_catalog.catalog.folder import read_folder

    return read_folder(Path(root)).content_hash


def _code_state() -> str:
    """The code that decides what the compiled form holds: its version, and in a checkout the state of its files."""
    package = os.path.dirname(os.path.dirname(__file__))
    parts = [str(FORMAT), __version__]
    for folder in ("schema", "catalog"):
        for entry in sorted(os.scandir(f"{package}/{folder}"), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                status = entry.stat()
                parts.append(f"{entry.name}:{status.st_size}:{status.st_mtime_ns}")
    return "|".join(parts)


# --- where it lies ----------------------------------------------------------------------------------------------------


def _cache_folder() -> str | None:
    """A folder of the user's that can be written to, or None."""
    folder = os.environ.get(CACHE_VARIABLE) or _user_cache()
    try:
        if folder:
            os.makedirs(folder, exist_ok=True, mode=0o700)
    except OSError:  # not writable
        return None
    return folder if folder and os.access(folder, os.W_OK | os.X_OK) else None


def _user_cache() -> str | None:
    """Where the system keeps what may be deleted at any time (XDG base directories, Apple, Microsoft); None without a home."""
    home = os.path.expanduser("~")
    named = os.environ.get("XDG_CACHE_HOME", "")
    if sys.platform == "win32":
        named = os.environ.get("LOCALAPPDATA", "")
    if sys.platform != "darwin" and os.path.isabs(named):  # relative ones are ignored, as the standard says
        return f"{named}/llmops-catalog"
    if not os.path.isabs(home):
        return None
    below = {"darwin": "Library/Caches", "win32": "AppData/Local"}.get(sys.platform, ".cache")
    return f"{home}/{below}/llmops-catalog"


def _open(path: str, subject: str) -> sqlite3.Connection | None:
    """A connection to a complete compiled file, or None where it is missing, half-written or of another kind."""
    try:
        size = os.stat(path).st_size
    except OSError:
        return None
    connection = sqlite3.connect(f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    try:
        known = dict(connection.execute("SELECT key, value FROM meta"))
        if known["subject"] == subject and int(known["bytes"]) == size:
            return connection
    except (sqlite3.Error, KeyError, ValueError, OSError):
        pass
    connection.close()
    return None


def _quoted(path: str) -> str:
    """The path as SQLite's addresses want it: three signs mean something else there, and drives begin with a slash."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"/{quoted}".replace("\\", "/") if sys.platform == "win32" else quoted


# --- building ---------------------------------------------------------------------------------------------------------


def _build(root: str, cache: str, name: str, subject: str) -> tuple[str, sqlite3.Connection]:
    """Checks the catalog, writes its compiled file and opens it; falls back to memory where the disk refuses."""
    from pathlib import Path

    from llmops_catalog.files import write_bytes

    checked = _checked(root)
    content = checked.folder.content_hash
    memory = _fill(checked, subject)
    path = f"{cache}/{name}-{content}.sqlite"
    try:
        write_bytes(Path(path), memory.serialize())
    except OSError:
        return "", memory
    opened = _open(path, subject)
    if opened is None:
        return "", memory
    memory.close()
    _forget_old(Path(cache))
    return content, opened


def _forget_old(cache: Path) -> None:
    """Keeps the newest compiled files; a process that reads an older one keeps it open."""
    with contextlib.suppress(OSError):
        for old in sorted(cache.glob("*.sqlite"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
            old.unlink()


def _checked(root: str) -> Checked:
    from pathlib import Path

    from llmops_catalog.catalog.check import check_folder
    from llmops_catalog.errors import CatalogInvalid
    from llmops_catalog.problems import has_errors

    checked = check_folder(Path(root))
    if has_errors(checked.problems):
        raise CatalogInvalid(checked.problems)
    return checked


def _fill(checked: Checked, subject: str) -> sqlite3.Connection:
    """All records of a checked catalog in one SQLite database in memory."""
    from llmops_catalog.catalog.crossref import references
    from llmops_catalog.catalog.names import label_of, names_of
    from llmops_catalog.schema import COLLECTIONS

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.executescript(f"PRAGMA page_size = 4096; {_TABLES}")
    totals = dict.fromkeys(COLLECTIONS, 0)
    for file in checked.records:
        assert file.record is not None  # noqa: S101  (a catalog with errors is not compiled)
        totals[file.collection] += 1
        dumped = file.record.model_dump(mode="json", exclude_unset=True)
        data = {key: dumped[key] for key in file.document.data}  # in the order of the file
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        label = label_of(data, file.id)
        connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (file.collection, file.id, label, file.path, text))
        names = dict.fromkeys(names_of(file.collection, file.id, data))
        connection.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", [(key, file.collection, file.id, tier) for key, tier in names])
        spelled = " ".join(dict.fromkeys(key for key, _ in names))
        summary = str(data.get("summary") or data.get("because") or data.get("method") or "")
        connection.execute(
            "INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?)", (file.collection, file.id, label, spelled, summary, " ".join(_words(data)))
        )
        for rental in data.get("rents", ()):
            _insert_rental(connection, file.id, rental)
    connection.executemany(
        "INSERT INTO collections VALUES (?, ?, ?)", [(name, position, totals[name]) for position, name in enumerate(totals)]
    )
    connection.executemany(
        "INSERT OR IGNORE INTO refs VALUES (?, ?, ?, ?, ?)",
        [(ref.collection, ref.id, ref.source.collection, ref.source.id, ref.field) for ref in references(checked.records)],
    )
    connection.execute("INSERT INTO support VALUES (?)", (_support(checked),))
    connection.execute("INSERT INTO meta VALUES ('bytes', '0000000000'), ('subject', ?)", (subject,))
    connection.commit()
    connection.execute("UPDATE meta SET value = ? WHERE key = 'bytes'", (f"{len(connection.serialize()):010d}",))
    connection.commit()
    return connection


def _support(checked: Checked) -> str:
    """What `Catalog.support` is made of, in one text: a question that asks for one model need not read every rule and quantization."""
    from llmops_catalog.catalog.facts import rule_facts
    from llmops_catalog.catalog.published import quality_facts

    quantizations = {file.id: file.document.data.get("runtimes", ()) for file in checked.records if file.collection == "quantizations"}
    rules = [rule_facts(file.id, file.document.data) for file in checked.records if file.collection == "rules"]
    models = {file.id: file.document.data for file in checked.records if file.collection == "models"}
    quality = quality_facts((file.document.data for file in checked.records if file.collection == "measurements"), models)
    return json.dumps({"loaded_by": quantizations, "rules": rules, "quality": quality}, separators=(",", ":"))


def _insert_rental(connection: sqlite3.Connection, provider: str, rental: dict[str, Any]) -> None:
    price = rental.get("price")
    if price and price["currency"] == "USD":
        connection.execute(
            "INSERT INTO rentals VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                rental["gpu"],
                price["amount"] / rental["gpus"],
                rental["gpus"],
                provider,
                rental["kind"],
                price.get("as_of"),
                rental["source"],
            ),
        )


_NOT_SEARCHED = frozenset({"sources", "doubts", "not_known", "summary", "quote", "architecture", "aliases", "items",
                           "readings", "format_support", "floors", "cache_support", "rents"})  # fmt: skip


def _words(value: Any) -> list[str]:
    """Every text of a record worth finding it by; addresses and provenance are not."""
    if isinstance(value, dict):
        return [word for key, item in value.items() if key not in _NOT_SEARCHED for word in _words(item)]
    if isinstance(value, list):
        return [word for item in value for word in _words(item)]
    return [value] if isinstance(value, str) and not value.startswith("http") else []
