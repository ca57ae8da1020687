"""Training: golden vectors counted in real code, the laws over settings, and what is refused."""

from __future__ import annotations

import pytest
import yaml
from facts_for_tests import CARDS, CATALOG, L4, LLAMA_8B, T4, models, vectors
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog import load_catalog
from llmops_catalog.catalog.facts import model_facts
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import (
    OPTIMIZERS,
    Engine,
    MissingFact,
    Training,
    best_quantization,
    cheapest_rental,
    estimate,
    fit,
    fit_quantizations,
    rank_gpus,
)

MIB = 2**20
ROOM = settings(max_examples=80, deadline=None, derandomize=True)
GOLDEN = vectors("training")["rows"]
SETTINGS = ("precision", "gradient_checkpointing", "lora_rank", "lora_targets")
any_model = st.sampled_from(sorted(models()))
any_task = st.sampled_from(["full", "lora", "qlora"])
any_context, any_batch = st.integers(1, 40_000), st.integers(1, 16)
any_training = st.builds(
    Training,
    optimizer=st.sampled_from(OPTIMIZERS),
    precision=st.sampled_from(["bf16", "mixed"]),
    gradient_checkpointing=st.booleans(),
    lora_rank=st.integers(1, 256),
    lora_targets=st.sampled_from(["all-linear", "attention", "query-value"]),
    fused_loss=st.booleans(),
    gradient_accumulation=st.booleans(),
)


def record(model_id):
    """The facts of a record of the catalog itself."""
    return model_facts(model_id, yaml.safe_load((CATALOG / "models" / f"{model_id}.yaml").read_bytes()))


def trained(model_id, task, context_tokens=512, concurrency=1, training=None, **asked):
    training = training or Training()
    try:
        return estimate(
            models()[model_id], task=task, context_tokens=context_tokens, concurrency=concurrency, training=training, **asked
        ).memory
    except MissingFact:
        assume(False)


def named(row):
    words = [
        row["model"].split("/")[1],
        row["task"],
        f"{row['context_tokens']}x{row['concurrency']}",
        *(str(row.get(key)) for key in SETTINGS),
    ]
    return " ".join(words)


@pytest.mark.parametrize("row", GOLDEN, ids=named)
def test_a_step_takes_what_was_counted_in_real_code(row):
    training = Training(**{key: row[key] for key in SETTINGS if key in row})
    usual = row["task"] == "qlora" or row.get("precision") == "fp32"
    memory = estimate(
        record(row["model"]),
        task=row["task"],
        quantization=None if usual else "bf16",
        context_tokens=row["context_tokens"],
        concurrency=row["concurrency"],
        training=training,
    ).memory
    assert memory.parts.gradient_bytes == pytest.approx(row["gradient_bytes"], rel=5e-4)
    assert memory.parts.optimizer_bytes == pytest.approx(row["optimizer_bytes"], rel=5e-4)
    assert memory.weights_bytes == pytest.approx(row["weights_bytes"], rel=1e-3)
    assert memory.total_bytes - memory.overhead_bytes == pytest.approx(row["peak_bytes"], rel=4e-3)
    assert memory.low_bytes - memory.overhead_bytes <= row["peak_bytes"] <= memory.high_bytes - memory.overhead_bytes


@ROOM
@given(any_model, any_task, any_context, st.integers(1, 5_000), any_batch, any_training)
def test_longer_sequences_and_larger_batches_never_need_less(model_id, task, context, more, batch, training):
    base, longer, larger = (
        trained(model_id, task, *size, training) for size in ((context, batch), (context + more, batch), (context, batch + 1))
    )
    assert base.total_bytes <= min(longer.total_bytes, larger.total_bytes)
    assert max(base.per_gpu_high_bytes) <= min(max(longer.per_gpu_high_bytes), max(larger.per_gpu_high_bytes))


