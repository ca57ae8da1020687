"""The run: every address asked once, each host in its own queue, tries repeated where that may help, results given out as they come."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from random import uniform
from time import monotonic
from typing import NamedTuple

from llmops_catalog.links.anchors import wanted_of
from llmops_catalog.links.ask import ApiAsk
from llmops_catalog.links.chain import SHORTEST_SECONDS, Errand, attempt
from llmops_catalog.links.exchange import Exchange, Hop, Trouble
from llmops_catalog.links.fetch import Fetcher, queue_key
from llmops_catalog.links.gate import is_limited, wait_seconds
from llmops_catalog.links.hosts import HostAdapter
from llmops_catalog.links.limits import LONGEST_PAUSE_SECONDS, Budget, Settings
from llmops_catalog.links.policy import is_worth_another_try, judge
from llmops_catalog.links.resolver import CONTROL_HOSTS
from llmops_catalog.links.results import Judgement, Link, LinkResult
from llmops_catalog.links.target import BadAddress, Target, parse_target

ATTEMPTS = {"no-such-host": 2, "resolver": 2, "unreachable": 2, "tls": 2}
"""By trouble; three for any other."""
FEW_HOSTS = 5
"""Names that may be missing at once before it is the resolver that is doubted, or half as many as pages that answered."""
PAGES_PER_PLACE = 4
"""Pages of a host under way for each request it may get at once: those that wait for another try hold up no others."""
CONTACTS = frozenset({"refused", "reset", "certificate", "incomplete-chain", "tls", "protocol", "too-large"})
"""Troubles that somebody at the other end has made: the network is there."""
LAST_ATTEMPT_AS_BROWSER = frozenset({"reset", "protocol"})
"""Some walls hang up on programs: before that counts as proof, they are asked as a browser asks."""
NOT_REACHED = Judgement("unknown", "skipped", "the run ended before its turn", "run it again, or with a longer --deadline")

NO_SUCH_NAME_IS_AN_ANSWER = sys.platform == "linux"
"""There a name server that cannot be reached is EAI_AGAIN, never EAI_NONAME (https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)."""

OnResult = Callable[[LinkResult, "Hop | None"], None]
"""Takes each result as it is known, with the last answer where a page was looked at."""
Validators = Callable[[str], "tuple[tuple[str, str], ...]"]


class _Spot(NamedTuple):
    """A link and what stands behind its ``#``."""

    link: Link
    fragment: str


class _Page(NamedTuple):
    """One page and all links into it."""

    target: Target
    spots: list[_Spot]


