"""How an engine or a trainer is set up beyond the question itself: every setting named, with the engine's own default."""

from collections.abc import Mapping
from typing import NamedTuple

TASKS = ("inference", "full", "lora", "qlora")
"""What is done with the model: answer, train every weight, train adapters, train adapters on a model kept in 4 bit."""
TASK_SPELLINGS = {"full-finetuning": "full", "fine-tuning": "full", "finetuning": "full", "infer": "inference"}
OPTIMIZERS = ("adamw", "adamw-8bit", "paged-adamw", "paged-adamw-8bit", "adafactor", "sgd", "sgd-momentum", "lion", "adamw-foreach")
OPTIMIZER_SPELLINGS = {
    "adam": "adamw", "adamw_torch": "adamw-foreach", "adamw_torch_fused": "adamw", "adamw8bit": "adamw-8bit", "adamw_8bit": "adamw-8bit",
    "paged_adamw": "paged-adamw", "paged_adamw_32bit": "paged-adamw",
    "paged_adamw_8bit": "paged-adamw-8bit", "pagedadamw8bit": "paged-adamw-8bit",
}  # fmt: skip
PRECISIONS = ("bf16", "mixed", "fp32")
"""Of training: everything in 16 bit; 32-bit weights computed in 16 bit (autocast); everything in 32 bit."""
LORA_TARGETS = ("all-linear", "attention", "query-value")
"""Which matrices get an adapter: every linear layer, the four of attention, or queries and values as in the LoRA paper."""


class Engine(NamedTuple):
    """Settings of an inference engine; None is the engine's own default.

    llama.cpp: `micro_batch_tokens` (--ubatch-size), `flash_attention`, `gpu_layers` (-ngl: layers on the cards, the output
    layer counting as one), `cpu_expert_layers` (--n-cpu-moe: layers whose experts stay in main memory).
    vLLM: `batched_tokens` (--max-num-batched-tokens), `pipeline_parallel` (stages the cards are divided into),
    `max_sequences` (--max-num-seqs: sequences computed at once, for which logits are kept ready).
    All: `runtime_version`, where an older release is known to allocate otherwise.
    """

    micro_batch_tokens: int | None = None
    flash_attention: bool = True
    gpu_layers: int | None = None
    cpu_expert_layers: int = 0
    batched_tokens: int | None = None
    pipeline_parallel: int = 1
    runtime_version: str | None = None
    max_sequences: int | None = None


class Training(NamedTuple):
    """Settings of a training run; the context is the length of a training sequence, the concurrency the micro-batch."""

    optimizer: str = "adamw"
    precision: str = "bf16"
    gradient_checkpointing: bool = True
    lora_rank: int = 16
    lora_targets: str = "all-linear"
    fused_loss: bool = False
    """The loss is taken piece by piece, so that no logits of all tokens are kept (Liger, Unsloth, chunked cross entropy)."""
    gradient_accumulation: bool = True
    """Gradients of several micro-batches are added up, so that they are there while activations grow."""


DEFAULT_ENGINE = Engine()
DEFAULT_TRAINING = Training()


def chosen(settings: Engine | Training) -> Mapping[str, object]:
    """The settings that differ from the engine's own defaults, by name."""
    defaults = type(settings)()
    return {name: value for name, value, usual in zip(settings._fields, settings, defaults, strict=True) if value != usual}