@ROOM
@given(any_model, st.sampled_from(["lora", "qlora"]), any_context, any_training, st.integers(1, 256))
def test_a_higher_rank_never_needs_less(model_id, task, context, training, more):
    higher = training._replace(lora_rank=training.lora_rank + more)
    assert trained(model_id, task, context, training=training).total_bytes <= trained(model_id, task, context, training=higher).total_bytes


@ROOM
@given(any_model, any_task, any_context, any_batch, any_training)
def test_recomputing_activations_never_needs_more(model_id, task, context, batch, training):
    less = trained(model_id, task, context, batch, training._replace(gradient_checkpointing=True))
    more = trained(model_id, task, context, batch, training._replace(gradient_checkpointing=False))
    assert less.total_bytes <= more.total_bytes


@ROOM
@given(any_model, any_task, st.integers(512, 40_000), any_batch, any_training)
def test_a_fused_loss_never_needs_more(model_id, task, context, batch, training):
    less, more = (trained(model_id, task, context, batch, training._replace(fused_loss=fused)) for fused in (True, False))
    assert less.total_bytes <= more.total_bytes


def test_logits_of_all_tokens_are_kept_three_times_in_32_bit_unless_the_loss_is_fused():
    tokens = 4096
    plain, fused = (
        estimate(LLAMA_8B, task="lora", context_tokens=tokens, training=Training(fused_loss=flag)).memory.parts for flag in (False, True)
    )
    assert plain.working_bytes == 12 * tokens * LLAMA_8B.vocab_size
    assert fused.working_bytes < plain.working_bytes / 4
    assert fused.activation_bytes == plain.activation_bytes


@ROOM
@given(any_model, st.integers(1, 4096), any_training)
def test_fewer_trained_weights_need_less(model_id, context, training):
    training = training._replace(gradient_checkpointing=True, optimizer="adamw", lora_rank=min(training.lora_rank, 32))
    adapters, everything = (trained(model_id, task, context, training=training) for task in ("lora", "full"))
    assert adapters.total_bytes < everything.total_bytes
    model = models()[model_id]
    tables = model.vocab_size * model.hidden_size + model.vocab_size * (model.per_layer_embedding_size or 0) * model.num_hidden_layers
    if model.is_decoder and tables < 0.1 * model.total_parameters:  # else the tables in 32 bit weigh more than 4-bit layers save
        assert trained(model_id, "qlora", context, training=training).total_bytes < adapters.total_bytes


@ROOM
@given(any_model, any_task, any_context, any_batch, any_training, st.integers(1, 8))
def test_the_interval_holds_the_estimate_and_the_parts_add_up(model_id, task, context, batch, training, cards):
    memory = trained(model_id, task, context, batch, training, gpu_count=cards)
    assert 0 < memory.low_bytes <= memory.total_bytes <= memory.high_bytes
    parts = memory.parts
    added = parts.gradient_bytes + parts.optimizer_bytes + parts.activation_bytes + parts.working_bytes
    assert (memory.kv_cache_bytes, memory.state_bytes, memory.compute_bytes) == (0, 0, added)
    assert memory.total_bytes == memory.weights_bytes + memory.compute_bytes + memory.overhead_bytes == sum(memory.per_gpu_bytes)
    assert parts.adapter_bytes <= memory.weights_bytes
    assert (parts.adapter_bytes > 0) == (task != "full")


@pytest.mark.parametrize("task", ["full", "lora", "qlora"])
def test_every_model_of_the_catalog_is_answered_and_obeys_the_laws(task):
    small, plain = Training(), Training(gradient_checkpointing=False)
    broken = []
    for model in load_catalog(CATALOG).models():
        less = estimate(model, task=task, context_tokens=1024, training=small).memory
        others = (
            estimate(model, task=task, context_tokens=2048, training=small).memory,
            estimate(model, task=task, context_tokens=1024, concurrency=2, training=small).memory,
            estimate(model, task=task, context_tokens=1024, training=plain).memory,
        )
        if not 0 < less.low_bytes <= less.total_bytes <= less.high_bytes or any(less.total_bytes > more.total_bytes for more in others):
            broken.append(model.id)
    assert broken == []


