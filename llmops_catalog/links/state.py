"""What earlier runs saw: when an address is due again, and whether it failed often and long enough to be called dead.

The state is one JSON file with one address on each line, so that a commit of it is a small diff. Times are UTC to the second, and the
clock is passed in. An entry nobody can read is forgotten; a file that is no state at all is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, get_args

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.files import write_text
from llmops_catalog.links.results import VERDICTS, Judgement, LinkResult, Outcome

SCHEMA = "llmops-catalog/link-state/1"
LARGEST_FILE_BYTES = 64 * 2**20
FAILURES_NEEDED, DAYS_NEEDED = 2, 1.0
"""With a state: a link is dead after so many failures in a row over so many days."""
DUE_AFTER: Mapping[str, timedelta] = {"pass": timedelta(days=7), "unknown": timedelta(days=1), "fail": timedelta()}
DAY_SECONDS = 86_400
JITTER_SHARE = 0.2
"""Of `DUE_AFTER`, earlier or later by the address: a catalog checked in one day is not due again in one day."""
OUTCOMES: tuple[str, ...] = get_args(Outcome)
LONGEST_TEXT, LONGEST_URL = 500, 8192
ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,250}"', re.ASCII)
HTTP_DATE = re.compile(r"[A-Za-z0-9 ,:+-]{1,40}", re.ASCII)
"""Both go back into a request, so nothing else is kept: https://www.rfc-editor.org/rfc/rfc9110#name-etag"""
URL = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)
NOT_MODIFIED = 304
MOST_FAILURES = 1_000_000
YEARS = range(2000, 3000)
"""Times outside are no times of a check, and arithmetic on them overflows."""


class StateFileInvalid(LinkCheckUnavailable):
    """The file named by `--state` is not a state; `place` names it."""

    exit_code = 2

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message, "name another file with --state, or delete this one: the next run begins a new one")
        self.place = str(path)


class Validators(NamedTuple):
    """What a server said a page is known by, for a conditional request."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the request."""
        sent = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in sent if value)


class Memory(NamedTuple):
    """One address. `failures` in a row, the first at `first_failed_at`; validators are those of a page that passed."""

    last_checked_at: datetime
    due_at: datetime
    judgement: Judgement
    failures: int = 0
    first_failed_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_passed_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None


