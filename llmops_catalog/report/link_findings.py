"""What of a link report is worth a line, whoever reads it: the dead, what the Hub says otherwise, the walls by host, what moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from llmops_catalog.links.results import ACCESS_STATES, LinkResult, ModelResult, Place, Report
from llmops_catalog.problems import DOCUMENTATION
from llmops_catalog.report.tables import count

LONGEST_REASON = 400
"""Characters of a reason or a hint: both may quote a server."""

NOT_DONE = {
    "gated-not-requested": "gated, and nobody has asked for access yet",
    "gated-pending": "gated, and the request waits for an answer",
    "gated-rejected": "gated, and the request was turned down",
    "token-invalid": "the Hub does not know this token",
    "token-lacks-scope": "the token may not read gated repositories",
    "missing-or-private": "gone from the Hub, or private",
    "disabled": "disabled on the Hub",
    "renamed": "has another name on the Hub",
    "unknown": "the Hub gave no clear answer",
}
"""The states of access that ask something of a maintainer, as words."""


class Said(NamedTuple):
    """One thing to tell: how bad, its code, the address or model, why, what to do, and the places it stands at (perhaps none)."""

    level: Literal["error", "warning", "note"]
    code: str
    what: str
    reason: str
    hint: str = ""
    places: tuple[Place, ...] = ()

    @property
    def help(self) -> str:
        """The next step, or where the code is explained."""
        return self.hint or help_url(self.code)

    @property
    def message(self) -> str:
        """What and why, as one line."""
        return ": ".join(filter(None, (self.what, self.reason)))

    @property
    def sentence(self) -> str:
        """The message with the next step."""
        return f"{self.message.rstrip('.')}. {self.hint[:1].upper()}{self.hint[1:]}" if self.hint else self.message


class Walls(NamedTuple):
    """Links of one host that nobody can judge from outside, for the same verdict."""

    host: str
    verdict: str
    results: tuple[LinkResult, ...]

    @property
    def reason(self) -> str:
        """Why, where it is the same for all."""
        reasons = {result.judgement.reason for result in self.results}
        return clipped(reasons.pop()) if len(reasons) == 1 else ""


def help_url(code: str) -> str:
    """The heading that explains a verdict, a state of access or a finding."""
    return f"{DOCUMENTATION}/links/#{code}"


def clipped(text: str, limit: int = LONGEST_REASON) -> str:
    """`text`, cut where it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def host_of(url: str) -> str:
    """The host of an address in lower case; ``(no host)`` where it names none."""
    try:
        return urlsplit(url).hostname or "(no host)"
    except ValueError:
        return "(no host)"


def said(result: LinkResult, level: Literal["error", "warning", "note"]) -> Said:
    """One link as something to tell."""
    told = result.judgement
    hint = clipped(told.hint)
    if told.archived_url and told.archived_url not in hint:
        hint = f"{hint.rstrip('.')}; a copy: {told.archived_url}" if hint else f"a copy: {told.archived_url}"
    return Said(level, told.verdict, result.url, clipped(told.reason), hint, result.places)


def dead(report: Report) -> list[LinkResult]:
    """The failing links, by their first place."""
    return sorted((result for result in report.links if result.judgement.outcome == "fail"), key=by_place)


def unknown(report: Report) -> list[LinkResult]:
    """The links nobody can judge from outside, by their first place."""
    return sorted((result for result in report.links if result.judgement.outcome == "unknown"), key=by_place)


def walls(report: Report) -> list[Walls]:
    """The same, by host and verdict; the largest group first."""
    groups: dict[tuple[str, str], list[LinkResult]] = {}
    for result in unknown(report):
        groups.setdefault((host_of(result.url), result.judgement.verdict), []).append(result)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [Walls(host, verdict, tuple(results)) for (host, verdict), results in ordered]


def moved(report: Report) -> list[tuple[LinkResult, str]]:
    """The links that work and have moved for good, each with its better address."""
    found = [(result, result.judgement.better_url or result.judgement.final_url) for result in report.links if _moved(result)]
    return sorted(((result, better) for result, better in found if better), key=lambda pair: by_place(pair[0]))


def _moved(result: LinkResult) -> bool:
    return result.judgement.outcome == "pass" and result.judgement.verdict == "redirected-permanent"


def about_models(report: Report) -> list[Said]:
    """Models that fail, and what their records say otherwise than the Hub; by place."""
    told = [line for model in report.models for line in _about_model(model)]
    return sorted(told, key=lambda line: (line.level, not line.places, line.places[:1], line.code, line.message))


def _about_model(model: ModelResult) -> Iterator[Said]:
    failed = model.outcome == "fail"
    for finding in model.findings:
        level: Literal["error", "warning"] = "error" if failed and finding.code == model.access else "warning"
        yield Said(level, finding.code, "", clipped(finding.message), clipped(finding.hint), (finding.place,))
    if failed and not _is_found(model):
        yield Said("error", model.access, model.hub_id, NOT_DONE.get(model.access, ""), clipped(model.hint), model.places)


def _is_found(model: ModelResult) -> bool:
    """True where a finding already says what the access says."""
    return any(finding.code == model.access for finding in model.findings)


def to_do(report: Report) -> list[ModelResult]:
    """Models whose access asks something of a maintainer and that no other line tells of; the state nobody can help last."""
    waiting = [model for model in report.models if model.access in NOT_DONE and model.outcome != "fail" and not _is_found(model)]
    return sorted(waiting, key=lambda model: (ACCESS_STATES.index(model.access), model.hub_id))


def summary_line(report: Report) -> str:
    """All counts: ``1,203 links: 1,150 pass, 3 fail, 50 unknown; 12 models: 11 public, 1 renamed; 1 finding``."""
    counts = Counter(result.judgement.outcome for result in report.links)
    parts = [f"{count(len(report.links), 'link')}: {counts['pass']:,} pass, {counts['fail']:,} fail, {counts['unknown']:,} unknown"]
    if report.models:
        seen: Counter[str] = Counter(model.access for model in report.models)
        states = ", ".join(f"{seen[state]:,} {state}" for state in ACCESS_STATES if state in seen)
        parts.append(f"{count(len(report.models), 'model')}: {states}")
    findings = sum(len(model.findings) for model in report.models)
    parts += [count(number, word) for number, word in ((findings, "finding"), (len(report.problems), "problem")) if number]
    return "; ".join(parts)


def by_place(result: LinkResult) -> tuple[bool, tuple[Place, ...], str]:
    """Sorts by file and line, what stands nowhere last."""
    return not result.places, tuple(sorted(result.places))[:1], result.url


def in_levels(lines: Iterable[Said]) -> list[Said]:
    """Errors first, then warnings, then notes; otherwise as they come."""
    return sorted(lines, key=lambda line: ("error", "warning", "note").index(line.level))
