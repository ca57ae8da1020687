"""What `fit` says beyond memory, on the real catalog: speed, quality, the cheapest rent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import run_in

CATALOG = Path(__file__).parents[2] / "catalog"


def fit(*words: str) -> Any:
    return run_in(CATALOG, "fit", *words)


def test_a_model_alone_is_told_the_cheapest_rent() -> None:
    answer = fit("--model", "qwen3-8b", "--format", "json").json
    rental = answer["cheapest_rental"]
    assert list(rental) == ["amount", "currency", "provider", "gpu", "gpu_count", "quantization", "as_of", "source"]
    assert rental["as_of"]
    assert rental["amount"] > 0
    row = next(result for result in answer["results"] if result["gpu"] == rental["gpu"])
    assert row["verdict"] == "fits"
    assert "cheapest known rent for q4_k_m: " in fit("--model", "qwen3-8b", "--limit", "2").out


def test_other_questions_have_no_rent_beside_them() -> None:
    assert list(fit("--model", "qwen3-8b", "--gpu", "4090", "--format", "json").json) == ["schema", "results"]


def test_the_table_of_a_model_and_a_card_shows_speed_and_quality() -> None:
    lines = fit("--model", "qwen3-8b", "--gpu", "4090").out.splitlines()
    assert all(name in lines[2] for name in ("tokens/s", "quality", "longest context"))
    row = next(line for line in lines if line.startswith("q4_k_m"))
    assert "perplexity +2.8%" in row


@pytest.mark.parametrize(("context", "longer"), [("1024", "8192"), ("8192", "32768")])
def test_a_full_context_is_slower(context: str, longer: str) -> None:
    words = ("--model", "qwen3-8b", "--gpu", "4090", "--quantization", "q4_k_m", "--format", "json", "--context")
    short, long = (fit(*words, tokens).json["results"][0] for tokens in (context, longer))
    for speed in ("decode_tokens_per_second", "prefill_tokens_per_second"):
        assert long[speed]["low"] < short[speed]["low"]
        assert long[speed]["high"] <= short[speed]["high"]


@pytest.mark.parametrize(("model", "gpu", "shown"), [("llama-3.1-70b-instruct", "4090", "q2_k"), ("qwen3-8b", "4090", "bf16")])
def test_the_breakdown_is_of_the_best_that_fits_or_of_the_one_nearest_to_it(model: str, gpu: str, shown: str) -> None:
    assert f"\n{shown}, part by part\n" in fit("--model", model, "--gpu", gpu).out


def test_a_limit_holds_for_json_too_and_cuts_the_end_off() -> None:
    few = fit("--gpu", "l4", "--limit", "3", "--format", "json").json["results"]
    table = fit("--gpu", "l4", "--limit", "3").out.splitlines()
    assert [row["model"] for row in few] == [line.split()[0] for line in table[3:6]]
    assert table[-1].startswith("... ")


def test_why_something_does_not_run_is_said_to_the_end_with_the_way_out() -> None:
    row = next(line for line in fit("--model", "qwen3-8b", "--gpu", "t4", "--runtime", "vllm").out.splitlines() if line.startswith("bf16"))
    assert row.endswith("vLLM computes in bf16 from compute capability 8.0, NVIDIA T4 has 7.5: use f16")
