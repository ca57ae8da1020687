"""vLLM as its own code counts: ranks, the profiling run, cache groups and the tokens they leave, against what it logged."""

from __future__ import annotations

import statistics

import pytest
from facts_for_tests import A100_80, L4, LLAMA_8B, T4, catalog_models, vectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog.fit import Engine, GpuFacts, MissingFact, estimate, fit, memory_card
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.runtimes import vllm
from llmops_catalog.fit.runtimes.vllm_batch import Batch, batch, release, settled
from llmops_catalog.fit.runtimes.vllm_cache import pool, sequence_blocks, tokens_in
from llmops_catalog.fit.runtimes.vllm_profile import graph_bytes, graph_sizes
from llmops_catalog.fit.runtimes.vllm_weights import rank_weights, stages

MIB, GIB = 2**20, 2**30
RUNS = vectors("vllm")["runs"]
CACHES = vectors("vllm")["caches"]
H100 = GpuFacts(
    id="nvidia/h100-sxm", name="NVIDIA H100 80GB HBM3", vendor="nvidia", sold_gb=80, driver_mib=81559, cuda_gib=79.19,
    compute_capability="9.0", bf16="native", fp8="native",
)  # fmt: skip
B200 = H100._replace(id="nvidia/b200", name="NVIDIA B200", sold_gb=180, driver_mib=183359, cuda_gib=178.4, compute_capability="10.0")
GB10 = H100._replace(id="nvidia/gb10", name="NVIDIA GB10", sold_gb=128, driver_mib=None, cuda_gib=119.7, compute_capability="12.1")
LOGGED_GIB = 0.005
"""A log rounds to two digits."""


def model(model_id):
    return catalog_models()[model_id]


def asked(run, **more):
    stages_ = run.get("pipeline_parallel", 1)
    engine = Engine(
        runtime_version=run["release"],
        batched_tokens=run.get("batched_tokens"),
        max_sequences=run.get("max_sequences"),
        pipeline_parallel=stages_,
    )
    return ask(
        model(run["model"]), quantization=run.get("quantization", "bf16"), runtime="vllm", context_tokens=run["context_tokens"],
        gpu_count=run["tensor_parallel"] * stages_, kv_cache_type=run["kv_cache_type"], engine=engine, **more,
    )  # fmt: skip


def ranks_of(run):
    question = asked(run)
    return vllm.ranks(model(run["model"]), question, batch(model(run["model"]), question))


def named(run):
    return f"{run['model'].split('/')[1]}-{run.get('quantization', 'cache')}-{run['release']}-tp{run['tensor_parallel']}"


def tokens_for(run, rooms_gib):
    question, facts = asked(run), model(run["model"])
    shared = pool(facts, question.kv_cache_type, run["tensor_parallel"], run.get("pipeline_parallel", 1))
    room = tuple(int(size * GIB) for size in rooms_gib)
    prefixes = facts.num_attention_heads > 0 and release(question) >= (0, 21)
    return tokens_in(shared, room, question.context_tokens, batch(facts, question), prefixes)


@pytest.mark.parametrize("run", RUNS, ids=named)
def test_weights_peak_and_the_rest_are_what_vllm_logged(run):
    """Gemma 3 keeps a rotary table we have no record of, gpt-oss has had other kernels over time."""
    first = ranks_of(run)[0]
    weights = 0.6 if "gemma-3" in run["model"] else 0.025 * run["weights_gib"] if "gpt-oss" in run["model"] else 0.03
    weights = 0.14 if "deepseek-v2" in run["model"] else weights
    assert first.weights_bytes / GIB == pytest.approx(run["weights_gib"], abs=weights)
    for rank, peak in zip(ranks_of(run), run["activations_gib"], strict=False):
        assert rank.peak.activation_bytes / GIB == pytest.approx(peak, rel=0.1)
    assert first.non_torch_bytes / GIB == pytest.approx(run["non_torch_gib"], abs=0.25)


