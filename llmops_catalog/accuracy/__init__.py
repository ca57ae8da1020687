"""HOW FAR OFF are we: every published reading beside our own estimate of the same thing, and what the differences add up to."""

from __future__ import annotations

from llmops_catalog.accuracy.check import Bound, Checked, Checks, check
from llmops_catalog.accuracy.comparison import AFTER_RUN, PARTS, UNITS, Comparison, comparisons, part_of
from llmops_catalog.accuracy.figures import BREAKDOWNS, TERMS, Figures, breakdown, figures, naive_figures
from llmops_catalog.accuracy.readings import SETUP, Reading, readings
from llmops_catalog.accuracy.speed import SpeedComparison, SpeedCoverage, speed_comparisons, speed_coverage
from llmops_catalog.accuracy.summary import accuracy_json, nominal_bits, why, worst
from llmops_catalog.accuracy.verdicts import VerdictErrors, verdict_errors

__all__ = [
    "AFTER_RUN",
    "BREAKDOWNS",
    "PARTS",
    "SETUP",
    "TERMS",
    "UNITS",
    "Bound",
    "Checked",
    "Checks",
    "Comparison",
    "Figures",
    "Reading",
    "SpeedComparison",
    "SpeedCoverage",
    "VerdictErrors",
    "accuracy_json",
    "breakdown",
    "check",
    "comparisons",
    "figures",
    "naive_figures",
    "nominal_bits",
    "part_of",
    "readings",
    "speed_comparisons",
    "speed_coverage",
    "verdict_errors",
    "why",
    "worst",
]
