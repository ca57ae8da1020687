"""One whole check: what is remembered over several, exceptions, no network, being stopped, and what a killed job leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_double import GOOD_TOKEN, serving_hub
from live_world import HERE, QUICK, live
from misbehaving import Host, Request, Wire
from page_answers import document, hang, page, redirect, slow

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links.exceptions import Exceptions, load_exceptions
from llmops_catalog.links.hub_client import HubClient, HubEndpoint
from llmops_catalog.links.hub_drift import ModelRecord
from llmops_catalog.links.results import Link, LinkResult, ModelResult, Place
from llmops_catalog.links.run import Plan, Ran, run_check
from llmops_catalog.links.state import State
from llmops_catalog.links.stream import ResultStream, merge, read_report
from llmops_catalog.problems import Problem

PLACE = Place("catalog/a.yaml", 3, 6, "url")
FILE = page(bytes(20_000), kind="application/pdf")
ROOT = Path(__file__).parent.parent.parent


def ran(urls: Sequence[str], **more: Any) -> Ran:
    return asyncio.run(run_check(Plan(tuple(Link(url, (PLACE,)) for url in urls), more.pop("settings", QUICK), **more)))


def results(urls: Sequence[str], **more: Any) -> dict[str, LinkResult]:
    return {result.url: result for result in ran(urls, **more).report.links}


# --- over several runs ------------------------------------------------------------------------------------------------


class Memory:
    """A state file, and the days between the runs that use it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"

    def run(self, urls: Sequence[str], **more: Any) -> dict[str, LinkResult]:
        state = State.load(self.path)
        told = results(urls, state=state, **more)
        state.save(self.path)
        return told

    def one(self, url: str, **more: Any) -> LinkResult:
        return self.run([url], **more)[url]

    def passes(self, **time: float) -> None:
        """Everything in the file happened so much earlier."""

        def earlier(found: re.Match[str]) -> str:
            return f"{datetime.fromisoformat(found[0]) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"

        self.path.write_text(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", earlier, self.path.read_text()))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


def test_a_link_is_dead_when_it_fails_again_a_day_later(memory: Memory) -> None:
    with live() as world:
        url = world.host("gone").url("/gone")
        world.start()
        first = memory.one(url)
        assert first.judgement[:2] == ("unknown", "broken")
        assert first.judgement.reason == "not found (404); failed for the first time today; reported as dead after 2 failures over 1 day"
        memory.passes(hours=1)
        again = memory.one(url)
        assert (again.judgement.outcome, again.remembered) == ("unknown", False)
        memory.passes(hours=23, minutes=1)
        dead = memory.one(url)
        assert dead.judgement[:2] == ("fail", "broken")
        assert dead.judgement.reason.startswith("not found (404); failed 3 times since ")


def test_a_link_that_passed_yesterday_and_times_out_today_is_never_red(memory: Memory) -> None:
    with live() as world:
        host = world.host("mixed")
        up = True

        async def sometimes(request: Request, wire: Wire) -> None:
            await (FILE if up else hang)(request, wire)

        url = host.page("/page", sometimes)
        world.start()
        assert memory.one(url).judgement.outcome == "pass"
        up = False
        for _ in range(3):
            memory.passes(days=9)
            told = memory.one(url, settings=QUICK._replace(timeout_seconds=0.15))
            assert told.judgement[:2] == ("unknown", "timeout")


def test_what_passed_is_not_asked_for_days(memory: Memory) -> None:
    with live() as world:
        host = world.host("well")
        url = host.page("/page", FILE)
        world.start()
        assert not memory.one(url).remembered
        asked = len(host.seen)
        kept = memory.one(url)
        assert (kept.remembered, kept.judgement.outcome, kept.places, kept.attempts) == (True, "pass", (PLACE,), 0)
        assert len(host.seen) == asked
        memory.passes(days=9)
        assert not memory.one(url).remembered
        assert len(host.seen) > asked


def test_a_link_that_comes_back_starts_anew(memory: Memory) -> None:
    with live() as world:
        host = world.host("back")
        host.page("/other", FILE)
        world.start()
        url = host.url("/page")
        assert memory.one(url).judgement.outcome == "unknown"
        host.pages["/page"] = FILE
        assert memory.one(url).judgement.outcome == "pass"
        del host.pages["/page"]
        memory.passes(days=9)
        assert memory.one(url).judgement[:2] == ("unknown", "broken")


def test_a_page_is_asked_whether_it_has_changed(memory: Memory) -> None:
    with live() as world:
        host = world.host("conditional")

        async def conditional(request: Request, wire: Wire) -> None:
            same = request.headers.get("if-none-match") == '"v1"'
            await page("" if same else document(), 304 if same else 200, 'ETag: "v1"', "Last-Modified: Fri, 20 Nov 2026 00:00:00 GMT")(
                request, wire
            )

        url = host.page("/page", conditional)
        world.start()
        assert memory.one(url).judgement.http_status == 200
        for _ in range(2):
            memory.passes(days=9)
            host.seen.clear()
            told = memory.one(url)
            assert (told.judgement[:2], told.judgement.http_status) == (("pass", "ok"), 304)
            assert [request.method for request in host.seen] == ["HEAD"]
            assert host.seen[0].headers["if-modified-since"] == "Fri, 20 Nov 2026 00:00:00 GMT"


def test_validators_do_not_go_along_where_a_page_has_moved(memory: Memory) -> None:
    with live() as world:
        host = world.host("moved")
        url = host.page("/old", page(document(), 200, 'ETag: "v1"'))
        host.page("/new", page(document(), 200, 'ETag: "v2"'))
        world.start()
        memory.one(url)
        host.pages["/old"] = redirect("/new", 301)
        memory.passes(days=9)
        assert memory.one(url).judgement.verdict == "redirected-permanent"
        memory.passes(days=9)
        host.seen.clear()
        assert memory.one(url).judgement.verdict == "redirected-permanent"
        assert not any("if-none-match" in request.headers for request in host.seen)


# --- exceptions -------------------------------------------------------------------------------------------------------


def exceptions_of(folder: Path, *entries: tuple[str, str]) -> Exceptions:
    catalog = folder / "catalog"
    catalog.mkdir(exist_ok=True)
    lines = [
        f"  - {{prefix: '{prefix}', expect: {expect}, reason: shows a wall, since: 2026-01-01, until: 2099-01-01, owner: maintainers}}\n"
        for prefix, expect in entries
    ]
    (catalog / "link-exceptions.yaml").write_text(f"exceptions:\n{''.join(lines)}")
    return load_exceptions(catalog)


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


# --- no network -------------------------------------------------------------------------------------------------------


def broken_resolver(kind: int) -> Callable[..., Any]:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(kind, "as without a network")

    return look_up


def test_a_machine_that_resolves_no_name_could_not_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", broken_resolver(socket.EAI_NONAME))
    with pytest.raises(LinkCheckUnavailable) as raised:
        ran(["https://huggingface.co/a", "https://site-of-nobody.org/"])
    assert (raised.value.exit_code, raised.value.message) == (3, "this machine resolves no names: nothing could be checked")
    assert raised.value.hint == "check its network"


def test_one_answer_is_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", broken_resolver(socket.EAI_NONAME))
    with live() as world:
        url = world.host("here").page("/page", FILE)
        world.start()
        assert results([url, "https://site-of-nobody.org/"])[url].judgement.outcome == "pass"


def test_a_name_that_does_not_exist_is_proof_where_others_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *_: Any, **__: Any) -> Any:
        if host == "site-of-nobody.org":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    told = results(["https://site-of-nobody.org/"])["https://site-of-nobody.org/"]
    assert told.judgement[:3] == ("fail", "broken", "there is no host site-of-nobody.org")
    assert told.attempts == 2


