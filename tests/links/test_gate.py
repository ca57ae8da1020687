"""Politeness to one host, on a clock of the test's own: whatever headers say, the waits are obeyed, bounded, and end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links import gate as module
from llmops_catalog.links.exchange import NoAnswer
from llmops_catalog.links.gate import FIRST_INTERVAL, LONGEST_INTERVAL, MOST_REFUSALS, SPREAD_SECONDS, Gate, remaining, wait_seconds
from llmops_catalog.links.limits import LONGEST_PAUSE_SECONDS, MOST_PAGES_READ, PAGES_SAMPLED

QUICK = settings(max_examples=300, deadline=None)
ODD = ["", " ", "0", "1", "-1", "1.5", "1e3", "inf", "nan", "0x10", "9" * 11, "9" * 30, "soon", "١", "1, 2", "Wed", "\0", ";", "=",
'"a";r=0;t=1', "r=0;t=99",
       "limit=1, remaining=0, reset=5", "r=-1;t=-1", "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 0000 23:59:59 GMT",
       "Sun, 01 Mar 2026 12:00:05 GMT",
       "Sun, 01 Mar 2026 12:00:05 +9999", "1 Mar 2026", "2026-03-01T12:00:00Z", "1999999999", "1999999999999",
       "99999999999999999999"]  # fmt: skip
NAMES = [
    "retry-after",
    "date",
    "ratelimit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
]
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.sampled_from(ODD), st.text(max_size=20)), max_size=5)


class Clock:
    """Stands in for `monotonic` and `asyncio.sleep`: a wait takes no time, but is counted."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds
        self.slept += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "monotonic", made.monotonic)
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(Semaphore=asyncio.Semaphore, sleep=made.sleep))
    return made


def turns(gate: Gate, clock: Clock, number: int = 1) -> list[float]:
    """The moments at which so many turns began, one after the other."""

    async def run() -> list[float]:
        moments = []
        for _ in range(number):
            async with gate:
                moments.append(clock.now)
        return moments

    return asyncio.run(run())


def wait_of(status: int, headers: dict[str, str], clock: Clock) -> float:
    """How long a new gate is closed after one such answer."""
    gate = Gate(4)
    gate.answered(status, headers)
    before = clock.now
    return turns(gate, clock)[0] - before


# --- what headers do --------------------------------------------------------------------------------------------------


@QUICK
@given(HEADERS, st.sampled_from([200, 403, 429, 503, 999]))
def test_no_header_breaks_anything_or_asks_for_a_negative_wait(headers: dict[str, str], status: int) -> None:
    assert (wait_seconds(headers) or 0) >= 0
    allowance = remaining(headers)
    assert allowance is None or (allowance[0] >= 0 and allowance[1] >= 0)
    gate = Gate(1)
    gate.answered(status, headers)
    assert 0 <= gate.pause_left <= LONGEST_PAUSE_SECONDS


# --- what the gate does -----------------------------------------------------------------------------------------------


def test_an_open_gate_lets_through_at_once(clock: Clock) -> None:
    turns(Gate(1), clock, 100)
    assert clock.slept == 0


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"retry-after": "7"}, 7, 7), ({"retry-after": "0"}, 0.2, 2), ({"retry-after": "-9"}, 0.2, 2), ({"retry-after": "soon"}, 0.2, 2),
    ({}, 0.2, 2),
     ({"retry-after": "3600"}, 60, 60), ({"retry-after": "999999999999"}, 60, 60),
     ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 60, 60),
     ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.2, 2), ({"ratelimit": '"a";r=0;t=11'}, 11, 11)],
)  # fmt: skip
def test_one_refusal_closes_the_gate_as_long_as_asked_and_at_most_a_minute(
    clock: Clock, headers: dict[str, str], least: float, most: float
) -> None:
    assert least - 1e-6 <= wait_of(429, headers, clock) <= most + 1e-6


@pytest.mark.parametrize("header", [{"retry-after": "25"}, {"retry-after": "59"}, {"retry-after": "100000"}, {}, {"retry-after": "0"}])
def test_a_host_that_always_refuses_is_given_up_after_a_minute_of_waiting(clock: Clock, header: dict[str, str]) -> None:
    gate, asked = Gate(1), 0

    def ask_on() -> None:
        nonlocal asked
        while asked < 100:
            turns(gate, clock)
            asked += 1
            gate.answered(429, header)

    with pytest.raises(NoAnswer) as caught:
        ask_on()
    assert caught.value.trouble.kind == "given-up"
    assert MOST_REFUSALS < asked < 20
    assert gate.pause_left == 0
    assert clock.slept < LONGEST_PAUSE_SECONDS + 10 * LONGEST_INTERVAL


