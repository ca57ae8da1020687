"""The memory of a training run: what stays all the time, and the highest of the moments of one step."""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.architectures.encoders import ENCODERS
from llmops_catalog.fit.architectures.families import FAMILIES
from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, Parts
from llmops_catalog.fit.runtimes.transformers.families import release
from llmops_catalog.fit.sizes import MIB
from llmops_catalog.fit.training.activations import layers_of, norm_bytes
from llmops_catalog.fit.training.modes import SOFT_CAPPED, UPCAST_QUANTIZATIONS, Mode, mode_of
from llmops_catalog.fit.training.standing import Standing, standing
from llmops_catalog.fit.training.states import BITSANDBYTES, FOREACH, SOURCES
from llmops_catalog.fit.weights import weigh

CUDA_CONTEXT, CUDA_CONTEXT_LOW, CUDA_CONTEXT_HIGH = 500 * MIB, 250 * MIB, 800 * MIB
"""Context, libraries and workspaces of one card, beside the allocator: 608 MiB in a log of training on a T4
(https://github.com/mlabonne/llm-course/blob/a2ac3df/Fine_tune_LLMs_with_Axolotl.ipynb), 194 to 321 MiB where models only
answer (https://github.com/DJCordhose/llm-ops)."""
NCCL, NCCL_HIGH = 300 * MIB, 900 * MIB
"""Between several cards: 0.20 to 0.74 GiB beside the allocator in vLLM's logs, which hold the context too."""
GROWTH_LOW, GROWTH_HIGH = 0.03, 0.25
"""Share of what comes and goes that kernels save against our count, or that the caching allocator holds without use: what the
driver shows lies up to a quarter of it above in the tables of https://github.com/QwenLM/Qwen and of the memory guide
(https://github.com/huggingface/transformers/blob/main/docs/source/en/model_memory_anatomy.md)."""
RECURRENT_DOUBT, FAMILY_DOUBT = 0.4, 0.15
"""How far the count may be off, as a share of the activations, where layers are recurrent or the family is not described."""
LOSS_COPIES, FORWARD_COPIES = 12, 10
"""Bytes for each logit: its logarithm of softmax, the gradient and the gradient of that in 32 bit while the loss is
differentiated; logits in 16 and 32 bit and the logarithm while it is computed (`ForCausalLMLoss`, PyTorch's cross entropy)."""
SHIFTED_COPY, SHIFTED_IN_PLACE = 4, (4, 49)
"""Before that release the logits but the last of every sequence were copied in 32 bit; of one sequence they need no copy
(https://github.com/huggingface/transformers/pull/35646)."""
LET_GO, KEPT_SINCE = 2, (4, 46)
"""Before that release the logits of 16 bit were let go once they had been turned into 32 bit: the loss was part of the model's
own code, which forgot them (12 bytes for each logit in the tables of PowerLM 3B with release 4.45, 14 in those with 4.48:
https://github.com/foundation-model-stack/fms-acceleration/tree/main/scripts/benchmarks/refs)."""
TORCH_ADAMW, FUSED_ADAMW = (4, 33), (4, 54)
"""Since the first of these releases Trainer takes PyTorch's AdamW (https://github.com/huggingface/transformers/pull/25109), since
the second the fused one (https://github.com/huggingface/transformers/pull/37358)."""
LOSS = "https://github.com/huggingface/transformers/blob/main/src/transformers/loss/loss_utils.py"
LIGER = "https://github.com/linkedin/Liger-Kernel/blob/main/src/liger_kernel/ops/fused_linear_cross_entropy.py"
CHECKPOINTS = "https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_layers.py"
TRAINER = "https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py"
PEFT = "https://github.com/huggingface/peft/blob/main/src/peft/tuners/lora/layer.py"
KBIT = "https://github.com/huggingface/peft/blob/main/src/peft/utils/other.py"
FSDP = "https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html"


class Moments(NamedTuple):
    """Bytes of one card at the moments of a step: the loss, a layer's backward pass, the forward pass, the optimizer.

    The optimizer has what is sharded before it, and gathers nothing. At the ending of the backward pass one layer's
    activations are left, and all gradients are there.
    """

    activations: int
    loss: int
    layer: int
    forward: int
    step: int
    ending: int

    @property
    def highest(self) -> int:
        """What must be there beside what stays while the model runs."""
        return max(self.loss, self.layer, self.forward)


