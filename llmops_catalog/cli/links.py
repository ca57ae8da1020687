"""`check-links`, `merge-links`: are the addresses alive, and can the models be reached."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_catalog.cli.arguments import Parser, UsageError, add_format, choice, whole_number
from llmops_catalog.cli.common import style_for

if TYPE_CHECKING:
    from llmops_catalog.links.results import Report
    from llmops_catalog.links.run import Plan, Ran
    from llmops_catalog.links.state import State

FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")
STOPPED = 130


def check_links_arguments(parser: Parser) -> None:
    """Options of `check-links`."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only links in these files and folders")
    parser.add_argument(
        "--url", type=some_text, action="append", default=[], metavar="URL", help="check this address instead of the catalog; repeatable"
    )
    parser.add_argument(
        "--urls-from", type=some_text, metavar="FILE", help="check the addresses in FILE, one on each line (- is standard input)"
    )
    parser.add_argument("--explain", type=some_text, metavar="URL", help="show the whole exchange with one address, hop by hop")
    parser.add_argument("--changed-since", type=some_text, metavar="REV", help="only links added or changed since a git revision")
    parser.add_argument("--shard", type=some_text, metavar="I/N", help="only the I-th of N parts, split by host")
    _add_output(parser)
    parser.add_argument(
        "--stream",
        type=some_text,
        metavar="FILE",
        help="write each result as a line of JSON as soon as it is known; with --output, to FILE.partial.jsonl until the report is there",
    )
    parser.add_argument("--verbose", action="store_true", help="as text: every link that is unknown or has moved, not only counts")
    parser.add_argument("--state", type=some_text, metavar="FILE", help="remember results there, and ask only what is due")
    parser.add_argument(
        "--failures", type=whole_number(1, 100), metavar="N", help="failures before a link is dead (2 with --state, else 1)"
    )
    parser.add_argument("--days", type=seconds(365), metavar="D", help="days over which it must have failed (1 with --state, else 0)")
    parser.add_argument("--concurrency", type=whole_number(1, 1024), default=64, metavar="N", help="requests at once (64)")
    parser.add_argument("--per-host", type=whole_number(1, 1024), default=4, metavar="N", help="requests at once to one host (4)")
    parser.add_argument(
        "--timeout", type=seconds(600), default=20.0, metavar="S", help="seconds for one link with all its attempts and redirects (20)"
    )
    parser.add_argument("--deadline", type=seconds(86_400), metavar="S", help="seconds for the whole run (no limit)")
    parser.add_argument(
        "--allow-address",
        type=_network,
        action="append",
        default=[],
        metavar="CIDR",
        help="private addresses that may be asked; repeatable",
    )
    parser.add_argument("--no-hub", action="store_true", help="do not ask the Hugging Face Hub's API about models and links")
    parser.add_argument("--drift", action="store_true", help="also compare licence and config.json of models with the Hub")
    parser.add_argument("--archive", action="store_true", help="ask the Wayback Machine for a copy of what is dead")
    parser.add_argument("--fix", action="store_true", help="write the new address of what has moved for good into the files")


