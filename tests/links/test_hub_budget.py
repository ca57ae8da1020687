"""What the Hub allows in its time: no question is asked in vain, and garbled limits stop nobody."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from hub_double import HubDouble
from hub_models import check, record
from plain_http import plain_ask

from llmops_catalog.links.hub_access import HubEndpoint
from llmops_catalog.links.hub_budget import Budget, BudgetSpent, parsed
from llmops_catalog.links.hub_client import HubClient


def test_a_spent_budget_ends_the_questions_before_the_hub_says_429(hub: HubDouble) -> None:
    for number in range(30):
        hub.add(f"a/{number}")
    hub.left, hub.window_seconds = 12, 300
    results, _ = check(hub, [record(f"a/{number}") for number in range(30)])
    spent = [result for result in results if result.access == "unknown"]
    assert len(spent) >= 18
    assert all("allows no further request" in result.hint and "HF_TOKEN" in result.hint for result in spent)
    assert all(result.outcome == "unknown" for result in spent)
    assert len(hub.seen) + len(spent) == 30  # not one was sent in vain
    assert len(hub.seen) <= 12


def test_a_window_that_ends_soon_is_waited_for(hub: HubDouble) -> None:
    hub.add("a/b")
    client = HubClient(HubEndpoint(hub.url))

    async def both() -> float:
        hub.left, hub.window_seconds = 1, 1
        started = monotonic()
        await client.entry(plain_ask, "models", "a/b")
        hub.left = 100
        entries = await asyncio.gather(*(client.entry(plain_ask, "models", f"a/{number}") for number in range(4)))
        assert [entry.state for entry in entries] == ["missing"] * 4
        return monotonic() - started

    assert asyncio.run(both()) >= 0.99
    assert client.budget.waited_seconds <= 1.0
    assert len(hub.seen) == 5


@pytest.mark.parametrize(
    "header",
    ["", "0", '"api"', '"api";r=', '"api";r=-1;t=5', '"api";t=0', "r=0;t=60", ";;;;", '"api";r=0', "\x00" * 50, 
     '"api";r=0;t=nan', '"' * 5000, '"api"' + ";r=0" * 5000, '"api";r=' + "0" * 5000 + ";t=5"],
)  # fmt: skip
def test_a_garbled_rate_limit_stops_nobody(header: str) -> None:
    async def ask() -> None:
        budget = Budget(0.0)
        budget.learn({"ratelimit": header, "ratelimit-policy": header})
        async with budget.room("api"):
            pass

    asyncio.run(ask())


def test_the_recorded_headers_are_understood() -> None:
    assert parsed('"api";r=0;t=55') == {"api": {"r": 0, "t": 55}}
    assert parsed('"fixed window";"api";q=500;w=300') == {"api": {"q": 500, "w": 300}}
    assert parsed('"api" ; r = 3 ; t = 9, "pages";r=1;t=2') == {"api": {"r": 3, "t": 9}, "pages": {"r": 1, "t": 2}}


def test_a_limit_without_a_time_lasts_for_its_window() -> None:
    async def ask() -> None:
        budget = Budget(1.0)
        budget.learn({"ratelimit": '"api";r=0', "ratelimit-policy": '"fixed window";"api";q=500;w=300'})
        with pytest.raises(BudgetSpent, match="for 300 s"):
            async with budget.room("api"):
                pass
        async with budget.room("resolvers"):
            pass

    asyncio.run(ask())
