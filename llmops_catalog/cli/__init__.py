"""The command line. Each command's module is imported only when it is called; every failure ends in a message and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from llmops_catalog import __version__
from llmops_catalog.errors import CatalogError

COMMANDS = {
    "validate": "validate", "list": "records", "show": "records", "search": "records", "estimate": "fit", "fit": "fit", "build": "site",
    "serve": "site", "render": "site", "schema": "contribute",
}  # fmt: skip
"""Every command and the module it lives in, in the order `--help` shows them."""

FINDINGS, WRONG_USAGE, COULD_NOT_RUN = 1, 2, 3
"""Exit codes beside 0 (clean or answered)."""


class LazyCommands(click.Group):
    """Knows all names, loads only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"llmops_catalog.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with the nearest names for a mistyped one."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from llmops_catalog.problems import did_you_mean, nearest

            raise click.UsageError(" ".join(filter(None, [f"there is no command {args[0]!r}.", did_you_mean(nearest(args[0], COMMANDS))])), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--catalog", metavar="DIR", help="Catalog folder. Default: ./catalog where it exists, else the packaged copy.")
@click.version_option(__version__, "-V", "--version", package_name="llmops-catalog", message="llmops-catalog %(version)s")
@click.pass_context
def app(context: click.Context, catalog: str | None) -> None:
    """Sourced facts about running large language models, and an answer to: will it run on my card?"""
    context.obj = {"catalog": catalog}


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and ends the process with its exit code; bad input never shows a traceback."""
    from llmops_catalog.cli.common import fail, report_error

    code = 0
    try:
        result = app.main(args=arguments, prog_name="llmops-catalog", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.exceptions.NoArgsIsHelpError as usage:
        sys.stderr.write(usage.format_message() + "\n")
        code = WRONG_USAGE
    except click.UsageError as usage:
        where = usage.ctx.command_path if usage.ctx else "llmops-catalog"
        fail("usage", usage.format_message(), f"see '{where} --help'")
        code = WRONG_USAGE
    except click.ClickException as problem:
        fail("usage", problem.format_message())
        code = WRONG_USAGE
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("llmops-catalog: stopped\n")
        code = 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except CatalogError as error:
        code = report_error(error)
    except OSError as error:
        fail("could-not-run", f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", "check the path, its permissions and the free space")
        code = COULD_NOT_RUN
    except RecursionError:
        fail("could-not-run", "the input is nested too deeply", "simplify it")
        code = COULD_NOT_RUN
    sys.exit(code)
