"""The command line as people and scripts meet it: whole processes, exact messages, exit codes 0 to 3, and never a traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import pytest
import yaml

from llmops_catalog import __version__
from llmops_catalog.cli import COMMANDS, main
from llmops_catalog.schema import COLLECTIONS

ROOT = Path(__file__).parent.parent.parent
HELP = "help: see 'llmops-catalog{} --help'\n"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.err == ""
        return json.loads(self.out)


Run = Callable[..., Answer]


def run_in(catalog: Path | None, *arguments: str, cwd: Path | None = None, **environment: str) -> Answer:
    """The command in this process: quick, and an exception it lets through fails the test."""
    out, err = io.StringIO(), io.StringIO()
    chosen = ["--catalog", str(catalog)] if catalog else []
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        chdir(cwd or Path.cwd()),
        patch.dict(os.environ, environment),
        pytest.raises(SystemExit) as stop,
    ):
        main([*chosen, *arguments])
    return Answer(int(stop.value.code or 0), out.getvalue(), err.getvalue())


def run_process(*arguments: str, cwd: Path | None = None, stdout: int | IO[str] = subprocess.PIPE, **environment: str) -> Answer:
    """The command as a process of its own, as a shell starts it."""
    process = subprocess.run(
        [sys.executable, "-m", "llmops_catalog", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in process.stderr
    assert "Exception ignored" not in process.stderr
    return Answer(process.returncode, process.stdout or "", process.stderr)


@pytest.fixture
def run(shared_catalog: Path) -> Run:
    """Runs a command on the small catalog, which nobody changes."""
    return lambda *arguments, **more: run_in(shared_catalog, *arguments, **more)


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "where"),
    [
        (["lst"], "there is no command 'lst'. Did you mean 'list'?", ""),
        (["zzz"], "there is no command 'zzz'.", ""),
        (["--catlog", "x", "list"], "there is no option '--catlog'. Did you mean '--catalog'?", ""),
        (["fit", "--gpuu", "l4"], "there is no option '--gpuu'. Did you mean '--gpu' or '--gpus'?", " fit"),
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
    assert (answer.code, answer.out, answer.err) == (1, "23 records: 1 error, 0 warnings\n", MESSAGE)
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


# --- validate ---------------------------------------------------------------------------------------------------------


def break_card(catalog: Path) -> None:
    card = catalog / "gpus" / "nvidia" / "l4.yaml"
    card.write_text(card.read_text().replace("ada-lovelace", "ada-lovelase"))


MESSAGE = (
    "catalog/gpus/nvidia/l4.yaml:3:15: error[unknown-architecture]: "
    "'ada-lovelase' is not in catalog/architectures. Did you mean 'ada-lovelace'?\n"
    "  help: https://llmops-catalog.github.io/llmops-catalog/problems/#unknown-architecture\n"
)


def test_validate_says_all_is_well(run: Run) -> None:
    answer = run("validate")
    assert (answer.code, answer.out, answer.err) == (0, "23 records: 0 errors, 0 warnings\n", "")


def test_validate_names_the_place_and_exits_1(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "validate")
    assert (answer.code, answer.out, answer.err) == (1, "23 records: 1 error, 0 warnings\n", MESSAGE)


def test_validate_works_from_inside_and_with_parts_of_the_catalog(small_catalog: Path, tmp_path: Path) -> None:
    break_card(small_catalog)
    for part, code in (
        ("catalog/gpus", 1),
        ("catalog/gpus/nvidia/l4.yaml", 1),
        ("catalog", 1),
        (".", 1),
        ("catalog/models", 0),
        ("catalog/gpus/nvidia/rtx-4090.yaml", 0),
    ):
        assert run_in(None, "validate", part, cwd=tmp_path).code == code, part
    assert run_in(small_catalog, "validate", "gpus", "catalog/models", cwd=tmp_path).code == 2
    assert run_in(small_catalog, "validate", "catalog/gpus", "catalog/models", cwd=tmp_path / "catalog").code == 1
    several = run_in(None, "validate", "catalog/models", "catalog/providers", cwd=tmp_path)
    assert several.out == "4 records: 0 errors, 0 warnings\n"


def test_validate_refuses_what_lies_elsewhere(small_catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    answer = run_in(small_catalog, "validate", str(tmp_path.parent))
    assert answer.code == 2
    assert "is not inside the catalog 'catalog'\nhelp: name its folder with --catalog DIR" in answer.err
    assert run_in(small_catalog, "validate", "/etc/hostname").code == 2


def test_validate_json(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "validate", "--format", "json")
    assert answer.code == 1
    assert answer.json == {
        "schema": "llmops-catalog/problems/1",
        "records": 23,
        "problems": [
            {"path": "catalog/gpus/nvidia/l4.yaml", "line": 3, "column": 15, "level": "error", "code": "unknown-architecture",
             "message": "'ada-lovelase' is not in catalog/architectures", "hint": "Did you mean 'ada-lovelace'?"},
        ],
    }  # fmt: skip


def test_validate_github_escapes(small_catalog: Path) -> None:
    (small_catalog / "gpus" / "a%0A::error::b,c.txt").write_text("x")
    answer = run_in(small_catalog, "validate", "--format", "github")
    assert answer.code == 0
    assert answer.out == (
        "::warning file=catalog/gpus/a%250A%3A%3Aerror%3A%3Ab%2Cc.txt,line=1,col=1,title=stray-file::"
        "'a%250A::error::b,c.txt' is no record. Move it out of the catalog folder\n"
    )


def test_warnings_alone_exit_0(small_catalog: Path) -> None:
    (small_catalog / "notes.txt").write_text("x")
    answer = run_in(small_catalog, "validate")
    assert (answer.code, answer.out) == (0, "23 records: 0 errors, 1 warning\n")


def test_another_question_on_a_broken_catalog_says_why(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "list", "gpus")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        MESSAGE
        + "llmops-catalog: error[catalog-invalid]: the catalog has 1 error\nhelp: run 'llmops-catalog validate' for the whole list\n"
    )


def test_only_the_first_problems_are_shown_then(small_catalog: Path) -> None:
    for number in range(30):
        (small_catalog / "gpus" / f"card-{number:02}.yaml").write_text("")
    answer = run_in(small_catalog, "list", "gpus")
    assert answer.code == 1
    assert answer.err.count("error[empty-file]") == 10
    assert "... and 20 more\n" in answer.err


def test_validate_can_be_stopped() -> None:
    """Ctrl-C while the records of the checkout are read."""
    script = "import llmops_catalog.cli as cli; print('ready', flush=True); cli.main(['validate'])"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, "", "llmops-catalog: stopped")


# --- list, show, search -----------------------------------------------------------------------------------------------


def test_list_is_a_table(run: Run) -> None:
    answer = run("list", "quantizations")
    assert (answer.code, answer.err) == (0, "")
    assert (
        answer.out
        == "id      name    bits per weight  method  runtimes\nq4_k_m  Q4_K_M             4.89  gguf    llama.cpp\n1 quantization\n"
    )
    assert run("list", "GPU").out.endswith("4 gpus\n")


def test_list_where_and_sort(run: Run) -> None:
    def ids(*options: str) -> list[str]:
        return [record["id"] for record in run("list", "gpus", "--format", "json", *options).json["records"]]

    assert ids("--where", "segment=laptop") == ["nvidia/rtx-4080-laptop", "nvidia/rtx-4090-laptop"]
    assert ids("--where", "segment=LAPTOP", "--where", "memory.sold_gb=16") == ["nvidia/rtx-4090-laptop"]
    assert ids("--where", "rented_at=runpod") == ["nvidia/l4"]
    assert ids("--where", "aliases=4090") == ["nvidia/rtx-4090"]
    assert ids("--where", "tdp_w=72") == []
    assert ids("--where", "name=") == []
    assert ids("--where", "name=a=b") == []
    assert ids("--sort", "bandwidth_gb_s")[0] == "nvidia/l4"
    assert ids("--sort", "-bandwidth_gb_s")[0] == "nvidia/rtx-4090"
    assert ids("--sort", "memory.cuda_gib")[-1].endswith("laptop")
    assert ids("--sort", "id") == sorted(ids())


def test_list_json_is_the_contract(run: Run) -> None:
    answer = run("list", "gpus", "--format", "json").json
    assert (answer["schema"], answer["collection"], answer["total"]) == ("llmops-catalog/records/1", "gpus", 4)
    assert [record["id"] for record in answer["records"]] == [
        "nvidia/l4",
        "nvidia/rtx-4080-laptop",
        "nvidia/rtx-4090",
        "nvidia/rtx-4090-laptop",
    ]
    assert answer["records"][0]["memory"] == {"sold_gb": 24, "driver_mib": 23034, "cuda_gib": 22.161}


def test_list_csv_is_data_and_runs_nothing(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "gpus", "--format", "csv").out)))
    assert rows[0]["memory.driver_mib"] == "23034"
    formula = list(csv.DictReader(io.StringIO(run("list", "datasets", "--format", "csv").out)))[1]
    assert formula["label"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_collection_can_be_listed(run: Run, collection: str) -> None:
    assert run("list", collection).code == 0


def test_show_text_json_yaml(run: Run) -> None:
    text = run("show", "l4").out
    assert text.startswith("NVIDIA L4\ncatalog/gpus/nvidia/l4.yaml\n\nname: NVIDIA L4\nvendor: nvidia\n")
    assert (
        "\nreferred to by\n  measurements/llm-ops/llama-on-l4 (gpu)\n  notebooks/llm-ops/present (uses[].gpu)\n"
        "  providers/runpod (rents[].gpu)\n" in text
    )
    found = run("show", "NVIDIA/L4", "--format", "json").json
    assert found["schema"] == "llmops-catalog/record/1"
    assert found["record"]["id"] == "nvidia/l4"
    assert {"collection": "providers", "id": "runpod", "label": "RunPod", "field": "rents[].gpu"} in found["referred_to_by"]
    as_yaml = run("show", "gpus/nvidia/l4", "--format", "yaml").out
    assert as_yaml.startswith("# catalog/gpus/nvidia/l4.yaml\nname: NVIDIA L4\n")
    assert yaml.safe_load(as_yaml)["memory"]["driver_mib"] == 23034


def test_search(run: Run) -> None:
    assert run("search", "qwen").out.startswith("record ")
    found = run("search", "qwen", "--format", "json").json
    assert (found["schema"], found["total"]) == ("llmops-catalog/search/1", 1)
    assert found["results"][0]["collection"] == "models"
    nothing = run("search", "zzz", "\x1b[31m")
    assert (nothing.code, nothing.out) == (0, "nothing holds all of: zzz \\x1b[31m\n")
    for words in ('"', "a OR b", "'; DROP TABLE texts; --", "x" * 10_000, "NEAR(", "*"):
        assert run("search", words).code == 0


def test_output_is_plain_in_a_pipe(run: Run) -> None:
    for arguments in (
        ["list", "gpus"],
        ["show", "l4"],
        ["search", "llama"],
        ["fit", "--gpu", "l4"],
        ["fit", "--model", "qwen3-8b", "--gpu", "l4"],
    ):
        answer = run(*arguments)
        assert answer.code == 0
        assert "\x1b" not in answer.out


# --- fit, estimate ----------------------------------------------------------------------------------------------------


def test_fit_json_is_the_contract(run: Run) -> None:
    answer = run("fit", "--model", "qwen3-8b", "--gpu", "l4", "--quantization", "q4_k_m", "--format", "json").json
    assert answer["schema"] == "llmops-catalog/fit/1"
    (result,) = answer["results"]
    assert (result["model"], result["gpu"], result["verdict"]) == ("qwen/qwen3-8b", "nvidia/l4", "fits")
    memory = result["memory"]
    parts = ("weights_bytes", "kv_cache_bytes", "state_bytes", "compute_bytes", "overhead_bytes")
    assert memory["total_bytes"] == sum(memory[part] for part in parts)
    assert memory["low_bytes"] <= memory["total_bytes"] <= memory["high_bytes"] <= result["available_bytes"]
    assert memory["kv_cache_bytes"] == 2 * 36 * 8 * 128 * 2 * result["context_tokens"]


def test_fit_check_exits_1_unless_it_fits(run: Run) -> None:
    question = ["fit", "--model", "qwen3-8b", "--quantization", "f16", "--check", "--gpu"]
    assert run(*question, "rtx-4090").code == 0
    answer = run(*question, "rtx 4080 laptop")
    assert (answer.code, answer.err) == (1, "")
    assert "does not fit" in answer.out


def test_fit_in_three_directions(run: Run) -> None:
    assert {result["gpu"] for result in run("fit", "--model", "qwen3-8b", "--format", "json").json["results"]} >= {
        "nvidia/l4",
        "nvidia/rtx-4090",
    }
    assert len({result["model"] for result in run("fit", "--gpu", "l4", "--format", "json").json["results"]}) == 3
    both = run("fit", "--model", "qwen3-8b", "--gpu", "l4", "--format", "json").json["results"]
    assert len({result["quantization"] for result in both}) == len(both) > 3
    assert run("fit", "--memory", "24GiB", "--model", "qwen3-8b").code == 0


def test_estimate_json_is_the_contract(run: Run) -> None:
    answer = run("estimate", "--model", "Qwen/Qwen3-8B", "--quantization", "q4_k_m", "--context", "8192", "--format", "json").json
    assert list(answer) == [
        "schema", "model", "hub_id", "quantization", "runtime", "context_tokens", "prompt_tokens", "concurrency", "kv_cache_type",
        "gpu_count", "memory", "assumptions",
    ]  # fmt: skip
    assert (answer["schema"], answer["hub_id"], answer["context_tokens"]) == ("llmops-catalog/estimate/1", "Qwen/Qwen3-8B", 8192)


# --- output that cannot be written ------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["list", "models", "--format", "json"], ["list", "gpus"], ["--help"], ["schema", "models"]])
def test_a_reader_that_leaves_early_is_no_error(arguments: list[str]) -> None:
    """`| head -1`: on the records of the checkout, more than a pipe holds."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        answer = run_process(*arguments, stdout=writing, cwd=ROOT)
    finally:
        os.close(writing)
    assert (answer.code, answer.err) == (0, "")