def test_the_sums_meet_what_was_logged():
    errors = []
    for run in RUNS:
        first = ranks_of(run)[0]
        logged = run["weights_gib"] + run["activations_gib"][0] + run["non_torch_gib"]
        errors.append(abs((first.weights_bytes + first.peak.activation_bytes + first.non_torch_bytes) / GIB / logged - 1))
    errors.sort()
    assert statistics.median(errors) < 0.002
    assert errors[len(errors) * 9 // 10] < 0.03


@pytest.mark.parametrize("run", [run for run in RUNS if run["cache_tokens"] and run["pipeline_parallel"] == 1], ids=named)
def test_tokens_in_the_room_left_are_what_vllm_logged(run):
    """Since 0.20 or so tokens are the concurrency times the context; before, groups were taken as equal (up to 0.2 % apart)."""
    low, high = (tokens_for(run, [run["cache_room_gib"] + off]) for off in (-LOGGED_GIB, LOGGED_GIB))
    assert low * 0.998 <= run["cache_tokens"] <= high * 1.002


@pytest.mark.parametrize("run", CACHES, ids=named)
def test_tokens_of_unified_caches_are_exact(run):
    low, high = (tokens_for(run, [run["cache_room_gib"] + off]) for off in (-LOGGED_GIB, LOGGED_GIB))
    assert low <= run["cache_tokens"] <= high


def test_tokens_left_on_a_card_are_the_budget_less_what_stands_before_the_cache():
    """58.11 GiB of cache on an H100 at 0.95: 476,016 tokens."""
    run = next(run for run in RUNS if run["model"] == LLAMA_8B.id and run["cache_tokens"] == 476016)
    left = vllm.cache_tokens_left(model(run["model"]), asked(run), int(79.19 * 0.95 * GIB))
    assert left == pytest.approx(476016, rel=0.001)
    assert left % 16 == 0


def test_blocks_of_one_sequence():
    """Full attention: whole blocks. A window: the window and what may be under way. A state: one, or two with prefixes."""
    shared = pool(LLAMA_8B, "bf16", 1, 1)
    most = Batch(2048, 256, 4096)
    assert shared.block_bytes == (2 * 16 * 8 * 128 * 2 * 32,)
    assert sequence_blocks(shared, 1, most, prefixes=False) == (1, 0)
    assert sequence_blocks(shared, 16, most, prefixes=False) == (1, 0)
    assert sequence_blocks(shared, 17, most, prefixes=False) == (2, 0)
    gemma = pool(model("google/gemma-2-9b-it"), "bf16", 1, 1)
    assert sequence_blocks(gemma, 4096, most, prefixes=False) == (256 + 256 + 1, 0)
    assert sequence_blocks(gemma, 100_000, most, prefixes=False) == (6250 + 512 + 1, 0)  # 4,095 and 4,096 under way


def test_half_the_bytes_hold_twice_the_tokens():
    for kv_cache_type, tokens in (("bf16", 476000), ("fp8", 952000)):
        shared = pool(LLAMA_8B, kv_cache_type, 1, 1)
        found = tokens_in(shared, (int(58.11 * GIB),), 8192, Batch(8192, 1024, 8192), prefixes=False)
        assert found == pytest.approx(tokens, rel=0.001)


def test_latent_caches_stand_on_every_rank():
    """DeepSeek V2 and V3: 576 numbers a token and layer. V3.2 in fp8: 656 bytes, and 132 for its indexer."""
    r1 = model("deepseek-ai/deepseek-r1")
    assert pool(r1, "bf16", 1, 1).block_bytes == pool(r1, "bf16", 8, 1).block_bytes == (64 * 576 * 2 * 61,)
    sparse = model("deepseek-ai/deepseek-v3.2")
    assert pool(sparse, "fp8", 8, 1).block_bytes == (64 * (656 + 132) * 61,)


def test_keys_are_repeated_where_cards_outnumber_heads():
    eight, sixteen = (pool(LLAMA_8B, "bf16", cards, 1).block_bytes[0] for cards in (8, 16))
    assert eight == sixteen == 2 * 16 * 128 * 2 * 32


def test_layers_of_pipeline_stages():
    """`get_pp_indices`: what is left over goes to the last stages but one."""
    assert [len(span) for span in stages(32, 4)] == [8, 8, 8, 8]
    assert [len(span) for span in stages(61, 4)] == [15, 15, 16, 15]
    assert [len(span) for span in stages(30, 4)] == [7, 8, 8, 7]
    assert [layer for span in stages(61, 4) for layer in span] == list(range(61))


def test_embeddings_stand_in_the_first_stage_and_the_output_in_the_last():
    first, middle, last = rank_weights(model("qwen/qwen3-8b"), "bf16", 1, 3)
    table = 151936 * 4096 * 2
    assert first - middle == pytest.approx(table + MIB, abs=4096 * 2)  # 1187 MiB of a segment of 1188; one holds the last norm
    assert last - middle == pytest.approx(table + MIB, abs=4096 * 2)


def test_norms_and_routers_are_repeated_vocabularies_filled_up():
    whole, half = (rank_weights(LLAMA_8B, "bf16", parallel, 1)[0] for parallel in (1, 2))
    norms = (2 * 32 + 1) * 4096 * 2
    rotary = LLAMA_8B.position_tokens * 128 * 2
    assert whole + rotary + norms == 2 * half - 4 * MIB  # of two tables each rank holds 501 MiB and takes 502
    granite = model("ibm-granite/granite-3.1-8b-instruct")  # 49155 rows, filled up to 49216
    assert rank_weights(granite, "bf16", 1, 1)[0] / GIB == pytest.approx(15.25, abs=0.01)


@pytest.mark.parametrize(
    ("name", "cards", "gib"),
    [
        ("qwen/qwen2.5-7b-instruct", 1, 14.25), ("qwen/qwen2.5-7b-instruct", 2, 7.12), ("microsoft/phi-4", 1, 27.39),
        ("qwen/qwen2.5-72b-instruct", 2, 67.80), ("qwen/qwen3-32b", 1, 61.03), ("qwen/qwen3-32b", 2, 30.59),
    ],
)  # fmt: skip
def test_allocations_come_in_steps_of_2_mib(name, cards, gib):
    """As logged, to the second digit: without the steps phi-4 would take 27.31, Qwen3 32B on two cards 30.52."""
    assert rank_weights(model(name), "bf16", cards, 1)[0] / GIB == pytest.approx(gib, abs=0.006)


@pytest.mark.parametrize(
    ("name", "kind", "mib"),
    [
        ("google/gemma-3-12b-it", "bf16", 64 + 8 * 64),  # 131,072 rows of 256 for the layers that slide, eight times as many for the others
        ("google/gemma-3-27b-it", "bf16", 32 + 8 * 32),
        ("google/gemma-3-1b-it", "bf16", 16 + 16),  # two tables, none of them longer
        ("google/gemma-4-26b-a4b", "bf16", 128 + 256),  # heads of 256, of 512 in full attention
        ("qwen/qwen2.5-vl-7b-instruct", "bf16", 4 * 128_000 * 128 * 2 / MIB),
        ("meta-llama/llama-3.1-8b-instruct", "bf16", 32),
        ("meta-llama/llama-3.1-8b-instruct", "f32", 64),
    ],
)
def test_tables_of_cosines_and_sines(name, kind, mib):
    facts = model(name)
    less = facts._replace(position_tokens=0)
    assert (rank_weights(facts, kind, 1, 1)[0] - rank_weights(less, kind, 1, 1)[0]) / MIB == mib


@pytest.mark.parametrize(
    ("name", "gib"), [("google/gemma-3-4b-it", 8.58), ("google/gemma-3-12b-it", 23.31), ("google/gemma-3-27b-it", 51.45)]
)
def test_gemma_3_weighs_what_its_logs_say(name, gib):
    assert rank_weights(model(name), "bf16", 1, 1)[0] / GIB == pytest.approx(gib, abs=0.012)


def test_graphs_are_captured_at_these_sizes():
    """1, 2, 4, every 8th below 256, every 16th up to 512."""
    assert [graph_sizes(most) for most in (0, 1, 3, 8, 255, 256, 512)] == [0, 1, 2, 4, 34, 35, 51]


def test_graphs_come_off_the_budget_since_0_21():
    for version, counted in (("0.20.2", False), ("0.21.0", True), (None, True)):
        question = ask(LLAMA_8B, quantization="bf16", runtime="vllm", engine=Engine(runtime_version=version))
        assert (graph_bytes(LLAMA_8B, question, batch(LLAMA_8B, question), 32) > 0) is counted


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("0.15.2rc1", (0, 15)), ("v0.11", (0, 11)), ("0.6 (2024-12)", (0, 6)), ("0.1.dev1+g4d2a68d64", None),
        ("a build of August 2026", None), (None, None),
    ],
)  # fmt: skip
def test_releases_are_read(version, number):
    assert release(ask(LLAMA_8B, quantization="bf16", runtime="vllm", engine=Engine(runtime_version=version))) == number


