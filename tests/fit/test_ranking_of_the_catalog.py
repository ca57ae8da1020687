"""The reverse questions over the real catalog: nothing absurd among the first thirty."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from llmops_catalog.catalog import load_catalog
from llmops_catalog.fit import rank_gpus, rank_models

CATALOG = Path(__file__).parents[2] / "catalog"
CARDS = ["rtx 3070", "rtx 3060 12gb", "rtx 4090", "a100 80gb sxm", "apple/m4-max-40-64gb", "apple/a18-pro-8gb"]


@cache
def catalog():
    return load_catalog(CATALOG)


@cache
def first_models(card):
    return rank_models(catalog().gpu(card), catalog().models())[:30]


@pytest.mark.parametrize("card", CARDS)
def test_first_come_models_a_person_would_want(card):
    for result in first_models(card):
        assert result.verdict == "fits"
        assert result.model.tuning in ("instruct", "reasoning"), result.model.id
        assert result.model.replaced_by is None, result.model.id
        assert result.quantization in ("q4_k_m", "q5_k_m", "q6_k", "q8_0", "native"), result.model.id
        assert (result.model.released or "") >= "2024-07", result.model.id


@pytest.mark.parametrize("card", CARDS)
def test_the_first_ten_are_of_many_lines_and_recent(card):
    first = first_models(card)[:10]
    assert len({result.model.family for result in first}) >= 6
    assert sum((result.model.released or "") >= "2025" for result in first) >= 8


@pytest.mark.parametrize("card", [card for card in CARDS if "a18" not in card])
def test_the_first_five_use_the_card(card):
    shares = [result.memory.total_bytes / result.available_bytes for result in first_models(card)[:5]]
    assert min(shares) > 0.2
    assert max(shares) > 0.6 or card == "apple/m4-max-40-64gb"


@pytest.mark.parametrize("model", ["qwen/qwen3-8b", "llama 3.3 70b instruct", "qwen/qwen3-0.6b"])
def test_cards_for_a_model_are_such_as_one_can_get_smallest_first(model):
    first = rank_gpus(catalog().model(model), catalog().gpus())[:30]
    assert all(result.verdict == "fits" for result in first)
    assert all(result.gpu.segment in ("consumer", "workstation", "datacenter", "system-on-chip") for result in first)
    sizes = [result.gpu.system_limit_low_gib or result.gpu.sold_gb for result in first]
    assert sizes == sorted(sizes)
