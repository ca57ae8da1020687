"""One finding: what is wrong, where, how bad, and what to do about it. Findings are values, never exceptions."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

DOCUMENTATION = "https://llmops-catalog.github.io/llmops-catalog"

Level = Literal["error", "warning"]

CODES = (
    # the file
    "not-a-file", "bad-file-name", "stray-file", "unknown-collection", "too-large", "not-utf-8", "empty-file",
    # its YAML
    "yaml-syntax", "control-character", "duplicate-key", "yaml-anchor", "yaml-tag", "several-documents",
    "bad-key", "too-deep", "not-a-mapping",
    # its schema
    "unknown-key", "missing-key", "wrong-type", "invalid-value", "bad-url", "tracking-url", "expiring-url",
    "bad-date", "bad-license", "mojibake", "whitespace",
    # references between records
    "unknown-model", "unknown-gpu", "unknown-architecture", "unknown-quantization", "unknown-framework",
    "unknown-provider", "unknown-course", "unknown-notebook", "unknown-resource", "unknown-concept",
    "unknown-path", "unknown-dataset", "unknown-benchmark", "unknown-claim", "unknown-measurement",
    "unknown-list", "unknown-prerequisite", "unknown-family", "unknown-rule", "reference-circle", "duplicate-alias", "duplicate-address",
    # facts that cannot be true together
    "unknown-supported-field", "known-after-all", "date-after-source", "more-than-total", "layer-count",
    "head-count", "context-beyond-maximum", "parameter-mismatch", "checkpoint-difference", "undescribed-architecture",
    "memory-order", "row-length",
    # what the link check is told to leave alone
    "expired-exception", "unused-exception",
)  # fmt: skip
"""Every code a finding about a record can have; docs/problems.md explains each, tests/broken/ shows each."""


class Problem(NamedTuple):
    """One thing wrong with one place in one file.

    `path` is relative to the catalog's parent (``catalog/gpus/nvidia/l4.yaml``); `line` and `column` count from 1.
    `code` is the stable name that has a heading in docs/problems.md; `hint` is the likely fix or the next command.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    level: Level = "error"

    @property
    def place(self) -> str:
        """``path:line:column``, the form editors and terminals make clickable."""
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def help_url(self) -> str:
        """The heading that explains this code."""
        return f"{DOCUMENTATION}/problems/#{self.code}"

    def as_json(self) -> dict[str, Any]:
        """The object of `validate --format json`."""
        fields = self._asdict()
        return {key: fields[key] for key in ("path", "line", "column", "level", "code", "message", "hint")}


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by place, each distinct finding once."""
    return sorted(set(problems), key=lambda p: (p.path, p.line, p.column, p.code, p.message))


def has_errors(problems: Iterable[Problem]) -> bool:
    """True when at least one finding is more than a warning."""
    return any(problem.level == "error" for problem in problems)


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names most like `name`, best first; bounded work however long the name is."""
    from difflib import get_close_matches  # only a mistyped name pays for it

    wanted = name[:120].casefold()
    spelled: dict[str, str] = {}
    for candidate in known:
        spelled.setdefault(candidate.casefold(), candidate)
    return [spelled[match] for match in get_close_matches(wanted, spelled, n=limit, cutoff=0.6)]


def did_you_mean(names: list[str]) -> str:
    """``Did you mean 'a', 'b' or 'c'?``, or nothing where no name is near."""
    if not names:
        return ""
    quoted = [f"'{name}'" for name in names]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return f"Did you mean {listed}?"
