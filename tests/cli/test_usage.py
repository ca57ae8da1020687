"""Wrong usage: exit code 2, the exact message, the nearest right word, and never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import HELP, MESSAGE, Run, break_card, run_in, run_process

from llmops_catalog import __version__
from llmops_catalog.cli import COMMANDS


@pytest.mark.parametrize(
    ("arguments", "message", "where"),
    [
        (["lst"], "there is no command 'lst'. Did you mean 'list'?", ""),
        (["zzz"], "there is no command 'zzz'.", ""),
        (["--catlog", "x", "list"], "there is no option '--catlog'. Did you mean '--catalog'?", ""),
        (["fit", "--gpuu", "l4"], "there is no option '--gpuu'. Did you mean '--gpu', '--gpus' or '--gguf'?", " fit"),
        (["validate", "--format", "xml"], "--format: 'xml' is none of text, json, github", " validate"),
        (["list"], "say which COLLECTION", " list"),
        (["show"], "say which NAME", " show"),
        (["list", "gpuz"], "there is no collection 'gpuz'. Did you mean 'gpus'?", " list"),
        (["list", "gpus", "--where", "vendor"], "--where takes FIELD=VALUE, not 'vendor'", " list"),
        (["list", "gpus", "--where", "vendr=nvidia"], "gpus have no field 'vendr'. Did you mean 'vendor'?", " list"),
        (["list", "gpus", "--sort", "nme"], "gpus have no field 'nme'. Did you mean 'name'?", " list"),
        (["schema", "gpuz"], "there is no collection 'gpuz'. Did you mean 'gpus'?", " schema"),
        (["validate", "nowhere.yaml"], "there is no file or folder 'nowhere.yaml'", " validate"),
        (["search", "--limit", "0", "x"], "--limit: 0 is not within 1 and 200", " search"),
        (["fit"], "say which --model, which --gpu (or --memory), or both", " fit"),
        (["fit", "--gpu", "l4", "--memory", "24GB"], "--gpu and --memory are two ways to name the card: give one", " fit"),
        (["fit", "--gpu", "l4", "--context", "many"], "--context: 'many' is not a whole number", " fit"),
        (["fit", "--gpu", "l4", "--context", "1" + 30 * "0"], "--context: a number of 31 digits is beyond all sense", " fit"),
        (
            ["fit", "--gpu", "l4", "--runtime-version", "newest"],
            "--runtime-version: 'newest' is no release: write it as 4.44 (transformers), 0.6.3 (vllm) or b4567 (llama.cpp)",
            " fit",
        ),
        (["estimate", "--model", "qwen3-8b"], "say which --quantization", " estimate"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_right(run: Run, arguments: list[str], message: str, where: str) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"llmops-catalog: error[usage]: {message}\n{HELP.format(where)}"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (
            ["show", "runpot"],
            "record-not-found]: no record is called 'runpot'. Did you mean 'providers/runpod'?",
            "search for it with 'llmops-catalog search WORDS'",
        ),
        (
            ["show", "gpus/rtx-4091"],
            "record-not-found]: no GPU is called 'rtx-4091'. Did you mean 'nvidia/rtx-4090' or 'nvidia/rtx-4090-laptop'?",
            "see them all with 'llmops-catalog list gpus'",
        ),
        (
            ["show", "rtx"],
            "ambiguous-name]: 'rtx' could be several records: "
            "gpus/nvidia/rtx-4080-laptop, gpus/nvidia/rtx-4090, gpus/nvidia/rtx-4090-laptop",
            "say which one, by its id",
        ),
        (
            ["fit", "--gpu", "4091"],
            "record-not-found]: no GPU is called '4091'. Did you mean 'nvidia/rtx-4090'?",
            "see them all with 'llmops-catalog list gpus'",
        ),
        (
            ["fit", "--model", "qwen4 8b", "--gpu", "l4"],
            "record-not-found]: no model is called 'qwen4 8b'. Did you mean 'qwen/qwen3-8b'?",
            "see them all with 'llmops-catalog list models'",
        ),
        (
            ["fit", "--model", "llama 3.1", "--gpu", "l4"],
            "ambiguous-name]: 'llama 3.1' could be several models: meta-llama/llama-3.1-8b, meta-llama/llama-3.1-8b-instruct",
            "say which one, by its id",
        ),
        (
            ["fit", "--model", "", "--gpu", "l4"],
            "record-not-found]: no model is called ''.",
            "see them all with 'llmops-catalog list models'",
        ),
    ],
)
def test_unknown_and_ambiguous_names_exit_2(run: Run, arguments: list[str], message: str, hint: str) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"llmops-catalog: error[{message}\nhelp: {hint}\n"


@pytest.mark.parametrize(
    "question",
    [
        ["--context", "0"], ["--context", "-5"], ["--context", "1000000000000"], ["--prompt", "0"], ["--prompt", "-1"],
        ["--concurrency", "0"],
        ["--concurrency", "-3"], ["--concurrency", "10000000000"], ["--gpus", "0"], ["--gpus", "-1"], ["--gpus", "1000000"],
        ["--reserve", "-1GiB"], ["--reserve", "x"],
        ["--quantization", "q5_zz"], ["--quantization", ""], ["--runtime", "ollam"], ["--kv-cache", "f17"],
    ],
)  # fmt: skip
def test_questions_that_make_no_sense_exit_2(run: Run, question: list[str]) -> None:
    answer = run("fit", "--model", "qwen3-8b", "--gpu", "l4", *question)
    assert (answer.code, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert lines[0].startswith("llmops-catalog: error[fit-input-error]: ")
    assert lines[1].startswith("help: ")
    assert len(lines) == 2


@pytest.mark.parametrize("size", ["banana", "-4GiB", "0", "", "1e400", "nan", "inf", "99999999999TB", "24 XB", "GiB", "٣GiB"])
def test_sizes_that_are_none_exit_2(run: Run, size: str) -> None:
    answer = run("fit", "--memory", size, "--model", "qwen3-8b")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("llmops-catalog: error[fit-input-error]: ")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_explains_every_option(run: Run, command: str) -> None:
    answer = run(*filter(None, [command]), "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("usage: llmops-catalog")


def test_as_a_process_it_says_the_same(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_process("--catalog", str(small_catalog), "validate")
    assert (answer.code, answer.out, answer.err) == (1, "26 records: 1 error, 0 warnings\n", MESSAGE)
    wrong = run_process("lst")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == f"llmops-catalog: error[usage]: there is no command 'lst'. Did you mean 'list'?\n{HELP.format('')}"


def test_arguments_that_are_no_text(shared_catalog: Path) -> None:
    odd = os.fsdecode(b"\xff")
    answer = run_process("--catalog", str(shared_catalog), "show", odd)
    assert (answer.code, answer.err.splitlines()[0]) == (2, "llmops-catalog: error[record-not-found]: no record is called '\\udcff'.")
    assert run_process("--catalog", str(shared_catalog), "search", odd, "--format", "json").code == 0
    assert run_process("--catalog", odd, "validate").code == 2


def test_no_command_and_version() -> None:
    alone = run_process()
    assert alone.code == 2
    assert "commands:" in alone.err
    assert run_in(None, "--version").out == f"llmops-catalog {__version__}\n"


def test_an_empty_catalog_option_is_no_folder() -> None:
    answer = run_in(None, "--catalog", "", "list", "models")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "llmops-catalog: error[usage]: --catalog: needs a folder, not an empty text")


def test_a_missing_catalog(tmp_path: Path) -> None:
    answer = run_in(tmp_path / "nowhere", "list", "gpus")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"llmops-catalog: error[catalog-not-found]: there is no catalog folder at {tmp_path}/nowhere\n"
        "help: name one with '--catalog DIR', or leave the option out to use the packaged one\n"
    )
    assert run_in(tmp_path / "nowhere", "validate").code == 2
