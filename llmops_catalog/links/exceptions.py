"""What `catalog/link-exceptions.yaml` says about an address: not to ask at all, or what may be found there for a while."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmops_catalog.errors import CatalogInvalid
from llmops_catalog.links.results import Judgement
from llmops_catalog.problems import Problem, in_order

if TYPE_CHECKING:  # a list of addresses is checked without YAML and Pydantic
    from llmops_catalog.catalog.source import Document
    from llmops_catalog.schema.exceptions import LinkException


class Exceptions(NamedTuple):
    """The exceptions of one catalog. The first that covers an address decides; an expired one still does, and is a problem."""

    path: str = ""
    entries: tuple[LinkException, ...] = ()
    document: Document | None = None

    def of(self, url: str) -> LinkException | None:
        """The exception that covers `url`."""
        return next((entry for entry in self.entries if entry.covers(url)), None)

    def skipped(self, url: str) -> Judgement | None:
        """The judgement of an address that is not to be asked at all; None for every other."""
        entry = self.of(url)
        return Judgement("pass", "skipped", f"not asked: {_why(entry)}") if entry and entry.expect == "skip" else None

    def applied(self, url: str, judgement: Judgement) -> Judgement:
        """`judgement` as the exception for `url` lets it stand: an expected failure is unknown; nothing else changes but the hint."""
        entry = self.of(url)
        if entry is None:
            return judgement
        if entry.expect == "skip":
            return self.skipped(url) or judgement
        if judgement.outcome == "fail":
            return judgement._replace(outcome="unknown", reason=f"{judgement.reason}; expected until {_why(entry)}")
        if judgement.outcome == "pass" and entry.expect == "fail":
            return judgement._replace(hint=f"the exception for it in {self.path} is no longer needed: remove it")
        return judgement

    def expired(self, day: str) -> tuple[Problem, ...]:
        """Those that ended before `day` (``2026-11-20``): errors."""
        if self.document is None:
            return ()
        from llmops_catalog.catalog.load import expired_exceptions
        from llmops_catalog.schema.exceptions import LinkExceptions

        exceptions = LinkExceptions.model_construct(exceptions=self.entries)
        return tuple(expired_exceptions(exceptions, self.document, self.path, day, "error"))

    def unused(self, urls: Iterable[str]) -> tuple[Problem, ...]:
        """Those that decide about none of `urls`, which have to be all addresses of the catalog: warnings."""
        if self.document is None or not self.entries:
            return ()
        used = {id(self.of(url)) for url in urls}
        return tuple(self._unused(index) for index, entry in enumerate(self.entries) if id(entry) not in used)

    def _unused(self, index: int) -> Problem:
        assert self.document is not None  # noqa: S101  (there is an entry, so there is a file)
        entry, at = self.entries[index], self.document.place(("exceptions", index))
        message = f"no link of the catalog needs the exception for {(entry.prefix or entry.pattern or '')[:80]!r}"
        return Problem(self.path, at.line, at.column, "unused-exception", message, "remove it", level="warning")


def _why(entry: LinkException) -> str:
    return f"{entry.reason} (exception until {entry.until})" if entry.expect == "skip" else f"{entry.until}: {entry.reason}"


def load_exceptions(root: Path) -> Exceptions:
    """The exceptions of the catalog at `root`; none where it has no such file. Raises `CatalogInvalid` where it is not valid: what
    was meant cannot be known.
    """
    from pydantic import ValidationError

    from llmops_catalog.catalog.explain import explain
    from llmops_catalog.catalog.folder import MAX_BYTES, SourceError
    from llmops_catalog.catalog.load import EXCEPTIONS_FILE
    from llmops_catalog.catalog.source import read_document
    from llmops_catalog.schema.exceptions import LinkExceptions

    file, shown = root / EXCEPTIONS_FILE, f"{root.name}/{EXCEPTIONS_FILE}"
    if not file.exists() and not file.is_symlink():
        return Exceptions(shown)
    problems: Sequence[Problem]
    try:
        if file.is_symlink() or not file.is_file():
            raise SourceError("not-a-file", "this is not a plain file", "links and folders are not followed")
        with file.open("rb") as opened:
            document = read_document(opened.read(MAX_BYTES + 1))
        return Exceptions(shown, LinkExceptions.model_validate(document.data).exceptions, document)
    except SourceError as error:
        problems = [error.problem(shown)]
    except ValidationError as error:
        problems = in_order(explain(error, document, shown, LinkExceptions))
    except OSError as error:
        problems = [Problem(shown, 1, 1, "not-a-file", f"the file cannot be read: {error.strerror}", "check its permissions")]
    raise CatalogInvalid(problems)