class State:
    """The memory of one run: load it, ask what is due, settle each result once it is known, save it.

    One failure of an address is counted in the life of the object, however often it is settled.
    """

    def __init__(
        self, memories: Mapping[str, Memory] | None = None, failures_needed: int = FAILURES_NEEDED, days_needed: float = DAYS_NEEDED
    ) -> None:
        self.memories = dict(memories or {})
        self.failures_needed = failures_needed
        self.days_needed = days_needed
        self._failed_in_this_run: set[str] = set()

    @classmethod
    def load(cls, path: Path, failures_needed: int = FAILURES_NEEDED, days_needed: float = DAYS_NEEDED) -> State:
        """The state in `path`, an empty one where there is no such file. Raises `StateFileInvalid` and `LinkCheckUnavailable`."""
        return cls(_read(path), failures_needed, days_needed)

    def save(self, path: Path, keep: Collection[str] | None = None) -> None:
        """Writes the file whole or not at all. After a check of everything, `keep` is all addresses there are; others are forgotten."""
        kept = self.memories if keep is None else {url: self.memories[url] for url in keep if url in self.memories}
        try:
            write_text(path, as_text(kept))
        except OSError as error:
            message = f"the state cannot be written to {path}: {error.strerror or error}"
            raise LinkCheckUnavailable(message, "name a file with --state that can be written") from error

    def due(self, url: str, now: datetime) -> bool:
        """Whether to ask again. A time of check that has not come yet, or a due time further off than we ever set it, counts as due."""
        memory = self.memories.get(url)
        if memory is None:
            return True
        latest = memory.last_checked_at + DUE_AFTER[memory.judgement.outcome] * (1 + JITTER_SHARE)
        return not memory.last_checked_at <= now < min(memory.due_at, latest)

    def seen(self, url: str) -> Judgement | None:
        """What the last check found, due or not."""
        memory = self.memories.get(url)
        return memory.judgement if memory else None

    def remembered(self, url: str, now: datetime) -> LinkResult | None:
        """The answer for an address that is not due, without its places; None where it has to be checked."""
        memory = self.memories.get(url)
        if memory is None or self.due(url, now):
            return None
        return LinkResult(url, (), memory.judgement, checked_at=_written(memory.last_checked_at), remembered=True)

    def validators(self, url: str) -> Validators | None:
        """For a conditional request; None unless the page answered under this very address and was well."""
        memory = self.memories.get(url)
        if memory is None or memory.judgement.verdict != "ok" or not (memory.etag or memory.last_modified):
            return None
        return Validators(memory.etag, memory.last_modified)

    def settle(self, result: LinkResult, now: datetime, validators: Validators | None = None) -> LinkResult:
        """Takes in what was seen, gives back what is reported: a failure is `unknown` until there are enough over enough days.

        What was skipped was not seen, and changes nothing.
        """
        if result.judgement.verdict == "skipped":
            return result
        now = now.astimezone(UTC).replace(microsecond=0)
        if validators is None and result.judgement.http_status == NOT_MODIFIED:
            validators = self.validators(result.url)
        memory = self._after(result, now, validators or Validators())
        self.memories[result.url] = memory
        return result._replace(judgement=self._reported(result.judgement, memory))

    def _after(self, result: LinkResult, now: datetime, validators: Validators) -> Memory:
        url, outcome, before = result.url, result.judgement.outcome, self.memories.get(result.url)
        first_failed_at, failures = _streak(before, now)
        if outcome == "pass":
            first_failed_at, failures = None, 0
            self._failed_in_this_run.discard(url)
        elif outcome == "fail":
            first_failed_at = min(first_failed_at or now, now)
            failures += not failures or url not in self._failed_in_this_run
            self._failed_in_this_run.add(url)
        passed = outcome == "pass"
        return Memory(
            last_checked_at=now,
            due_at=(now + DUE_AFTER[outcome] * (1 + jitter(url))).replace(microsecond=0),
            judgement=_bounded(result.judgement),
            failures=failures,
            first_failed_at=first_failed_at,
            last_failed_at=now if outcome == "fail" else _not_after(before.last_failed_at if before else None, now),
            last_passed_at=now if passed else _not_after(before.last_passed_at if before else None, now),
            etag=_matching(ETAG, validators.etag) if passed else None,
            last_modified=_matching(HTTP_DATE, validators.last_modified) if passed else None,
        )

    def _reported(self, seen: Judgement, memory: Memory) -> Judgement:
        if seen.outcome != "fail" or memory.first_failed_at is None:
            return seen
        since = f"failed {memory.failures} times since {memory.first_failed_at:%Y-%m-%d}"
        failed_seconds = (memory.last_checked_at - memory.first_failed_at).total_seconds()
        if memory.failures >= self.failures_needed and failed_seconds >= self.days_needed * DAY_SECONDS:
            return seen._replace(reason=_joined(seen.reason, since)) if memory.failures > 1 else seen
        told = "failed for the first time today" if memory.failures == 1 else since
        return seen._replace(outcome="unknown", reason=_joined(seen.reason, f"{told}; reported as dead after {self._needed()}"))

    def _needed(self) -> str:
        over = f" over {self.days_needed:g} day{'s' * (self.days_needed != 1)}" if self.days_needed else ""
        return f"{self.failures_needed} failure{'s' * (self.failures_needed != 1)}{over}"


def _joined(reason: str, more: str) -> str:
    return f"{reason}; {more}" if reason else more


def jitter(url: str) -> float:
    """Between -`JITTER_SHARE` and +`JITTER_SHARE`, always the same for one address."""
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()
    return JITTER_SHARE * (2 * int.from_bytes(digest[:8], "big") / (2**64 - 1) - 1)


