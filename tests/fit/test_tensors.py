"""The tensors of every family: against the parameters transformers builds, layer by layer, and against every record's total."""

from __future__ import annotations

from functools import cache

import pytest
from facts_for_tests import CATALOG, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog import load_catalog
from llmops_catalog.fit import ModelFacts, derive_tensors, described_model_types, parameter_count
from llmops_catalog.fit.architectures import built_as
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.tensors import Tensor, count, together

FAMILIES = vectors("tensors")["families"]
ROLES = {
    "token_embd", "position", "per_layer_token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "attn_k_b",
    "attn_gate", "router", "linear", "vector", "kept", "half", "tower",
    *(f"{kind}ffn_{part}" for kind in ("", "expert_", "shared_") for part in ("gate", "up", "down")),
}  # fmt: skip
"""Every role the rules of the formats know."""


@cache
def catalog_models() -> dict[str, ModelFacts]:
    return {model.id: model for model in load_catalog(CATALOG).models()}


def by_layer(tensors: tuple[Tensor, ...]) -> dict[int, int]:
    """Weights in each layer; those outside count as the first layer's."""
    result: dict[int, int] = {}
    for tensor in tensors:
        for layer in tensor.layers:
            result[layer] = result.get(layer, 0) + tensor.rows * tensor.cols * tensor.copies
    return result


def test_no_model_of_the_catalog_has_guessed_tensors():
    models = catalog_models().values()
    assert len(models) >= 585
    assert [model.id for model in models if parameter_count(model) != model.total_parameters] == []
    assert [model.id for model in models if known_tensors(model)[1:] != (False, ())] == []


def test_what_a_checkpoint_holds_besides_is_said_in_every_record():
    unsaid = [m.id for m in catalog_models().values() if m.checkpoint_parameters and not m.parameter_difference]
    assert unsaid == []


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_layers_hold_what_transformers_builds(family):
    golden = FAMILIES[family]
    tensors = derive_tensors(catalog_models()[golden["model"]])
    built = [size for layers, size in golden["runs"] for _ in range(layers)]
    mine = by_layer(tensors)
    assert [mine[layer] for layer in range(1, len(built))] == built[1:]
    assert max(mine) == len(built) - 1
    assert mine[0] >= built[0]


@pytest.mark.parametrize("family", [name for name in sorted(FAMILIES) if FAMILIES[name]["shapes"]])
def test_matrices_have_the_shapes_and_places_transformers_gives_them(family):
    tensors = derive_tensors(catalog_models()[FAMILIES[family]["model"]])
    for role, rows in FAMILIES[family]["shapes"].items():
        mine = sorted([t.rows, t.cols, len(t.layers), min(t.layers), max(t.layers)] for t in tensors if t.role == role)
        assert mine == rows, role


def test_every_family_described_has_a_model_and_a_golden_line():
    families = {model.model_type for model in catalog_models().values()}
    assert families <= described_model_types()
    assert families - set(FAMILIES) == {"internlm2", "kimi_k3"}, "transformers has no class for these two"


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_the_tensors_of_any_model_add_up_and_stand_in_its_layers(data):
    model = catalog_models()[data.draw(st.sampled_from(sorted(catalog_models())))]
    tensors = derive_tensors(model)
    assert sum(tensor.parameters for tensor in tensors) == count(tensors) == model.total_parameters
    layers = max(model.num_hidden_layers, model.num_decoder_layers or 0)
    for tensor in tensors:
        assert min(tensor.rows, tensor.cols, tensor.copies) > 0
        assert list(tensor.layers) == sorted(set(tensor.layers))
        assert set(tensor.layers) <= set(range(layers))
        assert tensor.role in ROLES


def test_layers_of_two_kinds_with_the_same_matrix_are_one_row():
    gemma = catalog_models()["google/gemma-3-12b-it"]
    values = [tensor for tensor in derive_tensors(gemma) if tensor.role == "attn_v"]
    assert [tuple(tensor.layers) for tensor in values] == [tuple(range(48))]


def test_what_stands_twice_in_a_layer_stays_twice():
    twice = (Tensor("linear", 2, 3, (0, 1)), Tensor("linear", 2, 3, (1, 2)), Tensor("linear", 2, 3, (5,)))
    assert together(twice) == (Tensor("linear", 2, 3, (0, 1, 5)), Tensor("linear", 2, 3, (1, 2)))
    assert count(together(twice)) == count(twice)


def test_kimi_k3_as_its_published_code_adds_up():
    shapes = {(t.role, t.rows, t.cols, len(t.layers)) for t in derive_tensors(catalog_models()["moonshotai/kimi-k3"])}
    assert ("expert_ffn_up", 3072, 3584, 92) in shapes
    assert ("attn_v", 96 * 128, 7168, 69) in shapes
    assert ("linear", 512 + 64, 7168, 24) in shapes
    assert ("linear", 3584, 7168, 92) in shapes


def test_a_family_nobody_described_is_never_guessed():
    llama = catalog_models()["meta-llama/llama-3.1-8b-instruct"]
    assert "lama" not in described_model_types()
    assert derive_tensors(llama._replace(model_type="lama")) is None
    assert derive_tensors(llama._replace(intermediate_size=None)) is None
    assert derive_tensors(llama._replace(num_attention_heads=0)) is None
    assert derive_tensors(catalog_models()["deepseek-ai/deepseek-v4-flash"]._replace(compressed=None)) is None


VARIANTS = [
    ("zai-org/glm-4-9b-chat-hf", {"qkv_bias": True}),
    ("zai-org/glm-4.6", {"qkv_bias": True, "qk_norm": "head"}),
    ("zai-org/glm-4.5-air", {"qkv_bias": True, "qk_norm": ""}),
    ("tiiuae/falcon-7b", {"norms": 1, "mlp_bias": False}),
    ("tiiuae/falcon-40b", {"norms": 2, "mlp_bias": False}),
    ("tiiuae/falcon-11b", {"norms": 1, "mlp_bias": False}),
    ("google/gemma-4-31b-it", {"keys_are_values": True}),
    ("google/gemma-4-e4b-it", {"keys_are_values": False}),
    ("google-t5/t5-small", {"gated": False}),
    ("google/flan-t5-small", {"gated": True}),
    ("stabilityai/stablelm-2-zephyr-1_6b", {"qk_norm": "", "qkv_bias": True}),
    ("facebook/opt-1.3b", {"projections": 0}),
    ("qwen/qwen3-8b", {}),
    ("google-bert/bert-base-uncased", {}),
]


@pytest.mark.parametrize(("model_id", "flags"), VARIANTS)
def test_flags_of_a_config_name_the_variant_a_record_finds_by_its_total(model_id, flags):
    model = catalog_models()[model_id]
    assert built_as(model._replace(total_parameters=1), flags) == model.total_parameters


def test_flags_help_no_family_nobody_described():
    llama = catalog_models()["meta-llama/llama-3.1-8b-instruct"]
    assert built_as(llama._replace(model_type="lama"), {"qkv_bias": False}) is None
    assert built_as(llama._replace(intermediate_size=None), {}) is None
