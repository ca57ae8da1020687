"""`merge-links`: the parts of a split check, streams of killed jobs and whole reports as one; anything else is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from catalog_site import FORMATS, check
from commands import HELP, Answer, run_in, run_process
from misbehaving import World
from page_answers import FILE, redirect


def merge(*words: str | Path) -> Answer:
    return run_in(None, "merge-links", *map(str, words))


def link(url: str, outcome: str = "pass", verdict: str = "ok", checked_at: str = "2026-11-20T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {"url": url, "outcome": outcome, "verdict": verdict, "checked_at": checked_at, "places": [], **more}


def model(hub_id: str, access: str, outcome: str) -> dict[str, Any]:
    return {"hub_id": hub_id, "access": access, "recorded": None, "outcome": outcome, "places": []}


def report(path: Path, *links: dict[str, Any], **more: Any) -> Path:
    path.write_text(json.dumps({"schema": "llmops-catalog/links/1", "links": list(links), **more}))
    return path


@pytest.mark.parametrize("kind", ["json", "stream"])
def test_the_parts_of_a_check_are_the_check(world: World, tmp_path: Path, kind: str) -> None:
    hosts = [world.host(f"host {number}") for number in range(5)]
    urls = [host.page(f"/file/{number}", FILE) for host in hosts for number in range(4)]
    gone, moved = hosts[0].url("/gone"), hosts[1].page("/old", redirect("/file/0", 301))
    (tmp_path / "urls.txt").write_text("\n".join([*urls, gone, moved]))
    world.start()
    files = []
    for part in range(1, 4):
        file = tmp_path / f"{kind}-{part}"
        written = ["--format", "json", "--output", str(file)] if kind == "json" else ["--stream", str(file)]
        assert check("--urls-from", str(tmp_path / "urls.txt"), "--shard", f"{part}/3", *written).code in (0, 1)
        files.append(file)
    answer = merge("--format", "json", *files)
    assert answer.code == 1
    told = answer.json
    assert {found["url"] for found in told["links"]} == {*urls, gone, moved}
    assert len(told["links"]) == 22
    assert told["summary"]["verdicts"] == {"ok": 20, "redirected-permanent": 1, "broken": 1}
    assert told["notes"] == []
    assert next(found for found in told["links"] if found["url"] == gone)["places"] == [
        {"path": str(tmp_path / "urls.txt"), "line": 21, "column": 1, "field": ""}
    ]
    assert merge("--format", "json", *reversed(files)).out == answer.out, "whatever their order"
    assert merge("--format", "json", *files, *files).out == answer.out, "however often"


def test_reports_and_streams_mix_and_say_what_is_missing(tmp_path: Path) -> None:
    whole = report(tmp_path / "whole.json", link("http://a.example/"))
    stream = tmp_path / "stream.jsonl"
    lines = [
        {"schema": "llmops-catalog/links/1", "started_at": "2026-11-20T00:00:00+00:00"},
        link("http://b.example/", "unknown", "timeout"),
    ]
    stream.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"url": "http://c.exam')
    answer = merge("--format", "json", whole, stream)
    assert answer.code == 0
    assert [found["url"] for found in answer.json["links"]] == ["http://a.example/", "http://b.example/"]
    (note,) = answer.json["notes"]
    assert note.startswith(f"{stream}: this check was stopped before its end, after 1 link")
    assert merge("--fail-on", "unknown", whole, stream).code == 1


def test_of_two_checks_the_later_holds_and_of_two_at_once_the_worse(tmp_path: Path) -> None:
    early, late = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"
    gone = {"outcome": "fail", "verdict": "broken", "reason": "not found (404)"}
    one = report(
        tmp_path / "one.json", link("http://a.example/", checked_at=early, **gone), link("http://b.example/", checked_at=early),
        models=[model("a/b", "public", "pass")],
    )  # fmt: skip
    two = report(
        tmp_path / "two.json", link("http://a.example/", checked_at=late), link("http://b.example/", checked_at=early, **gone),
        models=[model("a/b", "missing-or-private", "fail")],
    )  # fmt: skip
    for files in ((one, two), (two, one)):
        answer = merge("--format", "json", *files)
        assert answer.code == 1
        assert [found["outcome"] for found in answer.json["links"]] == ["pass", "fail"]
        assert [found["access"] for found in answer.json["models"]] == ["missing-or-private"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_form(tmp_path: Path, form: str) -> None:
    place = [{"path": "catalog/a.yaml", "line": 3, "column": 6, "field": "url"}]
    gone = link("http://a.example/", "fail", "broken", reason="not found (404)", hint="find it", places=place)
    file = report(tmp_path / "a.json", gone, link("http://b.example/"), notes=["a note"])
    target = tmp_path / "out"
    answer, written = merge("--format", form, file), merge("--format", form, "--output", target, file)
    assert (answer.code, answer.err, written.code, written.out, written.err) == (1, "", 1, "", "")
    if form != "markdown":  # which tells the minute
        assert target.read_text() == answer.out
    if form == "json":
        assert json.loads(answer.out)["summary"]["fail"] == 1
    elif form == "junit":
        assert len(list(ElementTree.fromstring(answer.out).iter("failure"))) == 1  # noqa: S314 (written by us)
    elif form == "sarif":
        assert json.loads(answer.out)["runs"]
    elif form == "github":
        assert answer.out.startswith("::error file=catalog/a.yaml,line=3,col=6,title=broken::http")
    else:
        assert "http://a.example/" in answer.out


def test_what_is_merged_can_be_merged_again(tmp_path: Path) -> None:
    files = [report(tmp_path / f"{number}.json", link(f"http://{number}.example/")) for number in range(3)]
    first = merge("--format", "json", "--output", tmp_path / "first.json", *files[:2])
    assert first.code == 0
    assert merge("--format", "json", tmp_path / "first.json", files[2]).out == merge("--format", "json", *files).out


NEITHER, NO_REPORT = "neither a report of links nor lines of one", "no report of links: "
WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ": the file is empty"),
    "white": (b" \n\n", ": the file is empty"),
    "text": (b"hello\n", f":1: {NEITHER}: Expecting value"),
    "binary": (bytes(range(128, 256)), f": {NEITHER}"),
    "half a report": (b'{\n "schema": "llmops-catalog/links/1",\n "links": [', f":3: {NEITHER}"),
    "another": (
        b'{"schema": "llmops-catalog/problems/1", "links": []}',
        f": {NO_REPORT}it is of schema 'llmops-catalog/problems/1', where",
    ),
    "a list": (b"[]", f": {NO_REPORT}[] is no object of a link report"),
    "a wrong line": (b'{"schema": "llmops-catalog/links/1"}\n{"url": 3}\n', ":2: no result of a link check: "),
    "a broken line": (b'{"schema": "llmops-catalog/links/1"}\n{"url"\n{}\n', ":2: this line is no JSON"),
    "deep": (b"[" * 100_000, f": {NEITHER}"),
    "a wrong outcome": (
        b'{"schema": "llmops-catalog/links/1", "links": [{"url": "x", "outcome": "dead", "verdict": "ok"}]}',
        f": {NO_REPORT}'outcome' is 'dead', none of pass, fail, unknown",
    ),
    "a steered terminal": (b'{"schema": "\\u001b[31m\\u202e\\n::error::", "links": []}', f": {NO_REPORT}it is of schema "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_report(tmp_path: Path, name: str) -> None:
    raw, message = WRONG[name]
    path = tmp_path / "wrong.json"
    path.write_bytes(raw)
    answer = merge(path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.replace(": error[unreadable-report]", "", 1).startswith(f"{path}{message}")
    assert answer.err.endswith("help: give files that 'check-links' wrote: of --format json, or the lines it streams\n")
    assert len(answer.err.splitlines()) == 2
    assert all(char.isprintable() or char == "\n" for char in answer.err)


def test_wrong_usage(tmp_path: Path) -> None:
    nothing = merge()
    assert (nothing.code, nothing.err) == (2, f"llmops-catalog: error[usage]: say which FILE\n{HELP.format(' merge-links')}")
    missing = merge(tmp_path / "nowhere.json")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith(f"{tmp_path}/nowhere.json: error[unreadable-report]: cannot be read: No such file or directory\nhelp: ")
    assert merge(tmp_path).err.startswith(f"{tmp_path}: error[unreadable-report]: cannot be read: Is a directory\n")
    good = report(tmp_path / "good.json", link("http://a.example/"))
    assert merge("--format", "xml", good).code == 2
    assert merge("--output", tmp_path, good).code == 3


def test_what_a_file_says_is_harmless(tmp_path: Path) -> None:
    """A report comes from another job, perhaps of a stranger's pull request."""
    nasty = "\x1b[31m\u202e\n::error::pwned ##[error]x <img src=x> @somebody"
    place = [{"path": f"catalog/{nasty}.yaml", "line": 1, "column": 1, "field": nasty}]
    bad = link(f"http://a.example/{nasty}", "fail", "broken", reason=nasty, hint=nasty, final_url=nasty, archived_url=nasty, places=place)
    file = report(tmp_path / "a.json", bad, notes=[nasty], models=[{**model(nasty, "unknown", "unknown"), "hint": nasty}])
    for form in ("text", "github", "markdown"):
        answer = merge("--format", form, "--verbose", file)
        assert (answer.code, answer.err) == (1, "")
        assert "pwned" in answer.out
        assert all(char.isprintable() or char == "\n" for char in answer.out)
        lines = answer.out.splitlines()
        assert not any(line.lstrip().startswith("::error::") for line in lines)
        if form != "github":
            assert not any(line.lstrip().startswith("::") for line in lines)
            assert "##[" not in answer.out
        if form == "markdown":
            assert "<img" not in answer.out
            assert "@somebody" not in answer.out


