"""What the check says: of an address a judgement with its places, of a model how far it can be reached. Plain values, and their JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

from llmops_catalog.problems import Problem

SCHEMA = "llmops-catalog/links/1"

Outcome = Literal["pass", "fail", "unknown"]
"""Only proof fails; what nobody can tell from outside is unknown."""
VerdictName = Literal[
    "ok", "redirected-permanent", "redirected-temporary", "broken", "broken-fragment", "soft-404", "server-error", "timeout", "blocked",
    "rate-limited", "login-wall", "refused", "skipped",
]  # fmt: skip
Access = Literal[
    "public", "gated-not-tested", "gated-accepted", "gated-not-requested", "gated-pending", "gated-rejected", "token-invalid",
    "token-lacks-scope", "missing-or-private", "disabled", "renamed", "unknown",
]  # fmt: skip
VERDICTS: tuple[str, ...] = get_args(VerdictName)
ACCESS_STATES: tuple[str, ...] = get_args(Access)


class Place(NamedTuple):
    """Where an address stands: the file relative to the catalog's parent, line and column from 1, the field with dots."""

    path: str
    line: int
    column: int
    field: str


class Link(NamedTuple):
    """One distinct address, spelled as it was written, and every place it stands at (none for `--url`)."""

    url: str
    places: tuple[Place, ...] = ()


class Judgement(NamedTuple):
    """What one exchange proves.

    `reason` is one sentence a maintainer can act on and may quote the server (escape it before it is shown); `hint` the next step.
    `final_url` is where the redirects ended. `better_url` is what `--fix` may write instead: only for what moved for good.
    `archived_url` is a copy of what is gone.
    """

    outcome: Outcome
    verdict: VerdictName
    reason: str = ""
    hint: str = ""
    http_status: int | None = None
    final_url: str | None = None
    better_url: str | None = None
    archived_url: str | None = None


class LinkResult(NamedTuple):
    """An address, its places, the judgement and what it took. `checked_at` is UTC, ISO 8601; `remembered` where the state answered."""

    url: str
    places: tuple[Place, ...]
    judgement: Judgement
    attempts: int = 0
    elapsed_ms: int = 0
    checked_at: str = ""
    remembered: bool = False

    def as_json(self) -> dict[str, Any]:
        """One object of `links` in the contract's JSON."""
        told = self.judgement
        return {
            "url": self.url, "outcome": told.outcome, "verdict": told.verdict, "http_status": told.http_status,
            "final_url": told.final_url, "reason": told.reason, "hint": told.hint, "better_url": told.better_url,
            "archived_url": told.archived_url, "places": [place._asdict() for place in self.places], "attempts": self.attempts,
            "elapsed_ms": self.elapsed_ms, "checked_at": self.checked_at, "remembered": self.remembered,
        }  # fmt: skip


class Finding(NamedTuple):
    """What a record says against what the Hub says."""

    code: Literal["gating-drift", "renamed", "missing-or-private", "licence-drift", "config-drift"]
    message: str
    hint: str
    place: Place


class ModelResult(NamedTuple):
    """How far a model of the catalog can be reached on the Hub. `recorded` is the record's own gating (`no`, `auto`, `manual`) or None."""

    hub_id: str
    access: Access
    recorded: str | None
    outcome: Outcome
    hint: str = ""
    places: tuple[Place, ...] = ()
    true_id: str | None = None
    gated: str | None = None
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One object of `models` in the contract's JSON."""
        return {
            "hub_id": self.hub_id, "access": self.access, "recorded": self.recorded, "outcome": self.outcome, "hint": self.hint,
            "places": [place._asdict() for place in self.places], "true_id": self.true_id, "gated": self.gated,
            "findings": [{**finding._asdict(), "place": finding.place._asdict()} for finding in self.findings],
        }  # fmt: skip


class Report(NamedTuple):
    """Everything one run found. `problems` are about the exceptions file; `notes` about the run itself (an invalid token)."""

    links: tuple[LinkResult, ...]
    models: tuple[ModelResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Counts by outcome, by verdict and by access."""
        return {
            "links": len(self.links),
            **counted((result.judgement.outcome for result in self.links), get_args(Outcome)),
            "verdicts": counted((result.judgement.verdict for result in self.links), VERDICTS, only_seen=True),
            "models": len(self.models),
            "access": counted((model.access for model in self.models), ACCESS_STATES, only_seen=True),
            "findings": sum(len(model.findings) for model in self.models),
            "problems": len(self.problems),
        }

    def as_json(self) -> dict[str, Any]:
        """The whole object of `check-links --format json`."""
        return {
            "schema": SCHEMA,
            "summary": self.summary(),
            "links": [result.as_json() for result in self.links],
            "models": [model.as_json() for model in self.models],
            "problems": [problem.as_json() for problem in self.problems],
            "notes": list(self.notes),
        }


def counted(seen: Any, names: Sequence[str], only_seen: bool = False) -> dict[str, int]:
    """How often each of `names` was seen, in their order."""
    counts = Counter(seen)
    return {name: counts[name] for name in names if counts[name] or not only_seen}
