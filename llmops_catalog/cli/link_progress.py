"""How far a link check has come: a bar on a terminal with the dead as they are found, elsewhere a plain line now and then."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from llmops_catalog.report.annotations import inert
from llmops_catalog.report.link_findings import host_of
from llmops_catalog.report.tables import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from llmops_catalog.links.results import LinkResult

LINE_SECONDS = 30.0
"""Between two plain lines, so that a log stays short and a CI job is not taken for hung."""
REDRAWS_PER_SECOND = 4
SHOWN_HOSTS, SHOWN_DEAD = 3, 50
"""Hosts named at once; dead links printed as they are found (all of them are in the report)."""
RATE_SECONDS = 1.0
"""How long a check runs before its rate means anything."""


class Progress:
    """Tells on `stream` (standard error) how a check goes on; nothing of it remains on a terminal when it is left.

    `total` says what is to come, `update` is called with each result as it is known.
    """

    def __init__(self, stream: TextIO | None = None, line_seconds: float = LINE_SECONDS) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._line_seconds = line_seconds
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._outcomes: Counter[str] = Counter()
        self._hosts: Counter[str] = Counter()
        self._started = self._told = monotonic()

    def __enter__(self) -> Progress:
        self._started = self._told = monotonic()
        if self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._bar = self._new_bar()
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def total(self, links: int, urls: Iterable[str] = ()) -> None:
        """How many links there are to check; with their addresses it can be told which hosts are still waited for."""
        self._total = links
        self._hosts = Counter(host_of(url) for url in urls)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=links)

    def update(self, result: LinkResult) -> None:
        """One link is judged."""
        self._outcomes[result.judgement.outcome] += 1
        host = host_of(result.url)
        if self._hosts[host] > 1:
            self._hosts[host] -= 1
        else:
            del self._hosts[host]
        if self._bar is not None and self._task is not None:
            if result.judgement.outcome == "fail" and self._outcomes["fail"] <= SHOWN_DEAD:
                self._print_above(result)
            self._bar.advance(self._task)
        elif monotonic() - self._told >= self._line_seconds:
            self._told = monotonic()
            self._stream.write(f"checked {self.done:,} of {self._total:,} links: {self.line()}\n")
            self._stream.flush()

    @property
    def done(self) -> int:
        """Links judged so far."""
        return self._outcomes.total()

    def line(self) -> str:
        """Counts, rate and the hosts still waited for: ``8 pass, 1 fail, 0 unknown; 35/s; waiting for example.org (2)``."""
        seconds = monotonic() - self._started
        counts = ", ".join(f"{self._outcomes[outcome]:,} {outcome}" for outcome in ("pass", "fail", "unknown"))
        rate = f"; {self.done / seconds:,.0f}/s" if seconds >= RATE_SECONDS and self.done >= seconds else ""
        hosts = Counter(dict(self._hosts))  # a copy in one step: the bar is drawn by a thread of its own
        waiting = ", ".join(f"{printable(host[:60])} ({left:,})" for host, left in hosts.most_common(SHOWN_HOSTS))
        more = f" and {len(hosts) - SHOWN_HOSTS:,} more" if len(hosts) > SHOWN_HOSTS else ""
        return inert(f"{counts}{rate}{f'; waiting for {waiting}{more}' if waiting else ''}")

    def _new_bar(self) -> Bar:
        """A bar that asks `line` for its words when it is drawn, so that `update` stays cheap."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task
        from rich.progress import Progress as Bar
        from rich.text import Text

        told = self

        class Line(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(told.line(), no_wrap=True, overflow="ellipsis")

        console = Console(file=self._stream, highlight=False)
        columns = (BarColumn(bar_width=20), MofNCompleteColumn(), Line())
        return Bar(
            *columns, console=console, transient=True, refresh_per_second=REDRAWS_PER_SECOND, redirect_stdout=False, redirect_stderr=False
        )

    def _print_above(self, result: LinkResult) -> None:
        from rich.text import Text

        if self._bar is not None:
            told = result.judgement
            text = Text.assemble(("fail", "red"), f" {printable(result.url)}: {printable(told.reason[:400] or told.verdict)}")
            self._bar.console.print(text, soft_wrap=True)
