"""`fit` and `estimate` of models outside the catalog: one way to name a model at a time, one sentence for what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import ROOT, Run, run_process

sys.path.insert(0, str(ROOT / "tests" / "outside"))
from gguf_writer import Tensor, write
from hub_server import json_body, serving, status

CONFIG = str(ROOT / "tests" / "outside" / "configs" / "Qwen--Qwen3-0.6B.json")


@pytest.fixture
def gguf(tmp_path: Path) -> str:
    """A small model in a mix nobody named."""
    keys = {"general.architecture": "llama", "llama.block_count": 2, "llama.context_length": 4096, "llama.embedding_length": 256,
            "llama.feed_forward_length": 512, "llama.attention.head_count": 4, "llama.attention.head_count_kv": 2}  # fmt: skip
    tensors = [Tensor("token_embd.weight", (256, 1000), "Q8_0"), Tensor("blk.0.ffn_up.weight", (256, 512), "Q4_K")]
    return str(write(tmp_path / "tiny.gguf", keys, tensors))


def test_a_gguf_file_needs_no_quantization(run: Run, gguf: str) -> None:
    answer = run("estimate", "--gguf", gguf, "--format", "json").json
    assert (answer["model"], answer["hub_id"], answer["quantization"], answer["runtime"]) == ("tiny.gguf", "", "custom mix", "llama.cpp")
    assert answer["memory"]["file_bytes"] == 1000 * 256 // 32 * 34 + 512 * 256 // 256 * 144
    assert answer["memory"]["kv_cache_bytes"] == 2 * 2 * 2 * 64 * 2 * 4096
    results = run("fit", "--gguf", gguf, "--gpu", "l4", "--format", "json").json["results"]
    assert [(result["model"], result["gpu"], result["quantization"], result["verdict"]) for result in results] == [
        ("tiny.gguf", "nvidia/l4", "custom mix", "fits")
    ]
    ranked = run("fit", "--gguf", gguf, "--format", "json").json["results"]
    assert {result["quantization"] for result in ranked} == {"custom mix"}
    assert run("fit", "--gguf", gguf, "--gpu", "l4").out.startswith("tiny.gguf  custom mix  llama.cpp  4,096 tokens")


def test_a_config_is_answered_as_a_record_is(run: Run) -> None:
    results = run("fit", "--config", CONFIG, "--gpu", "l4", "--format", "json").json["results"]
    assert [result["quantization"] for result in results][:2] == ["bf16", "q8_0"]
    assert {result["model"] for result in results} == {"Qwen--Qwen3-0.6B"}
    answer = run("estimate", "--config", CONFIG, "--format", "json").json
    assert (answer["quantization"], answer["runtime"], answer["hub_id"]) == ("q4_k_m", "llama.cpp", "")
    named = run("estimate", "--config", CONFIG, "--quantization", "bnb-nf4", "--format", "json").json
    assert (named["quantization"], named["runtime"]) == ("bnb-nf4", "transformers")
    assert run("estimate", "--config", CONFIG, "--runtime", "vllm", "--format", "json").json["quantization"] == "bf16"


def test_the_hub_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving() as server:
        server.answers["/a/b/resolve/main/config.json"] = json_body(json.loads(Path(CONFIG).read_text(encoding="utf-8")))
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        answer = run("estimate", "--hub", "a/b", "--format", "json").json
        assert (answer["model"], answer["hub_id"]) == ("a/b", "a/b")
        server.answers["/a/b/resolve/main/config.json"] = status(404, "RepoNotFound")
        refused = run("estimate", "--hub", "a/b")
        assert (refused.code, refused.err) == (
            2,
            f"{server.url}/a/b: error[hub-refused]: there is no such repository\n"
            "help: check organisation and name; if it is private, set HF_TOKEN\n",
        )
    gone = run("fit", "--hub", "a/b")
    assert gone.code == 3
    assert gone.err.startswith(f"{server.url}/a/b/resolve/main/config.json: error[hub-unavailable]: it cannot be reached")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "x", "--gguf", "y"], "--model and --gguf are two ways to name the model: give one"),
        (["--gguf", "x", "--config", "y", "--hub", "z"], "--gguf and --config and --hub are 3 ways to name the model: give one"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "estimate"])
def test_two_ways_to_name_a_model_are_wrong_usage(run: Run, command: str, options: list[str], message: str) -> None:
    answer = run(command, *options)
    assert (answer.code, answer.err) == (2, f"llmops-catalog: error[usage]: {message}\nhelp: see 'llmops-catalog {command} --help'\n")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("x.gguf", b"GGUF\3\0\0\0", "error[unreadable-model]: the file ends at byte 8, before the number of tensors"),
        ("x.gguf", None, "error[unreadable-model]: it cannot be read: No such file or directory"),
        ("x.json", b'{"model_type": "qwen33"}', "error[unknown-model-type]: the tensors of model_type 'qwen33' are not described. "
                                                "Did you mean 'qwen3', 'qwen3_5' or 'qwen2'?"),
        ("x.json", b"[]", "error[unreadable-model]: it holds no JSON object"),
        ("x\n.json", b"[]", "error[unreadable-model]: it holds no JSON object"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_said_where_it_is(run: Run, tmp_path: Path, name: str, content: bytes | None, error: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    answer = run("fit", "--gguf" if name.endswith("gguf") else "--config", str(path), "--gpu", "l4")
    assert (answer.code, answer.out) == (2, "")
    shown = str(path).replace("\n", "\\x0a")
    assert answer.err.startswith(f"{shown}: {error}\nhelp: ")


def test_a_file_keeps_its_quantization(run: Run, gguf: str) -> None:
    answer = run("fit", "--gguf", gguf, "--gpu", "l4", "--quantization", "q8_0")
    assert answer.code == 2
    assert "tiny.gguf is a file in custom mix: what it would take in 'q8_0' is not in it" in answer.err


def test_in_a_process_of_its_own(gguf: str, shared_catalog: Path) -> None:
    answer = run_process("--catalog", str(shared_catalog), "fit", "--gguf", gguf, "--gpu", "l4", "--check")
    assert answer.code == 0


LOADED = """
import sys
from llmops_catalog.cli import main
try: main(sys.argv[1:])
except SystemExit as stop: assert not stop.code
print(*(name for name in sys.modules if name.startswith(("llmops_catalog.outside", "httpx2", "ssl"))), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (lambda _: ["--model", "llama-3.1-8b-instruct"], set()),
        (lambda gguf: ["--gguf", gguf], {"gguf_header", "gguf_keys", "gguf_model"}),
        (lambda _: ["--config", CONFIG], {"config", "config_defaults", "config_keys", "config_layers", "config_parts", "towers"}),
    ],
)
def test_only_what_is_asked_for_is_loaded(gguf: str, shared_catalog: Path, options: Callable[[str], list[str]], allowed: set[str]) -> None:
    """A question about a record reads no files of others, and nothing but `--hub` loads the network client."""
    command = [sys.executable, "-c", LOADED, "--catalog", str(shared_catalog), "fit", *options(gguf), "--gpu", "l4"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr.split()
    rooms = {name.removeprefix("llmops_catalog.outside").strip(".") for name in loaded}
    assert rooms - {""} == allowed
