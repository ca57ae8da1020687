"""Do the weights add up: one fact bent in any real model is found, and named where it alone explains the difference."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog import load_catalog
from llmops_catalog.catalog.parameters import likely_cause
from llmops_catalog.fit import ModelFacts, parameter_count

CATALOG = Path(__file__).parent.parent.parent / "catalog"
BENDING = settings(max_examples=80, deadline=None, derandomize=True)


@cache
def catalog_models() -> dict[str, ModelFacts]:
    return {model.id: model for model in load_catalog(CATALOG).models()}


any_model = st.deferred(lambda: st.sampled_from(sorted(catalog_models())))


def cause(bent: ModelFacts) -> str:
    derived = parameter_count(bent)
    return "" if derived is None or derived == bent.total_parameters else likely_cause(bent, derived)


def is_straight(model: ModelFacts, more: int) -> bool:
    """True where each unit of the size adds the same: not where it is rounded, or tells one variant of a family from another."""
    size = model.intermediate_size or 0
    counts = [parameter_count(model._replace(intermediate_size=size + step)) or 0 for step in (0, 1, more, more + 1)]
    return counts[1] - counts[0] == counts[3] - counts[2] and counts[2] - counts[0] == more * (counts[1] - counts[0])


@BENDING
@given(any_model)
def test_a_wrong_tie_is_named(model_id):
    model = catalog_models()[model_id]
    bent = model._replace(tie_word_embeddings=not model.tie_word_embeddings)
    if model.is_decoder:
        right = str(model.tie_word_embeddings).lower()
        assert cause(bent) == f"with tie_word_embeddings: {right} both would agree; compare it with config.json"


@BENDING
@given(any_model, st.integers(1, 4096))
def test_a_wrong_feed_forward_size_is_named(model_id, more):
    model = catalog_models()[model_id]
    bent = model._replace(intermediate_size=(model.intermediate_size or 0) + more)
    if model.intermediate_size and parameter_count(bent) != parameter_count(model) and is_straight(model, more):
        found = cause(bent)
        assert found.startswith("with ")
        assert found.endswith(" both would agree; compare it with config.json")


@BENDING
@given(any_model, st.sampled_from(["hidden_size", "vocab_size", "num_hidden_layers"]))
def test_any_other_size_that_is_wrong_does_not_add_up(model_id, field):
    model = catalog_models()[model_id]
    bent = model._replace(**{field: getattr(model, field) + 64})
    if field == "num_hidden_layers":
        bent = bent._replace(layer_groups=tuple(group._replace(layers=group.layers + 64) for group in model.layer_groups), layer_types=())
    assert parameter_count(bent) != model.total_parameters


def test_what_no_single_fact_explains_gets_no_cause():
    model = catalog_models()["meta-llama/llama-3.1-8b-instruct"]
    assert cause(model._replace(total_parameters=model.total_parameters + 1)) == ""
