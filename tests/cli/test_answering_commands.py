"""`list`, `show`, `search`, `fit`, `estimate`, `schema`: their answers, and output that cannot be written."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
import yaml
from commands import ROOT, Run, run_in, run_process

from llmops_catalog.schema import COLLECTIONS


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
    assert ids("--sort", "-memory.cuda_gib")[-1].endswith("laptop")  # it has none: last either way
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
    assert (found["schema"], found["total"]) == ("llmops-catalog/search/1", 2)
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
        "gpu_count", "memory", "assumptions", "task", "settings",
    ]  # fmt: skip
    assert (answer["schema"], answer["hub_id"], answer["context_tokens"]) == ("llmops-catalog/estimate/1", "Qwen/Qwen3-8B", 8192)


def test_settings_beyond_the_defaults_are_said(run: Run) -> None:
    question = ("estimate", "--model", "Qwen/Qwen3-8B", "--quantization", "q4_k_m", "--format", "json")
    assert run(*question).json["settings"] == {}
    answer = run(*question, "--ubatch", "1024", "--no-flash-attention").json
    assert (answer["task"], answer["settings"]) == ("inference", {"micro_batch_tokens": 1024, "flash_attention": False})


def test_minus_one_layers_are_all_as_in_llama_cpp(run: Run) -> None:
    question = ("estimate", "--model", "Qwen/Qwen3-8B", "--quantization", "q4_k_m", "--format", "json")
    assert run(*question, "--gpu-layers", "-1").json == run(*question).json


def test_the_share_vllm_may_use_decides_what_is_available(run: Run) -> None:
    question = ("fit", "--model", "Qwen/Qwen3-8B", "--gpu", "4090", "--quantization", "bf16", "--runtime", "vllm", "--format", "json")
    usual, less = (run(*question, *words).json["results"][0]["available_bytes"] for words in ([], ["--gpu-memory-utilization", "0.46"]))
    assert less == pytest.approx(usual / 2, abs=1)
    answer = run(*question, "--gpu-memory-utilization", "1.2")
    assert (answer.code, answer.err.splitlines()[0]) == (
        2,
        "llmops-catalog: error[usage]: --gpu-memory-utilization: '1.2' is no share: write it as 0.9",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--task", "qlor"], "no task is called 'qlor'. Did you mean 'qlora' or 'lora'?"),
        (["--ubatch", "0"], "ubatch 0 makes no sense"),
        (["--gpus", "3", "--pipeline-parallel", "2"], "3 cards cannot be divided into 2 pipeline stages"),
        (["--task", "lora", "--optimizer", "adamv"], "no optimizer is called 'adamv'. Did you mean 'adamw'?"),
        (["--task", "lora", "--lora-rank", "0"], "lora_rank 0 makes no sense"),
    ],
)
def test_an_absurd_setting_is_refused(run: Run, words: list[str], message: str) -> None:
    answer = run("estimate", "--model", "Qwen/Qwen3-8B", "--quantization", "q4_k_m", *words)
    assert answer.code == 2
    assert message in answer.err


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
