"""Progress of a link check: a bar on a real terminal, a plain line elsewhere; what servers say never steers either."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from llmops_catalog.cli.link_progress import SHOWN_DEAD, Progress
from llmops_catalog.links.results import Judgement, LinkResult


def result(url: str, outcome: str = "pass", verdict: str = "ok", reason: str = "") -> LinkResult:
    return LinkResult(url, (), Judgement(outcome, verdict, reason))


def on_a_terminal(check: Callable[[Progress], None]) -> str:
    """What a terminal is sent while `check` reports its progress."""
    near, far = pty.openpty()
    sent: list[bytes] = []

    def read() -> None:
        while True:
            try:
                part = os.read(near, 65536)
            except OSError:  # the far end is closed
                return
            if not part:
                return
            sent.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with os.fdopen(far, "w", encoding="utf-8") as stream, Progress(stream) as progress:
            check(progress)
    finally:
        reader.join(timeout=10)
        os.close(near)
    return b"".join(sent).decode()


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")


def check_three(progress: Progress) -> None:
    progress.total(4, [f"https://{host}/" for host in ("a.example", "b.example", "slow.example", "slow.example")])
    progress.update(result("https://a.example/"))
    progress.update(result("https://b.example/", "fail", "broken", "the server answers 404"))
    progress.update(result("https://slow.example/", "unknown", "timeout"))


def test_a_terminal_sees_a_bar_and_the_dead_above_it() -> None:
    shown = on_a_terminal(check_three)
    assert "\x1b[31mfail\x1b[0m https://b.example/: the server answers 404\r\n" in shown
    assert "3/4" in shown
    assert "1 pass, 1 fail, 1 unknown; waiting for slow.example (1)" in shown
    assert shown.endswith(("\x1b[2K", "\x1b[?25h")), "the bar is taken away at the end"


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "fail https://b.example/: the server answers 404\r\n" in on_a_terminal(check_three)


@pytest.mark.parametrize("evil", ["\x1b[2Jx", "[bold]x[/bold]", "a\r\nb", "\u202ex", ":tada:"])
def test_servers_do_not_steer_the_terminal(evil: str) -> None:
    shown = on_a_terminal(lambda progress: progress.update(result(f"https://a.example/{evil}", "fail", "broken", evil)))
    escaped = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in evil)
    assert f" https://a.example/{escaped}: {escaped}\r\n" in shown
    assert "\x1b[2J" not in shown


def test_only_the_first_dead_are_printed() -> None:
    shown = on_a_terminal(
        lambda progress: [progress.update(result(f"https://a.example/{n}", "fail", "broken")) for n in range(200)] and None
    )
    assert shown.count("https://a.example/") == SHOWN_DEAD


def test_elsewhere_a_plain_line_at_most_every_so_often() -> None:
    quiet = io.StringIO()
    with Progress(quiet) as progress:
        check_three(progress)
    assert quiet.getvalue() == ""
    lines = io.StringIO()
    with Progress(lines, line_seconds=0) as progress:
        check_three(progress)
    assert lines.getvalue() == (
        "checked 1 of 4 links: 1 pass, 0 fail, 0 unknown; waiting for slow.example (2), b.example (1)\n"
        "checked 2 of 4 links: 1 pass, 1 fail, 0 unknown; waiting for slow.example (2)\n"
        "checked 3 of 4 links: 1 pass, 1 fail, 1 unknown; waiting for slow.example (1)\n"
    )


def test_a_dumb_terminal_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert on_a_terminal(check_three) == ""


def test_the_slowest_hosts_are_named_and_the_rest_counted() -> None:
    progress = Progress(io.StringIO())
    progress.total(9, [f"https://h{n % 5}.example/" for n in range(9)])
    assert progress.line() == "0 pass, 0 fail, 0 unknown; waiting for h0.example (2), h1.example (2), h2.example (2) and 2 more"
    assert progress.done == 0


def test_rich_is_loaded_for_a_terminal_alone() -> None:
    script = (
        "import io, sys\nfrom llmops_catalog.cli.link_progress import Progress\n"
        "with Progress(io.StringIO()): pass\nprint('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
