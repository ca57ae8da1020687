"""Settings that change nothing in the question they stand in: said, so that nobody takes the answer for theirs.

An engine does not know the settings of another one, inference those of training, and a model without experts keeps none
of them in main memory. The answer is right all the same, so none of this is refused.
"""

from collections.abc import Iterator

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.settings import DEFAULT_ENGINE, DEFAULT_TRAINING, chosen

LLAMA_CPP, VLLM = ("llama.cpp",), ("vllm",)
RUNTIMES_OF = {
    "micro_batch_tokens": LLAMA_CPP,
    "gpu_layers": LLAMA_CPP,
    "cpu_expert_layers": LLAMA_CPP,
    "batched_tokens": VLLM,
    "pipeline_parallel": VLLM,
    "max_sequences": VLLM,
    "flash_attention": ("llama.cpp", "transformers"),
}
"""Which runtimes know a setting; one that is not named here is known to all."""
OPTIONS = {
    "micro_batch_tokens": "--ubatch",
    "cpu_expert_layers": "--cpu-moe",
    "batched_tokens": "--max-batched-tokens",
    "flash_attention": "--no-flash-attention",
    "gradient_checkpointing": "--no-gradient-checkpointing",
}
"""What the command line calls a setting, where not by its own name."""


def idle_settings(model: ModelFacts, question: Question) -> Iterator[Assumption]:
    """One sentence for each setting that was changed in vain."""
    if question.engine != DEFAULT_ENGINE:
        for name in chosen(question.engine):
            if question.runtime not in (known := RUNTIMES_OF.get(name, (question.runtime,))):
                yield Assumption(f"{_option(name)} is a setting of {' and '.join(known)}: it changes nothing in {question.runtime}")
            elif name == "cpu_expert_layers" and model.experts is None:
                yield Assumption("the model has no experts to keep in main memory: --cpu-moe changes nothing")
    if question.training != DEFAULT_TRAINING:
        for name in chosen(question.training):
            if question.task == "inference":
                yield Assumption(f"{_option(name)} is a setting of training: it changes nothing where the model answers")
            elif question.task == "full" and name.startswith("lora_"):
                yield Assumption(f"{_option(name)} is a setting of adapters: it changes nothing where all weights are trained")


def _option(name: str) -> str:
    return OPTIONS.get(name, f"--{name.replace('_', '-')}")
