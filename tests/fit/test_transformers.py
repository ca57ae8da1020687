"""Transformers: what lives at the peak of a prefill, against traces; what older releases, formats and several cards change."""

from __future__ import annotations

import pytest
from facts_for_tests import GEMMA_2, GPT_OSS, LLAMA_8B, R1, models, vectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog.fit import MissingFact, ModelFacts, estimate
from llmops_catalog.fit.facts import ExpertFacts, LatentFacts, LayerGroupFacts, StateFacts
from llmops_catalog.fit.kv_cache import cache_bytes
from llmops_catalog.fit.runtimes.transformers.families import LATEST, release
from llmops_catalog.fit.runtimes.transformers.prefill import Prompt, prefill_peak
from llmops_catalog.fit.settings import Engine
from llmops_catalog.fit.state import state_bytes

MIB, GIB = 2**20, 2**30
TRACES = vectors("transformers_live_bytes")["rows"]
TRACED_WITHIN = 0.016


def traced_model(row):
    """The small model of a trace, as facts."""
    facts = dict(row["facts"])
    layers = facts.pop("layers", {"full_attention": facts["num_hidden_layers"]})
    window = facts.pop("sliding_window", None)
    for name, kind in (("latent", LatentFacts), ("experts", ExpertFacts), ("state", StateFacts)):
        if name in facts:
            facts[name] = kind(**facts[name])
    groups = tuple(LayerGroupFacts(count, kind, window if "sliding" in kind else None) for kind, count in layers.items())
    named = {
        "id": row["model_type"],
        "name": row["model_type"],
        "kind": row.get("kind", "decoder"),
        "vocab_size": 32000,
        "total_parameters": 1,
    }
    return ModelFacts(model_type=row["model_type"], layer_groups=groups, **named, **facts)


@pytest.mark.parametrize("row", TRACES, ids=lambda row: f"{row['model_type']} {row['prompt_tokens']}x{row['sequences']}")
def test_live_bytes_of_a_prefill(row):
    model = traced_model(row)
    prompt = Prompt(row["prompt_tokens"], row["sequences"], row.get("octets", 2), LATEST, row.get("flash_attention", True))
    cache = prompt.sequences * (cache_bytes(model, "bf16", lambda _: prompt.tokens) + state_bytes(model, 2))
    assert prefill_peak(model, prompt).widest + cache == pytest.approx(row["live_bytes"], rel=TRACED_WITHIN)


def peak(model, engine=None, **asked):
    """Everything but the CUDA context: what PyTorch counts."""
    memory = estimate(model, runtime="transformers", engine=engine or Engine(), **{"quantization": "bf16", **asked}).memory
    return memory.total_bytes - memory.overhead_bytes


PUBLISHED = vectors("transformers_releases")["rows"]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["quote"])
def test_peaks_that_differ_by_release_and_format(row):
    asked = {key: row[key] for key in ("quantization", "context_tokens", "prompt_tokens")}
    assert peak(models()[row["model"]], Engine(runtime_version=row["runtime_version"]), **asked) == pytest.approx(
        row["gib"] * GIB, rel=0.012
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("transformers 4.46.0", (4, 46)), ("4.51.3", (4, 51)), ("5.0.0.dev0", (5, 0)), ("SGLang", LATEST), ("latest", LATEST), (None, LATEST)],
)
def test_the_release_a_text_names(text, expected):
    assert release(text) == expected


def test_releases_before_4_45_compute_the_logits_of_the_whole_prompt():
    asked = {"context_tokens": 16384}
    old, new = (peak(LLAMA_8B, Engine(runtime_version=version), **asked) for version in ("4.44.2", "4.45.0"))
    logits = 16384 * (6 * 128256 + 2 * 4096)
    activations = 16384 * 2 * (3 * 14336 + 4 * 4096 + 2 * 128)
    assert old - new == pytest.approx(logits - activations, rel=0.02)


def test_without_fused_attention_every_score_is_kept():
    fused, eager = (peak(LLAMA_8B, Engine(flash_attention=flag), context_tokens=8192) for flag in (True, False))
    assert eager - fused == pytest.approx(32 * 8192**2 * 10, rel=0.1)


