"""What the pages say about links is what the code does: every limit with its number, every code, option, input and command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import get_args, get_type_hints

import pytest
import yaml
from test_docs import options_of, section
from test_documented_examples import blocks

from llmops_catalog.cli import COULD_NOT_RUN, STOPPED, WRONG_USAGE, load_command
from llmops_catalog.cli.link_plan import LARGEST_LIST_BYTES
from llmops_catalog.cli.links import FORMATS
from llmops_catalog.links import (
    chain,
    check,
    connection,
    gate,
    hub_budget,
    limits,
    page,
    policy,
    resolver,
    run,
    soft404,
    state,
    stream,
    target,
)
from llmops_catalog.links.hosts import arxiv, github, gitlab
from llmops_catalog.links.hosts.registry import adapters
from llmops_catalog.links.hub_access import OUTCOMES
from llmops_catalog.links.hub_client import ENDPOINT_VARIABLE, TOKEN_VARIABLE, HubEndpoint
from llmops_catalog.links.results import VERDICTS, Access, Finding, Judgement, LinkResult, ModelResult, Outcome, Report
from llmops_catalog.report.annotations import MOST_ANNOTATIONS
from llmops_catalog.report.links_machine import RULES
from llmops_catalog.report.links_markdown import LARGEST_BODY
from llmops_catalog.schema.exceptions import LinkException, LinkExceptions

ROOT = Path(__file__).parent.parent
LINKS = (ROOT / "docs" / "links.md").read_text(encoding="utf-8")
PROSE = " ".join(LINKS.split())
COMMANDS = ("check-links", "merge-links")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/links.md")
MIB = 2**20
WEEK, DAY = state.DUE_AFTER["pass"].days, state.DUE_AFTER["unknown"].days


def part(title: str) -> str:
    """What stands under a heading of the page about links, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", LINKS, re.MULTILINE | re.DOTALL)
    assert found, f"docs/links.md has no heading {title!r}"
    return found[1].strip()


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables in a text, by their first cell without its backticks."""
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return {first.strip("`"): rest for first, *rest in cells}


# --- numbers ----------------------------------------------------------------------------------------------------------

SAID = {
    "MOST_HOPS": f"| redirects | {limits.MOST_HOPS} |",
    "MOST_BODY_BYTES": f"| body | {limits.MOST_BODY_BYTES // MIB} MiB on the wire,",
    "MOST_INFLATED_BYTES": f"{limits.MOST_INFLATED_BYTES // MIB} MiB inflated",
    "BODY_SECONDS": f"| its first {page.ENOUGH_BYTES // 1024} KiB, {limits.BODY_SECONDS:g} s |",
    "LONGEST_PAUSE_SECONDS": f"| {limits.LONGEST_PAUSE_SECONDS:g} s for one host, {limits.Budget(1).pause_left:g} s for one link |",
    "MOST_PAGES_READ": f"all of a host's as long as a run has at most {limits.MOST_PAGES_READ} of them",
    "PAGES_SAMPLED": f"else the first {limits.PAGES_SAMPLED},",
    "RETRY_SECONDS": "tried three times in all, after about {:g} and {:g} seconds".format(*limits.RETRY_SECONDS),
    "MAX_HEADER_BYTES": f"| headers | {connection.MAX_HEADER_BYTES // 1024} KiB,",
    "MAX_HEADERS": f", {connection.MAX_HEADERS} of them |",
}
"""Constants of `limits`, `gate` and `connection` that concern whoever is asked or asks, and the words that tell them."""
INSIDE = {
    "FIRST_INTERVAL", "LONGEST_INTERVAL", "SHORTEST_INTERVAL", "CALMED", "MOST_REFUSALS", "SPREAD_SECONDS", "FOR_EVER_SECONDS",
    "MAX_WAITING_BYTES", "MAX_INTERIM_ANSWERS",
}  # fmt: skip
"""How politeness and safety are brought about: "more slowly" is all a reader needs."""
DEFAULTS = limits.Settings()
ELSEWHERE = [
    f"At most {DEFAULTS.concurrency} requests at once (`--concurrency`), {DEFAULTS.per_host} of them to one host (`--per-host`)",
    f"| `--timeout`, {DEFAULTS.timeout_seconds:g} s |",
    "| `--deadline`; none by default |",
    f"at most {limits.LONGEST_PAUSE_SECONDS:g} seconds for one host in a run, and {limits.LONGEST_PAUSE_SECONDS:g} seconds for one link",
    f"redirects in a circle or more than {limits.MOST_HOPS} times",
    f"on hosts of which the run has at most {chain.MOST_PAGES_PROBED} pages",
    f"it is short (under {soft404.SHORT_TEXT:,} visible characters)",
    f"up to {check.FEW_HOSTS} names that a name server says do not exist",
    f"| address | {target.MAX_LENGTH:,} characters |",
    f"| copies that `--archive` looks for | {run.MOST_ARCHIVED}, {run.ARCHIVE_SECONDS:g} s |",
    f"| {LARGEST_LIST_BYTES // MIB} MiB for `--urls-from` and `--state`, {stream.LARGEST_REPORT_BYTES // MIB} MiB for a report |",
    f"after {state.FAILURES_NEEDED} failures in a row (`--failures`) over at least {state.DAYS_NEEDED:g} day (`--days`)",
    f"| pass | after {WEEK} days,",
    f"| unknown | after {DAY} day |",
    f"{MOST_ANNOTATIONS} at most;",
    f"at most {LARGEST_BODY:,} characters",
    f"one question in {arxiv.PAUSE_SECONDS:g} seconds",
]


@pytest.mark.parametrize("words", [*SAID.values(), *ELSEWHERE])
def test_every_limit_is_told_with_its_number(words: str) -> None:
    assert words in PROSE


@pytest.mark.parametrize("module", [limits, gate, connection])
def test_no_limit_is_forgotten(module: ModuleType) -> None:
    numbers = {name for name, value in vars(module).items() if name.isupper() and name[0] != "_" and isinstance(value, int | float | tuple)}
    assert numbers <= INSIDE | SAID.keys()


def test_numbers_that_stand_together_are_the_same() -> None:
    """Where the page names one number for several constants."""
    assert state.LARGEST_FILE_BYTES == LARGEST_LIST_BYTES
    assert hub_budget.MOST_WAIT_SECONDS == limits.LONGEST_PAUSE_SECONDS
    assert len(limits.RETRY_SECONDS) + 1 == 3
    assert state.JITTER_SHARE == 1 / 5
    assert "up to a fifth more or less" in PROSE


def test_what_is_tried_again_is_told() -> None:
    told = re.search(r"an answer that may pass \(([^)]*)\)", PROSE)
    assert told
    statuses: set[int] = set()
    for item in told[1].split(", "):
        first, _, last = item.partition(" to ")
        statuses.update(range(int(first), int(last or first) + 1))
    assert statuses == policy.RETRIED_STATUSES
    assert set(check.ATTEMPTS) == {"no-such-host", "resolver", "unreachable", "tls"}
    assert set(check.ATTEMPTS.values()) == {2}
    assert "A name, a route or an encryption that fails is tried twice." in PROSE


def test_names_that_surely_exist_or_never_do_are_told() -> None:
    for name in (*resolver.CONTROL_HOSTS, *(f".{name}" for name in resolver.NEVER_DELEGATED)):
        assert f"`{name}`" in part("Names")


# --- codes ------------------------------------------------------------------------------------------------------------


CODES = dict.fromkeys([*VERDICTS, *get_args(Access), *get_args(get_type_hints(Finding)["code"]), *RULES])


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_the_heading_reports_lead_to(code: str) -> None:
    assert part(code)


OUTCOMES_OF_TROUBLES = {(verdict, outcome) for outcome, verdict, _ in policy._TROUBLES.values()}


@pytest.mark.parametrize(("verdict", "outcome"), sorted(OUTCOMES_OF_TROUBLES))
def test_verdicts_have_the_outcome_they_are_said_to_have(verdict: str, outcome: str) -> None:
    assert part(verdict).startswith(f"{outcome.capitalize()}. ")


def test_states_of_access_have_the_outcome_they_are_said_to_have() -> None:
    table = rows(part("Access to gated models"))
    said = {name: outcome for outcome, cells in table.items() for name in re.findall(r"`([\w-]+)`", cells[0])}
    assert said == {name: OUTCOMES.get(name, "unknown") for name in get_args(Access)}


def test_outcomes_and_exit_codes_are_those_of_the_code() -> None:
    assert set(get_args(Outcome)) <= rows(part("Three outcomes")).keys()
    assert rows(part("Exit codes")).keys() - {"code", "--:"} == set(map(str, (0, 1, WRONG_USAGE, COULD_NOT_RUN, STOPPED)))


def test_every_format_and_every_key_of_the_json_is_told() -> None:
    told = part("Reports")
    assert set(FORMATS) <= rows(told).keys()
    link = LinkResult("https://example.org/", (), Judgement("pass", "ok")).as_json()
    model = ModelResult("org/name", "public", None, "pass").as_json()
    shown = set(re.findall(r"`(\w+)`", told)) | {"schema"}
    assert {*Report(()).as_json(), *link, *model} <= shown


def test_every_site_is_told() -> None:
    told = re.sub(r"[^a-z]", "", " ".join(rows(part("Sites it knows"))).lower())
    assert [name for one in adapters(HubEndpoint()) if (name := type(one).__name__.lower()) not in told] == []


def test_the_exception_on_the_page_is_one() -> None:
    (shown,) = [block for block in blocks("docs/links.md", "yaml") if block.startswith("exceptions:")]
    (exception,) = LinkExceptions.model_validate(yaml.load(shown, yaml.BaseLoader)).exceptions  # noqa: S506 (makes text only, as our reader does)
    fields = part("Exceptions")
    assert exception.covers("https://www.example.org/private/page")
    assert [name for name in LinkException.model_fields if f"`{name}`" not in fields and f"{name}: " not in shown] == []
    assert [word for word in get_args(LinkException.model_fields["expect"].annotation) if f"`{word}`" not in fields] == []


# --- options, variables, inputs ---------------------------------------------------------------------------------------

OPTIONS = [(name, option) for name in COMMANDS for option in options_of(load_command(name)[0]) if option != "--help"]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_is_in_the_section_of_its_command(name: str, option: str) -> None:
    assert re.search(rf"`{option}(?![\w-])", section(name))


def test_defaults_are_told() -> None:
    told = rows(section("check-links"))
    defaults = {option: action.default for action in load_command("check-links")[0]._actions for option in action.option_strings}
    for first, (meaning, *_) in told.items():
        default = defaults.get(first.split()[0])
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert f"({default:g})" in meaning, first
        elif isinstance(default, str):
            assert f"(`{default}`)" in meaning, first


def test_no_option_is_told_that_there_is_not() -> None:
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", LINKS))
    assert told <= {option for _, option in OPTIONS}


@pytest.mark.parametrize(
    "variable",
    [ENDPOINT_VARIABLE, TOKEN_VARIABLE, github.API_VARIABLE, *github.TOKEN_VARIABLES, gitlab.TOKEN_VARIABLE],
)
def test_every_variable_is_told(variable: str) -> None:
    assert f"`{variable}`" in section("Environment")
    assert f"`{variable}`" in LINKS


def test_inputs_of_the_action_have_the_defaults_they_are_said_to_have() -> None:
    told = rows(part("In GitHub Actions"))
    for name, about in yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"].items():
        default = str(about["default"])
        assert "${{" in default or not default or f"(`{default}`)" in told[name][0], name


# --- commands ---------------------------------------------------------------------------------------------------------

SHOWN = [
    pytest.param(words[2:], id=f"{page_name} {' '.join(words[2:])}")
    for page_name in PAGES
    for block in blocks(page_name, "console")
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True))[:2] == ["$", "llmops-catalog"]
]
"""They need a network, or files of the reader's: only their words can be looked at here."""


@pytest.mark.parametrize("words", SHOWN)
def test_commands_that_are_only_shown_are_ones(words: list[str]) -> None:
    name, *rest = words
    assert load_command(name)[0].parse_args(rest).help is False


def test_there_are_commands_of_both_kinds_on_the_pages() -> None:
    names = [str(shown.values[0][0]) for shown in SHOWN]  # type: ignore[index]  # a list of words
    assert names.count("check-links") >= 10
    assert names.count("merge-links") >= 4


@pytest.mark.parametrize("page_name", PAGES)
def test_options_named_within_a_sentence_are_ones(page_name: str) -> None:
    text = (ROOT / page_name).read_text(encoding="utf-8")
    for name in COMMANDS:
        for words in re.findall(rf"`(?:llmops-catalog )?{name} ([^`\[]+)`", text):
            assert set(re.findall(r"--[a-z][a-z-]*", words)) <= set(options_of(load_command(name)[0])), words