def merge(one: Mapping[str, Memory], other: Mapping[str, Memory]) -> dict[str, Memory]:
    """What two runs know together, whichever is named first: the later check of each address, and the latest pass and failure of both."""
    shared = {url: _merged(one[url], other[url]) for url in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _merged(one: Memory, other: Memory) -> Memory:
    """The later check must not be chosen by what is taken from both, or three states would merge differently in another order."""

    def order(memory: Memory) -> tuple[datetime, str]:
        return memory.last_checked_at, _dumped(_entry(memory._replace(last_failed_at=None, last_passed_at=None)))

    return max(one, other, key=order)._replace(
        last_failed_at=max(filter(None, (one.last_failed_at, other.last_failed_at)), default=None),
        last_passed_at=max(filter(None, (one.last_passed_at, other.last_passed_at)), default=None),
    )


def _streak(memory: Memory | None, now: datetime) -> tuple[datetime | None, int]:
    """First failure and count of those in a row. After a merge the other side may have seen it pass in between."""
    if memory is None or memory.first_failed_at is None or not memory.failures:
        return None, 0
    passed_at, failed_at = _not_after(memory.last_passed_at, now), memory.last_failed_at
    if passed_at is None or passed_at <= memory.first_failed_at:
        return memory.first_failed_at, memory.failures
    return (failed_at, 1) if failed_at is not None and failed_at > passed_at else (None, 0)


def _not_after(time: datetime | None, now: datetime) -> datetime | None:
    """A clock that was wrong must not hold back a death for years."""
    return time if time is not None and time <= now else None


def _bounded(judgement: Judgement) -> Judgement:
    """What servers say is kept short, so that no server swells the file."""
    return judgement._replace(
        reason=judgement.reason[:LONGEST_TEXT],
        hint=judgement.hint[:LONGEST_TEXT],
        final_url=_address(judgement.final_url),
        better_url=_address(judgement.better_url),
        archived_url=_address(judgement.archived_url),
    )


def as_text(memories: Mapping[str, Memory]) -> str:
    """The file: sorted, one address on each line."""
    lines = ",\n".join(f"{_dumped(url)}: {_dumped(_entry(memory))}" for url, memory in sorted(memories.items()))
    return f'{{\n"links": {{\n{lines}\n}},\n"schema": {_dumped(SCHEMA)}\n}}\n'


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _entry(memory: Memory) -> dict[str, Any]:
    flat = {**memory._asdict(), **memory.judgement._asdict()}
    del flat["judgement"]
    return {name: _written(value) if isinstance(value, datetime) else value for name, value in flat.items() if value}


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _read(path: Path) -> dict[str, Memory]:
    try:
        if not path.exists():
            return {}
        if not path.is_file():
            raise StateFileInvalid(path, "this is not a plain file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise LinkCheckUnavailable(f"the state {path} cannot be read: {error.strerror or error}", "look at its permissions") from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise StateFileInvalid(path, f"a state has at most {LARGEST_FILE_BYTES // 2**20} MiB")
    return _parsed(path, raw) if raw.strip() else {}


def _parsed(path: Path, raw: bytes) -> dict[str, Memory]:
    if re.search(rb"^(<<<<<<<|>>>>>>>) ", raw, re.MULTILINE):
        raise StateFileInvalid(path, "the file holds the marks of a merge in git that was not finished")
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, an integer of a million digits
        raise StateFileInvalid(path, "this is not JSON") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("links"), dict):
        raise StateFileInvalid(path, f"this is no state of links: its 'schema' is not {SCHEMA!r}, or it has no 'links'")
    return {url: memory for url, entry in data["links"].items() if (memory := _memory(entry))}


def _memory(entry: Any) -> Memory | None:
    """An entry as `_entry` wrote it; None where it lacks what every entry has. Any other field of a wrong kind is left out."""
    if not isinstance(entry, dict) or entry.get("outcome") not in OUTCOMES or entry.get("verdict") not in VERDICTS:
        return None
    checked_at = _time(entry.get("last_checked_at"))
    if checked_at is None:
        return None
    failures, status = entry.get("failures"), entry.get("http_status")
    return Memory(
        last_checked_at=checked_at,
        due_at=_time(entry.get("due_at")) or checked_at,
        judgement=Judgement(
            outcome=entry["outcome"],
            verdict=entry["verdict"],
            reason=_text(entry.get("reason")),
            hint=_text(entry.get("hint")),
            http_status=status if type(status) is int and 100 <= status <= 599 else None,
            final_url=_address(entry.get("final_url")),
            better_url=_address(entry.get("better_url")),
            archived_url=_address(entry.get("archived_url")),
        ),
        failures=min(failures, MOST_FAILURES) if type(failures) is int and failures > 0 else 0,
        first_failed_at=_time(entry.get("first_failed_at")),
        last_failed_at=_time(entry.get("last_failed_at")),
        last_passed_at=_time(entry.get("last_passed_at")),
        etag=_matching(ETAG, entry.get("etag")),
        last_modified=_matching(HTTP_DATE, entry.get("last_modified")),
    )


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if time.year not in YEARS:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _text(value: Any) -> str:
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _address(value: Any) -> str | None:
    return _matching(URL, value) if isinstance(value, str) and len(value) <= LONGEST_URL else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
