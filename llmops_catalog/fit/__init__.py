"""Does it fit: memory of a model in a quantization, a runtime and a context, and how that compares with a card.

Pure functions over facts: no file, clock, environment or rounding. Bytes inside and out.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_catalog.fit.architectures import (
        derive_tensors,
        described_model_types,
        expert_parameter_count,
        parameter_count,
    )
    from llmops_catalog.fit.assumptions import Assumption, MissingFact, Reason
    from llmops_catalog.fit.available import available_per_card, memory_card
    from llmops_catalog.fit.choices import quantizations, usual_quantization
    from llmops_catalog.fit.estimation import Estimate, Memory, estimate
    from llmops_catalog.fit.facts import (
        CompressedFacts,
        ExpertFacts,
        FileTensor,
        GpuFacts,
        LatentFacts,
        LayerGroupFacts,
        ModelFacts,
        RentalFacts,
        SparseFacts,
        StateFacts,
        WeightFile,
    )
    from llmops_catalog.fit.formats import QUANTIZATIONS
    from llmops_catalog.fit.question import KV_CACHE_TYPES, RUNTIMES, usual_runtime
    from llmops_catalog.fit.ranking import best_quantization, fit_quantizations, rank_gpus, rank_models
    from llmops_catalog.fit.rental import Rental, cheapest_rental
    from llmops_catalog.fit.settings import LORA_TARGETS, OPTIMIZERS, PRECISIONS, TASKS, Engine, Training
    from llmops_catalog.fit.sizes import parse_size
    from llmops_catalog.fit.verdict import VERDICTS, FitResult, fit

__all__ = [
    "KV_CACHE_TYPES",
    "LORA_TARGETS",
    "OPTIMIZERS",
    "PRECISIONS",
    "QUANTIZATIONS",
    "RUNTIMES",
    "TASKS",
    "VERDICTS",
    "Assumption",
    "CompressedFacts",
    "Engine",
    "Estimate",
    "ExpertFacts",
    "FileTensor",
    "FitResult",
    "GpuFacts",
    "LatentFacts",
    "LayerGroupFacts",
    "Memory",
    "MissingFact",
    "ModelFacts",
    "Reason",
    "Rental",
    "RentalFacts",
    "SparseFacts",
    "StateFacts",
    "Training",
    "WeightFile",
    "available_per_card",
    "best_quantization",
    "cheapest_rental",
    "derive_tensors",
    "described_model_types",
    "estimate",
    "expert_parameter_count",
    "fit",
    "fit_quantizations",
    "memory_card",
    "parameter_count",
    "parse_size",
    "quantizations",
    "rank_gpus",
    "rank_models",
    "usual_quantization",
    "usual_runtime",
]


_ROOMS = {
    "architectures": "derive_tensors described_model_types expert_parameter_count parameter_count",
    "assumptions": "Assumption MissingFact Reason",
    "available": "available_per_card memory_card",
    "choices": "quantizations usual_quantization",
    "estimation": "Estimate Memory estimate",
    "facts": "CompressedFacts ExpertFacts FileTensor GpuFacts LatentFacts "
    "LayerGroupFacts ModelFacts RentalFacts SparseFacts StateFacts WeightFile",
    "formats": "QUANTIZATIONS",
    "question": "KV_CACHE_TYPES RUNTIMES usual_runtime",
    "ranking": "best_quantization fit_quantizations rank_gpus rank_models",
    "rental": "Rental cheapest_rental",
    "settings": "Engine LORA_TARGETS OPTIMIZERS PRECISIONS TASKS Training",
    "sizes": "parse_size",
    "verdict": "FitResult VERDICTS fit",
}
"""Where each public name lives: a question loads the rooms it goes through, and no others."""
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


class _CallableModule(ModuleType):
    """`llmops_catalog.fit` is this room and the public function of the same name: whichever comes first, both work."""

    def __call__(self, *facts: Any, **asked: Any) -> Any:
        return __getattr__("fit")(*facts, **asked)

    @property
    def __signature__(self) -> Any:
        """The function's own, for `help` and editors."""
        from inspect import signature

        return signature(__getattr__("fit"))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by name, as a function is: `pool.map(fit, ...)` works."""
        return import_module, (__name__,)


sys.modules[__name__].__class__ = _CallableModule
