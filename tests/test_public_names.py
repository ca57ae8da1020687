"""The public names as other programs use them: between processes, with the wrong kind of argument, and in whatever order imported."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import llmops_catalog
from llmops_catalog import AmbiguousName, CatalogInvalid, FitInputError, RecordNotFound, estimate, fit, load_catalog
from llmops_catalog.problems import Problem

ERRORS = [
    AmbiguousName("GPU", "a100", ["nvidia/a100-40gb", "nvidia/a100-80gb"]),
    RecordNotFound("model", "qwen9", ["qwen/qwen3-8b"], "see them all"),
    CatalogInvalid([Problem("catalog/x.yaml", 1, 1, "empty-file", "nothing here")]),
    FitInputError("context 0 makes no sense", "1 or more"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_travel_between_processes(error: llmops_catalog.CatalogError) -> None:
    back = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(back) is type(error)
    assert (str(back), back.__dict__) == (str(error), error.__dict__)


def test_fit_is_a_function_to_everybody_who_asks() -> None:
    assert pickle.loads(pickle.dumps(fit)) is fit  # noqa: S301
    assert list(inspect.signature(fit).parameters)[:3] == ["model", "gpu", "quantization"]


def test_answers_can_be_pickled(small_catalog: Path) -> None:
    catalog = load_catalog(small_catalog)
    result = fit(catalog.model("meta-llama/llama-3.1-8b-instruct"), catalog.gpu("l4"), quantization="q4_k_m")
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "qwen3-8b"}, "the model must be a record's facts, not 'qwen3-8b'"),
        ({"gpu": "l4"}, "the gpu must be a record's facts, not 'l4'"),
        ({"quantization": None}, "quantization must be text, not None"),
        ({"runtime": 4}, "runtime must be text, not 4"),
        ({"kv_cache_type": 16}, "KV cache type must be text, not 16"),
        ({"context_tokens": "8k"}, "context must be a whole number of tokens, not '8k'"),
    ],
)
def test_a_wrong_kind_of_argument_gets_a_sentence(small_catalog: Path, wrong: dict[str, object], message: str) -> None:
    catalog = load_catalog(small_catalog)
    right = {"model": catalog.model("meta-llama/llama-3.1-8b-instruct"), "gpu": catalog.gpu("l4"), "quantization": "q4_k_m"}
    arguments = {**right, **wrong}
    with pytest.raises(FitInputError) as caught:
        fit(arguments.pop("model"), arguments.pop("gpu"), **arguments)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "lines",
    [
        "from llmops_catalog import fit; import llmops_catalog.fit as f; assert f is fit and callable(fit)",
        "import llmops_catalog.fit as f; from llmops_catalog import fit; from llmops_catalog.fit import estimate; assert fit is f",
        "from llmops_catalog import *; assert callable(fit) and callable(estimate) and callable(load_catalog)",
    ],
)
def test_any_order_of_imports_works(lines: str) -> None:
    subprocess.run([sys.executable, "-c", lines], check=True, cwd=Path(__file__).parent.parent)


def test_estimate_takes_only_named_settings() -> None:
    assert [parameter.kind for parameter in inspect.signature(estimate).parameters.values()][1:] == [inspect.Parameter.KEYWORD_ONLY] * 10
