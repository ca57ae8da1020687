"""Macs: what the system lets the GPU have by default, in the records as they stand."""

from __future__ import annotations

from pathlib import Path

from llmops_catalog import load_catalog
from llmops_catalog.fit import available_per_card

GIB = 2**30


def test_a_mac_with_more_than_36_gb_lends_three_quarters_of_it_and_a_smaller_one_two_thirds() -> None:
    catalog = load_catalog(Path(__file__).parents[2] / "catalog")
    macs = [gpu for gpu in catalog.gpus() if gpu.vendor == "apple"]
    assert len(macs) > 50
    for mac in macs:
        share = 0.75 if mac.sold_gb > 36 else 2 / 3
        assert abs(available_per_card(mac, "llama.cpp")[0] / GIB - share * mac.sold_gb) < 0.01, mac.id
