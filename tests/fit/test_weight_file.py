"""Facts read from one file of weights: its own bytes are the answer, and only in its own quantization."""

from __future__ import annotations

import pickle

import pytest
from facts_for_tests import LLAMA_8B

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import FileTensor, WeightFile, best_quantization, estimate, fit_quantizations, memory_card
from llmops_catalog.fit.weights import weigh

TENSORS = (
    FileTensor("token_embd", 1000, 64, 36_000),
    FileTensor("output", 1000, 64, 52_500),
    FileTensor("vector", 1, 64, 256),
    FileTensor("ffn_down", 64, 256, 9_216, layer=0),
    FileTensor("ffn_down", 64, 256, 13_440, layer=1),
    FileTensor("linear", 64, 64, 2_304, layer=2, loaded=False),
)
FILE = WeightFile("q4_k_m", TENSORS)
MODEL = LLAMA_8B._replace(name="tiny.gguf", file=FILE)


def test_bytes_are_those_of_the_file() -> None:
    weights = weigh(MODEL, "q4_k_m", "llama.cpp")
    assert weights.file_bytes == 36_000 + 52_500 + 256 + 9_216 + 13_440 + 2_304
    assert weights.resident_bytes == weights.file_bytes - 2_304
    assert weights.input_bytes == weights.table_bytes == 36_000
    assert weights.layer_bytes == 256 + 9_216 + 13_440
    assert weights.uncertainty_bytes == 0
    assert "predict further tokens" in weights.assumptions[1].text


@pytest.mark.parametrize("name", ["q4_k_m", "Q4_K_M", "native", None])
def test_its_quantization_is_the_files_own(name: str) -> None:
    assert estimate(MODEL, quantization=name, context_tokens=512).quantization == "q4_k_m"


@pytest.mark.parametrize("name", ["q8_0", "nonsense", 4])
def test_another_quantization_is_refused(name: str) -> None:
    with pytest.raises(FitInputError) as caught:
        estimate(MODEL, quantization=name)
    assert caught.value.message == f"tiny.gguf is a file in q4_k_m: what it would take in {str(name)!r} is not in it"


def test_equal_files_are_equal_wherever_they_come_from() -> None:
    again = pickle.loads(pickle.dumps(MODEL))  # noqa: S301
    assert again == MODEL
    assert hash(again) == hash(MODEL)
    assert WeightFile("q4_k_m", TENSORS[1:]) != FILE


def test_it_is_ranked_in_its_own_quantization_only() -> None:
    answers = fit_quantizations(MODEL, memory_card(2**33), context_tokens=512)
    assert [answer.quantization for answer in answers] == ["q4_k_m"]
    assert best_quantization(MODEL._replace(file=WeightFile("custom mix", TENSORS)), memory_card(2**33)).quantization == "custom mix"
