"""One whole check: exceptions, models beside links, what is given out on the way and what is reported in the end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hub_double import GOOD_TOKEN, serving_hub
from live_world import PLACE, QUICK, exceptions_of, live, ran, results
from page_answers import FILE, hang, slow

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links.hub_client import HubClient, HubEndpoint
from llmops_catalog.links.hub_drift import ModelRecord
from llmops_catalog.links.results import LinkResult, ModelResult
from llmops_catalog.links.state import State
from llmops_catalog.links.stream import ResultStream, read_report
from llmops_catalog.problems import Problem

# --- exceptions -------------------------------------------------------------------------------------------------------


def test_exceptions_decide_what_is_asked_and_what_fails(tmp_path: Path) -> None:
    with live() as world:
        host = world.host("exceptions")
        skipped, expected, forgiven = host.url("/skip/a"), host.url("/fail/a"), host.url("/unknown/a")
        well, other = host.page("/fail/well", FILE), host.url("/other")
        world.start()
        told = exceptions_of(tmp_path, (host.url("/skip/"), "skip"), (host.url("/fail/"), "fail"), (host.url("/unknown/"), "unknown"))
        seen = {url: result.judgement for url, result in results([skipped, expected, forgiven, well, other], exceptions=told).items()}
        assert seen[skipped][:3] == ("pass", "skipped", "not asked: shows a wall (exception until 2099-01-01)")
        for url in (expected, forgiven):
            assert seen[url][:3] == ("unknown", "broken", "not found (404); expected until 2099-01-01: shows a wall")
        assert seen[well].hint == "the exception for it in catalog/link-exceptions.yaml is no longer needed: remove it"
        assert seen[other].outcome == "fail"
        assert not any(request.target.startswith("/skip/") for request in host.seen)


def test_an_exception_that_is_gone_is_forgotten_with_it(tmp_path: Path) -> None:
    """The memory kept the judgement as the exception had bent it: a day long nobody asked, and the report spoke of what was not there."""
    with live() as world:
        url = world.host("gone").url("/gone")
        world.start()
        state = State({}, 1, 0)
        excepted = exceptions_of(tmp_path, (url, "fail"))
        assert results([url], exceptions=excepted, state=state)[url].judgement.outcome == "unknown"
        told = results([url], state=state)[url]
        assert (told.judgement.outcome, told.remembered) == ("fail", False)
        assert "expected until" not in told.judgement.reason


def test_problems_of_the_exceptions_are_passed_on_first() -> None:
    problem = Problem("catalog/link-exceptions.yaml", 2, 5, "expired-exception", "it has ended", "remove it")
    items: list[Any] = []
    told = ran(["http://"], problems=(problem,), on_item=items.append)
    assert told.report.problems == (problem,)
    assert items[0] == problem
    assert [type(item) for item in items[1:]] == [LinkResult]


# --- models -----------------------------------------------------------------------------------------------------------


def test_links_and_models_are_in_one_report() -> None:
    with live() as world, serving_hub() as hub:
        url = world.host("beside").page("/page", FILE)
        hub.add("a/b", gated="auto", asked="accepted")
        world.start()
        client = HubClient(HubEndpoint(hub.url, GOOD_TOKEN))
        items: list[Any] = []
        models = (ModelRecord("a/b", PLACE, None, None), ModelRecord("c/d", PLACE, None, None))
        told = ran([url], models=models, hub=client, named_places=(hub.url,), on_item=items.append).report
        assert [(model.hub_id, model.access) for model in told.models] == [("a/b", "gated-accepted"), ("c/d", "missing-or-private")]
        assert sum(isinstance(item, ModelResult) for item in items) == 2
        assert [result.judgement.outcome for result in told.links] == ["pass"]
        assert {seen.token for seen in hub.seen} == {GOOD_TOKEN}


def test_a_hub_in_a_private_network_is_asked_only_where_it_was_named() -> None:
    """And a token never goes over an open connection to a place nobody named."""
    with serving_hub() as hub:
        hub.add("a/b")
        models = (ModelRecord("a/b", PLACE, None, None),)
        strict = QUICK._replace(allowed=())
        client = HubClient(HubEndpoint(hub.url, GOOD_TOKEN))
        assert ran([], settings=strict, models=models, hub=client).report.models[0].access == "unknown"
        assert hub.seen == []
        client = HubClient(HubEndpoint(hub.url, GOOD_TOKEN))
        assert ran([], settings=strict, models=models, hub=client, named_places=(hub.url,)).report.models[0].access == "public"
        link = ran([f"{hub.url}/a/b"], settings=strict, named_places=(hub.url,)).report.links[0]
        assert link.judgement[:2] == ("unknown", "refused"), "a link is no API"


def test_a_hub_that_never_answers_is_left_at_the_deadline() -> None:
    with live() as world:
        silent = world.host("silent hub")
        silent.otherwise = hang
        world.start()
        client = HubClient(HubEndpoint(silent.url().rstrip("/")))
        started = time.monotonic()
        told = ran(
            [], settings=QUICK._replace(timeout_seconds=30, deadline_seconds=0.4), models=(ModelRecord("a/b", PLACE, None, None),),
            hub=client, named_places=(silent.url(),),
        )  # fmt: skip
        assert time.monotonic() - started < 5
        assert told.report.models == ()
        assert told.report.notes == ("the models were not all asked about before the deadline",)


# --- what is given out ------------------------------------------------------------------------------------------------


def test_results_are_given_out_as_they_come_and_reported_in_order(tmp_path: Path) -> None:
    with live() as world:
        host = world.host("order")
        urls = [host.page(f"/{number}", slow(0.3 - 0.1 * number, FILE)) for number in range(3)]
        world.start()
        path = tmp_path / "stream.jsonl"
        with ResultStream(path) as stream:
            report = ran(urls, on_item=stream.add).report
        assert [result.url for result in report.links] == urls
        assert [result.url for result in read_report(path).links] == urls[::-1]
        assert set(read_report(path).links) == set(report.links)


def test_a_disk_that_is_full_in_the_middle_ends_the_run() -> None:
    """Contract: 3 where it could not run (disk full). It went on, without results on disk and with a traceback at the end."""
    with live() as world:
        host = world.host("disk")
        urls = [host.page(f"/{number}", FILE) for number in range(6)]
        world.start()
        taken: list[Any] = []

        def take(item: Any) -> None:
            taken.append(item)
            if len(taken) == 3:
                raise LinkCheckUnavailable("results cannot be written to x: No space left on device")

        with pytest.raises(LinkCheckUnavailable, match="No space left"):
            ran(urls, on_item=take)


def test_an_adapters_fault_is_a_note() -> None:
    class Faulty:
        def claims(self, url: str) -> bool:
            return True

        async def judge(self, *_: Any) -> None:
            raise KeyError("surprise")

    with live() as world:
        url = world.host("note").page("/page", FILE)
        world.start()
        told = ran([url], adapters=[Faulty()]).report
        assert told.notes == ("the check itself failed on Faulty: KeyError('surprise'); please report it",)
        assert told.links[0].judgement.outcome == "pass"


ROOT = Path(__file__).parent.parent.parent


def test_importing_the_checker_loads_neither_mkdocs_nor_the_hubs_client() -> None:
    heavy = {"mkdocs", "huggingface_hub", "material", "jinja2", "markdown", "httpx", "httpx2", "aiohttp", "requests", "rich", "ruamel"}
    script = f"import sys, llmops_catalog.links.run\nprint(*sorted({heavy!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert loaded.stdout.split() == []
