"""The script that keeps one issue about dead links: there is never more than one, and nothing of it is run as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops_catalog.report.links_markdown import MARKER

SCRIPT = Path(__file__).parent.parent / ".github" / "link-issue.sh"
HOSTILE = "dead: \"it's\" $(touch hacked) `touch hacked` ${GH_TOKEN} \\n %0A ::error::x @someone $'\\x41'\n<!-- --> é 漢字\n"


FAKE_GH = '''#!{python}
"""Keeps issues in a file, and knows what the script may ask of the real one: an unknown label is refused, as there."""
import json, os, sys
from pathlib import Path
store = Path(os.environ["STORE"])
data = json.loads(store.read_text())
words = sys.argv[1:]
data["calls"].append(words)

def option(name):
    return words[words.index(name) + 1]

def body():
    return Path(option("--body-file")).read_text()

def issue():
    return next(one for one in data["issues"] if one["number"] == int(words[2]))

code = 0
if words[:4] == ["api", "--method", "GET", "repos/{{owner}}/{{repo}}/issues"]:
    asked = dict(word.split("=", 1) for before, word in zip(words[4:], words[5:]) if before in ("-f", "-F"))
    found = [one for one in data["issues"] if one["state"] == asked["state"] and asked["labels"] in one["labels"]]
    print(json.dumps(found[: int(asked["per_page"])]))
elif words[:2] == ["label", "create"]:
    code = words[2] in data["labels"]
    data["labels"] = sorted({{*data["labels"], words[2]}})
elif words[:2] == ["issue", "create"]:
    code = option("--label") not in data["labels"]
    if not code:
        new = {{"number": len(data["issues"]) + 1, "state": "open", "labels": [option("--label")], "comments": []}}
        data["issues"].append({{**new, "title": option("--title"), "body": body()}})
elif words[:2] == ["issue", "edit"]:
    issue().update(title=option("--title"), body=body())
elif words[:2] == ["issue", "close"]:
    issue()["state"] = "closed"
    issue()["comments"].append(option("--comment"))
else:
    code = 64
store.write_text(json.dumps(data))
sys.exit(int(os.environ.get("GH_FAILS", code)))
'''


class Desk:
    """A repository's issues, and the script that keeps one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "store.json"
        self.report, self.json = folder / "report.md", folder / "report.json"
        self.write_json()
        (folder / "bin").mkdir()
        (folder / "bin" / "gh").write_text(FAKE_GH.format(python=sys.executable))
        (folder / "bin" / "gh").chmod(0o755)
        self.write(labels=["bug"], issues=[], calls=[])

    def write(self, **data: Any) -> None:
        self.store.write_text(json.dumps(data))

    def write_json(self, *links: tuple[str, str]) -> None:
        """The report as JSON, of which only verdicts and outcomes matter here."""
        self.json.write_text(json.dumps({"links": [{"verdict": verdict, "outcome": outcome} for verdict, outcome in links]}))

    def read(self) -> dict[str, Any]:
        return dict(json.loads(self.store.read_text()))

    def run(self, code: int, report: str = "", label: str = "dead-links", **variables: str) -> subprocess.CompletedProcess[str]:
        self.report.write_text(report)
        environment = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "STORE": str(self.store),
            "GH_REPO": "someone/catalog",
            "RUN_URL": "https://github.com/someone/catalog/actions/runs/7",
            "TMPDIR": str(self.folder),
            **variables,
        }
        command = ["bash", str(SCRIPT), str(code), str(self.json), str(self.report), label]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=30)

    def issues(self, state: str = "open") -> list[dict[str, Any]]:
        return [one for one in self.read()["issues"] if one["state"] == state]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_marker_is_the_reports_own() -> None:
    assert f"marker='{MARKER}'" in SCRIPT.read_text()


