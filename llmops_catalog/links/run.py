"""One whole check: what to ask by exceptions and memory, the links and the models beside each other, what is reported in the end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links.addresses import spelled_address
from llmops_catalog.links.ask import ApiAsk
from llmops_catalog.links.check import Checker
from llmops_catalog.links.exceptions import Exceptions
from llmops_catalog.links.exchange import Hop
from llmops_catalog.links.fetch import Fetcher
from llmops_catalog.links.hosts import HostAdapter
from llmops_catalog.links.hosts.wayback import archived_copy
from llmops_catalog.links.hub_access import ModelRecord, check_models
from llmops_catalog.links.hub_client import HubClient
from llmops_catalog.links.limits import Settings
from llmops_catalog.links.results import Link, LinkResult, ModelResult, Report
from llmops_catalog.links.state import State, Validators
from llmops_catalog.links.target import BadAddress, parse_target
from llmops_catalog.problems import Problem

ARCHIVE_SECONDS = 300.0
MOST_ARCHIVED = 200
"""Dead links for which a copy is looked for."""


class Plan(NamedTuple):
    """What a run is about. `hub` None: no model is asked about. `on_item` takes each result, problem and note as it is known."""

    links: tuple[Link, ...]
    settings: Settings
    models: tuple[ModelRecord, ...] = ()
    hub: HubClient | None = None
    adapters: Sequence[HostAdapter] = ()
    named_places: tuple[str, ...] = ()
    exceptions: Exceptions = Exceptions()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    state: State | None = None
    drift: bool = False
    archive: bool = False
    on_item: Callable[[LinkResult | ModelResult | Problem | str], None] = lambda _: None


class Ran(NamedTuple):
    """The report, and whether somebody stopped the run."""

    report: Report
    was_stopped: bool


async def run_check(plan: Plan) -> Ran:
    """Checks everything of `plan`. Raises `LinkCheckUnavailable` where this machine reaches nothing at all."""
    return await _Run(plan).all()


def _is_number(link: Link) -> bool:
    """True where a link can be reached without looking up a name."""
    with suppress(BadAddress):
        host = parse_target(link.url).host
        return spelled_address(host) is not None or host == "localhost"
    return False


class _Run:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = datetime.now(UTC)
        self.results: dict[str, LinkResult] = {}
        fetcher = Fetcher(plan.settings)
        fetcher.trusted = {parse_target(place).origin for place in plan.named_places}
        self.checker = Checker(plan.settings, self._take, plan.adapters, self._validators, fetcher)
        self.checker.needs_names = not plan.named_places and not any(map(_is_number, plan.links))
        self.ask = ApiAsk(fetcher)
        self.was_stopped = False
        self.archiving: asyncio.Task[None] | None = None
        self.started = monotonic()

    async def all(self) -> Ran:
        plan = self.plan
        for problem in plan.problems:
            plan.on_item(problem)
        asked = [link for link in plan.links if not self._is_settled(link)]
        self._listen_for_stop()
        models, about_models = await self._links_and_models(asked)
        notes = plan.notes + about_models
        if self._has_no_network and not self.was_stopped:
            raise LinkCheckUnavailable("this machine resolves no names: nothing could be checked", "check its network")
        if plan.archive and not self.was_stopped:
            self.archiving = asyncio.create_task(self._look_for_copies())
            await asyncio.wait([self.archiving], timeout=self._seconds_left)
            self.archiving.cancel()
        notes += tuple(f"the check itself failed on {fault}; please report it" for fault in self.checker.faults[:10])
        for note in notes:
            plan.on_item(note)
        links = tuple(self.results[link.url] for link in plan.links)
        return Ran(Report(links, models, plan.problems, notes), self.was_stopped)

    @property
    def _seconds_left(self) -> float:
        """For what comes after the links."""
        deadline = self.plan.settings.deadline_seconds
        return ARCHIVE_SECONDS if deadline is None else max(deadline - (monotonic() - self.started), 0.0)

    @property
    def _has_no_network(self) -> bool:
        """True where nothing at all could be told of any link."""
        told = (result.judgement for result in self.results.values() if not result.remembered)
        return self.checker.saw_no_network and not self.checker.saw_an_answer and all(one.verdict in ("timeout", "skipped") for one in told)

    # --- parts --------------------------------------------------------------------------------------------------------

    async def _links_and_models(self, asked: list[Link]) -> tuple[tuple[ModelResult, ...], tuple[str, ...]]:
        models = asyncio.create_task(self._models())
        await self.checker.run(asked)
        if self.was_stopped or self._has_no_network:
            models.cancel()
        try:
            return await models
        except asyncio.CancelledError:
            return (), ("the models were not all asked about",)

    async def _models(self) -> tuple[tuple[ModelResult, ...], tuple[str, ...]]:
        plan = self.plan
        if plan.hub is None or not plan.models:
            return (), tuple(plan.hub.notes) if plan.hub else ()
        try:
            async with asyncio.timeout(plan.settings.deadline_seconds):
                results, notes = await check_models(plan.models, self.ask, plan.hub.hub, plan.drift, plan.hub)
        except TimeoutError:
            return (), ("the models were not all asked about before the deadline",)
        for result in results:
            plan.on_item(result)
        return results, notes

    async def _look_for_copies(self) -> None:
        dead = [result for result in self.results.values() if result.judgement.outcome == "fail"][:MOST_ARCHIVED]
        for result in dead:
            copy = await archived_copy(result.url, self.ask)
            if copy is not None:
                self.results[result.url] = result._replace(judgement=result.judgement._replace(archived_url=copy))

    # --- one link -----------------------------------------------------------------------------------------------------

    def _is_settled(self, link: Link) -> bool:
        """Skipped by an exception, or remembered and not due."""
        skipped = self.plan.exceptions.skipped(link.url)
        remembered = self.plan.state.remembered(link.url, self.now) if self.plan.state else None
        if skipped is not None:
            self._report(LinkResult(link.url, link.places, skipped))
        elif remembered is not None:
            self._report(remembered._replace(places=link.places))
        return skipped is not None or remembered is not None

    def _take(self, result: LinkResult, last: Hop | None) -> None:
        if self.plan.state is not None:
            known_by = Validators(last.header("etag") or None, last.header("last-modified") or None) if last is not None else None
            result = self.plan.state.settle(result, datetime.now(UTC), known_by if last is not None and last.status != 304 else None)
        self._report(result)

    def _report(self, result: LinkResult) -> None:
        """What is remembered is what was seen; an exception bends only what is told of it."""
        result = result._replace(judgement=self.plan.exceptions.applied(result.url, result.judgement))
        self.results[result.url] = result
        self.plan.on_item(result)

    def _validators(self, url: str) -> tuple[tuple[str, str], ...]:
        known_by = self.plan.state.validators(url) if self.plan.state else None
        return known_by.headers if known_by else ()

    def _listen_for_stop(self) -> None:
        """A job that is cancelled still writes its report."""

        def stop() -> None:
            self.was_stopped = True
            self.checker.stop()
            if self.archiving is not None:
                self.archiving.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # no main thread, or a system without
                loop.add_signal_handler(number, stop)
