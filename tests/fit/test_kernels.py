"""Will the kernel run? Number formats, attention, cache types and hardware floors, in the words people get."""

from __future__ import annotations

import pytest
from facts_for_tests import A100_80, L4, LLAMA_8B, T4, models

from llmops_catalog.fit import Engine, GpuFacts, fit

SMALL = models()["meta-llama/llama-3.2-3b-instruct"]


def card(name, vendor, architecture=None, capability=None, **more):
    return GpuFacts(id=name, name=name, vendor=vendor, sold_gb=80, cuda_gib=79, architecture=architecture,
                    compute_capability=capability, **more)  # fmt: skip


V100, P40 = card("V100", "nvidia", "volta", "7.0"), card("P40", "nvidia", "pascal", "6.1")
H100, B200 = card("H100", "nvidia", "hopper", "9.0"), card("B200", "nvidia", "blackwell", "10.0")
RX_6800, RX_7900 = card("RX 6800 XT", "amd", "rdna2"), card("RX 7900 XTX", "amd", "rdna3")
MI100 = card("MI100", "amd", "cdna")
NO_FLASH = Engine(flash_attention=False)


def refused(gpu, **asked):
    result = fit(SMALL, gpu, **asked)
    return [reason.message for reason in result.reasons] if result.verdict == "unsupported" else []


def said(gpu, **asked):
    result = fit(SMALL, gpu, **asked)
    assert result.verdict == "fits", result.reasons
    rules = {rule.source for rule in SMALL.support.rules}
    return [entry.text for entry in result.assumptions if entry.source in rules]


@pytest.mark.parametrize(
    ("gpu", "asked", "message"),
    [
        (V100, {"quantization": "f16", "runtime": "vllm"},
         "vLLM needs compute capability 7.5 or more, V100 has 7.0: use llama.cpp, or vLLM 0.14 on a V100"),
        (RX_6800, {"quantization": "f16", "runtime": "vllm"},
         "vLLM on AMD runs on CDNA 2 to 4 and RDNA 3 to 4, not on RX 6800 XT: use llama.cpp"),
        (MI100, {"quantization": "f16", "runtime": "vllm"}, "vLLM on AMD runs on CDNA 2 to 4 and RDNA 3 to 4, not on MI100: use llama.cpp"),
        (T4, {"quantization": "bf16", "runtime": "vllm"}, "vLLM computes in bf16 from compute capability 8.0, Tesla T4 has 7.5: use f16"),
        (A100_80, {"quantization": "fp8", "runtime": "transformers"},
         "FP8 checkpoints in Transformers need compute capability 8.9, NVIDIA A100 80GB has 8.0: use vLLM, which unpacks fp8 on older "
         "cards, or bnb-int8"),
        (P40, {"quantization": "bnb-int8", "runtime": "transformers"},
         "bitsandbytes int8 needs compute capability 7.5, P40 has 6.1: use bnb-nf4, or llama.cpp with q8_0"),
        (L4, {"quantization": "q4_k_m", "kv_cache_type": "q8_0", "engine": NO_FLASH},
         "A quantized V cache in llama.cpp needs flash attention, and it is off: start it with --flash-attn on, or keep the cache in f16"),
        (card("A380", "intel"), {"quantization": "bnb-nf4", "runtime": "vllm"},
         "bitsandbytes in vLLM runs on NVIDIA and AMD, not on A380: use awq-int4 or gptq-int4"),
    ],
)  # fmt: skip
def test_what_does_not_run_says_why_and_what_to_use(gpu, asked, message):
    assert refused(gpu, **asked) == [message]


@pytest.mark.parametrize(
    ("gpu", "asked", "message"),
    [
        (A100_80, {"quantization": "fp8", "runtime": "vllm"},
         "vLLM runs fp8 as weights only below compute capability 8.9, NVIDIA A100 80GB has 8.0"),
        (T4, {"quantization": "bf16"},
         "llama.cpp computes bf16 files in f32 on cards without bf16, Tesla T4 has 7.5: take an F16 or Q8_0 file"),
        (T4, {"quantization": "awq-int4", "runtime": "vllm"},
         "Quantized bf16 checkpoints in vLLM start as they are from compute capability 8.0, Tesla T4 has 7.5: start it with --dtype half"),
        (T4, {"quantization": "f16", "runtime": "transformers"},
         "FlashAttention-2 needs compute capability 8.0, Tesla T4 has 7.5: leave the attention setting on its default"),
        (V100, {"quantization": "f16", "runtime": "transformers"},
         "PyTorch builds for CUDA 12.8 and later start at compute capability 7.5, V100 has 7.0: install the build for CUDA 12.6"),
        (A100_80, {"quantization": "bf16", "runtime": "vllm", "kv_cache_type": "fp8"},
         "An fp8 cache in vLLM is unsafe to plan with below compute capability 8.9, NVIDIA A100 80GB has 8.0: try e5m2, or keep bf16"),
        (L4, {"quantization": "q4_k_m", "kv_cache_type": "q5_1"},
         "llama.cpp builds cache kernels only for q8_0 with q8_0 and q4_0 with q4_0: use q8_0 or q4_0 for both K and V"),
        (RX_7900, {"quantization": "awq-int4", "runtime": "vllm"},
         "AWQ and GPTQ in vLLM are documented for NVIDIA and Intel, not on RX 7900 XTX: test it first, or use SGLang"),
    ],
)  # fmt: skip
def test_what_runs_otherwise_than_one_thinks_is_said_beside_the_answer(gpu, asked, message):
    assert message in said(gpu, **asked)


def test_mxfp4_is_native_on_blackwell_emulated_on_hopper():
    gpt_oss = models()["openai/gpt-oss-20b"]

    def emulated(gpu):
        result = fit(gpt_oss, gpu, quantization="native", runtime="vllm")
        assert result.verdict == "fits"
        return [entry.text for entry in result.assumptions if "weights only" in entry.text]

    assert emulated(H100) == ["vLLM runs nvfp4 and mxfp4 as weights only below compute capability 10.0, H100 has 9.0"]
    assert emulated(B200) == []


def test_a_current_card_gets_no_advice():
    assert said(H100, quantization="bf16", runtime="vllm") == []
    assert said(L4, quantization="q4_k_m") == []
    assert said(H100, quantization="fp8", runtime="vllm", kv_cache_type="bf16") == []


def test_a_quantized_cache_runs_with_flash_attention():
    assert fit(LLAMA_8B, L4, quantization="q4_k_m", kv_cache_type="q8_0").verdict == "fits"
    assert fit(LLAMA_8B, L4, quantization="q4_k_m", engine=NO_FLASH).verdict == "fits"


def test_an_architecture_nobody_recorded_refuses_nothing():
    assert refused(card("some Radeon", "amd"), quantization="f16", runtime="vllm") == []
