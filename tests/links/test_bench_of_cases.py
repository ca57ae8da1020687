"""Every misbehaving link, checked by the real program in one run: no false alarm, no missed death, no limit passed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench_of_links import LONGEST_RUN_SECONDS, record_of
from link_case import UNKNOWN, Case
from link_cases import CANARY, table

CASES = table(None)[1]
MOST_MEMORY_BYTES = 150 * 2**20
PER_HOST = 4
Record = dict[str, Any]


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """One run for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "bench of links"
    folder.mkdir(exist_ok=True)
    return record_of(Path(folder))


def shortened(text: object) -> str:
    whole = str(text)
    return whole if len(whole) < 300 else f"{whole[:300]}... ({len(whole):,} characters)"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case, record: Record) -> None:
    url = record["urls"][case.name]
    found = [link for link in record["links"] if link["url"] == url]
    assert len(found) == 1, f"{shortened(url)} has {len(found)} results"
    told = found[0]
    accepted = case.outcomes | ({UNKNOWN} if case.needs_resolver and not record["resolver"] else set())
    got = f"{told['outcome']}/{told['verdict']} ({told['http_status']}): {shortened(told['reason'])}"
    wanted = f"it is {case.truth}, so {' or '.join(sorted(accepted))} {'/'.join(sorted(case.verdicts))}"
    assert told["outcome"] in accepted, f"{shortened(url)}: {wanted}, not {got}"
    if case.verdicts and accepted == case.outcomes:
        assert told["verdict"] in case.verdicts, f"{shortened(url)}: {wanted}, not {got}"
    if case.host:
        stays_within_the_limits(case, record["hosts"][case.name])
    if case.head_first:
        assert record["first_methods"][case.name] == "HEAD", f"{url} was first asked with {record['first_methods'][case.name]}"


def stays_within_the_limits(case: Case, measured: dict[str, Any]) -> None:
    limits = {"requests": case.most_requests, "sent_bytes": case.most_bytes, "longest_seconds": case.most_seconds}
    for name, most in limits.items():
        assert most is None or measured[name] <= most, f"{name}: at most {most}, not {measured[name]}; asked {measured['asked']}"
    waited = measured["longest_wait_seconds"]
    if case.least_wait_seconds and waited is not None:
        assert waited >= case.least_wait_seconds, f"waited {waited:.2f} s at most, not {case.least_wait_seconds}"


def test_the_run_ends_by_itself_and_tells_that_links_are_dead(record: Record) -> None:
    assert not record["timed_out"], f"not done after {LONGEST_RUN_SECONDS} s: {record['complained']}"
    assert record["exit"] == 1, record["complained"] + record["said"]
    assert "Traceback" not in record["complained"]


def test_every_link_has_one_result(record: Record) -> None:
    counts = Counter(link["url"] for link in record["links"])
    assert counts == Counter(record["urls"].values())


def test_memory_stays_small(record: Record) -> None:
    assert record["peak_bytes"] <= MOST_MEMORY_BYTES, f"{record['peak_bytes'] / 2**20:.0f} MiB"


def test_no_host_serves_more_than_four_at_once(record: Record) -> None:
    crowded = {name: most for name, most in record["most_open"].items() if most > PER_HOST and not name.startswith(CANARY)}
    assert not crowded
    assert record["most_open"]["polite"] > 1, "one at a time is too polite"


def test_forbidden_addresses_were_never_connected_to(record: Record) -> None:
    assert record["canary_connections"] == 0, record["canary"]


def test_no_token_left_for_a_strange_host(record: Record) -> None:
    assert not record["token_seen"]


def test_it_says_who_it_is(record: Record) -> None:
    assert all("llmops-catalog" in agent and "http" in agent for agent in record["user_agents"]), record["user_agents"]


def test_the_table_is_large_and_its_names_are_distinct() -> None:
    names = Counter(case.name for case in CASES)
    assert len(names) >= 300
    assert [name for name, count in names.items() if count > 1] == []