def test_as_a_process(tmp_path: Path) -> None:
    good = report(tmp_path / "good.json", link("http://a.example/"))
    answer = run_process("merge-links", str(good), cwd=tmp_path)
    assert (answer.code, answer.out, answer.err) == (0, "1 link: 1 pass, 0 fail, 0 unknown\n", "")


def test_states_of_parts_are_one_state(world: World, tmp_path: Path) -> None:
    host = world.host("states")
    urls = [host.page(f"/file/{number}", FILE) for number in range(4)]
    world.start()
    states = [tmp_path / f"state-{part}.json" for part in range(2)]
    for part, state in enumerate(states):
        words = [word for url in urls[part * 2 : part * 2 + 2] for word in ("--url", url)]
        assert check(*words, "--state", str(state)).code == 0
    merged = tmp_path / "merged.json"
    answer = merge("--states", "--output", merged, *states)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert list(json.loads(merged.read_text())["links"]) == sorted(urls)
    remembered = check(*(word for url in urls for word in ("--url", url)), "--state", str(merged), "--format", "json").json["links"]
    assert [link["remembered"] for link in remembered] == [True] * 4


def test_what_is_no_state_is_not_merged(tmp_path: Path) -> None:
    good = report(tmp_path / "report.json", link("http://a.example/"))
    for words, message in (
        (["--states", good], "llmops-catalog: error[usage]: say which --output the merged state goes to\n"),
        (["--states", "--output", tmp_path / "out", tmp_path / "nowhere"], "llmops-catalog: error[usage]: there is no file "),
        (["--states", "--output", tmp_path / "out", good], f"{good}: error[state-file-invalid]: this is no state of links: "),
    ):
        answer = merge(*words)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(message)
    assert not (tmp_path / "out").exists()
