"""Results on disk: a line of JSON for each as it is known, so that a killed job has a report; reports read back, and merged."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from llmops_catalog.errors import CatalogError, LinkCheckUnavailable
from llmops_catalog.links.from_json import Malformed, check_schema, link_from, model_from, note_from, problem_from, report_from
from llmops_catalog.links.results import SCHEMA, LinkResult, ModelResult, Report
from llmops_catalog.problems import Problem

LARGEST_REPORT_BYTES = 256 * 2**20
_BADNESS = ("pass", "unknown", "fail")
_HINT = "give files that 'check-links' wrote: of --format json, or the lines it streams"


class UnreadableReport(CatalogError):
    """A file is no report of links; `place` names it and the line."""

    exit_code = 2

    def __init__(self, place: str, message: str, hint: str = _HINT) -> None:
        super().__init__(message, hint)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ResultStream:
    """Writes each result to `path` as one line of JSON, whole and at once; does nothing where there is no path.

    The first line names the schema and the start; the last, which a killed job does not write, the end. Links and models are
    the objects of the contract, a problem or a note is wrapped by its name. Raises `LinkCheckUnavailable` where the disk does not take it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> ResultStream:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("w", encoding="ascii", newline="\n")
            except OSError as error:
                raise self._unwritable(error) from error
            self._write({"schema": SCHEMA, "started_at": _now()})
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._file is not None and kind is None:
            self._write({"finished_at": _now()})
        self._close()

    def add(self, item: LinkResult | ModelResult | Problem | str) -> None:
        """Writes a result, a problem of the exceptions or a note about the run."""
        if self._file is None:
            return
        if isinstance(item, LinkResult | ModelResult):
            self._write(item.as_json())
        elif isinstance(item, Problem):
            self._write({"problem": item.as_json()})
        else:
            self._write({"note": item})

    def _write(self, value: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(value) + "\n")
            self._file.flush()
        except OSError as error:
            self._close()
            raise self._unwritable(error) from error

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take was told when it was written
                self._file.close()
            self._file = None

    def _unwritable(self, error: OSError) -> LinkCheckUnavailable:
        return LinkCheckUnavailable(f"results cannot be written to {self._path}: {error.strerror}", "name a file on a disk with room")


def read_report(path: Path) -> Report:
    """The report in a file of `--format json`, or in the lines of a `ResultStream`, also of one that was cut off.

    A stream that never ended says so in the notes. Raises `UnreadableReport`.
    """
    raw = _read(path)
    first = raw.split(b"\n", 1)[0]
    try:
        header = json.loads(first)
    except (ValueError, RecursionError):  # an indented report: its first line is a bracket
        header = None
    if isinstance(header, dict) and "links" not in header:
        return _read_lines(path, raw)
    try:
        return report_from(header if header is not None and not raw[len(first) :].strip() else json.loads(raw))
    except json.JSONDecodeError as error:
        raise UnreadableReport(f"{path}:{error.lineno}", f"neither a report of links nor lines of one: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableReport(str(path), "neither a report of links nor lines of one") from error
    except Malformed as error:
        raise UnreadableReport(str(path), f"no report of links: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_REPORT_BYTES + 1)
    except OSError as error:
        raise UnreadableReport(str(path), f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST_REPORT_BYTES:
        raise UnreadableReport(str(path), f"larger than {LARGEST_REPORT_BYTES // 2**20} MiB")
    if not raw.strip():
        raise UnreadableReport(str(path), "the file is empty")
    return raw.removeprefix(b"\xef\xbb\xbf")


def _read_lines(path: Path, raw: bytes) -> Report:
    """Line by line; the last may be half of one."""
    found = _Found()
    for number, line in enumerate(io.BytesIO(raw), start=1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if not line.endswith(b"\n"):
                break
            if not line.strip():
                continue
            raise UnreadableReport(f"{path}:{number}", "this line is no JSON") from error
        try:
            check_schema(value) if number == 1 else found.take(value)
        except Malformed as error:
            raise UnreadableReport(f"{path}:{number}", f"no result of a link check: {error}") from error
    if not found.finished:
        found.notes.append(f"{path}: this check was stopped before its end, after {len(found.links):,} link{'s' * (len(found.links) != 1)}")
    return Report(tuple(found.links), tuple(found.models), tuple(found.problems), tuple(found.notes))


class _Found:
    """What the lines of one stream held so far."""

    def __init__(self) -> None:
        self.links: list[LinkResult] = []
        self.models: list[ModelResult] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.finished = False

    def take(self, value: Any) -> None:
        """One line. Raises `Malformed`."""
        if not isinstance(value, dict):
            raise Malformed("the line holds no object")
        if "url" in value:
            self.links.append(link_from(value))
        elif "hub_id" in value:
            self.models.append(model_from(value))
        elif isinstance(value.get("problem"), dict):
            self.problems.append(problem_from(value["problem"]))
        elif "note" in value:
            self.notes.append(note_from(value))
        elif "finished_at" in value:
            self.finished = True
        else:
            raise Malformed("neither a link nor a model")


def merge(reports: Sequence[Report]) -> Report:
    """One report of several (the shards of a check), whatever their order.

    An address in more than one: the later check holds, of two at the same time the worse; a model: the worse. Places and findings
    are united, problems and notes told once, everything sorted.
    """
    links: defaultdict[str, list[LinkResult]] = defaultdict(list)
    models: defaultdict[str, list[ModelResult]] = defaultdict(list)
    for report in reports:
        for result in report.links:
            links[result.url].append(result)
        for model in report.models:
            models[model.hub_id].append(model)
    return Report(
        links=tuple(_one_link(links[url]) for url in sorted(links)),
        models=tuple(_one_model(models[hub_id]) for hub_id in sorted(models)),
        problems=tuple(sorted({problem for report in reports for problem in report.problems})),
        notes=tuple(sorted({note for report in reports for note in report.notes})),
    )


def _one_link(results: Sequence[LinkResult]) -> LinkResult:
    places = tuple(sorted({place for result in results for place in result.places}))
    return max((result._replace(places=places) for result in results), key=_standing)


def _standing(result: LinkResult) -> tuple[datetime, int, str]:
    """What holds is the largest: late, then bad; the text settles the rest, so that the order of reports never does."""
    return _when(result.checked_at), _BADNESS.index(result.judgement.outcome), _settled(result)


def _one_model(models: Sequence[ModelResult]) -> ModelResult:
    places = tuple(sorted({place for model in models for place in model.places}))
    findings = tuple(sorted({finding for model in models for finding in model.findings}))
    alike = [model._replace(places=places, findings=findings) for model in models]
    return max(alike, key=lambda model: (_BADNESS.index(model.outcome), _settled(model)))


def _settled(result: LinkResult | ModelResult) -> str:
    return json.dumps(result.as_json(), sort_keys=True)


def _when(checked_at: str) -> datetime:
    """The time of a check; long ago where none is told."""
    try:
        when = datetime.fromisoformat(checked_at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
