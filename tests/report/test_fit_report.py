"""Answers as people read them: speed, quality, rent and what gives way on a narrow terminal."""

from __future__ import annotations

import re

import pytest

from llmops_catalog.report.fit import cost, fit_text, speed

GIB = 2**30
MEMORY = {
    "file_bytes": 5 * GIB, "weights_bytes": 5 * GIB, "host_bytes": 0, "kv_cache_bytes": GIB, "state_bytes": 0, "compute_bytes": 0,
    "overhead_bytes": 0, "total_bytes": 6 * GIB, "low_bytes": 6 * GIB, "high_bytes": 7 * GIB, "per_gpu_bytes": [6 * GIB],
}  # fmt: skip
QUALITY = {"measure": "perplexity", "difference": 0.0282, "unit": "relative", "of_model": "a/b", "exact": False,
           "metric": "perplexity wikitext-2", "source": "https://example.org"}  # fmt: skip
ANSWER = {
    "model": "org/model", "hub_id": "", "quantization": "q4_k_m", "runtime": "llama.cpp", "context_tokens": 8192, "prompt_tokens": 8192,
    "concurrency": 1, "kv_cache_type": "f16", "gpu_count": 1, "memory": MEMORY, "assumptions": [], "gpu": "nvidia/card",
    "available_bytes": 8 * GIB, "verdict": "fits", "reasons": [], "max_context_tokens": 16384, "max_concurrency": 2, "min_gpus": 1,
    "decode_tokens_per_second": {"low": 34.6, "high": 75.2, "rough": False, "basis": "x"},
    "prefill_tokens_per_second": {"low": 1234, "high": 5678, "rough": True, "basis": "x"},
    "quality": QUALITY, "largest_quantization": "q5_k_m", "usd_per_hour": None,
}  # fmt: skip
OTHER = {**ANSWER, "gpu": "nvidia/other", "verdict": "does-not-fit", "reasons": [{"code": "too-large", "message": "needs more"}]}
RENT = {"amount": 0.4, "currency": "USD", "provider": "cloud", "gpu": "nvidia/card", "gpu_count": 2, "quantization": "q4_k_m",
        "as_of": "2026-08", "source": "https://example.org"}  # fmt: skip


def columns(text):
    """The names above the table."""
    return re.split(r"  +", text.splitlines()[2])


@pytest.mark.parametrize(
    ("low", "high", "rough", "shown"),
    [(34.6, 75.2, False, "35-75"), (6.34, 12.6, True, "~6.3-13"), (0.04, 0.8, False, "0.04-0.8"), (2140, 14008, False, "2,100-14,000")],
)
def test_speed_is_an_interval_of_two_digits(low, high, rough, shown):
    assert speed({"low": low, "high": high, "rough": rough}) == shown


def test_what_is_not_known_is_a_dash():
    assert speed(None) == cost(None) == "-"


def test_the_cost_of_a_quantization_in_its_own_measure():
    assert cost(QUALITY) == "perplexity +2.8%"
    assert cost({**QUALITY, "measure": "task-score", "unit": "points", "difference": -0.44}) == "score -0.4"


def test_one_answer_says_how_fast_how_good_and_how_far():
    text = fit_text([ANSWER], "quantization")
    assert "\n  answers at 35-75 tokens/s with the context full\n" in text
    assert "\n  reads a prompt of 8,192 tokens at ~1,200-5,700 tokens/s\n" in text
    assert "\n  quality of q4_k_m: perplexity +2.8% against 16 bit (perplexity wikitext-2, published for a/b)\n" in text
    assert "\n  best quantization that fits: q5_k_m\n" in text
    assert "rough" not in text


def test_a_card_it_does_not_fit_has_no_speed():
    assert "tokens/s" not in fit_text([OTHER], "quantization")


def test_cards_for_a_model_with_the_cheapest_rent_below():
    text = fit_text([ANSWER, OTHER], "gpu", rental=RENT)
    assert columns(text) == ["card", "quantization", "verdict", "needs GiB", "of GiB", "tokens/s", "longest context", "why"]
    assert text.splitlines()[3].split() == ["nvidia/card", "q4_k_m", "fits", "6.00", "8.00", "35-75", "16,384"]
    assert text.endswith("  cheapest known rent for q4_k_m: 2 x nvidia/card, 0.40 USD an hour at cloud, seen 2026-08\n")


def test_columns_give_way_to_a_narrow_terminal():
    wide = ["model", "quantization", "verdict", "needs GiB", "of GiB", "tokens/s", "quality", "longest context"]
    assert columns(fit_text([ANSWER, ANSWER], "model")) == wide
    narrow = fit_text([ANSWER, ANSWER], "model", width=60)
    assert columns(narrow) == ["model", "quantization", "verdict", "needs GiB", "tokens/s"]
    assert all(len(line) <= 60 for line in narrow.splitlines())


def test_what_is_refused_says_whether_the_memory_would_do():
    unsupported = {**ANSWER, "verdict": "unsupported", "reasons": [{"code": "no-bf16", "message": "no bf16: use f16"}]}
    assert "\n  no bf16: use f16\n  the memory would do: 6.00 to 7.00 GiB\n" in fit_text([unsupported], "quantization")
    assert "the memory would not do either" in fit_text([{**unsupported, "available_bytes": GIB}], "quantization")