# --- stopped, killed --------------------------------------------------------------------------------------------------


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "llmops_catalog", "check-links", "--no-hub", "--allow-address", str(HERE[0]), *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def mixed(host: Host) -> list[str]:
    """Some that are soon known, and some that are never."""
    return [*(host.page(f"/soon/{number}", FILE) for number in range(6)), *(host.page(f"/never/{number}", hang) for number in range(3))]


def wait_until(known: Callable[[], bool]) -> None:
    for _ in range(1000):
        if known():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def lines_of(path: Path) -> int:
    return path.read_text().count('"url"') if path.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_cancelled_still_writes_its_report(tmp_path: Path, number: signal.Signals) -> None:
    with live() as world:
        urls = mixed(world.host("half"))
        (tmp_path / "urls.txt").write_text("\n".join(urls))
        world.start()
        stream, state = tmp_path / "stream.jsonl", tmp_path / "state.json"
        process = started(tmp_path, "--urls-from", "urls.txt", "--format", "json", "--stream", str(stream), "--state", str(state))
        wait_until(lambda: lines_of(stream) >= 6)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (130, "")
        told = {link["url"]: link["verdict"] for link in json.loads(out)["links"]}
        assert told == {url: "ok" if "soon" in url else "skipped" for url in urls}
        assert len(State.load(state).memories) == 6, "what was not reached is not remembered"
        kept = read_report(stream)
        assert (len(kept.links), kept.notes) == (9, ()), "and it ended in good order"


def test_a_killed_job_leaves_what_it_knew(tmp_path: Path) -> None:
    with live() as world:
        urls = mixed(world.host("killed"))
        (tmp_path / "urls.txt").write_text("\n".join(urls))
        world.start()
        stream = tmp_path / "stream.jsonl"
        process = started(tmp_path, "--urls-from", "urls.txt", "--stream", str(stream))
        wait_until(lambda: lines_of(stream) >= 6)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=20)
        kept = read_report(stream)
        assert {link.url for link in kept.links} == set(urls[:6])
        assert kept.links[0].places[0].path == "urls.txt"
        assert kept.notes == (f"{stream}: this check was stopped before its end, after 6 links",)
        assert len(merge([kept, kept]).links) == 6


def test_a_run_in_another_thread_needs_no_signals() -> None:
    with live() as world:
        url = world.host("thread").page("/page", FILE)
        world.start()
        told: list[Ran] = []
        thread = threading.Thread(target=lambda: told.append(ran([url])))
        thread.start()
        thread.join(20)
        assert told[0].report.links[0].judgement.outcome == "pass"


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


def test_importing_the_checker_loads_neither_mkdocs_nor_the_hubs_client() -> None:
    heavy = {"mkdocs", "huggingface_hub", "material", "jinja2", "markdown", "httpx", "httpx2", "aiohttp", "requests", "rich", "ruamel"}
    script = f"import sys, llmops_catalog.links.run\nprint(*sorted({heavy!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert loaded.stdout.split() == []
