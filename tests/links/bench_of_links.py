"""Runs the real program once over every misbehaving link and notes what it said, and what the hosts saw of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from certificates import written
from link_case import Case
from link_cases import CANARY, table
from misbehaving import Host, World

LONGEST_RUN_SECONDS = 150
TOKEN = "hf_neverToBeSeenByAnyHost"  # noqa: S105 - opens nothing; it must not be sent
TOKENS = dict.fromkeys(("HF_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN"), TOKEN)


def record_of(folder: Path) -> dict[str, Any]:
    """The record of the one run; whoever comes first makes it, in whichever process the tests are."""
    kept = folder / "record.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(run(folder)))
    return json.loads(kept.read_text())


def run(folder: Path) -> dict[str, Any]:
    certificates = written(folder)
    world, cases = table(certificates)
    links = [case.url for case in cases]
    assert len(set(links)) == len(links), f"twice: {[link for link, count in Counter(links).items() if count > 1]}"
    (folder / "links.txt").write_text("\n".join([*links, "", links[0]]) + "\n", encoding="utf-8")
    world.start()
    try:
        ran = run_program(folder, certificates.authority)
    finally:
        world.stop()
    return {**ran, "resolver": resolver_knows(), **noted(world, cases)}


def run_program(folder: Path, authority: Path) -> dict[str, Any]:
    """As a person starts it, bounded in time; its peak of memory is read while it runs (`ru_maxrss` would include this process)."""
    allowed = [word for network in ("127.0.0.1/32", "::1/128") for word in ("--allow-address", network)]
    options = ["--format", "json", "--no-hub", "--timeout", "3", "--concurrency", "64", "--urls-from", "links.txt"]
    command = [sys.executable, "-m", "llmops_catalog", "check-links", *options, *allowed]
    environment = {**os.environ, **TOKENS, "SSL_CERT_FILE": str(authority)}
    started = time.monotonic()
    peak_bytes, timed_out = 0, False
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        while process.poll() is None:
            peak_bytes = max(peak_bytes, peak_of(process.pid))
            if time.monotonic() - started > LONGEST_RUN_SECONDS:
                process.send_signal(signal.SIGKILL)
                timed_out = True
            time.sleep(0.05)
    said = (folder / "stdout").read_text(encoding="utf-8", errors="replace")
    try:
        links = json.loads(said)["links"]
    except ValueError:
        links = []
    return {
        "exit": process.returncode, "timed_out": timed_out, "seconds": time.monotonic() - started, "peak_bytes": peak_bytes, "links": links,
        "said": said[-2000:] if not links else "", "complained": (folder / "stderr").read_text(encoding="utf-8", errors="replace")[-4000:],
    }  # fmt: skip


def peak_of(pid: int) -> int:
    """The most memory a process has held so far, as Linux counts it; 0 where it has ended or cannot be asked."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def resolver_knows() -> bool:
    """Whether this machine can tell that a name does not exist; without a network some can only say that they could not ask."""
    try:
        socket.getaddrinfo("no-such-host.invalid", 80)
    except socket.gaierror as problem:
        return problem.errno == socket.EAI_NONAME
    return False


def noted(world: World, cases: list[Case]) -> dict[str, Any]:
    """What the hosts saw, in plain values."""
    canaries = [host for name, host in world.hosts.items() if name.startswith(CANARY)]
    every_line = (line for host in world.hosts.values() for request in host.seen for line in (request.target, *request.lines))
    return {
        "urls": {case.name: case.url for case in cases},
        "hosts": {case.name: measures(case.host) for case in cases if case.host},
        "first_methods": {case.name: first_method(case.head_first, case.url) for case in cases if case.head_first},
        "most_open": {name: host.most_open for name, host in world.hosts.items()},
        "canary": [request.target for canary in canaries for request in canary.seen],
        "canary_connections": sum(canary.connections for canary in canaries),
        "token_seen": any(TOKEN in line for line in every_line),
        "user_agents": sorted({request.headers.get("user-agent", "") for request in world.hosts["polite"].seen}),
    }


def measures(host: Host) -> dict[str, Any]:
    moments = [request.at_seconds for request in host.seen]
    return {
        "requests": len(moments),
        "sent_bytes": host.sent_bytes,
        "longest_seconds": host.longest_seconds,
        "longest_wait_seconds": max((later - earlier for earlier, later in pairwise(moments)), default=None),
        "asked": [f"{request.method} {request.target[:80]}" for request in host.seen[:20]],
    }


def first_method(host: Host, url: str) -> str | None:
    """What the page was first asked with; a path that cannot exist may be asked for first, and otherwise."""
    return next((request.method for request in host.seen if host.url(request.target) == url), None)
