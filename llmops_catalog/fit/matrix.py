"""Every model on every card in every quantization and runtime: the verdicts alone, millions of them in seconds.

What a configuration needs is computed once and looked up among the sizes of the cards; what a card cannot run at all is
the same for every model of a kind. Each cell is what `fit` answers on one card.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.available import available_per_card
from llmops_catalog.fit.estimation import spent
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.formats import QUANTIZATIONS
from llmops_catalog.fit.question import RUNTIMES, Question, ask
from llmops_catalog.fit.support import Rule, refusals, refusing_rules
from llmops_catalog.fit.verdict import VERDICTS

NOT_ASKED_ABOUT: dict[str, Any] = {
    "id": "", "name": "", "segment": None, "released": None, "launch_price_usd": None, "colab": None,
    "rental": None, "bandwidth_gb_s": None, "fp16_tflops": None, "fp32_tflops": None, "driver_mib": None, "cuda_gib": None,
    "system_limit_low_gib": None, "system_limit_high_gib": None, "sold_gb": 0.0,
    "memory_type": None, "nvlink": None, "fp16_vector_tflops": None, "offers": (),
}  # fmt: skip
"""What of a card decides no verdict: its name, price and speed; its sizes only through the bytes a process can allocate."""
FITS, TIGHT, DOES_NOT_FIT, UNSUPPORTED, UNKNOWN = range(len(VERDICTS))


class MatrixRow(NamedTuple):
    """One model in one quantization and runtime; `verdicts` holds a byte per card, its place in `VERDICTS`."""

    model: ModelFacts
    quantization: str
    runtime: str
    verdicts: bytes


def matrix(
    models: Iterable[ModelFacts],
    gpus: Sequence[GpuFacts],
    *,
    quantizations: Sequence[str] = QUANTIZATIONS,
    runtimes: Sequence[str] = RUNTIMES,
    context_tokens: int | None = None,
) -> Iterator[MatrixRow]:
    """The verdict of every model, quantization and runtime on every one of `gpus`, one card, one sequence.

    `context_tokens` as in `fit`. Raises `FitInputError` for an unknown quantization or runtime.
    """
    benches = {runtime: _Bench(gpus, runtime) for runtime in runtimes}
    for model in models:
        for runtime, bench in benches.items():
            asked = ask(model, quantization="q8_0", runtime=runtime, context_tokens=context_tokens)
            for quantization in quantizations:
                yield MatrixRow(model, quantization, runtime, bench.verdicts(model, asked, quantization))


def kind_of(gpu: GpuFacts) -> GpuFacts:
    """The card reduced to what a verdict rests on beside its size: cards of one kind run and refuse the same."""
    return gpu._replace(**NOT_ASKED_ABOUT)


class _Bench:
    """The cards as one runtime sees them: their sizes in order, and what they refuse by kind of model and quantization."""

    def __init__(self, gpus: Sequence[GpuFacts], runtime: str) -> None:
        available = [available_per_card(gpu, runtime)[0] if gpu.has_memory else None for gpu in gpus]
        self.kinds: dict[GpuFacts, list[int]] = {}
        for place, gpu in enumerate(gpus):
            self.kinds.setdefault(kind_of(gpu), []).append(place)
        self.sizes = sorted({size for size in available if size is not None})
        self.ranks = [None if size is None else bisect_left(self.sizes, size) for size in available]
        self.everywhere, self.on_no_card = frozenset(range(len(gpus))), bytes([UNSUPPORTED]) * len(gpus)
        self._refused: dict[tuple[object, ...], frozenset[int]] = {}
        self._by_rules: dict[tuple[tuple[Rule, ...], str], frozenset[int]] = {}
        self._patterns: dict[tuple[frozenset[int], int, int], bytes] = {}

    def verdicts(self, model: ModelFacts, asked: Question, quantization: str) -> bytes:
        """One byte per card.

        What vLLM decides by the card is not asked about: a larger batch needs more, and where only the smaller one goes in,
        `fit` answers with that.
        """
        refused: frozenset[int] = frozenset()
        try:
            refused = self.refused(model, asked, quantization)
            if refused is self.everywhere:
                return self.on_no_card
            needed = spent(model, asked.quantized(model, quantization))
        except MissingFact:
            return self.pattern(refused, -1, -1)
        most = max(needed.per_gpu_bytes)
        low, high = max(0, most - needed.below_bytes), most + needed.above_bytes
        return self.pattern(refused, bisect_left(self.sizes, low), bisect_left(self.sizes, high))

    def refused(self, model: ModelFacts, asked: Question, quantization: str) -> frozenset[int]:
        """Places of the cards that cannot run it for a known reason: the same for all models of a kind, but for their context."""
        limit = model.max_context_tokens
        if limit and asked.context_tokens > limit:
            return self.everywhere
        own_format = model.native_dtype if quantization == "native" else None
        key = (quantization, own_format, asked.kv_cache_type, model.kind, model.file is not None, model.support)
        found = self._refused.get(key)
        if found is None:
            found = self._refused[key] = self._look_up(model, asked.quantized(model, quantization))
        return found

    def _look_up(self, model: ModelFacts, question: Question) -> frozenset[int]:
        """Questions under the same rules share the answer."""
        rules = refusing_rules(model, question)
        if rules is None:
            return self.everywhere
        found = self._by_rules.get((rules, question.kv_cache_type))
        if found is None:
            refusing = (places for kind, places in self.kinds.items() if refusals(model, kind, question))
            found = self._by_rules[rules, question.kv_cache_type] = frozenset(place for places in refusing for place in places)
        return found

    def pattern(self, refused: frozenset[int], too_small: int, not_surely: int) -> bytes:
        """The verdicts where the `too_small` smallest sizes cannot hold it, and the `not_surely` smallest may not; -1: not known."""
        key = (refused, too_small, not_surely)
        found = self._patterns.get(key)
        if found is None:
            by_rank = [DOES_NOT_FIT] * too_small + [TIGHT] * (not_surely - too_small) + [FITS] * (len(self.sizes) - not_surely)
            known = [UNKNOWN if rank is None or too_small < 0 else by_rank[rank] for rank in self.ranks]
            found = self._patterns[key] = bytes(UNSUPPORTED if place in refused else verdict for place, verdict in enumerate(known))
        return found