PER_WEIGHT = {"adamw": 4, "adamw-foreach": 4, "sgd": 0, "sgd-momentum": 2, "lion": 4}


@pytest.mark.parametrize("optimizer", sorted(PER_WEIGHT))
def test_bytes_of_states_for_each_weight_in_16_bit(optimizer):
    parts = estimate(LLAMA_8B, task="full", training=Training(optimizer=optimizer)).memory.parts
    assert parts.optimizer_bytes == PER_WEIGHT[optimizer] * LLAMA_8B.total_parameters
    assert parts.gradient_bytes == 2 * LLAMA_8B.total_parameters


def test_eight_bit_states_are_two_bytes_and_their_scales_and_32_bit_for_embeddings():
    table = LLAMA_8B.vocab_size * LLAMA_8B.hidden_size
    norms = 65 * LLAMA_8B.hidden_size
    matrices = LLAMA_8B.total_parameters - table - norms
    memory = estimate(LLAMA_8B, task="full", training=Training(optimizer="adamw-8bit")).memory
    assert memory.parts.optimizer_bytes == matrices * 2 + matrices // 256 * 8 + 8 * (table + norms)
    paged = estimate(LLAMA_8B, task="full", training=Training(optimizer="paged-adamw-8bit")).memory
    assert (paged.parts.optimizer_bytes, paged.host_bytes) == (0, memory.parts.optimizer_bytes)


def test_an_unfused_adamw_holds_one_copy_of_the_weights_more_while_it_steps():
    def peak(**asked):
        memory = estimate(record("mistralai/mistral-7b-v0.1"), task="full", context_tokens=4096, concurrency=4, **asked).memory
        return memory.total_bytes - memory.overhead_bytes

    foreach, older = Training(optimizer="adamw_torch"), Engine(runtime_version="4.48.1")
    assert peak(training=foreach) == pytest.approx(72_434_837_504, rel=0.001)  # allocated, in the A100 tables of fms-acceleration
    assert peak(engine=older) == peak(training=foreach)
    assert peak() == peak(engine=Engine(runtime_version="4.32.0")) < peak(training=foreach)


def test_gradients_that_are_not_accumulated_are_not_there_while_activations_grow():
    older, several = Engine(runtime_version="4.48.1"), {"task": "full", "context_tokens": 4096, "concurrency": 8}
    mistral = record("mistralai/mistral-7b-v0.1")
    kept, gone = (
        estimate(mistral, engine=older, training=Training(gradient_accumulation=flag), **several).memory for flag in (True, False)
    )
    assert gone.total_bytes - gone.overhead_bytes == pytest.approx(72_435_230_720, rel=0.001)  # whatever the batch, as logged
    assert (gone.low_bytes, gone.high_bytes < kept.high_bytes) == (kept.low_bytes, True)
    parts = gone.parts
    assert gone.total_bytes == gone.weights_bytes + gone.overhead_bytes + sum(parts)


@ROOM
@given(any_model, any_task, any_context, any_batch, any_training)
def test_stepping_after_every_batch_never_needs_more(model_id, task, context, batch, training):
    kept, gone = (trained(model_id, task, context, batch, training._replace(gradient_accumulation=flag)) for flag in (True, False))
    assert gone.total_bytes <= kept.total_bytes
    assert gone.low_bytes == kept.low_bytes


