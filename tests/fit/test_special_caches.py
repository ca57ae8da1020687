"""What layers keep that are neither plain attention nor a recurrence: compressed tokens, indexers, pictures, uneven heads."""

from __future__ import annotations

from functools import cache

import pytest
from facts_for_tests import CATALOG

from llmops_catalog import load_catalog
from llmops_catalog.fit import ModelFacts
from llmops_catalog.fit.kv_cache import cache_by_layer, cached_layers


@cache
def model(model_id: str) -> ModelFacts:
    return load_catalog(CATALOG).model(model_id)


CACHES = {
    # 2 sliding layers, 21 with one entry and one index key for 4 tokens, 20 with one entry for 128; key and value are one vector
    "deepseek-ai/deepseek-v4-flash": [(43, 512, 128), (21, (512 + 128) // 4, None), (20, 4, None)],
    # 21 layers have an indexer of their own
    "zai-org/glm-5.2": [(21, 512 + 64 + 128, None), (57, 512 + 64, None)],
    # the indexer of the 57 sparse layers keeps one key beside 4 heads
    "minimaxai/minimax-m3": [(3, 2 * 4 * 128, None), (57, 2 * 4 * 128 + 128, None)],
    # keys of 192, values of 128 numbers
    "xiaomimimo/mimo-v2-flash": [(9, 4 * (192 + 128), None), (39, 8 * (192 + 128), 128)],
    # eight of 40 layers attend to the picture
    "meta-llama/llama-3.2-11b-vision-instruct": [(32, 2 * 8 * 128, None)],
    # the query heads of sliding layers are more, their keys are not
    "stepfun-ai/step-3.7-flash": [(12, 2 * 8 * 128, None), (33, 2 * 8 * 128, 512)],
    # seven of 27 layers keep a latent vector
    "moonshotai/kimi-linear-48b-a3b-instruct": [(7, 512 + 64, None)],
}


@pytest.mark.parametrize("model_id", sorted(CACHES))
def test_elements_of_each_kind_of_layer(model_id):
    assert [(kept.layers, kept.elements, kept.window) for kept in cached_layers(model(model_id))] == CACHES[model_id]


def test_the_layers_of_every_model_keep_what_is_kept_in_all():
    for one in load_catalog(CATALOG).models():
        if one.kind in ("encoder", "encoder-decoder"):
            continue
        layers = cache_by_layer(one)
        assert len(layers) == one.num_hidden_layers
        assert sum(kept.elements for layer in layers for kept in layer) == sum(kept.layers * kept.elements for kept in cached_layers(one))


def test_one_vector_for_all_heads_is_not_divided():
    assert not any(kept.per_head for kept in cached_layers(model("deepseek-ai/deepseek-v4-flash")))