@pytest.mark.parametrize(
    ("card", "chosen"),
    [
        (T4, (None, None)), (L4, (None, None)), (A100_80, (None, None)), (GB10, (None, None)), (memory_card(80 * GIB), (None, None)),
        (H100, (8192, 1024)), (B200, (16384, 1024)),
    ],
)  # fmt: skip
def test_vllm_chooses_its_batch_by_the_card(card, chosen):
    """`get_batch_defaults`: from 70 GiB on more, but not on an A100 nor a GB10, from 160 GiB on still more."""
    question = ask(LLAMA_8B, quantization="bf16", runtime="vllm")
    engine = settled(question, card).engine
    assert (engine.batched_tokens, engine.max_sequences) == chosen
    own = ask(LLAMA_8B, quantization="bf16", runtime="vllm", engine=Engine(batched_tokens=512, max_sequences=4))
    assert settled(own, card).engine == own.engine
    old = ask(LLAMA_8B, quantization="bf16", runtime="vllm", engine=Engine(runtime_version="0.6.3"))
    assert settled(old, card) == old


def test_a_prompt_was_computed_whole_before_0_8():
    for version, tokens in (("0.7.3", 20000), ("0.8.0", 2048), (None, 2048)):
        engine = Engine(runtime_version=version)
        question = ask(LLAMA_8B, quantization="bf16", runtime="vllm", context_tokens=20000, engine=engine)
        assert batch(LLAMA_8B, question).tokens == tokens