class Checker:
    """Checks links within `settings`; every link's result goes to `on_result` exactly once.

    `needs_names`: nothing can be reached without the resolver, so that a run without network may end at once.
    """

    def __init__(
        self,
        settings: Settings,
        on_result: OnResult,
        adapters: Sequence[HostAdapter] = (),
        validators: Validators = lambda _: (),
        fetcher: Fetcher | None = None,
    ) -> None:
        self.fetcher = fetcher or Fetcher(settings)
        self.ask = ApiAsk(self.fetcher)
        self.faults: list[str] = []
        self.saw_an_answer = False
        self.saw_no_network = False
        self.needs_names = False
        self._settings, self._adapters, self._validators, self._on_result = settings, adapters, validators, on_result
        self._open: dict[str, Link] = {}
        self._queues: dict[str, deque[_Page]] = {}
        self._workers: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._nameless: list[tuple[_Page, str, int, float]] = []
        self._answered = 0
        self._idle = asyncio.Event()
        self._stopped = False
        self._error: Exception | None = None

    async def run(self, links: Iterable[Link]) -> None:
        """Returns when every link has its result, at the latest at the deadline of the run."""
        self._open = {link.url: link for link in links}
        try:
            async with asyncio.timeout(self._settings.deadline_seconds):
                self._start()
                while self._tasks:
                    self._idle.clear()
                    await self._idle.wait()
                    if self._stopped:
                        break
        except TimeoutError:
            pass
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.fetcher.close()
        self._settle_nameless()
        if self._error is not None:
            raise self._error
        for link in list(self._open.values()):
            self._settle(link, NOT_REACHED)

    def stop(self) -> None:
        """Ends the run now; what was not reached is told as such."""
        self._stopped = True
        self._idle.set()

    # --- whose business a link is -------------------------------------------------------------------------------------

    def _start(self) -> None:
        claimed: dict[int, list[str]] = {}
        pages = []
        for url in self._open:
            number = next((number for number, adapter in enumerate(self._adapters) if adapter.claims(url)), None)
            if number is None:
                pages.append(url)
            else:
                claimed.setdefault(number, []).append(url)
        for number, urls in claimed.items():
            self._spawn(self._by_adapter(self._adapters[number], urls))
        self._by_page(pages)

    async def _by_adapter(self, adapter: HostAdapter, urls: list[str]) -> None:
        """What the site's API says; pages of which it says nothing are looked at like any other."""
        started, mine = monotonic(), frozenset(urls)

        def settle(url: str, judgement: Judgement | None) -> None:
            if judgement is not None and url in mine and url in self._open:
                self.saw_an_answer = True
                self._settle(self._open[url], judgement, 1, started)

        try:
            await adapter.judge(urls, self.ask, settle)
        except Exception as error:  # an API must never stop the run: its pages are looked at instead
            self.faults.append(f"{type(adapter).__name__}: {error!r}"[:300])
        self._by_page([url for url in urls if url in self._open])

    def _by_page(self, urls: list[str]) -> None:
        pages: dict[str, _Page] = {}
        for url in urls:
            link = self._open[url]
            try:
                target = parse_target(url)
            except BadAddress as error:
                self._settle(link, judge(Exchange(url, trouble=Trouble("bad-address", error.reason))))
                continue
            page = pages.setdefault(target.page_url, _Page(target._replace(fragment=""), []))
            page.spots.append(_Spot(link, target.fragment))
        for page in pages.values():
            key = queue_key(page.target)
            self._queues.setdefault(key, deque()).append(page)
            self.fetcher.gate(page.target).pages += 1
        for key, queue in self._queues.items():
            while self._workers.get(key, 0) < min(PAGES_PER_PLACE * self._settings.per_host, len(queue)):
                self._workers[key] = self._workers.get(key, 0) + 1
                self._spawn(self._work(key))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()

    # --- one host, one page -------------------------------------------------------------------------------------------

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        while queue:
            await self._look(queue.popleft())
        self._workers[key] -= 1

    async def _look(self, page: _Page) -> None:
        started = monotonic()
        url = page.target.page_url
        known = self._validators(page.spots[0].link.url) if len(page.spots) == 1 else ()
        errand = Errand(page.target, wanted_of([spot.fragment for spot in page.spots]), known)
        try:
            exchange, attempts = await self.exchange(errand)
        except Exception as error:  # whatever a server did that nobody thought of: it costs its own link, not the run
            self.faults.append(f"{url[:200]}: {error!r}"[:400])
            exchange, attempts = Exchange(url, trouble=Trouble("protocol", "the check itself failed on this answer")), 1
        kind = exchange.trouble.kind if exchange.trouble is not None else ""
        self._answered += bool(exchange.hops)
        self.saw_an_answer = self.saw_an_answer or bool(exchange.hops) or kind in CONTACTS
        if kind == "no-network" or (kind == "resolver" and not await self.fetcher.resolver.works()):
            self.saw_no_network = True
            if self.needs_names and not self.saw_an_answer:
                self.stop()  # all others would wait for the same
        if kind == "no-network":
            host = exchange.trouble.about if exchange.trouble is not None else ""
            self._nameless.append((page, host, attempts, started))
            return
        self._settle_page(page, exchange, attempts, started)

    def _settle_page(self, page: _Page, exchange: Exchange, attempts: int, started: float) -> None:
        for spot in page.spots:
            self._settle(spot.link, judge(exchange, spot.fragment), attempts, started, exchange)

    def _settle_nameless(self) -> None:
        """Hosts that were not found while names that surely exist were not found either. Where others answered, the network is there; and
        where "no such name" is what a server said, it counts for a few. If it says so of many, or of one that exists, it knows none.
        """
        hosts = {host for _, host, *_ in self._nameless}
        known = any(host == control or host.endswith(f".{control.removeprefix('en.')}") for host in hosts for control in CONTROL_HOSTS)
        is_few = len(hosts) <= max(FEW_HOSTS, self._answered // 2)
        is_proof = self.saw_an_answer and NO_SUCH_NAME_IS_AN_ANSWER and is_few and not known
        for page, host, attempts, started in self._nameless:
            trouble = Trouble("no-network", "this machine resolves no names: is it connected?")
            if is_proof:
                trouble = Trouble("no-such-host", f"there is no host {host[:80]}")
            self._settle_page(page, Exchange(page.target.page_url, trouble=trouble), attempts, started)

    async def exchange(self, errand: Errand) -> tuple[Exchange, int]:
        """The exchange that counts, and how many attempts it took."""
        settings = self._settings
        left = settings.timeout_seconds
        number = 0
        pause_left = LONGEST_PAUSE_SECONDS
        while True:
            number += 1
            budget = Budget(left)
            budget.pause_left = pause_left
            given = budget.left
            exchange = await attempt(self.fetcher, errand, budget)
            left -= given - budget.left
            pause_left = budget.pause_left
            if left <= SHORTEST_SECONDS or number > len(settings.retry_seconds) or not self._may_help(exchange, number):
                return exchange, number
            trouble = exchange.trouble.kind if exchange.trouble else ""
            is_last = number == len(settings.retry_seconds)
            was_limited = not trouble and is_limited(exchange.hops[-1].status, dict(exchange.hops[-1].headers))
            errand = errand._replace(fresh=True, browser_like=is_last and trouble in LAST_ATTEMPT_AS_BROWSER, without_head=was_limited)
            wait = min(settings.retry_seconds[number - 1] * uniform(0.7, 1.3), left / 2)  # noqa: S311 (jitter, no secret)
            left -= wait
            await asyncio.sleep(wait)

    def _may_help(self, exchange: Exchange, number: int) -> bool:
        if not is_worth_another_try(exchange):
            return False
        if exchange.trouble is not None:
            return number < ATTEMPTS.get(exchange.trouble.kind, 3)
        last = exchange.hops[-1]
        headers = dict(last.headers)
        if is_limited(last.status, headers):
            waiting = wait_seconds(headers) or 0.0
            return waiting <= LONGEST_PAUSE_SECONDS and self.fetcher.gate(parse_target(last.url)).is_closed
        return True

    def _settle(
        self, link: Link, judgement: Judgement, attempts: int = 0, started: float | None = None, exchange: Exchange | None = None
    ) -> None:
        if self._open.pop(link.url, None) is None:
            return  # somebody else has settled it
        elapsed_ms = round((monotonic() - started) * 1000) if started is not None else 0
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._tell(LinkResult(link.url, link.places, judgement, attempts, elapsed_ms, now), exchange.last if exchange else None)

    def _tell(self, result: LinkResult, last: Hop | None) -> None:
        """Gives a result out; where nobody can take it (a disk that is full) the run ends, and says so."""
        if self._error is not None:
            return
        try:
            self._on_result(result, last)
        except Exception as error:
            self._error = error
            self.stop()
