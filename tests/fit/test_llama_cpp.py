"""llama.cpp's buffers: replayed from what it reports itself, and the laws of placing layers on cards and in main memory."""

from __future__ import annotations

from statistics import median

import pytest
from facts_for_tests import GEMMA_2, LLAMA_8B, catalog_models, models, vectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog.fit import MissingFact, estimate
from llmops_catalog.fit.kv_cache import cache_by_layer, cached_layers
from llmops_catalog.fit.runtimes.llama_compute import build_number, flash_attention_runs
from llmops_catalog.fit.runtimes.llama_cpp import as_loaded
from llmops_catalog.fit.runtimes.llama_graph import Cells, Tape, walk
from llmops_catalog.fit.runtimes.llama_placement import placed
from llmops_catalog.fit.settings import Engine

MIB = 2**20
ROOM = settings(max_examples=60, deadline=None, derandomize=True)
REPORTED = vectors("llama_cpp_buffers")["rows"]
ENGINE = ("micro_batch_tokens", "flash_attention", "runtime_version", "gpu_layers")
any_model = st.sampled_from(sorted(models()))


def replayed(row):
    asked = {key: row[key] for key in ("context_tokens", "concurrency", "gpu_count") if key in row}
    engine = Engine(**{key: row[key] for key in ENGINE if key in row})
    return estimate(catalog_models()[row["model"]], quantization="f32", runtime="llama.cpp", engine=engine, **asked).memory


def named(row):
    return " ".join(str(value) for key, value in row.items() if not key.endswith("_bytes"))


@pytest.mark.parametrize("row", REPORTED, ids=named)
def test_caches_and_states_are_what_llama_cpp_reports_to_the_byte(row):
    memory = replayed(row)
    assert memory.kv_cache_bytes + memory.state_bytes == sum(row["cache_bytes"])


@pytest.mark.parametrize("row", REPORTED, ids=named)
def test_a_compute_buffer_is_near_what_llama_cpp_reports(row):
    assert replayed(row).compute_bytes == pytest.approx(sum(row["compute_bytes"]), rel=0.3)


