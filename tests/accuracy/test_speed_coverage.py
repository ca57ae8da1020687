"""Published speeds of the whole catalog beside our intervals: most of them inside, per class and per card."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from llmops_catalog.accuracy import speed_comparisons, speed_coverage
from llmops_catalog.catalog import load_catalog

CATALOG = Path(__file__).parents[2] / "catalog"


@cache
def coverage():
    return speed_coverage(load_catalog(CATALOG))


def share(measure):
    groups = [group for group in coverage() if group.measure == measure]
    return sum(group.inside for group in groups) / sum(group.readings for group in groups)


def test_nine_of_ten_published_speeds_lie_inside():
    assert share("decode-speed") >= 0.9
    assert share("prefill-speed") >= 0.85


def test_no_class_of_hardware_is_much_worse():
    assert all(group.share >= 0.8 for group in coverage()), [group for group in coverage() if group.share < 0.8]


def test_the_counts_are_those_of_the_readings():
    comparisons = speed_comparisons(load_catalog(CATALOG))
    assert sum(group.readings for group in coverage()) == len(comparisons) > 1000
    assert sum(group.inside for group in coverage()) == sum(one.within for one in comparisons)
    assert {group.runtime for group in coverage()} == {"llama.cpp", "transformers", "vllm"}
    assert all(group.cards_inside <= group.cards for group in coverage())
