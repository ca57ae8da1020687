"""Problems as people and machines read them: text, JSON, GitHub annotations. Whatever a record says is escaped first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llmops_catalog.problems import Problem
from llmops_catalog.report.annotations import annotation
from llmops_catalog.report.tables import Style, count, plain, printable


def summary(problems: Sequence[Problem], records: int) -> str:
    """The closing line: how many records, how many of what."""
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    return f"{count(records, 'record')}: {count(errors, 'error')}, {count(warnings, 'warning')}"


def as_text(problems: Iterable[Problem], style: Style = plain) -> str:
    """One line per problem and a help line under it; `style(text, role)` may colour place, level and help."""
    lines: list[str] = []
    for problem in problems:
        level = style(f"{problem.level}[{problem.code}]", problem.level)
        lines.append(f"{style(printable(problem.place), 'place')}: {level}: {printable(sentence(problem))}")
        lines.append(style(f"  help: {problem.help_url}", "help"))
    return "".join(f"{line}\n" for line in lines)


def sentence(problem: Problem) -> str:
    """Message and hint as one line: ``'x' is not in catalog/gpus. Did you mean 'y'?``"""
    return f"{problem.message}. {_capital(problem.hint)}" if problem.hint else problem.message


def _capital(hint: str) -> str:
    return hint[:1].upper() + hint[1:]


def as_json(problems: Sequence[Problem], records: int) -> dict[str, Any]:
    """The object of `validate --format json`."""
    return {"schema": "llmops-catalog/problems/1", "records": records, "problems": [problem.as_json() for problem in problems]}


def as_github(problems: Iterable[Problem]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return "".join(
        annotation(problem.level, problem.code, sentence(problem), problem.path, problem.line, problem.column) for problem in problems
    )
