"""Docs cannot drift: every command, option, collection and schema is in them, and what is generated is up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from llmops_catalog.cli import COMMANDS, load_command, program_parser
from llmops_catalog.cli.arguments import Parser
from llmops_catalog.schema import COLLECTIONS
from llmops_catalog.schema.jsonschema import schema_text

ROOT = Path(__file__).parent.parent
CLI = ROOT / "docs" / "cli.md"


def options_of(parser: Parser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings if option.startswith("--")]


def section(name: str) -> str:
    """The part of the page about one command: from the heading that names it to the next of its level or above."""
    text = CLI.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) .*`?\b{re.escape(name)}\b`?.*$", text, re.MULTILINE)
    assert found, f"docs/cli.md has no heading for {name}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return text[found.start() : found.end()] + (rest[: end.start()] if end else rest)


OPTIONS = [(name, option) for name in COMMANDS for option in options_of(load_command(name)[0])]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_heading(name: str) -> None:
    assert section(name)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_is_in_the_docs(name: str, option: str) -> None:
    """In the command's own section, or (options that several commands share) anywhere on the page."""
    assert re.search(rf"{re.escape(option)}(?![\w-])", CLI.read_text(encoding="utf-8"))


def test_options_of_the_program_itself_are_in_the_docs() -> None:
    text = CLI.read_text(encoding="utf-8")
    assert [option for option in options_of(program_parser()) if option not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_explains_itself(name: str) -> None:
    parser, _ = load_command(name)
    assert parser.description
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_collection_is_in_the_docs(collection: str) -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in [*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"])
    assert re.search(rf"`{collection}/?`|catalog/{collection}\b", pages), f"no page names the collection {collection}"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_committed_schemas_are_those_of_the_code(collection: str) -> None:
    committed = ROOT / "catalog" / "schemas" / f"{collection}.json"
    assert committed.read_text(encoding="utf-8") == schema_text(collection), "run: python -m llmops_catalog schema --write"


def test_no_schema_is_left_over() -> None:
    names = {path.stem for path in (ROOT / "catalog" / "schemas").glob("*.json")}
    assert names == set(COLLECTIONS)
    assert all(json.loads((ROOT / "catalog" / "schemas" / f"{name}.json").read_text(encoding="utf-8")) for name in names)
