"""The question people ask, checked: every absurd value is refused here, with one sentence and the next thing to try."""

from typing import NamedTuple

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import QUANTIZATIONS, SPELLINGS, sized
from llmops_catalog.fit.settings import (
    DEFAULT_ENGINE,
    DEFAULT_TRAINING,
    LORA_TARGETS,
    OPTIMIZER_SPELLINGS,
    OPTIMIZERS,
    PRECISIONS,
    TASK_SPELLINGS,
    TASKS,
    Engine,
    Training,
)
from llmops_catalog.problems import did_you_mean, nearest

RUNTIMES = ("llama.cpp", "vllm", "transformers")
OF_TRANSFORMERS = (
    "bnb-", "hqq-", "aqlm-", "int8wo", "int4wo", "int8dq", "float8", "quanto-", "eetq-", "higgs-", "vptq-", "gptq-int3", "gptq-int2",
)  # fmt: skip
OF_VLLM = ("gptq-", "awq-", "autoround-", "fp8", "mxfp8", "nvfp4", "w4a", "w8a")
"""How the names begin of formats that are usually loaded with Transformers, and with vLLM."""
RUNTIME_SPELLINGS = {
    "llama-cpp": "llama.cpp", "llamacpp": "llama.cpp",
    "ollama": "llama.cpp", "lm-studio": "llama.cpp", "lmstudio": "llama.cpp",
    "hf": "transformers", "huggingface": "transformers",
}  # fmt: skip
"""Ollama and LM Studio run llama.cpp inside."""
KV_CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "fp8")
KV_CACHE_SPELLINGS = {"fp16": "f16", "float16": "f16", "bfloat16": "bf16", "fp32": "f32", "float32": "f32",
                      "fp8_e4m3": "fp8", "fp8_e5m2": "fp8"}  # fmt: skip
DECIDES_CACHE = frozenset({"f32", "f16", "bf16", "native"})
"""Formats that are computed in as they are, and so cached in; others are all computed in one."""
DEFAULT_CONTEXT_TOKENS = 8192
LARGEST_CONTEXT_TOKENS = 10**9
LARGEST_CONCURRENCY = 10**6
LARGEST_GPU_COUNT = 1024
LARGEST_BATCH_TOKENS = 10**6
LARGEST_LAYER_COUNT = 10**4
ALL_LAYERS = -1
"""llama.cpp's own way to say all of them."""
LARGEST_LORA_RANK = 16_384
LONGEST_VERSION = 200
"""Characters of a release as people quote it, "0.6.4.post1 dev (2024-12)"."""


class Question(NamedTuple):
    """One configuration of one model, all defaults filled in. Tokens are per sequence, `concurrency` of them kept."""

    quantization: str
    runtime: str
    context_tokens: int
    prompt_tokens: int
    concurrency: int
    kv_cache_type: str
    gpu_count: int
    task: str = "inference"
    engine: Engine = DEFAULT_ENGINE
    training: Training = DEFAULT_TRAINING

    def at(self, *, context_tokens: int | None = None, concurrency: int | None = None, gpu_count: int | None = None) -> "Question":
        """The same question with another size; a prompt that filled the context goes on filling it."""
        context = self.context_tokens if context_tokens is None else context_tokens
        filled = self.prompt_tokens == self.context_tokens
        return self._replace(
            context_tokens=context,
            prompt_tokens=context if filled else min(self.prompt_tokens, context),
            concurrency=self.concurrency if concurrency is None else concurrency,
            gpu_count=self.gpu_count if gpu_count is None else gpu_count,
        )

    def quantized(self, model: ModelFacts, quantization: str) -> "Question":
        """The same question about another quantization; a cache in the usual format goes on being in the usual one."""
        usual = self.runtime == "llama.cpp" or not {self.quantization, quantization} & DECIDES_CACHE
        if usual or self.kv_cache_type != cache_type(model, self.runtime, self.quantization, None):
            return self._replace(quantization=quantization)
        return self._replace(quantization=quantization, kv_cache_type=cache_type(model, self.runtime, quantization, None))


