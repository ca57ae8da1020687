"""The whole matrix says what `fit` says, cell by cell."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from llmops_catalog import load_catalog
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import QUANTIZATIONS, RUNTIMES, fit
from llmops_catalog.fit.matrix import VERDICTS, matrix

CATALOG = Path(__file__).parents[2] / "catalog"


def test_a_sample_of_all_cells_is_what_fit_answers() -> None:
    catalog, chosen = load_catalog(CATALOG), random.Random(20261128)  # noqa: S311 (a sample, no secret)
    models, gpus = chosen.sample(list(catalog.models()), 12), list(catalog.gpus())
    quantizations = (*chosen.sample(QUANTIZATIONS, 12), "native", "q4_k_m", "bf16", "awq-int4")
    seen = set()
    for row in matrix(models, gpus, quantizations=quantizations):
        for place in chosen.sample(range(len(gpus)), 4):
            verdict = VERDICTS[row.verdicts[place]]
            alone = fit(row.model, gpus[place], quantization=row.quantization, runtime=row.runtime).verdict
            assert verdict == alone, (row.model.id, row.quantization, row.runtime, gpus[place].id)
            seen.add(verdict)
    assert seen >= {"fits", "does-not-fit", "unsupported"}


def test_every_model_quantization_and_runtime_has_a_row_with_a_verdict_per_card() -> None:
    catalog = load_catalog(CATALOG)
    models, gpus = list(catalog.models())[:3], list(catalog.gpus())
    rows = list(matrix(models, gpus))
    assert len(rows) == 3 * len(QUANTIZATIONS) * len(RUNTIMES)
    assert {len(row.verdicts) for row in rows} == {len(gpus)}


def test_a_context_beyond_the_model_is_unsupported_on_every_card() -> None:
    catalog = load_catalog(CATALOG)
    (row,) = matrix(
        [catalog.model("gemma-2-9b-it")], list(catalog.gpus()), quantizations=["q4_k_m"], runtimes=["llama.cpp"], context_tokens=8193
    )
    assert {VERDICTS[verdict] for verdict in row.verdicts} == {"unsupported"}


def test_an_unknown_runtime_is_refused() -> None:
    catalog = load_catalog(CATALOG)
    with pytest.raises(FitInputError, match="no runtime is called 'ollamma'"):
        list(matrix(list(catalog.models())[:1], list(catalog.gpus())[:1], runtimes=["ollamma"]))
