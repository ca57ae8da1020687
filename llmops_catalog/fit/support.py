"""Will it run at all: runtimes against quantizations, cards and models, by the catalog's rules. Each refusal says what to use instead."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption, Reason
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.formats import GGUF_ONLY, QUANTIZATIONS, recorded
from llmops_catalog.fit.quality import QualityFacts
from llmops_catalog.fit.question import Question

FLOOR = "runtime-floor"
"""The kind of rule whose failure makes every other one idle: the runtime does not run there at all."""


class Rule(NamedTuple):
    """A rule record (`schema/software.py`) as the estimator reads it; an empty scope matches everything, an empty need always holds."""

    id: str
    statement: str
    kind: str
    otherwise: str
    instead: str | None = None
    source: str | None = None
    runtimes: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    cache_types: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    model_kinds: tuple[str, ...] = ()
    needs_something: bool = False
    needs_capability: tuple[int, int] | None = None
    needs_number_formats: tuple[str, ...] = ()
    needs_vendors: tuple[str, ...] = ()
    needs_cache_types: tuple[str, ...] = ()
    needs_architectures: tuple[str, ...] = ()
    needs_flash_attention: bool = False

    def is_about(self, runtime: str, quantization: str, cache_type: str, model_kind: str) -> bool:
        """True where the scope matches all of these; the card's maker is looked at per card."""
        return (
            _among(runtime, self.runtimes)
            and _among(quantization, self.quantizations)
            and _among(cache_type, self.cache_types)
            and _among(model_kind, self.model_kinds)
        )

    def unmet(self, gpu: GpuFacts, cache_type: str, flash_attention: bool = True) -> tuple[str, str] | None:
        """The code and the words of the need that does not hold; None where all hold or nothing is known of the card."""
        if self.vendors and gpu.vendor not in self.vendors:
            return None
        if self.needs_flash_attention and not flash_attention:
            return "runtime-kv-cache", "and it is off"
        if self.needs_cache_types and cache_type not in self.needs_cache_types:
            return "runtime-kv-cache", f"not {cache_type}"
        if not self.needs_something:
            return "runtime-architecture", ""
        if not gpu.vendor:
            return None
        if self.needs_vendors and gpu.vendor not in self.needs_vendors:
            return "runtime-hardware", f"not on {gpu.name}"
        if self.needs_architectures and gpu.architecture and gpu.architecture not in self.needs_architectures:
            return "runtime-hardware", f"not on {gpu.name}"
        if self.needs_capability and gpu.capability and gpu.capability < self.needs_capability:
            code = f"no-{self.needs_number_formats[0]}" if self.needs_number_formats else "compute-capability"
            return code, f"{gpu.name} has {gpu.compute_capability}"
        for number_format in self.needs_number_formats:
            if getattr(gpu, number_format) == "none":
                return f"no-{number_format}", f"{gpu.name} has none"
        return None


class Support:
    """What the catalog knows of what runs where: the runtimes that load each quantization, the rules, and published losses of
    quality. Shared, never changed.
    """

    def __init__(self, loaded_by: Mapping[str, tuple[str, ...]], rules: Iterable[Rule], quality: Iterable[QualityFacts] = ()) -> None:
        self.loaded_by = dict(loaded_by)
        self.rules = tuple(rules)
        self.quality = tuple(quality)
        self._about: dict[tuple[str, str, str, str], tuple[Rule, ...]] = {}
        self._unmet: dict[tuple[tuple[str, str, str, str], bool, GpuFacts], tuple[tuple[Rule, Reason], ...]] = {}
        self._hash = hash(self.rules)

    def __eq__(self, other: object) -> bool:
        """Equal where the same is known: facts that were sent to another process are still the same facts."""
        return isinstance(other, Support) and (self.loaded_by, self.rules, self.quality) == (other.loaded_by, other.rules, other.quality)

    def __hash__(self) -> int:
        """Computed once: every estimate is remembered by its model's facts."""
        return self._hash

    def about(self, question: Question, quantization: str, model_kind: str) -> tuple[Rule, ...]:
        """Rules whose scope a question falls in, whatever the card; `quantization` is what the weights are stored as."""
        about = (question.runtime, quantization, question.kv_cache_type, model_kind)
        found = self._about.get(about)
        if found is None:
            found = self._about[about] = tuple(rule for rule in self.rules if rule.is_about(*about))
        return found

    def unmet(self, question: Question, quantization: str, model_kind: str, gpu: GpuFacts) -> tuple[tuple[Rule, Reason], ...]:
        """Rules that apply and whose need does not hold on this card, with what to say about each; found once per combination."""
        about = (question.runtime, quantization, question.kv_cache_type, model_kind)
        flash_attention = question.engine.flash_attention
        found = self._unmet.get((about, flash_attention, gpu))
        if found is None:
            rules = self.about(question, quantization, model_kind)
            said = ((rule, rule.unmet(gpu, question.kv_cache_type, flash_attention)) for rule in rules)
            found = self._unmet[about, flash_attention, gpu] = tuple((rule, _sentence(rule, *words)) for rule, words in said if words)
        return found

    def loads(self, runtime: str, quantization: str) -> bool:
        """False only where the quantization is known and this runtime is not among those that load it."""
        return runtime in self.loaded_by.get(recorded(quantization), (runtime,))


