"""Files that are no models, and what a model read from a file cannot do: one sentence each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gguf_writer import LATENT, keys, table, write

from llmops_catalog.errors import UnknownModelType, UnreadableModel
from llmops_catalog.fit import GpuFacts, fit
from llmops_catalog.outside import model_from_gguf

LARGEST = "not a whole number up to 2,147,483,647"
ONE = keys("llama", 1, 64, 4, 2)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no architecture": ({"general.name": "x"}, "it does not say its architecture (general.architecture)"),
    "mmproj": ({"general.architecture": "clip", "general.type": "mmproj"},
               "it is the vision or audio part of a model (mmproj), not a language model"),
    "lora": ({"general.architecture": "llama", "general.type": "adapter"}, "it is an adapter (LoRA), not a language model"),
    "unknown": ({"general.architecture": "qwen3mo"},
                "its architecture 'qwen3mo' is not one whose cache we can count. Did you mean 'qwen3moe', 'qwen35moe' or 'qwen3'?"),
    "missing key": ({"general.architecture": "llama"}, "the key llama.block_count is missing"),
    "no layer": (ONE | {"llama.block_count": 0}, "llama.nextn_predict_layers leaves no layer"),
    "too many layers": (ONE | {"llama.block_count": 2**32 - 1}, "llama.block_count is 4294967295, not a whole number up to 4,096"),
    "too many decoder layers": (keys("t5", 1, 64, 4, 4, decoder_block_count=2**31 - 1, feed_forward_length=64),
                                "t5.decoder_block_count is 2147483647, not a whole number up to 4,096"),
    "text for a number": (ONE | {"llama.embedding_length": "wide"}, f"llama.embedding_length is wide, {LARGEST}"),
    "negative heads": (ONE | {"llama.attention.head_count_kv": [-8]}, f"llama.attention.head_count_kv is -8, {LARGEST}"),
    "short list": (ONE | {"llama.block_count": 3, "llama.attention.head_count_kv": [8, 8]},
                   "llama.attention.head_count_kv has 2 values for 3 layers"),
    "endless list": (ONE | {"llama.feed_forward_length": [1] * 5000},
                     "llama.feed_forward_length holds 5,000 values, more than one for each layer"),
    "rope": (keys("deepseek2", 1, 64, 4, 1, **{**LATENT, "rope__dimension_count": 4000}),
             "deepseek2.rope.dimension_count is 4000, more than the 192 of a key"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_model_is_said_in_one_sentence(case: str, tmp_path: Path) -> None:
    described, message = WRONG[case]
    path = write(tmp_path / "x.gguf", described, table(64, 32))
    with pytest.raises(UnreadableModel) as caught:
        model_from_gguf(path)
    assert (caught.value.message, caught.value.place, caught.value.exit_code) == (message, str(path), 2)
    assert isinstance(caught.value, UnknownModelType) == (case == "unknown")


def test_a_tokenizer_alone_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModel, match="holds no tensors: a tokenizer without a model"):
        model_from_gguf(write(tmp_path / "x.gguf", ONE, []))


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "empty.gguf").touch()
    for path, message in (
        (tmp_path / "absent.gguf", "it cannot be read: No such file or directory"),
        (tmp_path, "it is no ordinary file"),
        (Path("/dev/zero"), "it is no ordinary file"),
        (tmp_path / "empty.gguf", "the file is empty"),
        (Path("a\0b"), "it cannot be read: no path can be called so"),
        (tmp_path / ("x" * 5000), "it cannot be read: File name too long"),
    ):
        with pytest.raises(UnreadableModel) as caught:
            model_from_gguf(path)
        assert caught.value.message == message


def test_a_mix_nobody_named_is_for_llama_cpp(tmp_path: Path) -> None:
    model = model_from_gguf(write(tmp_path / "x.gguf", ONE, table(64, 32)))
    card = GpuFacts(id="x", name="X", vendor="nvidia", sold_gb=8, driver_mib=8192, cuda_gib=7.6)
    answer = fit(model, card, quantization="native", runtime="vllm", context_tokens=256)
    assert answer.verdict == "unsupported"
    assert answer.reasons[0].message == "x.gguf is a GGUF file in a mix vllm is not known to load: use llama.cpp"
    assert fit(model, card, quantization="native", context_tokens=256).verdict == "fits"
