"""The link report as the body of one issue, or as a job's summary: bounded, and nothing from outside is more than text in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from llmops_catalog.links.results import Place, Report
from llmops_catalog.report.annotations import inert
from llmops_catalog.report.link_findings import NOT_DONE, about_models, clipped, dead, moved, summary_line, to_do, walls
from llmops_catalog.report.problems import sentence
from llmops_catalog.report.tables import count, printable

MARKER = "<!-- llmops-catalog check-links -->"
"""By this first line the action finds its issue again."""
LARGEST_BODY = 60_000
"""Characters; GitHub refuses the body of an issue beyond 65,536: https://github.com/peter-evans/create-issue-from-file/issues/1705"""
_KEPT_FOR_SECTION = 600
"""Characters that each later section can count on: its title, the head of its table, how many rows were left out."""
_LONGEST_ADDRESS, _SHOWN_PLACES = 500, 3

_REFERENCES = {ord(char): f"&#{ord(char)};" for char in "&<>\"'`~{}[]*_\\|$^!"} | {
    # GitHub looks for people and issues in the text of the finished page, where a reference has become its character again
    ord("@"): "&#64;&#8203;",
    ord("#"): "&#35;&#8203;",
}
_CODE_REFERENCES = {ord(char): f"&#{ord(char)};" for char in "&<>\"'`~{}[]*_\\|$^!:@#."}
_ARCHIVED = re.compile(r"https://web\.archive\.org/web/[\w./:?=&%+~,;-]*", re.ASCII)
_ENDS_CODE = frozenset("`|\\")


class _Section(NamedTuple):
    title: str
    head: tuple[str, ...]
    rows: list[str]
    folded: bool = False


def as_markdown(report: Report, when: str) -> str:
    """The whole body: the dead with where they stand, models, what moved, the walls by host. `when` is shown as it is.

    At most `LARGEST_BODY` characters: a table that is cut says how many rows are missing.
    """
    numbers = Counter(result.judgement.outcome for result in report.links)
    title = f"# Links: {numbers['fail']:,} dead, {numbers['unknown']:,} unknown of {len(report.links):,}"
    body = f"{MARKER}\n{title}\n\nChecked {text(when, 60)}: {summary_line(report)}.\n\n"
    sections = [section for section in _sections(report) if section.rows]
    if not numbers["fail"] and not sections:
        body += "Nothing needs to be done.\n"
    for left, section in zip(reversed(range(len(sections))), sections, strict=True):
        body += _written(section, LARGEST_BODY - len(body) - left * _KEPT_FOR_SECTION)
    return body


def _sections(report: Report) -> Iterator[_Section]:
    """All tables, what matters most first."""
    lost = dead(report)
    yield _Section(
        f"Dead links ({len(lost):,})",
        ("Address", "Why", "Where", "Copy"),
        [
            _row(code(result.url), text(told.reason or told.verdict), _where(result.places), _copy(told.archived_url))
            for result in lost
            for told in [result.judgement]
        ],
    )
    about = about_models(report)
    yield _Section(
        f"Models ({len(about):,})",
        ("What", "Where", "Next"),
        [_row(text(line.message), _where(line.places), text(line.help)) for line in about],
    )
    yield _Section(
        f"Exceptions ({len(report.problems):,})",
        ("What", "Where"),
        [_row(text(sentence(problem)), code(f"{problem.path}:{problem.line}")) for problem in report.problems],
    )
    yield _Section("Notes", ("About this check",), [_row(text(note)) for note in report.notes])
    waiting = to_do(report)
    yield _Section(
        f"Access to see to ({count(len(waiting), 'model')})",
        ("Model", "Access", "What to do"),
        [_row(code(model.hub_id), text(NOT_DONE[model.access]), text(model.hint)) for model in waiting],
        folded=True,
    )
    gone = moved(report)
    yield _Section(
        f"Moved for good ({count(len(gone), 'link')})",
        ("From", "To", "Where"),
        [_row(code(result.url), code(better), _where(result.places)) for result, better in gone],
        folded=True,
    )
    groups = walls(report)
    yield _Section(
        f"Could not be judged ({count(sum(len(group.results) for group in groups), 'link')})",
        ("Host", "Links", "Verdict", "Why"),
        [_row(code(group.host), f"{len(group.results):,}", group.verdict, text(group.reason or "several reasons")) for group in groups],
        folded=True,
    )


def _written(section: _Section, room: int) -> str:
    """The section with as many of its rows as `room` characters hold."""
    opening = f"<details><summary>{section.title}</summary>\n\n" if section.folded else f"## {section.title}\n\n"
    head = f"| {' | '.join(section.head)} |\n|{'---|' * len(section.head)}\n"
    closing = "\n</details>\n\n" if section.folded else "\n"
    room -= len(opening) + len(head) + len(closing) + len("\n... and 1,000,000,000 more, in the whole report.\n")
    kept: list[str] = []
    for row in section.rows:
        room -= len(row)
        if room < 0:
            break
        kept.append(row)
    more = len(section.rows) - len(kept)
    left_out = f"\n... and {more:,} more, in the whole report.\n" if more else ""
    return f"{opening}{head if kept else ''}{''.join(kept)}{left_out}{closing}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _where(places: Sequence[Place]) -> str:
    shown = [code(f"{place.path}:{place.line}") for place in sorted(places)[:_SHOWN_PLACES]]
    more = [f"and {len(places) - len(shown):,} more"] if len(places) > len(shown) else []
    return ", ".join(shown + more)


def _copy(url: str | None) -> str:
    """A link for the archive's own addresses alone: a link to anything else would follow whoever wrote the page."""
    if url and len(url) <= _LONGEST_ADDRESS and _ARCHIVED.fullmatch(url):
        return f"<{url}>"
    return code(url or "")


def text(value: str, limit: int = 400) -> str:
    """`value` as plain words of Markdown: no markup, no HTML, no link, and nobody mentioned."""
    plain = printable(clipped(value, limit)).strip().translate(_REFERENCES)
    return plain.replace("://", "&#58;//").replace("www.", "www&#46;").replace("GH-", "GH-&#8203;")


def code(value: str) -> str:
    """`value` as code, in which GitHub looks for nobody: https://github.com/gjtorikian/html-pipeline, its `MentionFilter`."""
    shown = printable(clipped(value, _LONGEST_ADDRESS))
    if not shown.strip():
        return ""
    if _ENDS_CODE.isdisjoint(shown) and inert(shown) == shown:
        return f"`{shown}`"
    return f"<code>{shown.translate(_CODE_REFERENCES)}</code>"
