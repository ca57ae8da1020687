"""`benchmarks/measure_memory.py` without a card: what it asks for, what it writes, and what it says when nothing can be measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import measure_memory
import pytest
import yaml
from measuring.configs import config_values
from measuring.record import Run, Subject, record_name, record_text

from llmops_catalog.catalog.facts import model_facts
from llmops_catalog.cli import main

PROJECT = Path(__file__).parent.parent.parent

SUBJECT = Subject("qwen/qwen3-8b", "Qwen3 8B", "nvidia/l4", "NVIDIA L4", "bf16", None, "5.24.0", "2.13.0", "13.0", "580.65.06")
RUNS = [
    Run(1, 1024, 32, 1_192_099_840, 1_337_000_448, 1_380_974_592, 1, 1433, 1607, 23034),
    Run(4, 1024, 32, 1_192_099_840, 1_771_674_112, 1_814_036_480, None, 1433, 2021, 23034),
]
CARD = {"card": "NVIDIA L4", "torch": "2.13.0", "transformers": "5.24.0", "cuda": "13.0", "driver": "580.65.06"}
READ = {"weights_bytes": 1_192_099_840, "allocated_bytes": 1_337_000_448, "reserved_bytes": 1_380_974_592}
READ |= {"loaded_mib": 1433, "after_mib": 1607, "total_mib": 23034, "generated": 32, "parameters": 596_049_920}


@pytest.fixture
def catalog(small_catalog):
    """A small catalog that knows the number format too."""
    shutil.copy(PROJECT / "catalog" / "quantizations" / "bf16.yaml", small_catalog / "quantizations")
    return small_catalog


@pytest.fixture
def python(tmp_path):
    """Makes a stand-in for the Python with PyTorch: it answers a probe and a measurement with what it is told."""

    def make(probe, measured):
        script = tmp_path / "python"
        body = "\n".join(
            [
                f"#!{sys.executable}",
                "import json, sys",
                "order = json.load(sys.stdin)",
                f"print('Loading ...'); print({probe!r} if order['do'] == 'probe' else {measured!r})",
            ]
        )
        script.write_text(body)
        script.chmod(0o755)
        return str(script)

    return make


def test_the_record_is_in_its_form_and_valid(catalog, capsys):
    path = catalog / "measurements" / "measured" / f"{record_name(SUBJECT)}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(record_text(SUBJECT, RUNS, date(2026, 11, 28), "https://github.com/a/b/issues/1"))
    for command in (["validate", str(path), "--format", "json"], ["fmt", "--check", str(path)]):
        with pytest.raises(SystemExit) as done:
            main(["--catalog", str(catalog), *command])
        assert done.value.code == 0, capsys.readouterr()
    assert path.name == "qwen3-8b-bf16-l4.yaml"


def test_what_the_record_says():
    data = yaml.safe_load(record_text(SUBJECT, RUNS, date(2026, 11, 28), None))
    assert data["title"] == "Qwen3 8B in bfloat16 on an NVIDIA L4: peak memory in Transformers"
    assert (data["grade"], data["confidence"], data["runtime_version"]) == ("self-reported", "medium", "transformers 5.24.0")
    assert "PyTorch 2.13.0, CUDA 13.0, driver 580.65.06, the attention Transformers chooses." in data["method"]
    assert [reading["measure"] for reading in data["readings"]] == [
        "weights", "driver-used-before", "driver-used-loaded", "allocated-peak", "reserved-peak", "driver-used-after-run",
        "allocated-peak", "reserved-peak", "driver-used-after-run",
    ]  # fmt: skip
    assert data["readings"][6] == {
        "concurrency": 4, "measure": "allocated-peak", "value": 1_771_674_112, "unit": "B", "context_tokens": 1056, "prompt_tokens": 1024,
    }  # fmt: skip


def test_a_record_is_written_from_the_answers_of_the_processes(catalog, python, capsys):
    answers = python(json.dumps(CARD), json.dumps(READ))
    asked = ["qwen/qwen3-8b", "--prompt", "1024", "--python", answers, "--catalog", str(catalog)]
    assert measure_memory.main(asked) == 0
    data = yaml.safe_load((catalog / "measurements" / "measured" / "qwen3-8b-bf16-l4.yaml").read_text())
    assert (data["model"], data["gpu"], data["quantization"]) == ("qwen/qwen3-8b", "nvidia/l4", "bf16")
    assert "1 x 1,024 tokens: peak 1.25 GiB, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("probe", "measured", "code", "said"),
    [
        ('{"refused": "no-card", "sentence": "no CUDA card: PyTorch finds none"}', "{}", 3, "no CUDA card: PyTorch finds none"),
        (json.dumps(CARD), '{"refused": "out-of-memory", "sentence": "CUDA out of memory."}', 1, "out-of-memory: CUDA out of memory."),
        (json.dumps(CARD), "Segmentation fault", 1, "crash: exit code 0: no output"),
    ],
)
def test_nothing_is_written_where_nothing_was_measured(catalog, python, capsys, probe, measured, code, said):
    asked = ["qwen/qwen3-8b", "--prompt", "1024", "--python", python(probe, measured), "--catalog", str(catalog)]
    assert measure_memory.main(asked) == code
    assert said in capsys.readouterr().err
    assert not (catalog / "measurements" / "measured").exists()


def test_a_python_without_pytorch_is_told_what_to_install():
    code = "import sys; sys.modules['torch'] = None; sys.argv = ['run.py']; exec(open(sys.path.pop(0) + '/run.py').read())"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROJECT / 'benchmarks' / 'measuring')!r}); {code}"]
    done = subprocess.run(command, input='{"do": "probe"}', capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "refused": "no-libraries",
        "sentence": "torch is not installed: pip install torch transformers, or name a Python that has them with --python",
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "name a model of the catalog, or give a config.json with --config"),
        (["qwen/qwen3-8b", "--prompt", "0"], "--prompt, --batch, --new and --timeout are 1 or more, --card is 0 or more"),
        (
            ["qwen/qwen3-8b", "--prompt", "3000000", "--batch", "2"],
            "more than 4,000,000 tokens at once: choose a smaller",
        ),
        (["qwen/qwen3-8c"], "no model is called 'qwen/qwen3-8c'. Did you mean 'qwen/qwen3-8b'?"),
        (["--config", "missing.json", "--name", "X"], "missing.json cannot be read: [Errno 2] No such file or directory: 'missing.json'"),
    ],
)
def test_wrong_usage_is_one_sentence(catalog, capsys, asked, said):
    assert measure_memory.main([*asked, "--catalog", str(catalog)]) == 2
    assert said in capsys.readouterr().err


def test_the_plan_shows_what_is_expected(catalog, capsys):
    assert measure_memory.main(["qwen/qwen3-8b", "--plan", "--prompt", "1024", "--catalog", str(catalog)]) == 0
    line = capsys.readouterr().out
    assert line.startswith("Qwen3 8B, bf16: 1 x 1,024 tokens, 32 more: ")
    assert line.endswith(" GiB expected on the card\n")


def test_a_config_of_ones_own(tmp_path, catalog, python):
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": 32000,
        "hidden_size": 512,
        "torch_dtype": "bfloat16",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    asked = ["--config", str(tmp_path / "config.json"), "--name", "My Llama", "--python", python(json.dumps(CARD), json.dumps(READ))]
    assert measure_memory.main([*asked, "--output", str(tmp_path / "mine.yaml"), "--catalog", str(catalog)]) == 0
    data = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert data["model_name"] == "My Llama"
    assert "model" not in data


def test_config_values_follow_the_facts():
    written = yaml.safe_load((PROJECT / "catalog" / "models" / "qwen" / "qwen3-30b-a3b.yaml").read_bytes())
    values = config_values(model_facts("qwen/qwen3-30b-a3b", written), positions=50_000)
    assert values["num_experts"] == values["num_local_experts"] == 128
    assert (values["num_experts_per_tok"], values["moe_intermediate_size"], values["head_dim"]) == (8, 768, 128)
    assert values["max_position_embeddings"] == 50_000
    assert values["tie_word_embeddings"] is False
