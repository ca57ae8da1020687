"""The tensors of every family: against the parameters transformers builds, layer by layer, and against every record's total."""

from __future__ import annotations

from functools import cache

import pytest
from facts_for_tests import CATALOG, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog import load_catalog
from llmops_catalog.fit import ModelFacts, derive_tensors, described_model_types, parameter_count, variant_from_config
from llmops_catalog.fit.checkpoint_formats import HALF_ROLES
from llmops_catalog.fit.gguf_mix import FULL_PRECISION
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.tensors import Tensor, count, together
from llmops_catalog.fit.weights import OUTSIDE_ROLES

FAMILIES = vectors("tensors")["families"]
QUANTIZED_ROLES = {
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_qkv",
    "attn_gate",
    "attn_output",
    "attn_k_b",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
    "linear",
}
ROLES = {*QUANTIZED_ROLES, *(f"{kind}_ffn_{part}" for kind in ("expert", "shared") for part in ("gate", "up", "down"))}


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
        assert tensor.role in ROLES.union(OUTSIDE_ROLES, FULL_PRECISION, HALF_ROLES)


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
    ("", "llama", {"attention_bias": True}, 1),
    ("", "llama", {}, 0),
    ("zai-org/glm-4-9b-chat-hf", "glm", {"attention_bias": True}, 0),
    ("zai-org/glm-4.6", "glm4_moe", {"attention_bias": True, "use_qk_norm": True}, 1),
    ("zai-org/glm-4.5-air", "glm4_moe", {"attention_bias": True, "use_qk_norm": False}, 0),
    ("tiiuae/falcon-7b", "falcon", {"new_decoder_architecture": False}, 0),
    ("tiiuae/falcon-40b", "falcon", {"new_decoder_architecture": True}, 1),
    ("tiiuae/falcon-11b", "falcon", {"new_decoder_architecture": True, "num_ln_in_parallel_attn": 1}, 0),
    ("google/gemma-4-31b-it", "gemma4", {"attention_k_eq_v": True}, 0),
    ("", "gemma4", {"use_double_wide_mlp": True}, 2),
    ("google/gemma-4-e4b-it", "gemma4", {}, 1),
    ("google-t5/t5-small", "t5", {"feed_forward_proj": "relu"}, 1),
    ("google/flan-t5-small", "t5", {"feed_forward_proj": "gated-gelu"}, 0),
    ("stabilityai/stablelm-2-zephyr-1_6b", "stablelm", {"use_qkv_bias": True}, 1),
    ("facebook/opt-1.3b", "opt", {"word_embed_proj_dim": 2048, "hidden_size": 2048}, 0),
    ("", "opt", {"word_embed_proj_dim": 512, "hidden_size": 1024}, 1),
    ("", "qwen3", {}, None),
]


@pytest.mark.parametrize(("model_id", "family", "config", "variant"), VARIANTS)
def test_a_config_names_the_variant_a_record_finds_by_its_total(model_id, family, config, variant):
    assert variant_from_config(family, config) == variant
    model = catalog_models().get(model_id)
    if model:
        outside = model._replace(total_parameters=0, variant=variant)
        assert parameter_count(outside) == model.total_parameters