def test_most_compute_buffers_are_met_to_a_hundredth():
    errors = sorted(abs(replayed(row).compute_bytes / sum(row["compute_bytes"]) - 1) for row in REPORTED)
    assert median(errors) < 0.005
    assert errors[len(errors) * 9 // 10] < 0.09


def test_each_card_of_a_pipeline_gets_its_own_layers_and_buffer():
    (row,) = [row for row in REPORTED if row["model"] == "qwen/qwen3-8b" and row.get("gpu_count") == 3]
    memory = replayed(row)
    weights = [
        size - cache - compute for size, cache, compute in zip(memory.per_gpu_bytes, row["cache_bytes"], row["compute_bytes"], strict=True)
    ]
    assert sum(weights) == pytest.approx(memory.weights_bytes + memory.overhead_bytes, rel=0.001)
    assert weights[2] > weights[0] > weights[1] * 0.99  # the output layer stands on the last card


def test_buffers_of_published_logs_of_old_builds():
    llama_2 = models()["meta-llama/llama-2-7b-hf"]
    old = estimate(llama_2, quantization="q4_0", context_tokens=512, gpu_count=2, engine=Engine(runtime_version="b1691")).memory
    assert old.compute_bytes == 70.5 * MIB  # on the first card alone
    assert round((old.weights_bytes + old.kv_cache_bytes + old.compute_bytes) / MIB, 2) == 3904.05
    engine = Engine(flash_attention=False, runtime_version="b2833")
    scores = estimate(LLAMA_8B, quantization="q4_k_m", context_tokens=8192, gpu_count=2, engine=engine).memory
    assert scores.compute_bytes == pytest.approx(2 * 640.01 * MIB, rel=0.02)


def test_without_flash_attention_scores_are_kept_and_masks_are_wider():
    on = estimate(LLAMA_8B, quantization="q4_k_m", context_tokens=32768).memory
    off = estimate(LLAMA_8B, quantization="q4_k_m", context_tokens=32768, engine=Engine(flash_attention=False)).memory
    assert off.compute_bytes - on.compute_bytes > 1.7 * 2**30
    assert off.kv_cache_bytes == on.kv_cache_bytes


def test_heads_without_a_kernel_go_without_flash_attention():
    runs = {model_id: flash_attention_runs(model) for model_id, model in catalog_models().items()}
    assert not runs["openlm-research/open_llama_3b"]  # heads of 100
    assert not runs["google-t5/t5-base"]
    assert runs["deepseek-ai/deepseek-v3"]
    assert runs["google/gemma-4-31b-it"]  # heads of 512, shared


def test_windows_llama_cpp_does_not_know_are_cached_whole():
    mistral = catalog_models()["huggingfaceh4/zephyr-7b-beta"]
    assert mistral.layer_groups[0].type == "sliding_attention"
    assert estimate(mistral, quantization="q4_k_m", context_tokens=32768).memory.kv_cache_bytes == 32 * 2 * 1024 * 2 * 32768
    assert as_loaded(GEMMA_2) is GEMMA_2


def test_every_layer_alone_adds_up_to_the_cache_of_all():
    for name, model in catalog_models().items():
        try:
            together = cached_layers(model)
        except MissingFact:
            continue
        if model.kind == "encoder-decoder" or not model.is_decoder:
            continue
        alone = [kept for layer in cache_by_layer(model) for kept in layer]
        for window in {kept.window for kept in together}:
            sizes = [sum(kept.layers * kept.elements for kept in side if kept.window == window) for side in (together, alone)]
            assert sizes[0] == sizes[1], name


def test_layers_are_counted_from_the_end_and_the_output_layer_first():
    assert placed(32, 1, None) == ((range(32),), 0, True)
    assert placed(32, 2, None).cards == (range(17), range(17, 32))
    assert placed(32, 2, None).output_card == 1
    assert placed(32, 1, 10) == ((range(23, 32),), 0, False)
    assert placed(32, 1, 1) == ((range(32, 32),), 0, False)
    assert placed(32, 1, 0).output_card is None
    assert placed(32, 1, 10, output_last=True) == ((range(22, 32),), None, False)
    assert placed(32, 1, 33, output_last=True) == placed(32, 1, None)


@ROOM
@given(any_model, st.integers(1, 8), st.integers(0, 140), st.integers(1, 60_000))
def test_more_layers_on_the_cards_never_hold_less_and_nothing_is_lost(model_id, cards, layers, context):
    asked = {"quantization": "q4_k_m", "context_tokens": context, "gpu_count": cards}

    def needed(gpu_layers):
        try:
            return estimate(models()[model_id], engine=Engine(gpu_layers=gpu_layers), **asked).memory
        except MissingFact:
            assume(False)

    def held(memory):
        return memory.weights_bytes + memory.kv_cache_bytes + memory.state_bytes

    less, more, every = needed(layers), needed(layers + 1), needed(None)
    assert held(less) <= held(more) <= held(every)
    assert held(less) + less.host_bytes == held(more) + more.host_bytes == held(every) + every.host_bytes
    assert less.low_bytes <= less.total_bytes <= less.high_bytes


@ROOM
@given(st.sampled_from(["qwen/qwen3-30b-a3b", "deepseek-ai/deepseek-v3", "openai/gpt-oss-20b"]), st.integers(0, 70))
def test_experts_in_main_memory_leave_the_card(model_id, layers):
    model = catalog_models()[model_id]
    less, more = (
        estimate(model, quantization="q4_k_m", context_tokens=4096, engine=Engine(cpu_expert_layers=number)).memory
        for number in (layers, layers + 1)
    )
    assert more.weights_bytes <= less.weights_bytes
    assert less.weights_bytes + less.host_bytes == more.weights_bytes + more.host_bytes
    assert less.kv_cache_bytes == more.kv_cache_bytes


def test_all_experts_in_main_memory_leave_a_small_part_and_one_tensor_visiting():
    model = catalog_models()["qwen/qwen3-30b-a3b"]
    every = estimate(model, quantization="q4_k_m", context_tokens=8192).memory
    few = estimate(model, quantization="q4_k_m", context_tokens=8192, engine=Engine(cpu_expert_layers=48)).memory
    assert few.weights_bytes < every.weights_bytes * 0.08
    assert 100 * MIB < few.compute_bytes - 68 * MIB < 300 * MIB


@pytest.mark.parametrize(("version", "number"), [("b9272", 9272), ("9272", 9272), ("b1691-7082d24", 1691), ("0.9.6", None), (None, None)])
def test_builds_are_read_by_their_number(version, number):
    assert build_number(version) == number


def test_a_build_that_is_named_narrows_the_interval():
    widths = []
    for version in (None, "b9300"):
        memory = estimate(GEMMA_2, quantization="q4_k_m", engine=Engine(runtime_version=version)).memory
        widths.append(memory.high_bytes - memory.low_bytes)
    assert widths[1] < widths[0] - 350 * MIB  # logits of 256,000 words for 512 tokens


def test_the_copy_of_a_quantized_cache_stands_in_the_buffer_only_where_the_build_reserves_it():
    """Build 8946 reported 654.78 MiB for Qwen3.6 27B and 200,192 tokens in q8_0, masks in 32 and 16 bit among them."""
    asked = {"quantization": "q4_k_m", "context_tokens": 200192, "kv_cache_type": "q8_0"}
    model = catalog_models()["qwen/qwen3.6-27b"]
    before, after = (estimate(model, **asked, engine=Engine(runtime_version=build)).memory for build in ("b8946", "b9489"))
    copy = 2 * 2048 * 200192  # keys and values of one layer, in 16 bit
    assert before.compute_bytes == pytest.approx(654.78 * MIB, rel=0.02)
    assert before.overhead_bytes - after.overhead_bytes == copy
    assert after.compute_bytes > copy
    plain = estimate(model, **{**asked, "kv_cache_type": "f16"}, engine=Engine(runtime_version="b8946")).memory
    assert plain.overhead_bytes == after.overhead_bytes


def test_older_builds_bring_the_output_layer_to_the_card_last():
    """Build 5466 reported 10,750.86 MiB for 30 of 49 layers of Qwen3 30B-A3B."""
    model = catalog_models()["qwen/qwen3-30b-a3b"]
    old, new = (
        estimate(model, quantization="q4_k_m", context_tokens=4096, engine=Engine(gpu_layers=30, runtime_version=build)).memory
        for build in ("b5466", "b8000")
    )
    assert old.weights_bytes == pytest.approx(10750.86 * MIB, rel=0.005)
    assert old.weights_bytes > new.weights_bytes


def test_a_result_goes_into_the_smallest_hole_and_over_what_nobody_reads_any_more():
    tape = Tape()
    first, second = tape.new(10), tape.new(4)
    third = tape.new(6, first, second)  # above both; they are free afterwards
    small = tape.new(3, third)  # into the hole of 14 they left
    tape.over(tape.over(small))
    (peak,), end = walk(tape.steps)
    assert (peak.numbers, end) == (20, 3)


def test_what_grows_with_the_cache_is_added_while_it_is_alive():
    tape = Tape()
    mask = tape.new(0, cells=Cells(full=0.5))
    inside = tape.new(8, mask)
    tape.new(20, inside)
    tape.new(100)
    peaks, end = walk(tape.steps)
    assert {peak.cells.full: peak.numbers for peak in peaks} == {0.5: 8, 0.0: 28}
    assert end == 128  # nobody reads the result of 20: it stays


def test_slots_nobody_asked_for_are_said_where_windows_slide_or_states_are_kept():
    said = [assumption.text for assumption in estimate(catalog_models()["google/gemma-3-12b-it"], quantization="q4_k_m").assumptions]
    assert "one slot (-np 1); llama-server on its own reserves 4, whose windows take 0.94 GiB more" in said
    said = [assumption.text for assumption in estimate(catalog_models()["qwen/qwen3.6-27b"], quantization="q4_k_m").assumptions]
    assert "one slot (-np 1); llama-server on its own reserves 4, whose recurrent states take 0.44 GiB more" in said
    assert not any("slot" in assumption.text for assumption in estimate(LLAMA_8B, quantization="q4_k_m").assumptions)


@pytest.mark.parametrize("engine", [Engine(gpu_layers=2), Engine(gpu_layers=0), Engine(cpu_expert_layers=2)])
@pytest.mark.parametrize("quantization", ["awq-int4", "bnb-nf4", "mlx-5bit", "int8wo", "exl2-4.0"])
def test_layers_in_main_memory_of_a_format_it_cannot_read_are_counted_all_the_same(engine, quantization):
    model = catalog_models()["qwen/qwen3-30b-a3b"]
    whole, part = (estimate(model, quantization=quantization, runtime="llama.cpp", engine=asked).memory for asked in (Engine(), engine))
    assert part.weights_bytes < whole.weights_bytes
    assert part.weights_bytes + part.host_bytes >= whole.weights_bytes + whole.host_bytes


def test_a_version_that_names_no_build_leaves_the_interval_as_it_is():
    asked = {"quantization": "q4_k_m", "context_tokens": 4096}
    unnamed, named, build = (
        estimate(LLAMA_8B, engine=Engine(runtime_version=version), **asked).memory for version in (None, "of last spring", "b4567")
    )
    assert named == unnamed
    assert build.high_bytes - build.low_bytes < unnamed.high_bytes - unnamed.low_bytes
