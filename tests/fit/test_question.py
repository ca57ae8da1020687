"""Absurd questions get one sentence and the next thing to try; names are forgiving, never guessed."""

from __future__ import annotations

import pytest
from facts_for_tests import GPT_OSS, LLAMA_8B, T4, models

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import RUNTIMES, Engine, estimate, fit, memory_card, parse_size
from llmops_catalog.fit.question import ask

GIB = 2**30


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"quantization": "q4_k_n"}, "no quantization is called 'q4_k_n'. Did you mean 'q4_k_s', 'q4_k_m' or 'iq4_k'?"),
        ({"quantization": "q4_k_m", "runtime": "vlm"}, "no runtime is called 'vlm'. Did you mean 'vllm'?"),
        (
            {"quantization": "q4_k_m", "runtime": "tgi"},
            "no runtime is called 'tgi'.",
        ),
        ({"quantization": "q8_0", "kv_cache_type": "q8"}, "no KV cache type is called 'q8'. Did you mean 'q8_0'?"),
        ({"quantization": "q8_0", "context_tokens": 0}, "context 0 makes no sense"),
        ({"quantization": "q8_0", "context_tokens": -1}, "context -1 makes no sense"),
        ({"quantization": "q8_0", "context_tokens": 10**12}, "context 1000000000000 makes no sense"),
        ({"quantization": "q8_0", "context_tokens": True}, "context must be a whole number of tokens, not True"),
        ({"quantization": "q8_0", "concurrency": 0}, "concurrency 0 makes no sense"),
        ({"quantization": "q8_0", "gpu_count": 0}, "gpu_count 0 makes no sense"),
        ({"quantization": "q8_0", "gpu_count": 1025}, "gpu_count 1025 makes no sense"),
        (
            {"quantization": "q8_0", "context_tokens": 4096, "prompt_tokens": 8192},
            "a prompt of 8192 tokens does not go into a context of 4096",
        ),
        ({"quantization": "x" * 500}, None),
    ],
)
def test_absurd_questions_are_refused(asked, message):
    with pytest.raises(FitInputError) as caught:
        estimate(LLAMA_8B, **asked)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    if message is None:
        assert len(caught.value.message) < 1000
    else:
        assert caught.value.message == message


def test_names_in_any_case_and_usual_spellings():
    asked = ask(LLAMA_8B, quantization="Q4_K_M", runtime="Ollama", kv_cache_type="FP16")
    assert (asked.quantization, asked.runtime, asked.kv_cache_type) == ("q4_k_m", "llama.cpp", "f16")


def test_defaults_are_filled_in():
    asked = ask(LLAMA_8B, quantization="q8_0")
    assert (asked.context_tokens, asked.prompt_tokens, asked.kv_cache_type) == (8192, 8192, "f16")
    assert ask(models()["openai-community/gpt2"], quantization="q8_0").context_tokens == 1024
    assert ask(LLAMA_8B, quantization="bf16", runtime="vllm").kv_cache_type == "bf16"
    unbounded = models()["state-spaces/mamba-130m-hf"]._replace(max_context_tokens=None)
    assert ask(unbounded, quantization="bf16").context_tokens == 8192


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24 * GIB),
        ("24 gib", 24 * GIB),
        ("24g", 24 * GIB),
        ("24GB", 24 * 10**9),
        ("1.5GiB", 3 * GIB // 2),
        ("512m", GIB // 2),
        ("2t", 2048 * GIB),
        ("25769803776", 24 * GIB),
    ],
)
def test_sizes_people_write(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("banana", "'banana' is not a size"),
        ("", "'' is not a size"),
        ("24XB", "'24XB' is not a size"),
        ("-8GiB", "'-8GiB' is a negative size"),
        ("24", "'24' is less than 1 MiB"),
        ("0GiB", "'0GiB' is less than 1 MiB"),
        ("9000000t", "'9000000t' is more memory than any machine has"),
        ("9" * 400, f"'{'9' * 37}...' is more memory than any machine has"),
        ("nan", "'nan' is not a size"),
        ("1e9", "'1e9' is not a size"),
    ],
)
def test_sizes_that_are_none(text, message):
    with pytest.raises(FitInputError) as caught:
        parse_size(text)
    assert caught.value.message == message


