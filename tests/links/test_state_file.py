"""The file that remembers: it comes back as it was, merges in any order, and no file can do harm."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remembered_links import DAY, FAIL, HOUR, NOON, PASS, SEEN, URL, result, seen_once

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links import state as state_module
from llmops_catalog.links.results import VERDICTS, Judgement
from llmops_catalog.links.state import SCHEMA, Memory, State, StateFileInvalid, as_text, merge


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all the examples of a property."""
    return tmp_path_factory.mktemp("state") / "state.json"


TIMES = st.sampled_from([NOON + n * 6 * HOUR for n in range(8)])
TEXTS = st.text(max_size=20)
MEMORIES = st.builds(
    Memory,
    last_checked_at=TIMES,
    due_at=TIMES,
    judgement=st.builds(
        Judgement,
        outcome=st.sampled_from(["pass", "fail", "unknown"]),
        verdict=st.sampled_from(VERDICTS),
        reason=TEXTS,
        hint=TEXTS,
        http_status=st.none() | st.integers(100, 599),
        final_url=st.none() | st.just("https://example.org/é"),
        better_url=st.none(),
        archived_url=st.none(),
    ),
    failures=st.integers(0, 5),
    first_failed_at=st.none() | TIMES,
    last_failed_at=st.none() | TIMES,
    last_passed_at=st.none() | TIMES,
    etag=st.none() | st.just('"e"'),
    last_modified=st.none() | st.just("Mon, 02 Nov 2026 11:00:00 GMT"),
)
STATES = st.dictionaries(st.sampled_from(["https://a.example/", "https://b.example/ü", "https://c.example/\ud800"]), MEMORIES)


@given(one=STATES, other=STATES, third=STATES)
@settings(max_examples=60)
def test_states_merge_in_any_order(one: dict[str, Memory], other: dict[str, Memory], third: dict[str, Memory]) -> None:
    assert merge(one, other) == merge(other, one)
    assert merge(merge(one, other), third) == merge(one, merge(other, third))
    assert merge(one, one) == one
    assert merge(one, {}) == one


@given(memories=STATES)
@settings(max_examples=50)
def test_a_file_comes_back_as_it_was(memories: dict[str, Memory], shared_path: Path) -> None:
    State(memories).save(shared_path)
    assert State.load(shared_path).memories == memories


def test_a_merge_knows_that_the_other_side_saw_it_pass() -> None:
    ours = State(seen_once("fail").memories)
    ours.settle(result(FAIL), NOON + 3 * DAY)
    together = merge(ours.memories, seen_once("pass", NOON + 2 * DAY).memories)
    assert State(together).settle(result(FAIL), NOON + 3 * DAY + HOUR).judgement.outcome == "unknown"
    assert State(together).settle(result(FAIL), NOON + 4 * DAY).judgement.outcome == "fail"
    cleared = merge(seen_once("fail").memories, seen_once("pass", NOON + 2 * DAY).memories)
    assert State(cleared).settle(result(FAIL), NOON + 3 * DAY).judgement.outcome == "unknown"


def test_a_commit_of_the_file_is_a_small_diff(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = State()
    for letter in "cab":
        state.settle(result(PASS, f"https://{letter}.example/"), NOON)
    state.save(path)
    before = path.read_text().splitlines()
    state.settle(result(FAIL, "https://b.example/"), NOON + DAY)
    state.save(path)
    after = path.read_text().splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    data = json.loads(path.read_text())
    assert data["schema"] == SCHEMA
    assert list(data["links"]) == sorted(data["links"])
    assert data["links"]["https://b.example/"]["last_passed_at"] == "2026-11-02T12:00:00Z"
    assert path.read_text().isascii()


def test_addresses_that_left_the_catalog_are_forgotten_when_everything_was_checked(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = State({**seen_once("pass").memories, **seen_once("pass", url="https://gone.example/").memories})
    state.save(path)
    assert len(State.load(path).memories) == 2
    state.save(path, keep=[URL, "https://new.example/"])
    assert list(State.load(path).memories) == [URL]


def test_no_file_or_an_empty_one_is_an_empty_memory(tmp_path: Path) -> None:
    assert State.load(tmp_path / "none.json").memories == {}
    (tmp_path / "empty.json").write_text("\n")
    assert State.load(tmp_path / "empty.json").memories == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"schema": "llmops-catalog/link-state/2", "links": {}}',
        b'{"schema": ["x"], "links": {}}',
        b'{"links": {}}',
        b'{"schema": "llmops-catalog/link-state/1", "links": []}',
        b'{"schema": "llmops-catalog/link-state/1"}',
        b'<<<<<<< HEAD\n{"schema": 1}\n=======\n{}\n>>>>>>> b\n',
        b"[" * 100_000,
        b"9" * 100_000,
    ],
)
def test_what_is_no_state_is_refused_with_the_way_out(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(raw)
    with pytest.raises(StateFileInvalid) as caught:
        State.load(path)
    assert caught.value.exit_code == 2
    assert caught.value.place == str(path)
    assert "delete this one" in caught.value.hint
    assert len(caught.value.message) < 200


def test_a_folder_a_pipe_and_a_giant_are_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StateFileInvalid, match="plain file"):
            State.load(path)
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(state_module.LARGEST_FILE_BYTES + 1)  # a hole: takes no disk
    with pytest.raises(StateFileInvalid, match="64 MiB"):
        State.load(tmp_path / "giant")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LinkCheckUnavailable, match="cannot be written") as caught:
        State().save(tmp_path / "file" / "state.json")
    assert caught.value.exit_code == 3


GOOD: dict[str, Any] = {"outcome": "pass", "verdict": "ok", "last_checked_at": "2026-11-02T12:00:00Z"}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "ok",
        {},
        {**GOOD, "outcome": "fine"},
        {**GOOD, "outcome": ["pass"]},
        {**GOOD, "verdict": None},
        {**GOOD, "last_checked_at": "yesterday"},
        {**GOOD, "last_checked_at": "0001-01-01T00:00:00+14:00"},
        {**GOOD, "last_checked_at": "9999-12-31T23:59:59Z"},
        {**GOOD, "last_checked_at": 1},
    ],
)
def test_an_entry_nobody_can_read_is_forgotten_alone(entry: Any, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"schema": SCHEMA, "links": {URL: entry, "https://good.example/": GOOD}}, indent=2))
    state = State.load(path)
    assert list(state.memories) == ["https://good.example/"]
    assert state.due(URL, NOON)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
FIELDS = st.sampled_from([*Memory._fields, *Judgement._fields, "unheard-of"])


@given(changed=st.dictionaries(FIELDS, VALUES | st.just("2026-11-02T12:00:00+02:00")), now=TIMES, outcome=st.sampled_from(list(SEEN)))
@settings(max_examples=150)
def test_a_hand_edited_entry_never_stops_a_run(changed: dict[str, Any], now: datetime, outcome: str, shared_path: Path) -> None:
    path = shared_path
    path.write_text(json.dumps({"schema": SCHEMA, "links": {URL: {**GOOD, **changed}}}))
    state = State.load(path)
    state.due(URL, now)
    state.validators(URL)
    state.remembered(URL, now)
    state.settle(result(SEEN[outcome]), now)
    state.save(path)
    assert State.load(path).memories == state.memories


def test_what_a_server_says_does_not_swell_the_file() -> None:
    state = State()
    state.settle(result(Judgement("unknown", "blocked", "x" * 10**6, "y" * 10**6, 403, "https://example.org/" + "z" * 10**6)), NOON)
    assert len(as_text(state.memories)) < 2000
