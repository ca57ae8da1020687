"""The action and the page about links: inputs are used and explained, and nothing foreign is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops_catalog.links.results import ACCESS_STATES, VERDICTS

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = (ROOT / "docs" / "links.md").read_text(encoding="utf-8")
TOKENS = {"HF_TOKEN": "h", "GITHUB_TOKEN": "g"}


def step(name: str) -> str:
    """The script of a step, by its name or id."""
    (found,) = [one for one in STEPS if name in (one.get("name"), one.get("id"))]
    return str(found["run"])


def workflow(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 (makes text only; the safe one reads `on` as true)


# ---- what is written in action.yml and the workflows


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_every_input_is_used_and_explained(name: str) -> None:
    assert f"inputs.{name}" in json.dumps(STEPS)
    assert ACTION["inputs"][name]["description"].endswith(".")
    assert f"| `{name}` |" in PAGE


def test_only_inputs_that_exist_are_used() -> None:
    assert set(re.findall(r"inputs\.([\w-]+)", json.dumps(STEPS))) == set(ACTION["inputs"])
    outputs = set(re.findall(r"steps\.(\w+)\.outputs", json.dumps(ACTION)))
    assert outputs <= {one.get("id") for one in STEPS}


def test_nothing_is_inserted_into_a_script() -> None:
    scripts = [one["run"] for one in STEPS if "run" in one]
    scripts += [one["run"] for path in WORKFLOWS for job in workflow(path)["jobs"].values() for one in job["steps"] if "run" in one]
    assert len(scripts) > 5
    assert [script for script in scripts if "${{" in script or "eval" in script.split()] == []
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_steps_of_the_action_name_their_shell_and_others_work_is_pinned() -> None:
    for one in STEPS:
        assert ("run" in one) == ("shell" in one)
        assert ("run" in one) != ("uses" in one)
    used = [one["uses"] for path in WORKFLOWS for job in workflow(path)["jobs"].values() for one in job["steps"] if "uses" in one]
    for name in [*used, *(one["uses"] for one in STEPS if "uses" in one)]:
        assert name == "./" or re.fullmatch(r"actions/[\w/-]+@v\d+", name)


def test_our_own_workflow_uses_the_action_with_the_least_permissions() -> None:
    links = workflow(ROOT / ".github" / "workflows" / "links.yml")
    assert set(links["on"]) == {"pull_request", "schedule", "workflow_dispatch"}
    assert links["permissions"] == {"contents": "read"}
    assert links["jobs"]["all"]["permissions"] == {"contents": "read", "issues": "write"}
    for job in links["jobs"].values():
        (ours,) = [one for one in job["steps"] if one["uses"] == "./"]
        assert set(ours.get("with", {})) <= set(ACTION["inputs"])


# ---- the page


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_heading(verdict: str) -> None:
    assert re.search(rf"^### {verdict}$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("state", ACCESS_STATES)
def test_every_state_of_access_says_what_to_do(state: str) -> None:
    """A heading, because reports link to it by its name; then what it means and the next step."""
    assert re.search(rf"^### {state}\n\n(?:[^#\n].*\n)+\n?(?:[^#\n].*\n)*\*\*Next:\*\* ", PAGE, re.MULTILINE)


def test_workflows_on_the_page_are_ones() -> None:
    shown = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
    uses = [one for block in shown if "jobs" in block for job in block["jobs"].values() for one in job["steps"]]
    ours = [one for one in uses if one["uses"].startswith("llmops-catalog/llmops-catalog@")]
    assert len(ours) >= 2
    for one in ours:
        assert set(one.get("with", {})) <= set(ACTION["inputs"])


# ---- the steps, run


FAKE_PROGRAM = """#!{python}
import json, os, sys
from pathlib import Path
arguments = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([arguments, os.environ.get("HF_TOKEN"), os.environ.get("GITHUB_TOKEN")]) + "\\n")
if "check-links" in arguments:
    code = int(os.environ["CODE_OF_CHECK"])
    if code < 2:
        Path(arguments[arguments.index("--output") + 1]).write_text("{{}}")
    sys.exit(code)
if "--output" in arguments:
    Path(arguments[arguments.index("--output") + 1]).write_text("# Links\\n")
else:
    print("shown as " + arguments[arguments.index("--format") + 1])