def test_where_only_a_smaller_batch_goes_in_the_answer_says_so():
    """61 of 79 GiB for the weights of Qwen3 32B: beside 8192 tokens and 1024 sequences little is left."""
    asked_for = {"quantization": "bf16", "runtime": "vllm", "context_tokens": 24000}
    result = fit(model("qwen/qwen3-32b"), H100, **asked_for)
    small = fit(model("qwen/qwen3-32b"), H100, engine=Engine(batched_tokens=2048, max_sequences=256), **asked_for)
    assert (result.verdict, result.memory) == (small.verdict, small.memory)
    assert [one.text for one in result.assumptions if "--max-num" in one.text] == [
        "with --max-num-batched-tokens 2048 and --max-num-seqs 256: what vLLM chooses on NVIDIA H100 80GB HBM3 needs more"
    ]


def test_what_older_releases_need_more_is_said_where_no_release_is():
    """256 sequences of 128,256 logits: 38 bytes each before 0.17, 14 since."""
    said = [one.text for one in estimate(LLAMA_8B, quantization="bf16", runtime="vllm").assumptions if "sort" in one.text]
    assert said == ["releases before 0.17 sort the vocabulary to sample and need 0.73 GiB more: name yours"]
    assert pytest.approx(0.73, abs=0.005) == 256 * 128256 * (38 - 14) / GIB
    older = estimate(LLAMA_8B, quantization="bf16", runtime="vllm", engine=Engine(runtime_version="0.16"))
    assert not [one.text for one in older.assumptions if "sort" in one.text]


def test_the_answer_counts_the_tokens_left():
    """0.92 of 79.318 GiB, less 14.99 of weights, 0.63 and 0.12 of sampling, 0.59 of graphs and 0.25: 128 KiB a token."""
    shown = fit(LLAMA_8B, A100_80, quantization="bf16", runtime="vllm").as_json()
    assert shown["cache_tokens"] == pytest.approx((79.318 * 0.92 - 14.99 - 0.63 - 0.12 - 0.59 - 0.25) * 2**13, rel=0.002)
    assert fit(LLAMA_8B, A100_80, quantization="f16", runtime="transformers").as_json()["cache_tokens"] is None


