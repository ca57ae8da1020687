"""Nothing is half-documented: each code has a bad record, a heading in the docs, and is raised somewhere; no other code exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from llmops_catalog.problems import CODES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGE = ROOT / "llmops_catalog"
RAISERS = {"Problem": 3, "SourceError": 0, "_problem": 2, "problem": 0, "_at": 1, "_wrong": 0, "PydanticCustomError": 0}
"""Calls that make a finding, and which argument is the code."""


def codes_raised() -> dict[str, str]:
    """Every code written as a literal in a call that makes a finding, with one place where it stands."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        raisers = RAISERS if path.parent.name in ("catalog", "schema") else {"Problem": 3}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = raisers.get(name)
            if position is None or len(node.args) <= position:
                continue
            argument = node.args[position]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.setdefault(argument.value, f"{path.name}:{node.lineno}")
    return found


def headings(level: int) -> list[str]:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def test_every_code_has_its_folder() -> None:
    assert [code for code in CODES if not (HERE / code / "expected.txt").is_file()] == []


def test_every_code_is_explained_once_and_nothing_else_is() -> None:
    assert sorted(headings(3)) == sorted(CODES)


def test_every_example_is_a_real_message() -> None:
    shown = re.findall(r"^    (catalog/.*)$", (ROOT / "docs" / "problems.md").read_text(encoding="utf-8"), re.MULTILINE)
    real = {line for file in HERE.glob("*/expected.txt") for line in file.read_text(encoding="utf-8").splitlines()}
    assert [line for line in shown if line not in real] == []
    assert len(shown) >= len(CODES)


def test_codes_are_their_own_anchors() -> None:
    from markdown.extensions.toc import slugify

    assert [code for code in CODES if slugify(code, "-") != code] == []
    assert not set(map(str.casefold, headings(2))) & set(CODES)


def test_every_literal_code_is_known() -> None:
    raised = codes_raised()
    assert {code: place for code, place in raised.items() if code not in CODES} == {}
    by_schema = {f"unknown-{kind}" for kind in (
        "model", "gpu", "architecture", "quantization", "framework", "provider", "course", "notebook", "resource", "concept", "path",
        "dataset",
        "benchmark", "claim", "measurement", "list", "prerequisite", "family", "rule",
    )}  # fmt: skip
    assert set(CODES) - set(raised) == by_schema


def test_codes_are_unique() -> None:
    assert len(set(CODES)) == len(CODES)
