"""What the headers of an answer ask for: how long to wait, what is left of a rate limit; garbage asks for nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmops_catalog.links.gate import is_limited, remaining, wait_seconds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None), ({"retry-after": "7"}, 7), ({"retry-after": " 7 "}, 7), ({"retry-after": "1.5"}, 1.5), ({"retry-after": "0"}, 0),
        ({"retry-after": "999999999999"}, 999999999999), ({"retry-after": "-5"}, None), ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "1e3"}, None), ({"retry-after": "5 seconds"}, None),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=40), usegmt=True), "date": format_datetime(NOW, usegmt=True)}, 40),
        ({"retry-after": format_datetime(NOW - timedelta(days=40), usegmt=True), "date": format_datetime(NOW, usegmt=True)}, 0),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:05 -0000", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 5),
        ({"retry-after": "Sunday, 01-Mar-26 12:00:05 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 5),
        ({"ratelimit": '"default";r=0;t=9'}, 9), ({"ratelimit": "limit=10, remaining=0, reset=9"}, 9),
        ({"ratelimit": '"default";r=3;t=9'}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}, 9), ({"retry-after": "2", "ratelimit": '"default";r=0;t=9'}, 2),
        ({"retry-after": "garbage", "ratelimit": '"default";r=0;t=9'}, 9),
    ],
)  # fmt: skip
def test_how_long_a_host_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_seconds(headers) == seconds


def test_a_date_without_the_servers_own_is_taken_by_our_clock() -> None:
    seconds = wait_seconds({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)})
    assert seconds is not None
    assert 95 < seconds <= 100
    assert wait_seconds({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}) == 0


@pytest.mark.parametrize("date", ["garbage", "", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_a_date_to_come_back_at_counts_where_the_servers_own_is_garbage(date: str) -> None:
    seconds = wait_seconds({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": date})
    assert seconds is not None
    assert seconds > 3600


def test_a_number_too_long_to_read_is_a_long_wait() -> None:
    assert (wait_seconds({"retry-after": "9" * 13}) or 0) > 3600
    assert (wait_seconds({"retry-after": "9" * 300}) or 0) > 3600


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None), ({"ratelimit": '"default";r=50;t=30'}, (50, 30)), ({"ratelimit": "limit=100, remaining=50, reset=30"}, (50, 30)),
        ({"ratelimit": '"default";t=30;r=50;pk=:cj0x:'}, (50, 30)), ({"ratelimit": "garbage"}, None),
        ({"ratelimit": '"default";r=50'}, None),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "50", "ratelimit-reset": "30"}, (50, 30)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, (0, 30)),
        ({"x-rate-limit-remaining": "4", "x-rate-limit-reset": "30"}, (4, 30)),
        ({"x-ratelimit-remaining": "0"}, None), ({"x-ratelimit-reset": "30"}, None),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "30"}, None),
        ({"x-ratelimit-remaining": "many", "x-ratelimit-reset": "30"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000000"}, (0, 0)),
        ({"ratelimit": "garbage", "x-ratelimit-remaining": "5", "x-ratelimit-reset": "30.5"}, (5, 30.5)),
    ],
)  # fmt: skip
def test_what_is_left_of_a_rate_limit(headers: dict[str, str], left: tuple[int, float] | None) -> None:
    assert remaining(headers) == left


def test_of_several_limits_the_tightest_counts() -> None:
    """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ allows one item for each policy."""
    assert remaining({"ratelimit": '"day";r=900;t=4000, "burst";r=0;t=5'}) == (0, 5)
    assert remaining({"ratelimit": '"burst";r=7;t=5,"day";r=3;t=60'}) == (3, 60)


def test_a_reset_as_a_moment_is_counted_from_now() -> None:
    allowance = remaining({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 100)})
    assert allowance is not None
    assert allowance[0] == 0
    assert 95 < allowance[1] <= 100


@pytest.mark.parametrize(
    ("status", "headers", "limited"),
    [(429, {}, True), (503, {}, False), (503, {"retry-after": "1"}, True), (403, {}, False), (403, {"retry-after": "1"}, True),
     (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, True),
     (403, {"x-ratelimit-remaining": "9", "x-ratelimit-reset": "5"}, False),
     (200, {"retry-after": "1"}, False), (200, {"ratelimit": "r=0;t=5"}, False), (301, {"retry-after": "1"}, False),
     (500, {"retry-after": "1"}, False)],
)  # fmt: skip
def test_which_answers_ask_to_come_back_later(status: int, headers: dict[str, str], limited: bool) -> None:
    assert is_limited(status, headers) is limited