def test_older_releases_copy_the_logits_of_several_sequences():
    def peak(concurrency, **asked):
        training = Training(lora_rank=16, lora_targets="attention")
        memory = estimate(
            record("mistralai/mistral-7b-v0.1"), task="lora", context_tokens=4096, concurrency=concurrency, training=training, **asked
        ).memory
        return memory.total_bytes - memory.overhead_bytes

    older = Engine(runtime_version="transformers 4.48.1")
    assert peak(4, engine=older) == pytest.approx(26_704_571_904, rel=0.006)
    assert peak(8, engine=older) == pytest.approx(38_742_912_512, rel=0.006)
    assert peak(1, engine=older) == peak(1, engine=Engine(runtime_version="transformers 4.49.0")) == peak(1)
    assert peak(4, engine=Engine(runtime_version="transformers 4.45.2")) < peak(4, engine=older)


def test_adafactor_keeps_rows_and_columns():
    parts = estimate(LLAMA_8B, task="full", training=Training(optimizer="adafactor")).memory.parts
    assert 0 < parts.optimizer_bytes < 0.001 * parts.gradient_bytes


def test_written_out_attention_grows_with_the_square_of_the_sequence():
    sizes = []
    for flash in (True, False):
        asked = {"task": "lora", "context_tokens": 4096, "training": Training(gradient_checkpointing=False)}
        sizes.append(estimate(LLAMA_8B, engine=Engine(flash_attention=flash), **asked).memory.parts.activation_bytes)
    assert sizes[1] - sizes[0] == 32 * 32 * 4096**2 * 6


def test_a_published_training_of_bert_large_without_flash_attention():
    """Batches of four and of one, and of one with activations computed again: 14,949, 8,681 and 6,775 MB, 1,343 of them the context.

    What the allocator holds without use is in them: https://github.com/huggingface/transformers/blob/main/docs/source/en/model_memory_anatomy.md
    """
    bert = record("google-bert/bert-large-uncased")
    for batch, recomputed, measured in ((4, False, 14_949), (1, False, 8_681), (1, True, 6_775)):
        memory = estimate(
            bert, task="full", context_tokens=512, concurrency=batch, engine=Engine(flash_attention=False),
            training=Training(precision="fp32", gradient_checkpointing=recomputed),
        ).memory  # fmt: skip
        held = (measured - 1_343) * MIB + memory.overhead_bytes
        assert 0.85 * held < memory.total_bytes < held < memory.high_bytes


def test_what_an_encoder_keeps_was_counted_too():
    """2,131.8 MiB of activations for four sequences of 512 tokens, less 96 for masks, which take one byte on a card and two on a CPU."""
    training = Training(gradient_checkpointing=False)
    parts = estimate(
        record("google-bert/bert-large-uncased"), task="full", context_tokens=512, concurrency=4, training=training
    ).memory.parts
    assert parts.activation_bytes == pytest.approx((2131.8 - 96) * MIB, rel=0.01)


def test_cards_share_weights_gradients_and_states_and_each_has_its_own_batch():
    one, four = (estimate(LLAMA_8B, task="full", context_tokens=1024, gpu_count=cards) for cards in (1, 4))
    assert four.memory.weights_bytes == one.memory.weights_bytes
    assert four.memory.parts.optimizer_bytes == one.memory.parts.optimizer_bytes
    assert four.memory.parts.activation_bytes == 4 * one.memory.parts.activation_bytes
    assert max(four.memory.per_gpu_bytes) < max(one.memory.per_gpu_bytes) / 2
    assert "FSDP full shard" in " ".join(said.text for said in four.assumptions)


def test_usual_formats_and_runtime_of_each_task():
    asked = {task: estimate(LLAMA_8B, task=task).question for task in ("full", "lora", "qlora")}
    assert {task: (question.quantization, question.runtime) for task, question in asked.items()} == {
        "full": ("bf16", "transformers"), "lora": ("bf16", "transformers"), "qlora": ("bnb-nf4-dq", "transformers"),
    }  # fmt: skip
    assert estimate(LLAMA_8B, task="lora", training=Training(precision="fp32")).question.quantization == "f32"
    assert [result.quantization for result in fit_quantizations(LLAMA_8B, L4, task="qlora")] == ["bnb-nf4-dq", "bnb-nf4"]


