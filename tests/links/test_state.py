"""Memory across runs: nothing is called dead too early, and nothing dead is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remembered_links import DAY, FAIL, HOUR, NOON, PASS, SEEN, UNKNOWN, URL, result, seen_once

from llmops_catalog.links.results import Judgement, LinkResult
from llmops_catalog.links.state import State, Validators, as_text, jitter


def runs(*seen: tuple[str, datetime], failures_needed: int = 2, days_needed: float = 1) -> list[LinkResult]:
    """What each of several runs reports; every run loads what the one before it saved."""
    reported, memories = [], {}
    for outcome, now in seen:
        state = State(memories, failures_needed, days_needed)
        reported.append(state.settle(result(SEEN[outcome]), now))
        memories = state.memories
    return reported


def outcomes(reported: list[LinkResult]) -> list[str]:
    return [one.judgement.outcome for one in reported]


def test_the_first_failure_is_unknown_and_says_when_it_counts() -> None:
    (first,) = runs(("fail", NOON))
    assert first.judgement.outcome == "unknown"
    assert first.judgement.verdict == "broken"
    assert first.judgement.http_status == 404
    assert first.judgement.hint == FAIL.hint
    assert first.judgement.reason == (
        "the server says 404 Not Found; failed for the first time today; reported as dead after 2 failures over 1 day"
    )
    assert first.places == result(FAIL).places


def test_two_failures_over_a_day_are_a_death() -> None:
    reported = runs(("fail", NOON), ("fail", NOON + HOUR), ("fail", NOON + DAY))
    assert outcomes(reported) == ["unknown", "unknown", "fail"]
    assert reported[1].judgement.reason.endswith("failed 2 times since 2026-11-02; reported as dead after 2 failures over 1 day")
    assert reported[2].judgement.reason == "the server says 404 Not Found; failed 3 times since 2026-11-02"


def test_a_day_alone_is_no_death_either() -> None:
    assert outcomes(runs(("fail", NOON), ("unknown", NOON + DAY), ("unknown", NOON + 9 * DAY))) == ["unknown"] * 3
    assert outcomes(runs(("fail", NOON), ("unknown", NOON + DAY), ("fail", NOON + 2 * DAY))) == ["unknown", "unknown", "fail"]


def test_a_pass_clears() -> None:
    assert outcomes(runs(("fail", NOON), ("pass", NOON + DAY), ("fail", NOON + 2 * DAY))) == ["unknown", "pass", "unknown"]


def test_what_passed_yesterday_and_times_out_today_is_unknown() -> None:
    reported = runs(("pass", NOON), ("unknown", NOON + DAY))
    assert reported[1].judgement == UNKNOWN


def test_without_a_state_file_a_failure_is_reported_at_once_and_as_it_was() -> None:
    assert State(failures_needed=1, days_needed=0).settle(result(FAIL), NOON) == result(FAIL)


@pytest.mark.parametrize(
    ("failures", "days", "told"),
    [(3, 0, "after 3 failures"), (1, 2, "after 1 failure over 2 days"), (2, 0.5, "after 2 failures over 0.5 days")],
)
def test_the_reason_counts_in_words_that_fit(failures: int, days: float, told: str) -> None:
    assert runs(("fail", NOON), failures_needed=failures, days_needed=days)[0].judgement.reason.endswith(f"reported as dead {told}")


def test_one_run_counts_one_failure() -> None:
    state = State({}, failures_needed=2, days_needed=0)
    assert [state.settle(result(FAIL), NOON + n * HOUR).judgement.outcome for n in range(3)] == ["unknown"] * 3
    assert state.memories[URL].failures == 1
    assert State(state.memories, 2, 0).settle(result(FAIL), NOON + DAY).judgement.outcome == "fail"


def test_what_was_skipped_changes_nothing() -> None:
    state = State()
    skipped = result(Judgement("unknown", "skipped", "the run's deadline was over"))
    assert state.settle(skipped, NOON) == skipped
    assert state.memories == {}


HISTORY = st.lists(st.tuples(st.sampled_from(["pass", "fail", "unknown"]), st.integers(0, 40)), min_size=1, max_size=25)


@given(history=HISTORY, needed=st.integers(1, 4), days=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_n_failures_over_d_days_whatever_lies_between(history: list[tuple[str, int]], needed: int, days: float) -> None:
    now, seen = NOON, []
    for outcome, hours in history:
        now += hours * HOUR
        seen.append((outcome, now))
    failed: list[datetime] = []
    for (outcome, at), reported in zip(seen, runs(*seen, failures_needed=needed, days_needed=days), strict=True):
        failed = [] if outcome == "pass" else [*failed, at] if outcome == "fail" else failed
        dead = outcome == "fail" and len(failed) >= needed and at - failed[0] >= days * DAY
        assert reported.judgement.outcome == ("fail" if dead else "unknown" if outcome == "fail" else outcome)
        assert reported.judgement.verdict == SEEN[outcome].verdict


@given(history=HISTORY, hours=st.integers(0, 23), now=st.sampled_from(["pass", "fail", "unknown"]))
def test_what_passed_within_a_day_is_never_red(history: list[tuple[str, int]], hours: int, now: str) -> None:
    time, seen = NOON, []
    for outcome, gap in history:
        time += gap * HOUR
        seen.append((outcome, time))
    assert runs(*seen, ("pass", time), (now, time + hours * HOUR))[-1].judgement.outcome != "fail"


# --- due --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "days"), [("pass", 7), ("unknown", 1)])
def test_due_after_a_while_that_is_longer_for_what_passed(outcome: str, days: int) -> None:
    state = seen_once(outcome)
    assert not state.due(URL, NOON)
    assert not state.due(URL, NOON + 0.79 * days * DAY)
    assert state.due(URL, NOON + 1.21 * days * DAY)
    exact = state.memories[URL].due_at
    assert (state.due(URL, exact - timedelta(seconds=1)), state.due(URL, exact)) == (False, True)


def test_new_addresses_and_failures_are_due_in_every_run() -> None:
    assert State().due(URL, NOON)
    assert State().remembered(URL, NOON) is None
    state = seen_once("fail")
    assert state.due(URL, NOON)
    assert state.remembered(URL, NOON) is None


def test_a_catalog_checked_in_one_day_is_not_due_in_one_day() -> None:
    shares = sorted(jitter(f"https://example.org/{number}") for number in range(2000))
    assert -0.2 <= shares[0] < -0.19
    assert 0.19 < shares[-1] <= 0.2
    assert abs(sum(shares) / len(shares)) < 0.02
    assert jitter(URL) == jitter(URL)
    assert -0.2 <= jitter("https://example.org/\ud800") <= 0.2


def test_what_is_not_due_is_answered_from_memory() -> None:
    moved = Judgement(
        "pass", "redirected-permanent", "moved for good", "write the new address", 301, "https://example.org/b", "https://example.org/b"
    )
    state = State()
    state.settle(result(moved), NOON)
    answer = state.remembered(URL, NOON + DAY)
    assert answer == LinkResult(URL, (), moved, checked_at="2026-11-02T12:00:00Z", remembered=True)
    assert state.seen(URL) == moved
    assert state.seen("https://example.org/other") is None


def test_a_clock_that_jumps_back_checks_again_and_heals() -> None:
    state = seen_once("pass", NOON + 900 * DAY)
    assert state.due(URL, NOON)
    assert outcomes(runs(("pass", NOON + 900 * DAY), ("fail", NOON), ("fail", NOON + DAY))) == ["pass", "unknown", "fail"]
    assert outcomes(runs(("fail", NOON + 900 * DAY), ("fail", NOON), ("fail", NOON + DAY))) == ["unknown", "unknown", "fail"]


def test_a_due_time_in_another_century_is_not_believed() -> None:
    memory = seen_once("pass").memories[URL]._replace(due_at=NOON + 30000 * DAY)
    assert State({URL: memory}).due(URL, NOON + 9 * DAY)
    assert not State({URL: memory}).due(URL, NOON + DAY)


# --- conditional requests ---------------------------------------------------------------------------------------------


DATE = "Mon, 02 Nov 2026 11:00:00 GMT"


def test_a_page_that_was_well_is_asked_whether_it_changed() -> None:
    state = State()
    state.settle(result(PASS), NOON, Validators('W/"a-1"', DATE))
    known = state.validators(URL)
    assert known == Validators('W/"a-1"', DATE)
    assert known.headers == (("If-None-Match", 'W/"a-1"'), ("If-Modified-Since", DATE))
    assert Validators(None, DATE).headers == (("If-Modified-Since", DATE),)
    assert State().validators(URL) is None
    state.settle(result(PASS._replace(http_status=304)), NOON + DAY)
    assert state.validators(URL) == known
    state.settle(result(PASS), NOON + DAY)
    assert state.validators(URL) is None


@pytest.mark.parametrize("judgement", [FAIL, UNKNOWN, Judgement("pass", "redirected-temporary", final_url="https://example.org/end")])
def test_no_validators_of_what_was_not_well_or_lies_elsewhere(judgement: Judgement) -> None:
    state = State()
    state.settle(result(PASS), NOON, Validators('"a"'))
    state.settle(result(judgement), NOON + DAY, Validators('"b"'))
    assert state.validators(URL) is None


@pytest.mark.parametrize("etag", ['"a"\r\nHost: evil', "no quotes", '"' + "x" * 300 + '"', '"ü"', '"a"b"', '"a\x00"', ""])
def test_a_validator_that_could_not_be_sent_is_not_kept(etag: str, tmp_path: Path) -> None:
    state = State()
    state.settle(result(PASS), NOON, Validators(etag, f"Mon\n{etag}"))
    assert state.validators(URL) is None
    forged = seen_once("pass").memories[URL]._replace(etag=etag, last_modified="x\r\ny")
    path = tmp_path / "state.json"
    path.write_text(as_text({URL: forged}))
    assert State.load(path).validators(URL) is None
