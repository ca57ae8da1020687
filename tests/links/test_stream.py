"""Results on disk: what was written is read back, a killed job's file too; what is neither is named; merging knows no order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links import stream
from llmops_catalog.links.from_json import FINDING_CODES
from llmops_catalog.links.results import ACCESS_STATES, VERDICTS, Finding, Judgement, LinkResult, ModelResult, Place, Report
from llmops_catalog.links.stream import ResultStream, UnreadableReport, merge, read_report
from llmops_catalog.problems import Problem

OUTCOMES = ("pass", "fail", "unknown")
FEW = st.sampled_from(["https://a.example/", "https://b.example/é", "http://c.example/?q=\n", "org/model"])
WORDS = st.text(max_size=6)
PERHAPS = st.none() | WORDS
PLACES = st.lists(st.builds(Place, FEW, st.integers(1, 3), st.integers(1, 9), WORDS), max_size=3).map(tuple)
JUDGEMENTS = st.builds(
    Judgement, st.sampled_from(OUTCOMES), st.sampled_from(VERDICTS), WORDS, WORDS, st.none() | st.integers(100, 599),
    PERHAPS, PERHAPS, PERHAPS,
)  # fmt: skip
TIMES = st.sampled_from(
    ["", "2026-11-20T06:00:00+00:00", "2026-11-20T06:00:00Z", "2026-11-20T07:30:00+02:00", "2026-11-19T06:00:00", "2026-11-21"]
)
LINKS = st.builds(LinkResult, FEW, PLACES, JUDGEMENTS, st.integers(0, 9), st.integers(0, 10**6), TIMES, st.booleans())
FINDINGS = st.builds(Finding, st.sampled_from(FINDING_CODES), WORDS, WORDS, st.builds(Place, FEW, st.integers(1, 3), st.just(1), WORDS))
MODELS = st.builds(
    ModelResult, FEW, st.sampled_from(ACCESS_STATES), PERHAPS, st.sampled_from(OUTCOMES), WORDS, PLACES, PERHAPS, PERHAPS,
    st.lists(FINDINGS, max_size=2).map(tuple),
)  # fmt: skip
PROBLEMS = st.builds(
    Problem, FEW, st.integers(1, 3), st.integers(1, 3), st.just("expired-exception"), WORDS, WORDS, st.sampled_from(["error", "warning"])
)
REPORTS = st.builds(
    Report, st.lists(LINKS, max_size=4).map(tuple), st.lists(MODELS, max_size=3).map(tuple), st.lists(PROBLEMS, max_size=2).map(tuple),
    st.lists(WORDS, max_size=2).map(tuple),
)  # fmt: skip


def link(url: str, outcome: str = "pass", verdict: str = "ok", checked_at: str = "", places: tuple[Place, ...] = ()) -> LinkResult:
    return LinkResult(url, places, Judgement(outcome, verdict), checked_at=checked_at)


def streamed(path: Path, report: Report) -> None:
    with ResultStream(path) as out:
        for item in (*report.links, *report.models, *report.problems, *report.notes):
            out.add(item)


@given(report=REPORTS)
def test_what_was_streamed_is_read_back(tmp_path_factory: pytest.TempPathFactory, report: Report) -> None:
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    streamed(path, report)
    assert read_report(path) == report


@given(report=REPORTS, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_the_json_of_the_contract_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, report: Report, indent: int | None, ascii_only: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.json"
    path.write_text(json.dumps(report.as_json(), indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    assert read_report(path) == report


def test_lines_are_there_as_soon_as_they_are_known(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    with ResultStream(path) as out:
        assert list(json.loads(path.read_text())) == ["schema", "started_at"]
        out.add(link("https://a.example/"))
        assert json.loads(path.read_text().splitlines()[1])["url"] == "https://a.example/"
    assert list(json.loads(path.read_text().splitlines()[-1])) == ["finished_at"]
    with ResultStream(None) as out:
        out.add(link("https://a.example/"))


KILLED = """
import os, signal, sys
from pathlib import Path
from llmops_catalog.links.results import Judgement, LinkResult
from llmops_catalog.links.stream import ResultStream
with ResultStream(Path(sys.argv[1])) as out:
    for number in range(7):
        out.add(LinkResult(f"https://a.example/{number}", (), Judgement("pass", "ok")))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_job_has_a_report(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    report = read_report(path)
    assert [result.url for result in report.links] == [f"https://a.example/{number}" for number in range(7)]
    assert report.notes == (f"{path}: this check was stopped before its end, after 7 links",)


def test_a_stream_may_end_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    streamed(path, Report(tuple(link(f"https://a.example/{number}é") for number in range(3))))
    raw = path.read_bytes()
    for end in range(raw.index(b"\n") + 1, len(raw), 7):
        path.write_bytes(raw[:end])
        assert len(read_report(path).links) <= raw[:end].count(b"\n")
        assert len(read_report(path).notes) == (0 if b"finished_at" in raw[:end] and raw[:end].endswith(b"}") else 1)


def test_an_exception_leaves_the_stream_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with suppress(KeyboardInterrupt), ResultStream(path) as out:
        out.add("the token is not valid")
        raise KeyboardInterrupt
    assert read_report(path).notes == ("the token is not valid", f"{path}: this check was stopped before its end, after 0 links")


HEADER = '{"schema": "llmops-catalog/links/1"}\n'
GOOD = {"url": "u", "outcome": "pass", "verdict": "ok"}
NEITHER = "neither a report of links nor lines of one"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "", "the file is empty"),
        ("hello\n", ":1", f"{NEITHER}: Expecting value"),
        ('{\n  "schema": x}', ":2", f"{NEITHER}: Expecting value"),
        ("[" * 200_000, "", NEITHER),
        ('{"a": ' + "9" * 5_000 + "}", "", NEITHER),
        ("[]", "", "no report of links: [] is no object of a link report"),
        ("{}", ":1", "no result of a link check: it names no schema, where a link report says 'llmops-catalog/links/1'"),
        (
            '{"schema": "llmops-catalog/fit/1"}', ":1",
            "no result of a link check: it is of schema 'llmops-catalog/fit/1', where a link report says 'llmops-catalog/links/1'",
        ),
        ('{"schema": "llmops-catalog/links/1", "links": 5}', "", "no report of links: 'links' is 5, no list"),
        ('{"schema": "llmops-catalog/links/1", "links": [5]}', "", "no report of links: 'links' has 5 at position 1, no object"),
        (HEADER + "x\n", ":2", "this line is no JSON"),
        (HEADER + "5\n", ":2", "no result of a link check: the line holds no object"),
        (HEADER + "{}\n", ":2", "no result of a link check: neither a link nor a model"),
        (HEADER + '{"note": 5}\n', ":2", "no result of a link check: 'note' is 5, no text"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_named(tmp_path: Path, text: str, place: str, message: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UnreadableReport) as caught:
        read_report(path)
    assert (caught.value.place, caught.value.message, caught.value.exit_code) == (f"{path}{place}", message, 2)
    assert caught.value.hint == "give files that 'check-links' wrote: of --format json, or the lines it streams"
    assert str(caught.value) == f"{path}{place}: {message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "maybe"}, "'outcome' is 'maybe', none of pass, fail, unknown"),
        ({"verdict": None}, "'verdict' is None, no text"),
        ({"verdict": "fine"}, f"'verdict' is 'fine', none of {', '.join(VERDICTS)}"),
        ({"url": 5}, "'url' is 5, no text"),
        ({"http_status": True}, "'http_status' is True, no whole number from 0"),
        ({"http_status": 404.5}, "'http_status' is 404.5, no whole number from 0"),
        ({"attempts": -1}, "'attempts' is -1, no whole number from 0"),
        ({"elapsed_ms": 2**60}, "'elapsed_ms' is 1152921504606846976, no whole number from 0"),
        ({"remembered": "yes"}, "'remembered' is 'yes', neither true nor false"),
        ({"checked_at": "yesterday"}, "'checked_at' is 'yesterday', no time in ISO 8601"),
        ({"final_url": ["x"]}, "'final_url' is ['x'], no text"),
        ({"places": {}}, "'places' is {}, no list"),
        ({"places": [{"path": "a", "line": 0, "column": 1, "field": ""}]}, "'line' is 0, no whole number from 1"),
        ({"places": [{"path": "a", "line": 1}]}, "'column' is missing"),
        ({"outcome": "x" * 10_000}, "'outcome' is 'xxxxxxxxxxxx...xxxxxxxxxxxxx', none of pass, fail, unknown"),
    ],
)
def test_every_type_is_checked(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(HEADER + json.dumps(GOOD) + "\n" + json.dumps({**GOOD, **change}) + "\n")
    with pytest.raises(UnreadableReport) as caught:
        read_report(path)
    assert (caught.value.place, caught.value.message) == (f"{path}:3", f"no result of a link check: {message}")


def test_models_and_problems_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for line, message in (
        ({"hub_id": "a/b", "access": "open", "outcome": "pass"}, f"'access' is 'open', none of {', '.join(ACCESS_STATES)}"),
        ({"hub_id": "a/b", "access": "public", "outcome": "pass", "findings": [{}]}, "'place' is None, no object"),
        ({"problem": {"path": "a", "line": 1, "column": 1, "code": "\x1b[2J"}}, "'code' is '\\x1b[2J', no name of a problem"),
    ):
        path.write_text(HEADER + json.dumps(line) + "\n")
        with pytest.raises(UnreadableReport) as caught:
            read_report(path)
        assert caught.value.message == f"no result of a link check: {message}"


def test_half_characters_become_whole_ones(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"schema": "llmops-catalog/links/1", "links": [{"url": "\\ud800x", "outcome": "pass", "verdict": "ok"}]}')
    assert read_report(path).links[0].url == "?x"


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableReport, match="cannot be read: No such file or directory"):
        read_report(tmp_path / "none.json")
    with pytest.raises(UnreadableReport, match="cannot be read: Is a directory"):
        read_report(tmp_path)
    monkeypatch.setattr(stream, "LARGEST_REPORT_BYTES", 2**20)
    (tmp_path / "large.json").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(UnreadableReport, match="larger than 1 MiB"):
        read_report(tmp_path / "large.json")
    with pytest.raises(LinkCheckUnavailable, match=r"cannot be written to .*: Is a directory"), ResultStream(tmp_path):
        pass
    assert Path("/dev/full").is_char_device(), "else this would write a file there"
    full = ResultStream(Path("/dev/full"))
    with pytest.raises(LinkCheckUnavailable, match="cannot be written to /dev/full: No space left on device"), full:
        pass


