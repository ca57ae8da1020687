"""argparse with our manners: errors are raised with the nearest valid word and the next step, nothing is abbreviated, nothing exits."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from llmops_catalog.problems import did_you_mean, nearest

LONGEST_NUMBER = 30
"""Digits of a number that is worth looking at; Python itself refuses more than 4,300."""


argparse._ = str  # type: ignore[attr-defined]  # its headings stay English: looking for translations costs a question 3 ms


class UsageError(Exception):
    """The words of the command line make no question; `hint` is where to look."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def unknown(what: str, word: str, known: Iterable[str], prog: str) -> UsageError:
    """The error for a word that is none of `known`, with the nearest of them."""
    sentence = f"there is no {what} {word[:80]!r}. {did_you_mean(nearest(word, known))}"
    return UsageError(sentence.strip(), f"see '{prog} --help'")


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` and leaves `--help` to its caller (`help` in the result)."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, allow_abbrev=False, formatter_class=_Formatter, **settings)
        self.add_argument("-h", "--help", action=_HelpWins, help="show this help")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]  # one of its overloads
        """As argparse, but an unknown option gets the nearest one."""
        try:
            options, rest = self.parse_known_args(self._joined(list(args or ())), namespace)
        except _Help as asked:
            return argparse.Namespace(help=True, **asked.options)
        for word in rest:
            if word.startswith("-") and word != "-":
                raise unknown("option", word.partition("=")[0], self._option_string_actions, self.prog)
            raise UsageError(f"{word[:80]!r} is one word too many", f"see '{self.prog} --help'")
        options.help = False
        return options

    def _joined(self, words: list[str]) -> list[str]:
        """`--sort -size` as `--sort=-size`: a value may begin with a hyphen where it is no option of ours."""
        joined: list[str] = []
        for word in words:
            option = self._option_string_actions.get(joined[-1]) if joined else None
            is_value = option is not None and option.nargs is None and "--" not in joined
            if is_value and word.startswith("-") and word.partition("=")[0] not in self._option_string_actions:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def error(self, message: str) -> NoReturn:
        """Called by argparse for a missing or wrong value."""
        raise UsageError(_reworded(message), f"see '{self.prog} --help'")


class _Formatter(argparse.HelpFormatter):
    """A fixed width: asking the terminal loads half a dozen modules, at every option that is declared."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24, width=100)


def _reworded(message: str) -> str:
    message = message.removeprefix("argument ")
    if message.startswith("the following arguments are required: "):
        return f"say which {message.partition(': ')[2].replace(', ', ' and which ')}"
    return message.replace("expected one argument", "needs a value").replace("expected at least one argument", "needs at least one")


class _Help(Exception):
    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.options = options


class _HelpWins(argparse.Action):
    """`--help` is answered whatever else is missing on the line."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        raise _Help({key: value for key, value in vars(namespace).items() if key != "help"})


# --- kinds of values --------------------------------------------------------------------------------------------------


def choice(*words: str) -> Callable[[str], str]:
    """The type of an option that takes one of a few words."""

    def check(text: str) -> str:
        if text in words:
            return text
        near = did_you_mean(nearest(text, words))
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is none of {', '.join(words)}. {near}".rstrip(" ."))

    return check


def whole_number(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """The type of an option that takes a whole number, within bounds where there are any."""

    def check(text: str) -> int:
        digits = text.strip().lstrip("+-")
        if not digits.isascii() or not digits.isdigit():
            raise argparse.ArgumentTypeError(f"{text[:60]!r} is not a whole number")
        if len(digits) > LONGEST_NUMBER:
            raise argparse.ArgumentTypeError(f"a number of {len(digits):,} digits is beyond all sense")
        number = int(text)
        if (low is not None and number < low) or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"{number} is not within {low} and {high}")
        return number

    return check


def share(text: str) -> float:
    """The type of an option that takes a share, above 0 and at most 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no share: write it as 0.9")
    return number


def release(text: str) -> str:
    """The type of an option that takes a release (4.44, v0.6.3) or a build (b4567): a slip would be taken for today's."""
    if len(text) > 60 or not re.search(r"(?<![\w.])(v?\d{1,4}\.\d|b?\d{3,6}\b)", text):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no release: write it as 4.44 (transformers), 0.6.3 (vllm) or b4567 (llama.cpp)")
    return text


def add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    """`--format`, the first one being the default."""
    shown = "|".join(formats)
    parser.add_argument(
        "--format", type=choice(*formats), default=formats[0], metavar=shown, help=f"how it is printed (default: {formats[0]})"
    )