sys.exit(int(os.environ["CODE_OF_CHECK"]))
"""


class Runner:
    """A job's machine: a temporary folder, a git checkout, the files a step writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout = folder, folder / "checkout"
        program = folder / "llmops-catalog" / "bin" / "llmops-catalog"
        program.parent.mkdir(parents=True)
        program.write_text(FAKE_PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        self.checkout.mkdir()
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--allow-empty", "-m", "first")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        for name in ("output", "summary", "calls"):
            (folder / name).touch()

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.checkout, check=True, capture_output=True)

    def run(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "CALLS": str(self.folder / "calls"),
            **variables,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)]
        return subprocess.run(command, cwd=self.checkout, env=environment, capture_output=True, text=True, timeout=30)

    def output(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())

    def calls(self) -> list[list[Any]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.mark.parametrize(
    ("mode", "event", "planned"),
    [
        ("", "pull_request", "pull-request"),
        ("", "schedule", "scheduled"),
        ("", "workflow_dispatch", "scheduled"),
        ("scheduled", "push", "scheduled"),
        ("pull-request", "pull_request", "pull-request"),
    ],
)
def test_the_mode_follows_the_event(mode: str, event: str, planned: str, runner: Runner) -> None:
    base = "main" if event == "pull_request" else ""
    done = runner.run("plan", MODE=mode, GITHUB_EVENT_NAME=event, GITHUB_BASE_REF=base, CATALOG="catalog", STATE_FILE=".state.json")
    assert done.returncode == 0, done.stderr
    told = runner.output()
    assert told["mode"] == planned
    assert told["cache"] == ("true" if planned == "scheduled" else "false")
    assert re.fullmatch(r"llmops-catalog-links-\d+-", told["key"])


def test_a_state_that_is_committed_needs_no_cache(runner: Runner) -> None:
    (runner.checkout / "state.json").write_text("")
    runner.git("add", "state.json")
    runner.run("plan", MODE="", GITHUB_EVENT_NAME="schedule", CATALOG="catalog", STATE_FILE="state.json")
    assert runner.output()["cache"] == "false"


@pytest.mark.parametrize(("mode", "event"), [("nightly", "schedule"), ("pull-request", "push"), ("$(touch x)", "push")])
def test_a_mode_that_cannot_be_is_said(mode: str, event: str, runner: Runner) -> None:
    done = runner.run("plan", MODE=mode, GITHUB_EVENT_NAME=event, CATALOG="catalog", STATE_FILE="x")
    assert done.returncode == 2
    assert "::error" in done.stdout
    assert not (runner.checkout / "x").exists()


@pytest.mark.parametrize("code", ["0", "1"])
def test_a_pull_request_is_checked_against_its_base_and_annotated(code: str, runner: Runner) -> None:
    done = runner.run("check", MODE="pull-request", GITHUB_BASE_REF="main", CATALOG="cat alog", PATHS="a/b.yaml\nc", STATE_FILE="s",
                      ARGS="--no-hub  --fail-on\nunknown", CODE_OF_CHECK=code, **TOKENS)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "shown as github\n"
    told, (check, annotations, summary) = runner.output(), runner.calls()
    assert check == [
        ["--catalog", "cat alog", "check-links", "--changed-since", "origin/main", "--format", "json", "--output", told["json"],
         "--no-hub", "--fail-on", "unknown", "a/b.yaml", "c"], *TOKENS.values(),
    ]  # fmt: skip
    assert annotations[0] == ["merge-links", told["json"], "--format", "github"]
    assert summary[0] == ["merge-links", told["json"], "--format", "markdown", "--output", told["report"]]
    assert told["code"] == code
    assert (runner.folder / "summary").read_text() == "# Links\n"


def test_a_schedule_checks_everything_with_the_state(runner: Runner) -> None:
    done = runner.run("check", MODE="scheduled", CATALOG="catalog", PATHS="", STATE_FILE="my state.json", ARGS="", CODE_OF_CHECK="0")
    assert done.returncode == 0, done.stderr
    json_path = runner.output()["json"]
    assert runner.calls()[0][0] == [
        "--catalog", "catalog", "check-links", "--state", "my state.json", "--format", "json", "--output", json_path,
    ]  # fmt: skip
    assert done.stdout == "shown as text\n"


def test_what_inputs_hold_is_never_run(runner: Runner) -> None:
    (runner.checkout / "file.yaml").touch()
    words = "$(touch hacked) `touch hacked` * ; touch hacked"
    done = runner.run("check", MODE="scheduled", CATALOG=words, PATHS=words, STATE_FILE=words, ARGS=words, CODE_OF_CHECK="0")
    assert done.returncode == 0, done.stderr
    assert not (runner.checkout / "hacked").exists()
    assert runner.calls()[0][0][-len(words.split()) :] == words.split()


def test_a_check_that_could_not_run_is_not_reported(runner: Runner) -> None:
    done = runner.run("check", MODE="scheduled", CATALOG="catalog", PATHS="", STATE_FILE="s", ARGS="", CODE_OF_CHECK="3")
    assert done.returncode == 0
    assert runner.output()["code"] == "3"
    assert len(runner.calls()) == 1


@pytest.mark.parametrize(
    ("mode", "code", "label", "result"),
    [
        ("pull-request", "0", "dead-links", 0),
        ("pull-request", "1", "dead-links", 1),
        ("scheduled", "1", "dead-links", 0),
        ("scheduled", "1", "", 1),
        ("scheduled", "2", "dead-links", 2),
        ("scheduled", "3", "dead-links", 3),
    ],
)
def test_the_job_fails_unless_an_issue_tells(mode: str, code: str, label: str, result: int, runner: Runner) -> None:
    assert runner.run("Result", MODE=mode, CODE=code, ISSUE_LABEL=label).returncode == result


def test_a_base_that_was_not_fetched_is_fetched(runner: Runner) -> None:
    upstream = runner.folder / "upstream"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(runner.checkout), str(upstream)], check=True, capture_output=True)
    runner.git("remote", "add", "origin", upstream.as_uri())
    runner.git("update-ref", "-d", "refs/remotes/origin/main")
    done = runner.run(
        "check", MODE="pull-request", GITHUB_BASE_REF="main", CATALOG="c", PATHS="", STATE_FILE="", ARGS="", CODE_OF_CHECK="0"
    )
    assert done.returncode == 0, done.stderr
    runner.git("rev-parse", "--verify", "origin/main^{commit}")
