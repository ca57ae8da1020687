"""The link report as people read it: text for a terminal or a log, annotations of GitHub. Whatever a server says is escaped first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from llmops_catalog.links.results import Report
from llmops_catalog.report.annotations import MOST_ANNOTATIONS, Level, annotation, inert
from llmops_catalog.report.link_findings import (
    NOT_DONE,
    Said,
    Walls,
    about_models,
    clipped,
    dead,
    help_url,
    in_levels,
    moved,
    said,
    summary_line,
    to_do,
    unknown,
    walls,
)
from llmops_catalog.report.links_markdown import as_markdown
from llmops_catalog.report.problems import as_text as problems_as_text
from llmops_catalog.report.problems import sentence
from llmops_catalog.report.tables import Style, count, plain, printable, table

__all__ = ["as_github", "as_markdown", "as_text"]

TITLE = "check-links"
SHOWN_HOSTS, SHOWN_ADDRESSES, SHOWN_MODELS = 20, 3, 20
SHORT_REASON = 120
"""Of what nobody can judge, and of models to see to: three hundred walls must not drown three deaths."""
LEVELS: dict[str, Level] = {"error": "error", "warning": "warning", "note": "notice"}


def as_text(report: Report, style: Style = plain, verbose: bool = False) -> str:
    """The dead first, by file; then what the Hub says otherwise, what nobody can judge, what moved, and a line of counts.

    Shortened lists say how much they leave out; `verbose` gives every address its own lines.
    """
    lines = [
        *(line for result in dead(report) for line in _told(said(result, "error"), style)),
        *(line for about in about_models(report) for line in _told(about, style)),
        *(_unknown_in_full(report, style) if verbose else _unknown_by_host(report, style)),
        *(_moved_in_full(report, style) if verbose else _moved_count(report, style)),
        *_access(report, style, verbose),
        *(f"{style('note', 'note')}: {printable(clipped(note))}" for note in report.notes),
    ]
    text = "".join(f"{line}\n" for line in lines)
    return inert(f"{text}{problems_as_text(report.problems, style)}{summary_line(report)}\n")


def _told(about: Said, style: Style, helped: bool = True) -> Iterator[str]:
    """A line for each place, and what to do once."""
    level = style(f"{about.level}[{about.code}]", about.level)
    for place in sorted(about.places):
        yield f"{style(printable(f'{place.path}:{place.line}:{place.column}'), 'place')}: {level}: {printable(about.message)}"
    if not about.places:
        reason = f": {printable(about.reason)}" if about.reason else ""
        yield f"{style(printable(about.what), 'place')}: {level}{reason}"
    if helped:
        yield style(f"  help: {printable(about.help)}", "help")


def _unknown_in_full(report: Report, style: Style) -> Iterator[str]:
    for result in unknown(report):
        yield from _told(said(result, "warning"), style)


def _unknown_by_host(report: Report, style: Style) -> Iterator[str]:
    groups = walls(report)
    for group in groups[:SHOWN_HOSTS]:
        if len(group.results) == 1:
            yield from _told(said(group.results[0], "warning"), style)
        else:
            yield from _group(group, style)
    left = groups[SHOWN_HOSTS:]
    if left:
        links = count(sum(len(group.results) for group in left), "link")
        yield f"... and {links} of {count(len({group.host for group in left}), 'more host')} that could not be judged"


def _group(group: Walls, style: Style) -> Iterator[str]:
    level = style(f"warning[{group.verdict}]", "warning")
    reason = f": {printable(group.reason)}" if group.reason else ""
    yield f"{style(printable(group.host), 'place')}: {level}: {count(len(group.results), 'link')} could not be judged{reason}"
    for result in group.results[:SHOWN_ADDRESSES]:
        why = "" if reason else f": {printable(clipped(result.judgement.reason, SHORT_REASON))}"
        yield f"  {printable(result.url)}{why}"
    if len(group.results) > SHOWN_ADDRESSES:
        yield f"  ... and {len(group.results) - SHOWN_ADDRESSES:,} more"
    yield style(f"  help: {help_url(group.verdict)}", "help")


def _moved_in_full(report: Report, style: Style) -> Iterator[str]:
    for result, better in moved(report):
        yield from _told(said(result, "note")._replace(reason=f"moved for good to {better}"), style, helped=False)


def _moved_count(report: Report, style: Style) -> Iterator[str]:
    number = len(moved(report))
    if number:
        verb = "has" if number == 1 else "have"
        yield f"{style('note[redirected-permanent]', 'note')}: {count(number, 'link')} {verb} moved for good"
        yield style("  help: 'check-links --fix' writes the new addresses", "help")


def _access(report: Report, style: Style, verbose: bool) -> Iterator[str]:
    waiting = to_do(report)
    shown = waiting if verbose else waiting[:SHOWN_MODELS]
    if not shown:
        return
    rows = [[model.hub_id, model.access, NOT_DONE[model.access], clipped(model.hint)] for model in shown]
    yield from table(["model", "access", "which means", "what to do"], rows, style=style, whole=["what to do"]).splitlines()
    if len(waiting) > len(shown):
        yield f"... and {count(len(waiting) - len(shown), 'more model')}"


def as_github(report: Report, fail_on: Literal["broken", "unknown"] = "broken") -> str:
    """Workflow commands beside the lines: errors for the dead, warnings for findings; what is left out is counted in a last notice.

    What nobody can judge is shown only where it fails the run (`fail_on`).
    """
    lines = [said(result, "error") for result in dead(report)]
    if fail_on == "unknown":
        lines += [said(result, "error") for result in unknown(report)]
    lines += about_models(report)
    commands = [command for about in in_levels(lines) for command in _annotations(about)]
    commands += [
        annotation(problem.level, problem.code, sentence(problem), problem.path, problem.line, problem.column)
        for problem in report.problems
    ]  # fmt: skip
    commands += [annotation("notice", TITLE, clipped(note)) for note in report.notes]
    if len(commands) > MOST_ANNOTATIONS:
        left = len(commands) - MOST_ANNOTATIONS + 1
        commands[MOST_ANNOTATIONS - 1 :] = [
            annotation("notice", TITLE, f"{left:,} more are in the report: GitHub shows {MOST_ANNOTATIONS}")
        ]
    return "".join(commands)


def _annotations(about: Said) -> Iterator[str]:
    for place in sorted(about.places):
        yield annotation(LEVELS[about.level], about.code, about.sentence, place.path, place.line, place.column)
    if not about.places:
        yield annotation(LEVELS[about.level], about.code, about.sentence)