def ask(
    model: ModelFacts,
    *,
    quantization: str | None = None,
    runtime: str | None = None,
    context_tokens: int | None = None,
    prompt_tokens: int | None = None,
    concurrency: int = 1,
    kv_cache_type: str | None = None,
    gpu_count: int = 1,
    task: str = "inference",
    engine: Engine = DEFAULT_ENGINE,
    training: Training = DEFAULT_TRAINING,
) -> Question:
    """A checked question. Raises `FitInputError` for an unknown name or a number no machine could mean."""
    of_kind("model", model, ModelFacts)
    task = known("task", task, TASKS, TASK_SPELLINGS)
    training = _training(training)
    runtime, quantization = _usual(model, task, runtime, quantization, training)
    if prompt_tokens is not None:
        within("prompt", prompt_tokens, 1, LARGEST_CONTEXT_TOKENS, "tokens")
    if context_tokens is None:
        usual = min(DEFAULT_CONTEXT_TOKENS, model.max_context_tokens or DEFAULT_CONTEXT_TOKENS)
        context_tokens = max(usual, prompt_tokens or 1)
    within("context", context_tokens, 1, LARGEST_CONTEXT_TOKENS, "tokens")
    prompt_tokens = context_tokens if prompt_tokens is None else prompt_tokens
    if prompt_tokens > context_tokens:
        raise FitInputError(
            f"a prompt of {prompt_tokens} tokens does not go into a context of {context_tokens}",
            "the context holds the prompt and the answer: raise it, or shorten the prompt",
        )
    return Question(
        quantization=quantization,
        runtime=runtime,
        context_tokens=context_tokens,
        prompt_tokens=prompt_tokens,
        concurrency=within("concurrency", concurrency, 1, LARGEST_CONCURRENCY, "sequences"),
        kv_cache_type=cache_type(model, runtime, quantization, kv_cache_type),
        gpu_count=within("gpu_count", gpu_count, 1, LARGEST_GPU_COUNT, "cards"),
        task=task,
        engine=_engine(engine, gpu_count),
        training=training,
    )


def _quantization(model: ModelFacts, name: str | None) -> str:
    """A known quantization; of facts read from one file, the file's own. Raises `FitInputError`."""
    if model.file is None:
        return known_quantization(name)
    own = model.file.quantization
    if name is None:
        return own
    wanted = name.strip().casefold() if isinstance(name, str) else ""
    if SPELLINGS.get(wanted, wanted) in (own, "native"):
        return own
    raise FitInputError(
        f"{model.name} is a file in {own}: what it would take in {str(name)[:60]!r} is not in it",
        "leave the quantization out, or ask about the model the file was made from",
    )


def trains(task: str) -> bool:
    """True for a task that is not inference. Raises `FitInputError` for an unknown one."""
    return known("task", task, TASKS, TASK_SPELLINGS) != "inference"


def _usual(model: ModelFacts, task: str, runtime: str | None, quantization: str | None, training: Training) -> tuple[str, str]:
    """Runtime and quantization by their ids, the usual ones where none is named. Raises `FitInputError`."""
    if task == "inference":
        runtime = known("runtime", "llama.cpp" if runtime is None else runtime, RUNTIMES, RUNTIME_SPELLINGS)
        return runtime, _quantization(model, quantization)
    from llmops_catalog.fit import trainable  # questions about inference need not load it

    runtime = known("runtime", trainable.TRAINING_RUNTIME if runtime is None else runtime, RUNTIMES, RUNTIME_SPELLINGS)
    usual = "f32" if training.precision == "fp32" and task != "qlora" else trainable.usual_format(model, task)
    quantization = _quantization(model, quantization or (model.file.quantization if model.file else usual))
    trainable.check(model, task, runtime, quantization, training.precision)
    return runtime, quantization


def _engine(engine: Engine, gpu_count: int) -> Engine:
    """The settings of an engine, each within its bounds. Raises `FitInputError`."""
    if engine == DEFAULT_ENGINE:
        return engine
    _settings("engine", engine, Engine)
    version = engine.runtime_version
    if version is not None and (not isinstance(version, str) or len(version) > LONGEST_VERSION):
        raise FitInputError(f"runtime_version must be a short text, not {str(version)[:60]!r}", "as '4.44', '0.6.3' or 'b4567'")
    if engine.micro_batch_tokens is not None:
        within("ubatch", engine.micro_batch_tokens, 1, LARGEST_BATCH_TOKENS, "tokens")
    if engine.batched_tokens is not None:
        within("max_batched_tokens", engine.batched_tokens, 1, LARGEST_BATCH_TOKENS, "tokens")
    if engine.max_sequences is not None:
        within("max_sequences", engine.max_sequences, 1, LARGEST_CONCURRENCY, "sequences")
    if engine.gpu_layers == ALL_LAYERS:
        engine = engine._replace(gpu_layers=None)
    if engine.gpu_layers is not None:
        within("gpu_layers", engine.gpu_layers, 0, LARGEST_LAYER_COUNT, "layers")
    within("cpu_moe", engine.cpu_expert_layers, 0, LARGEST_LAYER_COUNT, "layers")
    stages = within("pipeline_parallel", engine.pipeline_parallel, 1, LARGEST_GPU_COUNT, "stages")
    if gpu_count % stages:
        raise FitInputError(
            f"{gpu_count} card{'s' * (gpu_count != 1)} cannot be divided into {stages} pipeline stages",
            "the stages divide the cards evenly",
        )
    return engine