def test_memory_of_a_card_that_is_not_in_the_catalog():
    card = memory_card(parse_size("24GiB"))
    result = fit(LLAMA_8B, card, quantization="q4_k_m")
    assert result.available_bytes == 24 * GIB
    assert result.gpu.name == "24.00 GiB"
    with pytest.raises(FitInputError):
        memory_card(-1)


def test_a_negative_reserve_and_an_impossible_share_are_refused():
    with pytest.raises(FitInputError, match="the reserve is negative"):
        fit(LLAMA_8B, T4, quantization="q8_0", reserve_bytes=-1)
    with pytest.raises(FitInputError, match=r"gpu_memory_utilization 1\.5 is no share of the memory"):
        fit(LLAMA_8B, T4, quantization="q8_0", gpu_memory_utilization=1.5)


def test_a_quantization_may_name_its_own_size():
    sizes = [estimate(LLAMA_8B, quantization=name).memory.file_bytes for name in ("exl2-4.0", "EXL2-4.65 ", "exl2-5.0")]
    assert sizes == sorted(sizes)
    with pytest.raises(FitInputError, match=r"no quantization is called 'exl2-9\.0'\. Did you mean 'exl2-5\.0'"):
        estimate(LLAMA_8B, quantization="exl2-9.0")


def test_f16_of_gpt_oss_is_what_that_file_really_is():
    f16 = estimate(GPT_OSS, quantization="f16").memory.file_bytes
    assert f16 < GPT_OSS.total_parameters
    assert estimate(GPT_OSS, quantization="native", runtime="vllm").memory.file_bytes == pytest.approx(f16, rel=0.01)


@pytest.mark.parametrize("runtime", ["transformers", "vllm"])
def test_weights_in_32_bit_keep_a_cache_in_32_bit(runtime):
    half, whole = (estimate(LLAMA_8B, quantization=name, runtime=runtime) for name in ("bf16", "f32"))
    assert (half.question.kv_cache_type, whole.question.kv_cache_type) == ("bf16", "f32")
    assert whole.memory.kv_cache_bytes == 2 * half.memory.kv_cache_bytes
    assert estimate(LLAMA_8B, quantization="f32", runtime=runtime, kv_cache_type="f16").question.kv_cache_type == "f16"


def test_another_quantization_of_a_question_has_the_cache_that_is_usual_with_it():
    asked = ask(LLAMA_8B, quantization="f32", runtime="transformers")
    assert asked.quantized(LLAMA_8B, "bnb-nf4") == ask(LLAMA_8B, quantization="bnb-nf4", runtime="transformers")
    chosen = ask(LLAMA_8B, quantization="f32", runtime="vllm", kv_cache_type="fp8")
    assert chosen.quantized(LLAMA_8B, "bf16").kv_cache_type == "fp8"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"engine": None}, "engine must be of the kind Engine, not 'None'"),
        ({"engine": {"gpu_layers": 3}}, "engine must be of the kind Engine, not \"{'gpu_layers': 3}\""),
        ({"engine": Engine(runtime_version=5)}, "runtime_version must be a short text, not '5'"),
        ({"engine": Engine(runtime_version="9" * 5000 + ".1")}, f"runtime_version must be a short text, not '{60 * '9'}'"),
        ({"training": ("sgd",)}, "training must be of the kind Training, not \"('sgd',)\""),
    ],
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_settings_of_another_kind_are_refused(asked, message, runtime):
    with pytest.raises(FitInputError) as caught:
        estimate(LLAMA_8B, quantization="bf16", runtime=runtime, **asked)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("room", "message"),
    [
        ({"reserve_bytes": "1g"}, "the reserve must be a whole number of bytes, not '1g'"),
        ({"reserve_bytes": 0.5}, "the reserve must be a whole number of bytes, not '0.5'"),
        ({"gpu_memory_utilization": "most"}, "gpu_memory_utilization most is no share of the memory"),
        ({"gpu_memory_utilization": float("nan")}, "gpu_memory_utilization nan is no share of the memory"),
    ],
)
def test_room_on_a_card_is_numbers(room, message):
    with pytest.raises(FitInputError) as caught:
        fit(LLAMA_8B, T4, quantization="bf16", runtime="vllm", **room)
    assert caught.value.message == message