def test_a_card_without_bf16_is_offered_what_it_can_train_in():
    offered = {task: [result.quantization for result in fit_quantizations(LLAMA_8B, T4, task=task)] for task in ("full", "lora")}
    assert offered == {"full": ["bf16", "f32"], "lora": ["bf16", "f16", "bnb-int8"]}


def test_limits_of_a_training_follow_from_its_memory():
    result = fit(LLAMA_8B, L4, task="qlora", context_tokens=1024)
    assert (result.verdict, result.min_gpus) == ("fits", 1)
    longest = result.max_context_tokens
    assert fit(LLAMA_8B, L4, task="qlora", context_tokens=longest).verdict == "fits"
    assert fit(LLAMA_8B, L4, task="qlora", context_tokens=longest + 64).verdict != "fits"
    assert result.decode_tokens_per_second is None
    assert rank_gpus(LLAMA_8B, [L4, T4], task="qlora", context_tokens=1024)[0].gpu == T4


def test_the_cheapest_rent_of_a_training_asks_no_other_format():
    rented = cheapest_rental(LLAMA_8B, CARDS.values(), task="qlora", context_tokens=1024)
    assert rented is None or rented.quantization == "bnb-nf4-dq"
    assert best_quantization(LLAMA_8B, T4, task="lora", context_tokens=1024).quantization == "bnb-int8"


def test_an_encoder_has_no_logits():
    model = record("baai/bge-m3")
    memory = estimate(model, task="full", context_tokens=512, concurrency=8).memory
    assert memory.parts.working_bytes < 8 * 512 * model.vocab_size
    assert memory.parts.gradient_bytes == 2 * model.total_parameters


REFUSED = [
    ({"task": "full", "quantization": "q4_k_m"}, "q4_k_m is a GGUF type, which only llama.cpp loads: nothing trains on it"),
    ({"task": "full", "quantization": "bnb-nf4"}, "the weights of a model in bnb-nf4 cannot be trained: they are quantized"),
    ({"task": "lora", "runtime": "vllm"}, "vllm does not train: it only answers"),
    ({"task": "qlora", "runtime": "llama.cpp"}, "llama.cpp does not train: it only answers"),
    ({"task": "qlora", "quantization": "bf16"}, "qlora trains adapters on a quantized model, bf16 is none"),
    ({"task": "qlora", "quantization": "native"}, "qlora trains adapters on a quantized model, bf16 is none"),
    ({"task": "full", "quantization": "awq-int4"}, "the weights of a model in awq-int4 cannot be trained: they are quantized"),
    ({"task": "lora", "quantization": "mxfp4"}, "adapters on a model in mxfp4 are not supported by PEFT"),
    ({"task": "qlora", "training": Training(precision="fp32")}, "adapters on a model in bnb-nf4-dq are computed in 16 bit, not in fp32"),
]


@pytest.mark.parametrize(("asked", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_nobody_can_train_is_refused_with_a_sentence(asked, message):
    with pytest.raises(FitInputError) as caught:
        estimate(LLAMA_8B, **asked)
    assert caught.value.message == message
    assert caught.value.hint


def test_targets_a_model_has_not_are_named():
    mamba = models()["state-spaces/mamba-130m-hf"]
    with pytest.raises(MissingFact, match="is among the LoRA targets attention"):
        estimate(mamba, task="lora", training=Training(lora_targets="attention"))
    assert fit(mamba, L4, task="lora", training=Training(lora_targets="attention")).verdict == "unknown"


def test_all_weights_of_a_model_shipped_in_mxfp4_are_trained_in_16_bit():
    gpt_oss = models()["openai/gpt-oss-20b"]
    with pytest.raises(FitInputError, match="cannot be trained"):
        estimate(gpt_oss, task="full", quantization="native")
    assert estimate(gpt_oss, task="full").memory.weights_bytes == 2 * gpt_oss.total_parameters
