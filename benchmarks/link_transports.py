"""What the network costs a link checker: 2,000 HEAD requests to one host that takes 50 ms, 64 at once, by four clients.

    python benchmarks/link_transports.py      # installs aiohttp into build/bench the first time; it is no dependency of ours

Each client is a process of its own, in turn in one run; the time is that of the requests alone, without start and imports. Prints
medians, the rate, and CPU per request beside our own transport's (`docs/decisions/018-own-transport.md`).
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

AT_ONCE, COUNT, ROUNDS = 64, 2_000, 5
AIOHTTP_VERSION = "3.14.5"
HEADERS = (("User-Agent", "benchmark"), ("Accept", "*/*"), ("Accept-Encoding", "gzip"))
"""As many as the other clients send unasked."""

Ask = Callable[[str], Awaitable[int]]
"""Asks one address with HEAD and gives the status of the answer."""


async def ours(stack: AsyncExitStack) -> Callable[[], Ask]:
    """The checker's own: limits, gate, addresses checked."""
    from llmops_catalog.links.addresses import parse_network
    from llmops_catalog.links.fetch import Fetcher, Request
    from llmops_catalog.links.limits import Budget, Settings
    from llmops_catalog.links.target import parse_target

    fetcher = Fetcher(Settings(AT_ONCE, AT_ONCE, allowed=(parse_network("127.0.0.1"),)))
    stack.callback(fetcher.close)

    async def ask(url: str) -> int:
        return (await fetcher.hop(Request("HEAD", parse_target(url), HEADERS), Budget(20.0))).status

    return lambda: ask


async def httpcore2(stack: AsyncExitStack) -> Callable[[], Ask]:
    """httpx2's core: one `AsyncHTTPConnection` for each worker, used again and again."""
    import httpcore2

    def worker() -> Ask:
        connection: httpcore2.AsyncHTTPConnection | None = None

        async def ask(url: str) -> int:
            nonlocal connection
            if connection is None:
                connection = httpcore2.AsyncHTTPConnection(httpcore2.URL(url).origin)
                stack.push_async_callback(connection.aclose)
            return int((await connection.request("HEAD", url, headers=[("Host", url.split("/")[2]), *HEADERS])).status)

        return ask

    return worker


async def httpx2(stack: AsyncExitStack) -> Callable[[], Ask]:
    """One `AsyncClient` with as many connections as workers."""
    import httpx2

    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    client = await stack.enter_async_context(httpx2.AsyncClient(limits=limits, timeout=20.0, trust_env=False))

    async def ask(url: str) -> int:
        return int((await client.head(url)).status_code)

    return lambda: ask


async def aiohttp(stack: AsyncExitStack) -> Callable[[], Ask]:
    """One `ClientSession` with as many connections as workers; its parser is C."""
    import aiohttp  # type: ignore[import-not-found]  # it lives in an environment of its own

    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)))

    async def ask(url: str) -> int:
        async with session.head(url) as answer:
            return int(answer.status)

    return lambda: ask


CLIENTS = {"own transport": ours, "httpcore2": httpcore2, "httpx2": httpx2, "aiohttp": aiohttp}


async def measured(name: str, port: int) -> tuple[float, float, float]:
    """Wall and CPU seconds of all requests, and the peak memory of this process in MiB."""
    urls: Iterator[str] = iter([f"http://127.0.0.1:{port}/page/{number}" for number in range(COUNT)])
    async with AsyncExitStack() as stack:
        worker = await CLIENTS[name](stack)

        async def work(ask: Ask) -> None:
            for url in urls:
                if await ask(url) != 200:
                    raise SystemExit(f"{name}: no answer from {url}")

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(worker()) for _ in range(AT_ONCE)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Prints the comparison."""
    from support.installing import from_pypi
    from support.link_host import link_host

    pythons = {name: Path(sys.executable) for name in CLIENTS} | {"aiohttp": from_pypi("aiohttp", AIOHTTP_VERSION, "python")}
    found: dict[str, list[list[float]]] = {name: [] for name in CLIENTS}
    for _ in range(ROUNDS):
        for name, python in pythons.items():
            with link_host() as host:
                done = subprocess.run([python, __file__, name, str(host.port)], check=True, stdout=subprocess.PIPE)
            found[name].append(json.loads(done.stdout))
    print(f"{COUNT:,} HEAD requests, {AT_ONCE} at once, median of {ROUNDS}")
    for name, runs in found.items():
        wall, cpu, peak_mib = (statistics.median(column) for column in zip(*runs, strict=True))
        ratio = statistics.median(run[1] / mine[1] for run, mine in zip(runs, found["own transport"], strict=True))
        print(f"  {name:14} {COUNT / wall:6,.0f}/s  {cpu:.2f} s of CPU, {ratio:.1f} of ours  {peak_mib:3.0f} MiB")
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(asyncio.run(measured(sys.argv[1], int(sys.argv[2])))))
    else:
        sys.exit(main())
