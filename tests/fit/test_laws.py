"""What must hold whatever the numbers: more context never needs less, a bigger card never turns yes into no."""

from __future__ import annotations

from facts_for_tests import models
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog.fit import MissingFact, estimate, fit, memory_card
from llmops_catalog.fit.limits import largest
from llmops_catalog.fit.verdict import VERDICTS

ROOM = settings(max_examples=60, deadline=None, derandomize=True)
any_model = st.sampled_from(sorted(models()))
any_runtime = st.sampled_from(["llama.cpp", "vllm", "transformers"])
any_context = st.integers(1, 300_000)
FINER_TO_COARSER = {
    "llama.cpp": ("f32", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q3_k_m", "q2_k", "iq1_s"),
    "vllm": ("f32", "bf16", "gptq-int8", "gptq-int4", "awq-int4"),
    "transformers": ("f32", "bf16", "bnb-int8", "bnb-nf4", "bnb-nf4-dq"),
}


def needed(model_id, **asked):
    try:
        return estimate(models()[model_id], **asked).memory
    except MissingFact:
        assume(False)


@ROOM
@given(any_model, any_runtime, any_context, st.integers(1, 40_000), st.integers(1, 8), st.integers(1, 4))
def test_more_context_never_needs_less(model_id, runtime, context, more, concurrency, cards):
    asked = {"quantization": "bf16", "runtime": runtime, "concurrency": concurrency, "gpu_count": cards}
    less_memory, more_memory = (needed(model_id, context_tokens=tokens, **asked) for tokens in (context, context + more))
    assert less_memory.total_bytes <= more_memory.total_bytes
    assert max(less_memory.per_gpu_high_bytes) <= max(more_memory.per_gpu_high_bytes)


@ROOM
@given(any_model, any_runtime, st.integers(1, 60_000), st.integers(1, 64))
def test_more_sequences_never_need_less(model_id, runtime, context, concurrency):
    asked = {"quantization": "bf16", "runtime": runtime, "context_tokens": context}
    assert (
        needed(model_id, concurrency=concurrency, **asked).total_bytes <= needed(model_id, concurrency=concurrency + 1, **asked).total_bytes
    )


@ROOM
@given(any_model, any_runtime, any_context, st.integers(1, 16), st.sampled_from(["f32", "bf16", "f16"]))
def test_the_interval_holds_the_estimate_and_the_parts_add_up(model_id, runtime, context, cards, quantization):
    memory = needed(model_id, quantization=quantization, runtime=runtime, context_tokens=context, gpu_count=cards)
    assert 0 <= memory.low_bytes <= memory.total_bytes <= memory.high_bytes
    parts = ("weights_bytes", "kv_cache_bytes", "state_bytes", "compute_bytes", "overhead_bytes")
    assert memory.total_bytes == sum(getattr(memory, part) for part in parts)
    assert sum(memory.per_gpu_bytes) == memory.total_bytes
    assert len(memory.per_gpu_bytes) == cards
    assert min(memory.per_gpu_bytes) > 0


@ROOM
@given(any_model, any_runtime)
def test_a_coarser_quantization_is_never_heavier(model_id, runtime):
    sizes = []
    for quantization in FINER_TO_COARSER[runtime]:
        memory = needed(model_id, quantization=quantization, runtime=runtime, context_tokens=512)
        sizes.append(memory.weights_bytes)
    assert sizes == sorted(sizes, reverse=True)


@ROOM
@given(any_model, any_runtime, any_context, st.integers(1, 400), st.integers(1, 100))
def test_a_bigger_card_never_turns_yes_into_no(model_id, runtime, context, gib, more):
    asked = {"quantization": "bf16", "runtime": runtime, "context_tokens": context}
    small, large = (fit(models()[model_id], memory_card(size * 2**30), **asked) for size in (gib, gib + more))
    if small.verdict in ("unknown", "unsupported"):
        assert large.verdict == small.verdict
        return
    assert VERDICTS.index(large.verdict) <= VERDICTS.index(small.verdict)
    assert (large.max_context_tokens or 10**9) >= (small.max_context_tokens or 0)
    assert large.max_concurrency >= small.max_concurrency
    assert small.min_gpus is None or large.min_gpus <= small.min_gpus


@ROOM
@given(any_model, any_runtime, st.integers(1, 200))
def test_the_longest_context_fits_and_one_token_more_does_not(model_id, runtime, gib):
    model, card = models()[model_id], memory_card(gib * 2**30)
    longest = fit(model, card, quantization="bf16", runtime=runtime).max_context_tokens
    if not longest:
        return
    asked = {"quantization": "bf16", "runtime": runtime}
    assert fit(model, card, context_tokens=longest, **asked).verdict == "fits"
    if longest != model.max_context_tokens:
        assert fit(model, card, context_tokens=longest + 1, **asked).verdict != "fits"


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_the_search_finds_the_edge(edge, high):
    assert largest(1, high, lambda number: number <= edge) == min(edge, high)
