"""From the bytes of a folder to validated records and every problem of every file. Stops at nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ValidationError

from llmops_catalog.catalog.explain import explain
from llmops_catalog.catalog.folder import Folder, SourceError
from llmops_catalog.catalog.source import Document, read_document
from llmops_catalog.problems import Level, Problem, did_you_mean, nearest
from llmops_catalog.schema import COLLECTIONS, Record
from llmops_catalog.schema.base import ID_PATTERN
from llmops_catalog.schema.exceptions import LinkExceptions

EXCEPTIONS_FILE = "link-exceptions.yaml"

_ID = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file that is a record: `path` is relative to the catalog's parent; `record` is None where it is not valid."""

    collection: str
    id: str
    path: str
    document: Document
    record: Record | None

    @property
    def key(self) -> str:
        """``collection/id``."""
        return f"{self.collection}/{self.id}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """All records of a folder, valid or not, and the problems each file has by itself."""

    folder: Folder
    records: tuple[RecordFile, ...]
    problems: tuple[Problem, ...]


def load_records(folder: Folder) -> Loaded:
    """Parses and validates every file on its own; references between records are `crossref`'s business."""
    problems = list(folder.problems)
    records: list[RecordFile] = []
    for path in sorted(folder.files):
        shown = folder.shown(path)
        try:
            document = read_document(folder.files[path])
        except SourceError as error:
            problems.append(error.problem(shown))
            document = None
        if path == EXCEPTIONS_FILE:
            if document:
                exceptions, found = _validate(LinkExceptions, document, shown)
                problems.extend(found)
                if isinstance(exceptions, LinkExceptions):
                    problems.extend(expired_exceptions(exceptions, document, shown, today(), "warning"))
            continue
        collection, _, rest = path.partition("/")
        record_id = rest.removesuffix(".yaml")
        if (misplaced := _misplaced(shown, collection, record_id)) is not None:
            problems.append(misplaced)
        elif document:
            record, found = _validate(COLLECTIONS[collection], document, shown)
            problems.extend(found)
            records.append(RecordFile(collection, record_id, shown, document, record))  # type: ignore[arg-type]  # a Record: its collection's model
    return Loaded(folder, tuple(records), tuple(problems))


def today() -> str:
    """The day it is in UTC, as records write days."""
    return datetime.now(UTC).date().isoformat()


def expired_exceptions(exceptions: LinkExceptions, document: Document, path: str, day: str, level: Level) -> Iterator[Problem]:
    """The exceptions that ended before `day`. A warning to who reads the catalog, which is as good as before; an error to who checks
    its links.
    """
    for index, entry in enumerate(exceptions.exceptions):
        if entry.until < day:
            at = document.place(("exceptions", index))
            message = f"the exception for {(entry.prefix or entry.pattern or '')[:80]!r} ended on {entry.until}"
            hint = f"ask {entry.owner[:80]} whether it is still needed: remove it, or give it a new end"
            yield Problem(path, at.line, at.column, "expired-exception", message, hint, level)


def proper_id(name: str) -> str:
    """The id a file meant to have: its name in the letters ids are written in."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    parts = re.sub(r"[^a-z0-9._/-]+", "-", plain).split("/")
    return "/".join(part.lstrip("-._").rstrip("-") or "name" for part in parts)


def _misplaced(shown: str, collection: str, record_id: str) -> Problem | None:
    if not record_id:
        return Problem(
            shown, 1, 1, "unknown-collection", "a record lies in the folder of its collection", f"one of: {', '.join(COLLECTIONS)}"
        )
    if collection not in COLLECTIONS:
        hint = did_you_mean(nearest(collection, COLLECTIONS)) or f"one of: {', '.join(COLLECTIONS)}"
        return Problem(shown, 1, 1, "unknown-collection", f"{collection[:60]!r} is not a collection", hint)
    if not _ID.fullmatch(record_id):
        return Problem(
            shown,
            1,
            1,
            "bad-file-name",
            "the path is the record's id: lower-case letters, digits, dots, hyphens, underscores",
            f"rename it to {proper_id(record_id)}.yaml",
        )
    return None


def _validate(model: type[BaseModel], document: Document, shown: str) -> tuple[BaseModel | None, list[Problem]]:
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, list(explain(error, document, shown, model))
