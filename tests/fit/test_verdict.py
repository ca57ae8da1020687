"""The five verdicts, their reasons, and the JSON people script against."""

from __future__ import annotations

import json

import pytest
from facts_for_tests import A100_80, GEMMA_2, GPT_OSS, L4, LLAMA_8B, M1, R1, T4, models

from llmops_catalog.fit import GpuFacts, estimate, fit, memory_card

GIB = 2**30
ESTIMATE_KEYS = [
    "model", "hub_id", "quantization", "runtime", "context_tokens", "prompt_tokens", "concurrency", "kv_cache_type",
    "gpu_count", "memory", "assumptions",
]  # fmt: skip
ADDED_KEYS = ["task", "settings"]
ADDED_RESULT_KEYS = ["prefill_tokens_per_second", "quality", "largest_quantization", "cache_tokens"]
MEMORY_KEYS = [
    "file_bytes", "weights_bytes", "host_bytes", "kv_cache_bytes", "state_bytes", "compute_bytes", "overhead_bytes",
    "total_bytes", "low_bytes", "high_bytes", "per_gpu_bytes",
]  # fmt: skip
RESULT_KEYS = [
    "gpu", "available_bytes", "verdict", "reasons", "max_context_tokens", "max_concurrency", "min_gpus",
    "decode_tokens_per_second", "usd_per_hour",
]  # fmt: skip


def reasons(result):
    return {reason.code: reason.message for reason in result.reasons}


def test_the_json_of_an_estimate_has_the_contracts_keys():
    data = json.loads(json.dumps(estimate(LLAMA_8B, quantization="q4_k_m").as_json()))
    assert list(data) == ["schema", *ESTIMATE_KEYS, *ADDED_KEYS]
    assert data["schema"] == "llmops-catalog/estimate/1"
    assert list(data["memory"]) == MEMORY_KEYS
    assert all(set(assumption) == {"text", "source"} for assumption in data["assumptions"])


def test_the_json_of_a_result_is_the_estimate_and_more():
    data = json.loads(json.dumps(fit(LLAMA_8B, T4, quantization="q4_k_m", gpu_count=2).as_json()))
    assert list(data) == [*ESTIMATE_KEYS, *RESULT_KEYS, *ADDED_KEYS, *ADDED_RESULT_KEYS]
    assert len(data["memory"]["per_gpu_bytes"]) == 2
    assert data["usd_per_hour"] == {"amount": 0.7, "currency": "USD", "provider": "google", "as_of": "2026-08"}
    assert data["verdict"] == "fits"


def test_a_result_without_memory_keeps_its_shape():
    data = fit(LLAMA_8B._replace(native_dtype="int2"), L4, quantization="native", runtime="vllm").as_json()
    assert data["verdict"] == "unknown"
    assert list(data["memory"]) == MEMORY_KEYS
    assert set(data["memory"].values()) == {None}
    assert data["reasons"] == [
        {"code": "quantization-not-modelled", "message": "how many bytes a checkpoint in int2 takes is not modelled yet"}
    ]


def test_the_python_example_of_the_contract():
    answer = estimate(
        LLAMA_8B,
        quantization="q4_k_m",
        runtime="llama.cpp",
        context_tokens=8192,
        prompt_tokens=None,
        concurrency=1,
        kv_cache_type="f16",
        gpu_count=1,
    )
    assert answer.memory.file_bytes > answer.memory.weights_bytes
    assert fit(LLAMA_8B, L4, quantization="q4_k_m", context_tokens=8192).verdict == "fits"


def test_fits_tight_and_does_not_fit_by_the_interval():
    memory = estimate(LLAMA_8B, quantization="q8_0").memory
    assert fit(LLAMA_8B, memory_card(memory.high_bytes), quantization="q8_0").verdict == "fits"
    tight = fit(LLAMA_8B, memory_card(memory.high_bytes - 1), quantization="q8_0")
    assert tight.verdict == "tight"
    assert reasons(tight) == {"little-room": "needs 8.65 GiB to 9.20 GiB, 9.20 GiB can be allocated: it may or may not start"}
    too_small = fit(LLAMA_8B, memory_card(memory.low_bytes - 1), quantization="q8_0")
    assert too_small.verdict == "does-not-fit"
    assert reasons(too_small) == {"too-large": "needs at least 8.65 GiB, 8.65 GiB can be allocated"}
    assert too_small.min_gpus == 2