def test_answers_that_come_together_close_the_gate_once(clock: Clock) -> None:
    gate = Gate(4)
    for _ in range(4):
        gate.answered(429, {"retry-after": "10"})
    turns(gate, clock)
    assert clock.slept == pytest.approx(10)
    assert gate.pause_left == pytest.approx(LONGEST_PAUSE_SECONDS - 10)


def test_a_longer_wait_makes_a_shorter_one_longer_and_not_the_other_way_round(clock: Clock) -> None:
    gate = Gate(4)
    for seconds in ("5", "20", "1"):
        gate.answered(429, {"retry-after": seconds})
    turns(gate, clock)
    assert clock.slept == pytest.approx(20)


def test_one_answer_without_complaint_starts_the_count_anew(clock: Clock) -> None:
    gate = Gate(1)
    for _ in range(20):
        for _ in range(MOST_REFUSALS):
            gate.answered(429, {"retry-after": "30"})
        gate.answered(200, {})
        turns(gate, clock)
    assert gate.pause_left == 0


def test_the_interval_grows_with_complaints_and_shrinks_with_calm(clock: Clock) -> None:
    gate, widths = Gate(1), []

    def width() -> float:
        first, second = turns(gate, clock, 2)
        return second - first

    for _ in range(10):
        gate.answered(429, {"retry-after": "1"})
        turns(gate, clock)
        widths.append(width())
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (pytest.approx(FIRST_INTERVAL), pytest.approx(LONGEST_INTERVAL))
    widths = []
    for _ in range(100):
        gate.answered(200, {})
        widths.append(width())
    assert widths == pytest.approx(sorted(widths, reverse=True))
    assert widths[-1] == 0


def test_what_is_left_is_spread(clock: Clock) -> None:
    gate = Gate(1)
    gate.answered(200, {"ratelimit": "r=10;t=10"})
    first, second = turns(gate, clock, 2)
    assert second - first == pytest.approx(1)
    gate.answered(200, {"ratelimit": "r=1;t=999999"})
    first, second = turns(gate, clock, 2)
    assert second - first == pytest.approx(SPREAD_SECONDS)


def test_nothing_left_closes_the_gate_before_a_refusal(clock: Clock) -> None:
    assert wait_of(200, {"ratelimit": "r=0;t=8"}, clock) == pytest.approx(8)
    assert wait_of(200, {"ratelimit": "r=20;t=8"}, clock) == 0
    assert wait_of(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "100000"}, clock) == pytest.approx(60)


@QUICK
@given(st.lists(st.tuples(st.sampled_from([200, 403, 429, 503]), HEADERS), max_size=60))
def test_all_waits_together_are_bounded_whatever_a_host_answers(answers: list[tuple[int, dict[str, str]]]) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "monotonic", clock.monotonic)
        patch.setattr(module, "asyncio", SimpleNamespace(Semaphore=asyncio.Semaphore, sleep=clock.sleep))
        gate = Gate(1)
        for status, headers in answers:
            try:
                turns(gate, clock)
            except NoAnswer:
                break
            gate.answered(status, headers)
    assert clock.slept <= LONGEST_PAUSE_SECONDS + len(answers) * LONGEST_INTERVAL + 1e-6


def test_so_many_at_once_and_no_more() -> None:
    async def run() -> int:
        gate, now, most = Gate(3), 0, 0

        async def one() -> None:
            nonlocal now, most
            async with gate:
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.001)
                now -= 1

        await asyncio.gather(*(one() for _ in range(12)))
        return most

    assert asyncio.run(run()) == 3


def test_a_turn_that_is_cancelled_or_refused_gives_its_place_back() -> None:
    async def run() -> None:
        gate = Gate(1)
        gate.answered(429, {"retry-after": "30"})
        waiting = asyncio.create_task(gate.__aenter__())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        for _ in range(2 * MOST_REFUSALS):
            gate.answered(429, {"retry-after": "3600"})
        for _ in range(3):
            with pytest.raises(NoAnswer):
                async with asyncio.timeout(1), gate:
                    pass

    asyncio.run(run())


def test_when_the_host_is_left_alone_and_read_no_more(clock: Clock) -> None:
    gate = Gate(1)
    assert not gate.is_closed
    gate.answered(429, {"retry-after": "5"})
    assert gate.is_closed
    turns(gate, clock)
    assert not gate.is_closed
    assert not gate.reads_no_more
    gate.pages, gate.pages_read = MOST_PAGES_READ + 1, PAGES_SAMPLED
    assert gate.reads_no_more
