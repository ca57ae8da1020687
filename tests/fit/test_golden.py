"""Published figures, replayed: sizes of files, caches in engines' logs, readings of nvidia-smi."""

from __future__ import annotations

import pytest
from facts_for_tests import CARDS, catalog_models, models, vectors

from llmops_catalog.fit import QUANTIZATIONS, estimate, fit, parameter_count
from llmops_catalog.fit.settings import Engine

GIB, MIB = 2**30, 2**20


@pytest.mark.parametrize("model_id", sorted(models()))
def test_tensors_add_up_to_the_parameters_of_the_checkpoint(model_id):
    model = models()[model_id]
    assert parameter_count(model) == model.total_parameters


BITS = vectors("weights")["bits_per_weight"]


@pytest.mark.parametrize("quantization", sorted(BITS["values"]))
def test_bits_per_weight_of_gguf_files_to_four_decimals(quantization):
    model = models()[BITS["model"]]
    memory = estimate(model, quantization=quantization, runtime=BITS["runtime"]).memory
    assert round(memory.file_bytes * 8 / model.total_parameters, 4) == BITS["values"][quantization]


@pytest.mark.parametrize("row", vectors("weights")["bytes"], ids=lambda row: f"{row['model']} {row['quantization']}")
def test_published_sizes(row):
    model = models().get(row["model"]) or catalog_models()[row["model"]]
    memory = estimate(model, quantization=row["quantization"], runtime=row["runtime"], context_tokens=512).memory
    assert getattr(memory, row["field"]) == pytest.approx(row["bytes"], rel=row["within"])


@pytest.mark.parametrize("row", vectors("kv_cache")["rows"], ids=lambda row: f"{row['model']} {row['runtime']} {row['kv_cache_type']}")
def test_caches_to_the_byte(row):
    model = models()[row["model"]]
    quantization = "q8_0" if row["runtime"] == "llama.cpp" else "bf16"
    asked = {key: row[key] for key in ("runtime", "context_tokens", "kv_cache_type")}
    engine = Engine(runtime_version=row.get("runtime_version"))
    assert estimate(model, quantization=quantization, engine=engine, **asked).memory.kv_cache_bytes == row["bytes"]


@pytest.mark.parametrize("row", vectors("notebook_readings")["rows"], ids=lambda row: f"{row['model']} {row['quantization']} {row['gpu']}")
def test_saved_readings_lie_within_the_interval_and_the_notebook_fits_its_card(row):
    result = fit(
        models()[row["model"]],
        CARDS[row["gpu"]],
        quantization=row["quantization"],
        runtime=row["runtime"],
        context_tokens=row["context_tokens"],
    )
    assert result.memory is not None
    assert result.memory.low_bytes <= row["after_run_mib"] * MIB <= result.memory.high_bytes
    assert result.memory.weights_bytes < row["after_load_mib"] * MIB
    assert result.verdict == "fits"


TOTALS = vectors("transformers_totals")


@pytest.mark.parametrize("row", TOTALS["rows"], ids=lambda row: f"{row['quantization']} {row['prompt_tokens']}")
def test_peaks_published_by_qwen(row):
    asked = {key: row[key] for key in ("quantization", "context_tokens", "prompt_tokens")}
    engine = Engine(runtime_version="transformers 4.46.0")
    memory = estimate(models()[TOTALS["model"]], runtime="transformers", engine=engine, **asked).memory
    assert memory.total_bytes - memory.overhead_bytes == pytest.approx(row["gib"] * GIB, rel=0.011)


def test_the_compute_buffer_of_llama_3_in_llama_cpp_logs():
    llama_3 = models()["meta-llama/llama-3.1-8b-instruct"]
    assert estimate(llama_3, quantization="q4_k_m", context_tokens=8192).memory.compute_bytes == 258.5 * MIB


def test_the_llamas_embedding_stays_in_main_memory():
    memory = estimate(models()["meta-llama/llama-3.1-8b-instruct"], quantization="q4_k_m").memory
    assert memory.host_bytes == 128256 * 4096 // 256 * 144
    assert memory.weights_bytes == memory.file_bytes - memory.host_bytes


def test_a_tied_table_is_in_main_memory_and_on_the_card():
    memory = estimate(models()["meta-llama/llama-3.2-1b-instruct"], quantization="q4_k_m").memory
    assert memory.host_bytes > 0
    assert memory.weights_bytes == memory.file_bytes


def test_every_known_quantization_has_an_answer_or_says_why():
    model = models()["meta-llama/llama-3.1-8b-instruct"]
    for quantization in QUANTIZATIONS:
        for runtime in ("llama.cpp", "vllm", "transformers"):
            result = fit(model, CARDS["nvidia/l4"], quantization=quantization, runtime=runtime)
            assert result.verdict in ("fits", "tight", "does-not-fit") or result.reasons