@pytest.mark.parametrize(
    ("model", "gpu", "asked", "code", "message"),
    [
        (
            GEMMA_2, L4, {"quantization": "q4_k_m", "context_tokens": 32768}, "context-beyond-model",
            "32,768 tokens are beyond the 8,192 gemma-2-9b-it was made for: ask for 8,192 or less",
        ),
        (
            LLAMA_8B, T4, {"quantization": "bf16", "runtime": "transformers"}, "no-bf16",
            "Transformers computes in bf16 from compute capability 8.0, Tesla T4 has 7.5: use f16",
        ),
        (
            LLAMA_8B, L4, {"quantization": "q4_k_m", "runtime": "vllm"}, "runtime-quantization",
            "q4_k_m is a GGUF type: use llama.cpp, or vllm with awq-int4, gptq-int4 or bnb-nf4",
        ),
        (
            LLAMA_8B, L4, {"quantization": "awq-int4"}, "runtime-quantization",
            "llama.cpp does not load awq-int4: use a GGUF file, such as q4_k_m or q8_0",
        ),
        (
            LLAMA_8B, M1, {"quantization": "awq-int4", "runtime": "transformers"}, "runtime-hardware",
            "AWQ in Transformers runs on NVIDIA, AMD and Intel, not on Apple M1: use MLX LM, or llama.cpp with q4_k_m",
        ),
        (
            LLAMA_8B, M1, {"quantization": "bf16", "runtime": "vllm"}, "runtime-hardware",
            "vLLM runs on cards of NVIDIA, AMD, Intel, Google, AWS and Huawei, not on Apple M1: use llama.cpp or transformers",
        ),
        (
            GPT_OSS, T4, {"quantization": "native", "runtime": "vllm"}, "compute-capability",
            "MXFP4 in vLLM needs compute capability 8.0, Tesla T4 has 7.5: use llama.cpp",
        ),
        (
            LLAMA_8B, L4, {"quantization": "bf16", "runtime": "vllm", "kv_cache_type": "q8_0"}, "runtime-kv-cache",
            "vLLM keeps the key/value cache in the type of the model or in fp8, not q8_0: use f16, bf16 or fp8",
        ),
        (
            LLAMA_8B, L4, {"quantization": "bf16", "runtime": "vllm", "gpu_count": 3}, "tensor-parallel",
            "vLLM cannot divide 32 attention heads among 3 cards: use a number that divides them",
        ),
        (
            models()["google-t5/t5-base"], L4, {"quantization": "bf16", "runtime": "vllm"}, "runtime-architecture",
            "vLLM does not run encoder-decoder language models: use transformers or llama.cpp",
        ),
    ],
)  # fmt: skip
def test_known_refusals_say_what_to_use_instead(model, gpu, asked, code, message):
    result = fit(model, gpu, **asked)
    assert result.verdict == "unsupported"
    assert reasons(result)[code] == message


def test_the_same_weights_in_f16_on_a_card_without_bf16():
    small = models()["meta-llama/llama-3.2-3b-instruct"]
    assert fit(small, T4, quantization="f16", runtime="transformers").verdict == "fits"


def test_what_is_missing_is_named_not_guessed():
    llama = models()["meta-llama/llama-3.1-8b-instruct"]
    other = llama._replace(layer_groups=(llama.layer_groups[0]._replace(type="spiral_attention"),))
    result = fit(other, A100_80, quantization="q8_0")
    assert result.verdict == "unknown"
    assert reasons(result) == {"layer-type-not-modelled": "what spiral attention keeps per token is not modelled yet"}
    assert result.max_context_tokens is None


def test_a_missing_window_is_unknown():
    groups = tuple(group._replace(sliding_window=None) for group in GEMMA_2.layer_groups)
    result = fit(GEMMA_2._replace(layer_groups=groups, id="gemma-without-window"), L4, quantization="q8_0")
    assert (result.verdict, list(reasons(result))) == ("unknown", ["sliding-window-missing"])