def test_softcapped_scores_and_sinks_are_never_fused_unasked():
    for model in (GEMMA_2, GPT_OSS):
        said = [assumption.text for assumption in estimate(model, quantization="bf16", runtime="transformers").assumptions]
        assert "the whole prompt is prefilled at once, and every score of every attention head is kept" in said


def test_a_window_shorter_than_the_prompt_costs_a_mask():
    gemma = models()["google/gemma-3-12b-it"]
    said = {
        tokens: estimate(gemma, quantization="bf16", runtime="transformers", context_tokens=tokens).assumptions for tokens in (1023, 1024)
    }
    mask = "a mask of prompt x prompt is built, as with attn_implementation='sdpa', the default"
    assert [mask in {assumption.text for assumption in said[tokens]} for tokens in (1023, 1024)] == [False, True]


def test_a_short_answer_after_a_long_prompt_leaves_the_whole_prompt_in_sliding_layers():
    gemma = models()["google/gemma-3-12b-it"]
    memory = estimate(gemma, quantization="bf16", runtime="transformers", context_tokens=16384).memory
    whole = 48 * 16384 * 2 * 8 * 256 * 2
    assert memory.kv_cache_bytes < whole / 4
    assert memory.kv_cache_bytes + memory.compute_bytes > whole


def test_latents_are_cached_since_5_15():
    before, since = (peak(R1, Engine(runtime_version=version), context_tokens=32768) for version in ("5.14.0", "5.15.1"))
    assert before - since == pytest.approx(61 * 32768 * 2 * (128 * 320 - 576), rel=0.01)


def test_cards_after_the_first_do_not_hold_the_embeddings():
    one, three = (peak(LLAMA_8B, context_tokens=8192, gpu_count=cards) for cards in (1, 3))
    each = 8192 * 2 * (3 * 14336 + 3 * 4096 + 2 * 128) + 20 * MIB
    assert three - one == pytest.approx(2 * each, rel=0.02)


def test_bitsandbytes_skips_the_experts_of_transformers_5():
    model = models()["qwen/qwen3-30b-a3b"]
    asked = {"quantization": "bnb-nf4", "runtime": "transformers"}
    four, five = (estimate(model, engine=Engine(runtime_version=version), **asked) for version in ("4.57.0", "5.24.0"))
    experts = 48 * 128 * 3 * 2048 * 768
    assert five.memory.weights_bytes - four.memory.weights_bytes == pytest.approx(experts * (2 - 0.5625), rel=0.001)
    assert "experts stay in 16 bit: bitsandbytes quantizes linear layers only" in {note.text for note in five.assumptions}


ENGINES = st.builds(
    lambda **settings: Engine(**settings),
    runtime_version=st.sampled_from([None, "4.38.2", "4.44.0", "4.51.3", "5.0.0"]),
    flash_attention=st.booleans(),
)
FEW = st.integers(1, 3)
FORMATS = st.sampled_from(["bf16", "gptq-int4", "gptq-int8", "awq-int4", "bnb-int8", "bnb-nf4", "f32"])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(models())), FORMATS, ENGINES, st.integers(1, 60_000), st.integers(1, 5000), FEW, FEW)
def test_more_never_needs_less_whatever_the_release(model_id, quantization, engine, context, more, sequences, cards):
    asked = {"quantization": quantization, "engine": engine, "gpu_count": cards, "runtime": "transformers"}
    try:
        less, longer, wider = (
            estimate(models()[model_id], context_tokens=tokens, concurrency=number, **asked).memory
            for tokens, number in ((context, sequences), (context + more, sequences), (context, sequences + 1))
        )
    except MissingFact:
        assume(False)
    for larger in (longer, wider):
        assert less.total_bytes <= larger.total_bytes
        assert less.low_bytes <= larger.low_bytes + cards
        assert less.high_bytes <= larger.high_bytes
        assert max(less.per_gpu_high_bytes) <= max(larger.per_gpu_high_bytes)
    assert less.low_bytes <= less.total_bytes <= less.high_bytes
    assert sum(less.per_gpu_bytes) == less.total_bytes