NO_RULES = Support({}, ())
"""Of facts that come from no catalog: nothing is known to be impossible."""


def refusals(model: ModelFacts, gpu: GpuFacts, question: Question) -> list[Reason]:
    """Known reasons why this cannot run, most fundamental first; empty where none is known."""
    support = model.support or NO_RULES
    reasons = [*_model(model, question), *_file(support, question)]
    unmet = list(_unmet(support, model, gpu, question, "refused"))
    floors = [reason for rule, reason in unmet if rule.kind == FLOOR]
    return [*reasons, *(floors or (reason for _, reason in unmet))]


def refusing_rules(model: ModelFacts, question: Question) -> tuple[Rule, ...] | None:
    """Rules that refuse this question on cards that fail them; None where it is refused on every card.

    For one card, a question that no shorter context and no other file would save; on several, ask `refusals`.
    """
    support = model.support or NO_RULES
    limit = model.max_context_tokens
    if (limit and question.context_tokens > limit) or not support.loads(question.runtime, question.quantization):
        return None
    rules = support.about(question, _stored_as(model, question), model.kind)
    return tuple(rule for rule in rules if rule.otherwise == "refused")


def remarks(model: ModelFacts, gpu: GpuFacts, question: Question) -> list[Assumption]:
    """What runs, but not as one might think: emulated, slower, or on conditions; each with its source."""
    unmet = (model.support or NO_RULES).unmet(question, _stored_as(model, question), model.kind, gpu)
    return [Assumption(reason.message, rule.source) for rule, reason in unmet if _is_said(rule)]


def _is_said(rule: Rule) -> bool:
    """Advice is given where this card or cache fails a need, not with every answer; number formats have rules of their own runtime."""
    if rule.otherwise == "advice":
        return rule.kind == "cache-type" or (rule.needs_something and rule.kind in ("toolkit", "quantization-kernel"))
    return rule.otherwise != "refused"


def lacks_bf16(model: ModelFacts, gpu: GpuFacts, question: Question) -> bool:
    """True where bf16 is refused on this card, so that f16 is worth a row of its own."""
    unmet = _unmet(model.support or NO_RULES, model, gpu, question._replace(quantization="bf16"), "refused")
    return any(reason.code == "no-bf16" for _, reason in unmet)


def _model(model: ModelFacts, question: Question) -> Iterator[Reason]:
    limit = model.max_context_tokens
    if limit and question.context_tokens > limit:
        text = f"{question.context_tokens:,} tokens are beyond the {limit:,} {model.name} was made for"
        yield Reason("context-beyond-model", f"{text}: ask for {limit:,} or less")
    if model.file is not None and question.runtime != "llama.cpp" and question.quantization not in QUANTIZATIONS:
        text = f"{model.name} is a GGUF file in a mix {question.runtime} is not known to load: use llama.cpp"
        yield Reason("runtime-quantization", text)
    if question.runtime == "vllm" and max(question.gpu_count, question.engine.pipeline_parallel) > 1:
        yield from _division(model, question)


def _division(model: ModelFacts, question: Question) -> Iterator[Reason]:
    """Cards vLLM cannot divide: into pipeline stages, or a stage's among the heads (`QKVParallelLinear`)."""
    stages, number = question.engine.pipeline_parallel, question.gpu_count
    if number % stages:
        yield Reason("tensor-parallel", f"vLLM cannot divide {number} cards into {stages} pipeline stages: use a multiple of {stages}")
        return
    cards, keys = number // stages, 0 if model.latent else model.num_key_value_heads
    if model.num_attention_heads % cards:
        heads = f"{model.num_attention_heads} attention heads"
    elif keys and max(keys, cards) % min(keys, cards):
        heads = f"{keys} key/value heads"
    else:
        return
    yield Reason("tensor-parallel", f"vLLM cannot divide {heads} among {cards} cards: use a number that divides them")


def _file(support: Support, question: Question) -> Iterator[Reason]:
    name, runtime = question.quantization, question.runtime
    if support.loads(runtime, name):
        return
    if runtime == "llama.cpp":
        instead = "use a GGUF file, such as q4_k_m or q8_0"
    else:
        instead = "use awq-int4, gptq-int4 or bnb-nf4"
        if name in GGUF_ONLY:
            yield Reason("runtime-quantization", f"{name} is a GGUF type: use llama.cpp, or {runtime} with {instead.removeprefix('use ')}")
            return
    yield Reason("runtime-quantization", f"{runtime} does not load {name}: {instead}")


def _unmet(support: Support, model: ModelFacts, gpu: GpuFacts, question: Question, otherwise: str) -> Iterator[tuple[Rule, Reason]]:
    unmet = support.unmet(question, _stored_as(model, question), model.kind, gpu)
    return (pair for pair in unmet if pair[0].otherwise == otherwise)


def _stored_as(model: ModelFacts, question: Question) -> str:
    if question.quantization != "native":
        return recorded(question.quantization)
    from llmops_catalog.fit.checkpoint_formats import native_format

    return native_format(model)


def _sentence(rule: Rule, code: str, words: str) -> Reason:
    """The rule, what the card has, and what to do instead."""
    text = f"{rule.statement}, {words}" if words else rule.statement
    return Reason(code, f"{text}: {rule.instead}" if rule.instead else text)


def _among(value: str, allowed: tuple[str, ...]) -> bool:
    return not allowed or value in allowed