def test_three_sizes_of_a_card():
    assert fit(LLAMA_8B, T4, quantization="q4_k_m").available_bytes == int(14.741 * GIB)
    assert fit(LLAMA_8B, T4, quantization="gptq-int4", runtime="vllm").available_bytes == int(int(14.741 * GIB) * 0.92)
    assert fit(LLAMA_8B, M1, quantization="q4_k_m").available_bytes == int(10.67 * GIB)
    assert fit(LLAMA_8B, T4, quantization="q4_k_m", reserve_bytes=GIB).available_bytes == int(14.741 * GIB) - GIB
    driver_only = L4._replace(cuda_gib=None)
    assert fit(LLAMA_8B, driver_only, quantization="q4_k_m").available_bytes == pytest.approx(22.161 * GIB, rel=0.002)
    sold_only = GpuFacts(id="x/y", name="Y", vendor="nvidia", sold_gb=24)
    assert fit(LLAMA_8B, sold_only, quantization="q4_k_m").available_bytes < 22 * GIB
    assert fit(LLAMA_8B, T4, quantization="q4_k_m", gpu_count=4).available_bytes == 4 * int(14.741 * GIB)


def test_a_card_nobody_read_off_is_said():
    sold_only = GpuFacts(id="x/y", name="Y 24", vendor="nvidia", sold_gb=24)
    texts = [assumption.text for assumption in fit(LLAMA_8B, sold_only, quantization="q4_k_m").assumptions]
    assert "neither the driver's nor CUDA's reading of a Y 24 is recorded: 90% of the 24 GB sold" in texts


def test_deepseek_r1_needs_a_rack():
    result = fit(R1, A100_80, quantization="q4_k_m", context_tokens=32768)
    assert result.verdict == "does-not-fit"
    assert 5 <= (result.min_gpus or 0) <= 8
    assert fit(R1, A100_80, quantization="q4_k_m", context_tokens=32768, gpu_count=result.min_gpus).verdict == "fits"


def test_context_beyond_the_model_is_computed_and_said_by_estimate():
    answer = estimate(GEMMA_2, quantization="q4_k_m", context_tokens=32768)
    assert answer.assumptions[0].text == "32,768 tokens are more than the 8,192 the model was made for"


def test_the_longest_context_stops_at_the_models_own():
    assert fit(GEMMA_2, A100_80, quantization="q4_k_m").max_context_tokens == 8192
    unbounded = models()["state-spaces/mamba-130m-hf"]._replace(max_context_tokens=None, num_attention_heads=0)
    assert fit(unbounded, L4, quantization="f16").max_context_tokens is None


def test_tensor_parallel_repeats_the_latent_cache():
    one, eight = (estimate(R1, quantization="native", runtime="vllm", gpu_count=cards) for cards in (1, 8))
    assert eight.memory.kv_cache_bytes == 8 * one.memory.kv_cache_bytes
    llama = [estimate(LLAMA_8B, quantization="bf16", runtime="vllm", gpu_count=cards) for cards in (1, 8, 16)]
    assert llama[1].memory.kv_cache_bytes == llama[0].memory.kv_cache_bytes
    assert llama[2].memory.kv_cache_bytes == 2 * llama[0].memory.kv_cache_bytes


def test_what_runs_emulated_says_so_with_its_source():
    result = fit(LLAMA_8B, A100_80, quantization="fp8", runtime="vllm")
    said = [assumption for assumption in result.assumptions if "weights only" in assumption.text]
    assert [entry.text for entry in said] == ["vLLM runs fp8 as weights only below compute capability 8.9, NVIDIA A100 80GB has 8.0"]
    assert said[0].source is not None
    assert result.verdict == "fits"
    assert not any("weights only" in entry.text for entry in fit(LLAMA_8B, L4, quantization="fp8", runtime="vllm").assumptions)


def test_facts_from_elsewhere_know_of_no_rule():
    assert fit(LLAMA_8B._replace(support=None), T4, quantization="bf16", runtime="transformers").verdict != "unsupported"


def test_a_card_without_a_memory_size_is_unknown_and_the_fact_is_named():
    borrowed = GpuFacts(id="amd/radeon-890m-igpu", name="AMD Radeon 890M", vendor="amd", bf16="native")
    result = fit(LLAMA_8B, borrowed, quantization="q4_k_m")
    assert (result.verdict, result.memory, result.available_bytes) == ("unknown", None, 0)
    assert [(reason.code, reason.message) for reason in result.reasons] == [
        ("gpu-memory-missing", "no memory size of the AMD Radeon 890M is recorded (memory.sold_gb): ask with --memory")
    ]
    assert fit(LLAMA_8B, borrowed, quantization="awq-int4").verdict == "unsupported"