def test_an_issue_is_opened_kept_up_to_date_and_closed(desk: Desk) -> None:
    assert desk.run(1, f"{MARKER}\n# 3 dead\n").returncode == 0
    (opened,) = desk.issues()
    assert opened["labels"] == ["dead-links"]
    assert opened["title"] == "Dead links in the catalog"
    assert opened["body"].startswith(f"{MARKER}\n# 3 dead\n")
    assert opened["body"].count(MARKER) == 1
    assert "actions/runs/7" in opened["body"]
    assert desk.run(1, f"{MARKER}\n# 2 dead\n").returncode == 0
    (updated,) = desk.issues()
    assert (updated["number"], "# 2 dead" in updated["body"], "# 3 dead" in updated["body"]) == (1, True, False)
    assert desk.run(0, "nothing dead").returncode == 0
    assert desk.issues() == []
    assert "actions/runs/7" in desk.issues("closed")[0]["comments"][0]
    assert desk.run(0).returncode == 0
    assert desk.run(1, "again").returncode == 0
    (second,) = desk.issues()
    assert (second["number"], second["body"].startswith(MARKER)) == (2, True)
    assert sorted(path.name for path in desk.folder.iterdir()) == ["bin", "report.json", "report.md", "store.json"]


def test_a_clean_check_without_an_issue_changes_nothing(desk: Desk) -> None:
    assert desk.run(0).returncode == 0
    assert [call[0] for call in desk.read()["calls"]] == ["api"]


@pytest.mark.parametrize("code", [2, 3, 130])
def test_a_check_that_did_not_run_leaves_the_issue_alone(code: int, desk: Desk) -> None:
    desk.run(1, "dead")
    before = desk.read()
    done = desk.run(code, "")
    assert done.returncode == 0
    assert "stays as it is" in done.stdout
    assert desk.read() == before


def test_a_check_that_did_not_reach_every_link_closes_nothing(desk: Desk) -> None:
    desk.run(1, "dead")
    desk.write_json(("ok", "pass"), ("skipped", "unknown"))
    done = desk.run(0, "nothing dead")
    assert "may be dead: 1." in done.stdout
    assert len(desk.issues()) == 1
    desk.write_json(("ok", "pass"), ("skipped", "pass"), ("timeout", "unknown"))  # an exception says not to ask
    assert desk.run(0, "nothing dead").returncode == 0
    assert desk.issues() == []


def test_only_an_open_issue_with_label_and_marker_is_ours(desk: Desk) -> None:
    def issue(number: int, **changed: Any) -> dict[str, Any]:
        mine = {"number": number, "state": "open", "title": "t", "body": MARKER, "labels": ["dead-links"], "comments": []}
        return {**mine, **changed}

    others = [
        issue(1, body="I found a dead link"),
        issue(2, body=None),
        issue(3, labels=["bug"]),
        issue(4, state="closed"),
        issue(5, pull_request={"url": "x"}),
    ]
    desk.write(labels=["dead-links"], issues=others, calls=[])
    desk.run(1, "dead")
    assert desk.read()["issues"][:5] == others
    assert len(desk.issues()) == 5
    desk.write(labels=["dead-links"], issues=[*others, issue(6, body=f"a word of ours first\r\n{MARKER}\r\nold"), issue(7)], calls=[])
    desk.run(1, "dead")
    assert [one["number"] for one in desk.issues() if "Each check replaces" in (one["body"] or "")] == [6]
    desk.run(0)
    assert [one["number"] for one in desk.issues()] == [1, 2, 3, 5]


def test_words_are_only_words(desk: Desk) -> None:
    label = 'it\'s $(touch hacked) `touch hacked` "dead" @file'
    assert desk.run(1, HOSTILE, label, RUN_URL=HOSTILE).returncode == 0
    assert desk.run(1, HOSTILE, label, RUN_URL=HOSTILE).returncode == 0
    (kept,) = desk.issues()
    assert HOSTILE in kept["body"]
    assert kept["labels"] == [label]
    assert desk.run(0, HOSTILE, label, RUN_URL=HOSTILE).returncode == 0
    assert desk.issues() == []
    assert not (desk.folder / "hacked").exists()


def test_a_failure_of_github_is_one_of_the_job(desk: Desk) -> None:
    assert desk.run(1, "dead", GH_FAILS="1").returncode != 0
    assert desk.read()["issues"] == []
