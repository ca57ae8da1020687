"""Parts of a config that see: counted to the last number, or said to be uncounted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from records import facts

from llmops_catalog.errors import UnreadableModel
from llmops_catalog.fit import estimate
from llmops_catalog.outside import model_from_config

TOWERS: dict[str, dict[str, Any]] = {
    "google/gemma-3-12b-it": {
        "model_type": "gemma3",
        "text_config": {"model_type": "gemma3_text", "hidden_size": 3840, "intermediate_size": 15360, "num_attention_heads": 16,
                        "num_key_value_heads": 8, "num_hidden_layers": 48, "sliding_window": 1024},
        "vision_config": {"hidden_size": 1152, "image_size": 896, "intermediate_size": 4304, "num_attention_heads": 16,
                          "num_hidden_layers": 27, "patch_size": 14, "vision_use_head": False}},
    "meta-llama/llama-4-scout-17b-16e-instruct": {
        "model_type": "llama4", "text_config": {"model_type": "llama4_text"},
        "vision_config": {"hidden_size": 1408, "image_size": 336, "intermediate_size": 5632, "num_attention_heads": 16,
                          "num_hidden_layers": 34, "patch_size": 14, "projector_input_dim": 4096, "projector_output_dim": 4096,
                          "vision_output_dim": 4096}},
    "qwen/qwen2-vl-7b-instruct": {
        "model_type": "qwen2_vl", "hidden_size": 3584, "intermediate_size": 18944, "num_attention_heads": 28, "num_key_value_heads": 4,
        "num_hidden_layers": 28, "vocab_size": 152064, "tie_word_embeddings": False,
        "vision_config": {"depth": 32, "embed_dim": 1280, "mlp_ratio": 4, "in_chans": 3, "hidden_size": 3584, "patch_size": 14,
                          "spatial_merge_size": 2, "temporal_patch_size": 2}},
}  # fmt: skip
"""Published shapes; what else a config says does not matter here."""


@pytest.mark.parametrize("model_id", TOWERS)
def test_parts_that_see_are_counted_to_the_last_number(model_id: str) -> None:
    model, known = model_from_config(TOWERS[model_id]), facts(model_id)
    assert (model.total_parameters, model.other_modality_parameters) == (known.total_parameters, known.other_modality_parameters)
    assert "image" in model.modalities
    assert model.notes == ()


@pytest.mark.parametrize("part", [{"depth": 32}, {"depth": "many", "embed_dim": 1280, "patch_size": 14}, {"audio": 1}])
def test_a_part_that_is_not_described_is_said_not_guessed(part: dict[str, Any]) -> None:
    model = model_from_config(TOWERS["qwen/qwen2-vl-7b-instruct"] | {"vision_config": part})
    assert model.other_modality_parameters is None
    assert model.notes == ("the vision and audio parts are not counted: how large they are is not described",)
    assert model.notes[0] in [known.text for known in estimate(model, quantization="bf16", runtime="vllm").assumptions]


def test_a_list_that_is_too_short_is_said() -> None:
    raw = json.loads((Path(__file__).parent / "configs" / "moonshotai--Kimi-K3.json").read_text(encoding="utf-8"))
    raw["vision_config"]["merge_kernel_size"] = [2]
    with pytest.raises(UnreadableModel) as caught:
        model_from_config(raw)
    assert caught.value.message == "its numbers make no model: one of them is of the wrong kind"