def footprint(model: ModelFacts, question: Question) -> Footprint:
    """Memory of one training step on every card: `concurrency` sequences of `context_tokens` on each.

    Gradients are held while activations grow where they are accumulated over several micro-batches; the low estimate is
    that of a step without accumulation. Raises `MissingFact` where the weights of the model cannot be told.
    """
    mode, cards = mode_of(model, question), question.gpu_count
    stays = standing(model, mode, question.quantization, _optimizer(question))
    moments = moments_of(model, mode, question, stays)
    share = -(-(stays.weights + stays.adapters) // cards)
    gradients, kept = -(-stays.gradients // cards), -(-stays.states.card_bytes // cards)
    gathered = 0 if cards == 1 else stays.unit
    transient = max(moments.highest + gathered, moments.step)
    alone = max(max(moments.highest, gradients + moments.ending) + gathered, gradients + moments.step)
    moving = gradients + transient if question.training.gradient_accumulation else alone
    overhead = CUDA_CONTEXT + (NCCL if cards > 1 else 0)
    each = share + kept + moving + overhead
    then = min(gradients, moving), min(moments.activations, moving - min(gradients, moving))
    doubt = stays.uncertainty // cards + int(moments.activations * _doubt(model))
    return Footprint(
        weights_bytes=share * cards,
        host_bytes=stays.states.host_bytes,
        kv_cache_bytes=0,
        state_bytes=0,
        compute_bytes=(kept + moving) * cards,
        overhead_bytes=overhead * cards,
        per_gpu_bytes=(each,) * cards,
        below_bytes=doubt + moving - alone + int(transient * GROWTH_LOW) + CUDA_CONTEXT - CUDA_CONTEXT_LOW,
        above_bytes=doubt + int(transient * GROWTH_HIGH) + CUDA_CONTEXT_HIGH - CUDA_CONTEXT + (NCCL_HIGH - NCCL if cards > 1 else 0),
        assumptions=once([*stays.assumptions, *_said(model, mode, question)]),
        parts=Parts(stays.adapters, then[0] * cards, kept * cards, then[1] * cards, (moving - sum(then)) * cards),
    )


def moments_of(model: ModelFacts, mode: Mode, question: Question, stays: Standing) -> Moments:
    """The moments of a step on one card."""
    sequence = question.context_tokens
    tokens = sequence * question.concurrency
    kinds = layers_of(model, mode)
    whole = [kind.saved * tokens + kind.squared * sequence * tokens + kind.merged for kind in kinds]
    everything = sum(kind.count * size for kind, size in zip(kinds, whole, strict=True))
    checkpointed = question.training.gradient_checkpointing
    inputs = sum(kind.count for kind in kinds) * mode.stream * model.hidden_size * tokens
    kept = inputs if checkpointed else everything + stays.casts
    if not (checkpointed or mode.trains_all):  # frozen embeddings: the first norm has nothing to differentiate
        kept -= tokens * norm_bytes(model, mode, model.hidden_size)
    one = [kind.working * tokens + kind.merged // 3 + size for kind, size in zip(kinds, whole, strict=True)]
    working = max(kind.working * tokens + kind.merged // 3 + (size if checkpointed else 0) for kind, size in zip(kinds, whole, strict=True))
    unpacked = 2 * weigh(model, question.quantization, "transformers").largest_matrix if mode.upcast else 0
    final = tokens * (norm_bytes(model, mode, model.hidden_size) + (mode.compute * model.hidden_size if mode.trains_all else 0))
    head = 2 * model.vocab_size * model.hidden_size if mode.casts and model.is_decoder else 0
    forward, backward = _loss(model, mode, question, stays)
    layer = max(kept + working + unpacked + stays.largest_gradient + stays.held, stays.table_moment)
    return Moments(
        activations=kept + final,
        loss=kept + final + head + backward,
        layer=layer,
        forward=kept + final + head + forward + (stays.casts if checkpointed else 0),
        step=-(-stays.states.step_bytes // question.gpu_count),
        ending=max(min(max(one) + unpacked, layer), stays.table_moment),
    )


def _loss(model: ModelFacts, mode: Mode, question: Question, stays: Standing) -> tuple[int, int]:
    """What the loss takes in the forward and in the backward pass, from the output layer on; nothing where there is none.

    A fused loss computes the logits of as many tokens at once as fill the room of the hidden states, and their gradients
    with them (Liger).
    """
    if not model.is_decoder:
        return 0, 0
    tokens, vocabulary = question.context_tokens * question.concurrency, model.vocab_size
    if question.training.fused_loss:
        at_once = -(-tokens // -(-vocabulary // model.hidden_size))
        pieces = mode.compute * vocabulary * min(tokens, 1 << (at_once - 1).bit_length())
        gradient = mode.compute * model.hidden_size * tokens + stays.head_gradient
        return pieces + gradient, gradient
    logits = tokens * vocabulary
    capped = 2 * logits if model.model_type in SOFT_CAPPED else 0
    backward = max(LOSS_COPIES * logits, mode.compute * logits + stays.head_gradient)
    version = release(question.engine.runtime_version)
    copied = question.concurrency > 1 and version < SHIFTED_IN_PLACE
    return capped + (FORWARD_COPIES + SHIFTED_COPY * copied - LET_GO * (version < KEPT_SINCE)) * logits, capped + backward


def _optimizer(question: Question) -> str:
    """The optimizer, with AdamW in the form the release takes where nothing is said."""
    named = question.training.optimizer
    return FOREACH if named == "adamw" and TORCH_ADAMW <= release(question.engine.runtime_version) < FUSED_ADAMW else named


def _doubt(model: ModelFacts) -> float:
    """Share of the activations our count may be off by."""
    if any(group.type in RECURRENT_LAYERS for group in model.layer_groups):
        return RECURRENT_DOUBT
    return 0.0 if model.model_type in (*FAMILIES, *ENCODERS) else FAMILY_DOUBT


def _said(model: ModelFacts, mode: Mode, question: Question) -> list[Assumption]:
    training = question.training
    said = []
    if mode.trains_all:
        stored = f"weights and gradients in {8 * mode.weight} bit, matrices computed in {8 * mode.compute} bit"
        kept = "kept while micro-batches are accumulated (low estimate: they are not)"
        when = kept if training.gradient_accumulation else "gone while activations grow: nothing is accumulated"
        said.append(Assumption(f"{stored}; gradients are {when}", TRAINER))
    else:
        where = {"all-linear": "every linear layer", "attention": "the four matrices of attention"}.get(mode.targets, "queries and values")
        said.append(Assumption(f"adapters of rank {mode.rank} on {where}, kept in 32 bit with their gradients and states", PEFT))
    if mode.upcast and question.quantization in UPCAST_QUANTIZATIONS:
        text = "embeddings, output layer and norms are turned into 32 bit (prepare_model_for_kbit_training)"
        said.append(Assumption(text, KBIT))
    if training.optimizer.startswith("paged"):
        said.append(Assumption("optimizer states lie in paged memory, counted as main memory", BITSANDBYTES))
    optimizer = _optimizer(question)
    said.append(Assumption(f"optimizer {optimizer}", SOURCES.get(optimizer, BITSANDBYTES)))
    if training.gradient_checkpointing:
        said.append(Assumption("only the input of each layer is kept; the layer is computed again for its gradients", CHECKPOINTS))
    if training.fused_loss and model.is_decoder:
        said.append(Assumption("the loss is taken piece by piece: the logits of all tokens never stand together", LIGER))
    elif model.is_decoder:
        said.append(Assumption("the loss is taken over all tokens at once, in 32 bit; a fused loss needs less (--fused-loss)", LOSS))
    else:
        said.append(Assumption("the loss is taken over the vectors: there are no logits"))
    if question.gpu_count > 1:
        text = "weights, gradients and states are sharded over the cards (FSDP full shard); each card has its own micro-batch"
        said.append(Assumption(text, FSDP))
    return said