P, Q = Place("a.yaml", 1, 1, "url"), Place("b.yaml", 2, 2, "url")
EARLY, LATE = "2026-11-20T06:00:00+00:00", "2026-11-20T06:30:00Z"


def merged(*links: LinkResult) -> LinkResult:
    (result,) = {merge([Report((one,)) for one in order]).links[0] for order in permutations(links)}
    return result


def test_the_later_check_holds_and_places_are_united() -> None:
    assert merged(link("u", "fail", "broken", EARLY, (Q,)), link("u", "pass", "ok", LATE, (P, Q))) == link("u", "pass", "ok", LATE, (P, Q))
    assert merged(link("u", "pass", "ok", "2026-11-20T08:15:00+02:00"), link("u", "fail", "broken", EARLY)).judgement.outcome == "pass"


def test_of_two_at_the_same_time_the_worse_holds() -> None:
    assert merged(link("u", "fail", "broken", EARLY), link("u", "pass", "ok", EARLY), link("u", "unknown", "timeout", EARLY)) == link(
        "u", "fail", "broken", EARLY
    )
    assert merged(link("u", "unknown", "timeout", EARLY), link("u", "pass", "ok", "2026-11-20T06:00:00")).judgement.outcome == "unknown"
    assert merged(link("u", "fail", "broken"), link("u", "pass", "ok", EARLY)).judgement.outcome == "pass"


def test_models_keep_the_worse_and_all_findings() -> None:
    drift, renamed = Finding("gating-drift", "a", "", P), Finding("renamed", "b", "", Q)
    one = ModelResult("o/m", "public", "no", "pass", places=(Q,), findings=(drift,))
    other = ModelResult("o/m", "disabled", "no", "fail", places=(P,), findings=(renamed, drift))
    assert merge([Report((), (one,)), Report((), (other,))]).models == (other._replace(places=(P, Q), findings=(drift, renamed)),)


@given(REPORTS, REPORTS, REPORTS)
def test_merging_knows_no_order_and_no_repetition(a: Report, b: Report, c: Report) -> None:
    whole = merge([a, b, c])
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == whole
    assert merge([c, a, b]) == whole == merge([b, c, a])
    assert merge([whole, a, whole]) == merge([whole]) == whole
    assert [result.url for result in whole.links] == sorted({result.url for report in (a, b, c) for result in report.links})
    assert merge([]) == Report(())