def _settings(word: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise FitInputError(
            f"{word} must be of the kind {kind.__name__}, not {str(value)[:60]!r}", f"from llmops_catalog.fit import {kind.__name__}"
        )


def _training(training: Training) -> Training:
    """The settings of a training run, each known. Raises `FitInputError`."""
    if training == DEFAULT_TRAINING:
        return training
    _settings("training", training, Training)
    return training._replace(
        optimizer=known("optimizer", training.optimizer, OPTIMIZERS, OPTIMIZER_SPELLINGS),
        precision=known("precision", training.precision, PRECISIONS, {"fp16": "bf16", "bfloat16": "bf16", "f32": "fp32"}),
        lora_rank=within("lora_rank", training.lora_rank, 1, LARGEST_LORA_RANK, "columns"),
        lora_targets=known("set of LoRA targets", training.lora_targets, LORA_TARGETS, {}),
    )


def cache_type(model: ModelFacts, runtime: str, quantization: str, name: str | None) -> str:
    """llama.cpp stores the cache in f16 unless told otherwise; the others in the format they compute in ('auto').

    That is the model's own 16-bit format, or 32 bit where the weights are loaded so: Transformers keeps what the layers
    compute, vLLM takes the cache's format from --dtype, which turns a checkpoint in 32 bit into 16 unless told otherwise.
    """
    if name is None or (isinstance(name, str) and name.casefold() == "auto"):
        if runtime == "llama.cpp":
            return "f16"
        if quantization == "f32" or (quantization == "native" and runtime == "transformers" and model.native_dtype == "fp32"):
            return "f32"
        return "f16" if quantization == "f16" or (quantization != "bf16" and model.native_dtype == "fp16") else "bf16"
    return known("KV cache type", name, KV_CACHE_TYPES, KV_CACHE_SPELLINGS)


def usual_runtime(quantization: str) -> str:
    """The runtime people load this format with, for a question that names none: llama.cpp wherever it can."""
    name = known_quantization(quantization)
    if name.startswith(OF_TRANSFORMERS):
        return "transformers"
    return "vllm" if name.startswith(OF_VLLM) else "llama.cpp"


def known_quantization(name: str | None) -> str:
    """The id of a quantization, or a name that says its own size such as 'exl2-4.65'. Raises `FitInputError`."""
    wanted = name.strip().casefold() if isinstance(name, str) else ""
    return wanted if sized(wanted) else known("quantization", name, QUANTIZATIONS, SPELLINGS)


def known(kind: str, name: str | None, names: tuple[str, ...], spellings: dict[str, str]) -> str:
    """The id `name` means, in any case; raises `FitInputError` with the nearest ones."""
    if not isinstance(name, str):
        raise FitInputError(f"{kind} must be text, not {name!r}", f"known: {', '.join(names)}")
    wanted = name.strip().casefold()
    wanted = spellings.get(wanted, wanted)
    if wanted in names:
        return wanted
    shown = name if len(name) <= 60 else name[:57] + "..."
    sentence = f"no {kind} is called {shown!r}. {did_you_mean(nearest(wanted, names))}".rstrip()
    raise FitInputError(sentence, f"known: {', '.join(names)}")


def of_kind(word: str, value: object, kind: type) -> None:
    """Refuses a name where the facts themselves are needed. Raises `FitInputError`."""
    if not isinstance(value, kind):
        raise FitInputError(f"the {word} must be a record's facts, not {str(value)[:60]!r}", f"look it up first: catalog.{word}(name)")


def within(kind: str, value: int, low: int, high: int, unit: str) -> int:
    """`value`, if it is a whole number of `unit` between the bounds; else `FitInputError`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FitInputError(f"{kind} must be a whole number of {unit}, not {value!r}", f"{low} to {high} {unit}")
    if not low <= value <= high:
        digits = str(value) if abs(value) < 10**18 else f"{value:.1e}"
        raise FitInputError(f"{kind} {digits} makes no sense", f"{low} to {high} {unit}")
    return value
