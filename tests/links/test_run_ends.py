"""A check that is stopped, killed or out of time: a report of what it knew, and no work after its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from live_world import HERE, QUICK, live, ran
from misbehaving import Host
from page_answers import FILE, hang

from llmops_catalog.links import run as run_module
from llmops_catalog.links.hosts import Ask
from llmops_catalog.links.results import Link
from llmops_catalog.links.run import Plan, Ran, run_check
from llmops_catalog.links.state import State
from llmops_catalog.links.stream import merge, read_report


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


@pytest.mark.parametrize("stop", [False, True], ids=["deadline", "stopped"])
def test_copies_in_the_archive_are_not_looked_for_beyond_the_end(monkeypatch: pytest.MonkeyPatch, stop: bool) -> None:
    """Up to two hundred questions, one after the other, each with its tries: an hour after `--deadline`, or after SIGTERM."""
    asked: list[str] = []

    async def slow_archive(url: str, _ask: Ask) -> str | None:
        asked.append(url)
        await asyncio.sleep(0.2)
        return None

    monkeypatch.setattr(run_module, "archived_copy", slow_archive)
    with live() as world:
        host = world.host("dead")
        urls = [host.url(f"/{number}") for number in range(10)]
        world.start()
        plan = Plan(tuple(map(Link, urls)), QUICK._replace(deadline_seconds=None if stop else 0.6), archive=True)

        async def whole() -> None:
            going = asyncio.create_task(run_check(plan))
            if stop:
                while not asked:
                    await asyncio.sleep(0.02)
                os.kill(os.getpid(), signal.SIGTERM)
            await going

        asyncio.run(whole())
        assert len(asked) < 6