def merge_links_arguments(parser: Parser) -> None:
    """Options of `merge-links`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="reports of --format json, or lines of --stream")
    parser.add_argument("--states", action="store_true", help="the files are those of --state: one that knows what all know, to --output")
    _add_output(parser)
    parser.add_argument("--verbose", action="store_true", help="every address that is unknown or has moved, not only counts")


def _add_output(parser: Parser) -> None:
    add_format(parser, *FORMATS)
    parser.add_argument("--output", type=some_text, metavar="FILE", help="write the report there instead of to standard output")
    parser.add_argument(
        "--fail-on", type=choice("broken", "unknown"), default="broken", metavar="broken|unknown", help="what exits 1 (broken)"
    )


def some_text(text: str) -> str:
    """The type of an option that takes a text: an empty one is a variable that was not set, and must not be taken for no option."""
    if not text.strip():
        raise argparse.ArgumentTypeError("needs a value, not an empty text")
    return text


def seconds(most: float) -> Callable[[str], float]:
    """The type of an option that takes a time, above 0 (0 itself where it is days)."""

    def check(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= most:
            raise argparse.ArgumentTypeError(f"{text[:60]!r} is no number between 0 and {most:g}")
        return number

    return check


def _network(text: str) -> Any:
    from llmops_catalog.links.addresses import parse_network

    try:
        return parse_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# --- check-links ------------------------------------------------------------------------------------------------------


def check_links_command(folder: str | None, options: Any) -> int:
    """Checks every address of the records and pages, and access to every model. Exits 1 where something is proved dead."""
    from llmops_catalog.cli.link_plan import plan_of

    if options.timeout == 0 or options.deadline == 0:
        raise UsageError("--timeout and --deadline take more than 0 seconds")
    if options.explain:
        return _explain(options)
    state = _state(options)
    plan = plan_of(folder, options, state)
    ran = _ran(plan, options)
    _write(ran.report, options)
    _forget_partial(options)
    if state is not None:
        is_everything = not (options.paths or options.url or options.urls_from or options.changed_since or options.shard or ran.was_stopped)
        state.save(Path(options.state), [link.url for link in plan.links] if is_everything else None)
    if options.fix:
        _fix(folder, ran.report)
    return STOPPED if ran.was_stopped else exit_code(ran.report, options.fail_on)


def _ran(plan: Plan, options: Any) -> Ran:
    """Runs the check with its progress shown; what is known so far stands in a file, should the process be killed."""
    import asyncio

    from llmops_catalog.cli.link_progress import Progress
    from llmops_catalog.errors import LinkCheckUnavailable
    from llmops_catalog.links.run import run_check
    from llmops_catalog.links.stream import ResultStream

    with ResultStream(_partial(options)) as stream, Progress() as progress:
        progress.total(len(plan.links), [link.url for link in plan.links])

        def take(item: Any) -> None:
            stream.add(item)
            if hasattr(item, "judgement"):
                progress.update(item)

        try:
            return asyncio.run(run_check(plan._replace(on_item=take)))
        except LinkCheckUnavailable:
            _forget_partial(options)  # nothing was checked
            raise


def _forget_partial(options: Any) -> None:
    partial = None if options.stream else _partial(options)
    if partial is not None:
        partial.unlink(missing_ok=True)


def _partial(options: Any) -> Path | None:
    """Where the lines go while the check runs: to `--stream`, else beside the file the report will be."""
    if options.stream:
        return Path(options.stream)
    if options.output in (None, "-") or _is_stream(options.output):
        return None
    return Path(f"{options.output}.partial.jsonl")


def _state(options: Any) -> State | None:
    from llmops_catalog.links.state import DAYS_NEEDED, FAILURES_NEEDED, State

    if not options.state:
        if (options.failures or 1) > 1 or options.days:
            raise UsageError("--failures and --days count over several runs", "name the file that remembers them: --state FILE")
        return None
    failures = FAILURES_NEEDED if options.failures is None else options.failures
    days = DAYS_NEEDED if options.days is None else options.days
    return State.load(Path(options.state), failures, days)


def _explain(options: Any) -> int:
    import asyncio

    from llmops_catalog.cli.link_plan import settings_of
    from llmops_catalog.links.explain import explain
    from llmops_catalog.report.link_exchange import as_text

    if options.paths or options.url or options.urls_from or options.state or options.output or options.format != "text":
        raise UsageError("--explain shows one exchange as text: paths, other addresses, --state, --output and --format do not go with it")
    explained = asyncio.run(explain(options.explain, settings_of(options)))
    sys.stdout.write(as_text(explained, style_for(sys.stdout)))
    outcome = explained.judgement.outcome
    return 1 if outcome == "fail" or outcome == options.fail_on else 0


def _fix(folder: str | None, report: Report) -> None:
    from llmops_catalog.catalog import catalog_folder
    from llmops_catalog.links.repair import repair
    from llmops_catalog.report.tables import printable

    for one in repair(catalog_folder(folder).absolute(), report.links, report.models):
        told = f"{one.old} -> {one.new}" if one.old else f"added {one.new}"
        sys.stderr.write(printable(f"{one.path}:{one.line}: {'rewritten' if one.done else 'not rewritten'}: {told}"))
        sys.stderr.write(printable(f" ({one.why_not})" if one.why_not else "") + "\n")


# --- the report -------------------------------------------------------------------------------------------------------


def merge_links_command(_folder: str | None, options: Any) -> int:
    """Puts the reports of several shards, or of several runs, together. Exits 1 where something is proved dead."""
    from llmops_catalog.links.stream import merge, read_report

    if options.states:
        return _merge_states(options)
    report = merge([read_report(Path(name)) for name in options.files])
    _write(report, options)
    return exit_code(report, options.fail_on)


def _merge_states(options: Any) -> int:
    from functools import reduce

    from llmops_catalog.links import state

    if not options.output:
        raise UsageError("say which --output the merged state goes to")
    missing = [name for name in options.files if not Path(name).is_file()]
    if missing:
        raise UsageError(f"there is no file {missing[0]!r}")
    merged = reduce(state.merge, (state.State.load(Path(name)).memories for name in options.files))
    state.State(merged).save(Path(options.output))
    return 0


def exit_code(report: Report, fail_on: str) -> int:
    """1 where a link or a model is proved dead, or an exception has ended; with `unknown` also where one cannot be judged."""
    outcomes = {result.judgement.outcome for result in report.links} | {model.outcome for model in report.models}
    is_found = "fail" in outcomes or (fail_on == "unknown" and "unknown" in outcomes)
    return 1 if is_found or any(problem.level == "error" for problem in report.problems) else 0


def _write(report: Report, options: Any) -> None:
    from llmops_catalog.files import write_text

    if options.output in (None, "-"):
        sys.stdout.writelines(_written(report, options))
    elif _is_stream(options.output):
        with Path(options.output).open("w", encoding="utf-8") as stream:
            stream.writelines(_written(report, options))
    else:
        write_text(Path(options.output).resolve(), "".join(_written(report, options)))


def _is_stream(name: str) -> bool:
    """True for a pipe or a device: they are written to, not replaced."""
    path = Path(name)
    return path.exists() and not path.is_file()


def _written(report: Report, options: Any) -> Iterable[str]:
    """The report in the wanted form, in pieces."""
    import json
    from datetime import UTC, datetime

    from llmops_catalog.report.links import as_github, as_text

    if options.format == "json":
        from llmops_catalog.report.links_json import json_pieces

        return json_pieces(report)
    if options.format == "github":
        return (as_github(report, options.fail_on),)
    if options.format == "markdown":
        from llmops_catalog.report.links_markdown import as_markdown

        return (as_markdown(report, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),)
    if options.format in ("junit", "sarif"):
        from llmops_catalog.report.links_machine import as_junit, as_sarif

        return (as_junit(report) if options.format == "junit" else json.dumps(as_sarif(report), indent=2) + "\n",)
    return (as_text(report, style_for(sys.stdout), options.verbose),)
