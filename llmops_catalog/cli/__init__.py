"""The command line. Each command's module is imported only when it is called; every failure ends in a message and an exit code."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from llmops_catalog import __version__
from llmops_catalog.cli.arguments import Parser, UsageError, unknown
from llmops_catalog.errors import CatalogError

COMMANDS = {
    "fit": ("fit", "does a model fit a card: at which quantization, which cards, which models"),
    "estimate": ("fit", "memory of one configuration, part by part"),
    "list": ("records", "the records of one collection"),
    "show": ("records", "one record with everything that refers to it"),
    "search": ("records", "records of every collection that contain all words"),
    "accuracy": ("accuracy", "how far the estimates are from published measurements"),
    "coverage": ("coverage", "what became of every item of the source lists"),
    "validate": ("validate", "all problems of all records, with their places"),
    "check-links": ("links", "are the addresses alive, and can the models be reached"),
    "merge-links": ("links", "one report from those of several shards"),
    "build": ("site", "build the site"),
    "serve": ("site", "serve the site here and rebuild it when a record changes"),
    "render": ("site", "write the pages as plain Markdown and JSON files"),
    "fmt": ("fmt", "put keys in their order and lines in their form"),
    "schema": ("contribute", "the JSON Schema of a collection"),
}
"""Every command: the module it lives in, and what `--help` says of it."""

QUICK = ("fit", "estimate", "list", "show", "search")
"""Questions: answered in a few dozen milliseconds, of which collecting garbage and tidying up at the end would be a sixth."""
WRONG_USAGE, COULD_NOT_RUN, STOPPED = 2, 3, 130
"""Exit codes beside 0 (clean or answered) and 1 (findings), which commands return themselves."""


def console() -> None:
    """`main` as a process of its own: a question collects no garbage, and ends at once when its answer is written."""
    if _split(sys.argv[1:])[1] not in QUICK:
        return main()
    gc.disable()
    try:
        main()
    except SystemExit as ended:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        raise


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code; bad input never shows a traceback."""
    from llmops_catalog.cli.common import fail, report_error

    _prepare_output()
    code = 0
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except UsageError as error:
        fail("usage", error.message, error.hint)
        code = WRONG_USAGE
    except KeyboardInterrupt:
        sys.stderr.write("llmops-catalog: stopped\n")
        code = STOPPED
    except BrokenPipeError:
        _stop_writing()  # the reader (head, less) has seen enough
    except CatalogError as error:
        code = report_error(error)
    except OSError as error:
        _stop_writing()
        where = f": {error.filename}" if error.filename else ""
        fail("could-not-run", f"{error.strerror or error}{where}", "check the path, its permissions and the free space")
        code = COULD_NOT_RUN
    except RecursionError:
        fail("could-not-run", "the input is nested too deeply", "simplify it")
        code = COULD_NOT_RUN
    except Exception as error:
        if type(error).__module__ != "sqlite3":
            raise
        from llmops_catalog.catalog.compiled import CACHE_VARIABLE

        hint = f"delete the cache folder (or name another one in {CACHE_VARIABLE}) and ask again"
        fail("could-not-run", f"the compiled catalog is damaged: {error}", hint)
        code = COULD_NOT_RUN
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """One command line from its words to its exit code. Raises `UsageError`, `CatalogError` or `OSError`."""
    own, name, rest = _split(arguments)
    options = program_parser().parse_args(own)
    if options.help or options.version or name is None:
        text = f"llmops-catalog {__version__}\n" if options.version else _help()
        (sys.stdout if options.help or options.version else sys.stderr).write(text)
        return 0 if options.help or options.version else WRONG_USAGE
    if options.catalog == "":
        raise UsageError("--catalog: needs a folder, not an empty text", "see 'llmops-catalog --help'")
    if name not in COMMANDS:
        raise unknown("command", name, COMMANDS, "llmops-catalog")
    parser, command = load_command(name)
    parsed = parser.parse_args(rest)
    if parsed.help:
        sys.stdout.write(parser.format_help())
        return 0
    try:
        return int(command(options.catalog, parsed) or 0)
    except UsageError as error:
        raise UsageError(error.message, error.hint or f"see '{parser.prog} --help'") from None


def load_command(name: str) -> tuple[Parser, Callable[[str | None, Any], int | None]]:
    """The parser of a command's options, and the function that answers: it takes the catalog folder and the parsed options."""
    module = import_module(f"llmops_catalog.cli.{COMMANDS[name][0]}")
    function = name.replace("-", "_")
    command: Callable[[str | None, Any], int | None] = getattr(module, f"{function}_command")
    parser = Parser(prog=f"llmops-catalog {name}", description=command.__doc__)
    getattr(module, f"{function}_arguments")(parser)
    return parser, command


def _split(arguments: list[str]) -> tuple[list[str], str | None, list[str]]:
    """The program's own options, the command's name, and what belongs to the command."""
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        position += 2 if arguments[position] == "--catalog" else 1
    return arguments[:position], arguments[position] if position < len(arguments) else None, arguments[position + 1 :]


def program_parser() -> Parser:
    """The options that stand before the command."""
    parser = Parser(prog="llmops-catalog")
    parser.add_argument("--catalog", metavar="DIR")
    parser.add_argument("-V", "--version", action="store_true")
    return parser


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = "".join(f"  {name.ljust(width)}  {about}\n" for name, (_, about) in COMMANDS.items())
    return (
        "usage: llmops-catalog [--catalog DIR] COMMAND [OPTIONS]\n\n"
        "Sourced facts about running large language models, and an answer to: will it run on my card?\n\n"
        f"commands:\n{lines}\n"
        "options:\n"
        "  --catalog DIR  catalog folder; default: ./catalog where it exists, else the packaged copy\n"
        "  -V, --version  the version\n"
        "  -h, --help     this help, or that of a command: llmops-catalog fit --help\n"
    )


def _prepare_output() -> None:
    """Output that is closed, or that cannot show every character, does not end an answer."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 (stays open to the end)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stop_writing() -> None:
    """Keeps the interpreter from complaining at exit about output that cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