def test_a_full_disk_exits_3(shared_catalog: Path) -> None:
    if not Path("/dev/full").exists():  # only Linux has it; the handler is the same everywhere
        return
    with Path("/dev/full").open("w") as full:
        answer = run_process("--catalog", str(shared_catalog), "list", "gpus", stdout=full)
    assert answer.code == 3
    assert (
        answer.err
        == "llmops-catalog: error[could-not-run]: No space left on device\nhelp: check the path, its permissions and the free space\n"
    )


def test_a_narrow_terminal_still_gets_an_answer(small_catalog: Path) -> None:
    model = small_catalog / "models" / "qwen" / "qwen3-8b.yaml"
    model.write_text(model.read_text().replace("name: Qwen3 8B", "name: Qwen3 8B 通义"), encoding="utf-8")
    answer = run_process("--catalog", str(small_catalog), "list", "models", PYTHONIOENCODING="ascii")
    assert answer.code == 0
    assert "\\u901a" in answer.out


def test_damaged_pages_of_the_cache_are_a_message(small_catalog: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run_in(small_catalog, "list", "gpus", LLMOPS_CATALOG_CACHE=str(cache)).code == 0
    (compiled,) = cache.glob("*.sqlite")
    raw = bytearray(compiled.read_bytes())
    for start in range(4096 * 4, len(raw), 4096):
        raw[start : start + 2000] = b"\xff" * len(raw[start : start + 2000])
    compiled.write_bytes(raw)
    answer = run_in(small_catalog, "search", "llama", LLMOPS_CATALOG_CACHE=str(cache))
    assert answer.code in (0, 3)
    if answer.code == 3:
        assert answer.err.startswith("llmops-catalog: error[could-not-run]: the compiled catalog is damaged: ")


# --- schema -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("render", "--to"), ("build", "--site-dir")])
@pytest.mark.parametrize("below", ["", "pages"])
def test_pages_never_land_among_the_records(small_catalog: Path, words: tuple[str, str], below: str) -> None:
    before = sorted(small_catalog.rglob("*"))
    answer = run_in(small_catalog, *words, str(small_catalog / below))
    assert (answer.code, answer.out) == (2, "")
    assert "lies in the catalog folder, which holds records only" in answer.err
    assert sorted(small_catalog.rglob("*")) == before


def test_schema_prints_and_writes(small_catalog: Path) -> None:
    assert len(run_in(small_catalog, "schema").out.splitlines()) == len(COLLECTIONS)
    printed = run_in(small_catalog, "schema", "gpus").out
    answer = run_in(small_catalog, "schema", "--write")
    assert (answer.code, answer.out) == (0, f"wrote {len(COLLECTIONS)} schemas to {small_catalog}/schemas\n")
    assert (small_catalog / "schemas" / "gpus.json").read_text() == printed
    assert len(list((small_catalog / "schemas").iterdir())) == len(COLLECTIONS)


def test_schema_that_cannot_be_written_exits_3(small_catalog: Path) -> None:
    (small_catalog / "schemas").write_text("a file where the folder should be")
    answer = run_in(small_catalog, "schema", "--write")
    assert (answer.code, answer.out) == (3, "")
    lines = answer.err.splitlines()
    assert lines[0].startswith("llmops-catalog: error[could-not-run]: ")
    assert "schemas" in lines[0]
    assert lines[1] == "help: check the path, its permissions and the free space"
    assert (small_catalog / "schemas").read_text() == "a file where the folder should be"