@pytest.mark.parametrize(
    ("name", "cards", "stages_", "words"),
    [
        ("meta-llama/llama-3.1-8b-instruct", 3, 1, "vLLM cannot divide 32 attention heads among 3 cards: use a number that divides them"),
        ("google/gemma-2-2b-it", 16, 1, "vLLM cannot divide 8 attention heads among 16 cards: use a number that divides them"),
        ("qwen/qwen2.5-7b-instruct", 7, 1, "vLLM cannot divide 4 key/value heads among 7 cards: use a number that divides them"),
        ("qwen/qwen2.5-7b-instruct", 12, 4, "vLLM cannot divide 28 attention heads among 3 cards: use a number that divides them"),
    ],
)
def test_cards_that_cannot_share_the_heads_are_refused(name, cards, stages_, words):
    result = fit(model(name), H100, quantization="bf16", runtime="vllm", gpu_count=cards, engine=Engine(pipeline_parallel=stages_))
    assert result.verdict == "unsupported"
    assert words in [reason.message for reason in result.reasons]


def test_a_reserve_keeps_vllm_from_starting():
    """It wants its share of the whole card free, whoever uses the rest."""
    result = fit(LLAMA_8B, L4, quantization="awq-int4", runtime="vllm", reserve_bytes=4 * GIB)
    words = [one.text for one in result.assumptions if "does not start" in one.text]
    assert len(words) == 1
    assert "set gpu_memory_utilization to 0.8" in words[0] or "set gpu_memory_utilization to 0.7" in words[0]


def test_more_cards_never_need_more_each_whatever_they_say_to_each_other():
    for name in ("qwen/qwen3-0.6b", "qwen/qwen3.5-0.8b", "tencent/hunyuan-1.8b-instruct", "meta-llama/llama-3.3-70b-instruct"):
        needs = [estimate(model(name), quantization="bf16", runtime="vllm", gpu_count=cards).memory for cards in (1, 2, 4, 8, 16)]
        for part in ("per_gpu_bytes", "per_gpu_high_bytes"):
            sizes = [max(getattr(memory, part)) for memory in needs]
            assert sizes == sorted(sizes, reverse=True), (name, part)


def test_talk_between_ranks_takes_memory():
    alone, two = (
        vllm.ranks(facts, question, batch(facts, question))[0].non_torch_bytes
        for facts in [model("meta-llama/llama-3.3-70b-instruct")]
        for question in [ask(facts, quantization="bf16", runtime="vllm", gpu_count=cards) for cards in (1, 2)]
    )
    assert alone == GIB // 4
    assert two == GIB // 4 + GIB


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from([LLAMA_8B.id, "google/gemma-4-e4b-it", "qwen/qwen3.8-27b", "openai/gpt-oss-20b", "deepseek-ai/deepseek-v3.2"]),
    st.integers(1, 300_000), st.integers(1, 50_000), st.integers(0, 60 * GIB), st.integers(0, GIB), st.sampled_from([1, 2, 4]),
)  # fmt: skip
def test_tokens_left_follow_the_room(name, context, more, room, extra, stages_):
    """More room never holds fewer tokens; what is needed for one sequence is what holds one."""
    facts = model(name)
    try:
        shared = pool(facts, "bf16", 1, stages_)
    except MissingFact:
        assume(False)
    most = Batch(2048, 256, 4096)
    less, larger = (tokens_in(shared, (size,) * stages_, context, most, True) for size in (room, room + extra))
    assert 0 <= less <= larger
    keyed, kept = sequence_blocks(shared, context, most, True)
    longer, kept_longer = sequence_blocks(shared, context + more, most, True)
    assert keyed <= longer
    assert kept == kept_longer
    exact = tuple((keyed + kept + 1) * size for size in shared.block_bytes)
    assert tokens_in(shared, exact, context, most, True) >= context * 0.999
