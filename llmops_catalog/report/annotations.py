"""Workflow commands of GitHub Actions, which put a message beside a line; and text that can never become one by accident."""

from __future__ import annotations

import re
from typing import Literal

from llmops_catalog.report.tables import printable

Level = Literal["error", "warning", "notice"]

MOST_ANNOTATIONS = 50
"""A job shows 50 annotations, a step 10 of each level:
https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md#limitations
"""
_COMMAND = re.compile(r"^([^\S\n]*)::|##\[", re.MULTILINE)


def annotation(level: Level, title: str, message: str, path: str = "", line: int = 1, column: int = 1) -> str:
    """One command line, newline and all; beside a line where `path` is given.

    Escaped as the runner unescapes:
    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    place = f"file={_property(path)},line={line},col={column}," if path else ""
    return f"::{level} {place}title={_property(title)}::{_data(printable(message))}\n"


def inert(text: str) -> str:
    """`text` for a log: no line of it is taken for a command.

    The runner looks for ``::`` at the start of a line and for ``##[`` anywhere in it (the same file).
    """
    return _COMMAND.sub(lambda found: "##\\x5b" if found[0] == "##[" else f"{found[1]}\\x3a:", text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
