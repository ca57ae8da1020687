"""Settings that change nothing are said; so is what no card would make run. The bytes are counted all the same."""

from __future__ import annotations

import pytest
from facts_for_tests import LLAMA_8B, T4, catalog_models

from llmops_catalog.fit import Engine, Training, estimate, fit

MOE = catalog_models()["qwen/qwen3-30b-a3b"]


def said(model, **asked):
    return [assumption.text for assumption in estimate(model, **asked).assumptions]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"runtime": "vllm", "engine": Engine(gpu_layers=3)}, "--gpu-layers is a setting of llama.cpp: it changes nothing in vllm"),
        ({"runtime": "vllm", "engine": Engine(flash_attention=False)},
         "--no-flash-attention is a setting of llama.cpp and transformers: it changes nothing in vllm"),
        ({"runtime": "llama.cpp", "engine": Engine(batched_tokens=512)},
         "--max-batched-tokens is a setting of vllm: it changes nothing in llama.cpp"),
        ({"runtime": "llama.cpp", "engine": Engine(cpu_expert_layers=4)},
         "the model has no experts to keep in main memory: --cpu-moe changes nothing"),
        ({"training": Training(gradient_checkpointing=False)},
         "--no-gradient-checkpointing is a setting of training: it changes nothing where the model answers"),
        ({"task": "full", "training": Training(lora_rank=4)},
         "--lora-rank is a setting of adapters: it changes nothing where all weights are trained"),
    ],
)  # fmt: skip
def test_a_setting_that_changes_nothing_is_said_and_changes_nothing(asked, sentence):
    without = {key: value for key, value in asked.items() if key not in ("engine", "training")}
    assert sentence in said(LLAMA_8B, quantization="bf16", **asked)
    assert estimate(LLAMA_8B, quantization="bf16", **asked).memory == estimate(LLAMA_8B, quantization="bf16", **without).memory


@pytest.mark.parametrize(
    ("runtime", "engine"),
    [
        ("llama.cpp", Engine(gpu_layers=3)),
        ("llama.cpp", Engine(cpu_expert_layers=4)),
        ("vllm", Engine(batched_tokens=512)),
        ("vllm", Engine()),
    ],
)
def test_of_settings_that_count_nothing_is_said(runtime, engine):
    assert not [text for text in said(MOE, quantization="bf16", runtime=runtime, engine=engine) if "changes nothing" in text]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"quantization": "awq-int4", "runtime": "llama.cpp"}, "llama.cpp does not load awq-int4: use a GGUF file, such as q4_k_m or q8_0"),
        ({"quantization": "q4_k_m", "runtime": "transformers"},
         "q4_k_m is a GGUF type: use llama.cpp, or transformers with awq-int4, gptq-int4 or bnb-nf4"),
        ({"quantization": "bf16", "runtime": "vllm", "gpu_count": 3},
         "vLLM cannot divide 32 attention heads among 3 cards: use a number that divides them"),
        ({"quantization": "q8_0", "kv_cache_type": "q8_0", "engine": Engine(flash_attention=False)},
         "A quantized V cache in llama.cpp needs flash attention, and it is off: start it with --flash-attn on, or keep the cache in f16"),
    ],
)  # fmt: skip
def test_an_estimate_says_first_what_nobody_can_run_so(asked, sentence):
    assert said(LLAMA_8B, **asked)[0] == sentence
    answer = fit(LLAMA_8B, T4, **asked)
    assert sentence in [reason.message for reason in answer.reasons]
    assert sentence not in [assumption.text for assumption in answer.assumptions]


def test_an_estimate_that_runs_somewhere_has_nothing_to_say_against_it():
    assert "block types" in said(LLAMA_8B, quantization="q4_k_m")[0]
    assert said(LLAMA_8B, quantization="q4_k_m", context_tokens=200_000)[0].startswith("200,000 tokens are more than")
