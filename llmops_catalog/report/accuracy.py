"""Estimates against measurements as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_catalog.fit.sizes import GIB
from llmops_catalog.report.tables import Style, plain, table

FIGURES = ("readings", "half within", "nine of ten", "worst", "inside")
NAIVE = "total, by parameters x bytes x 1.2"


def accuracy_text(found: Mapping[str, Any], style: Style = plain) -> str:
    """The form of `llmops-catalog/accuracy/1` for a terminal; every row is in the JSON."""
    parts = [_by_term(found, style), _verdicts(found["verdicts"])]
    parts += [_by_side(found, side, style) for side in found["by"]]
    parts += [_worst(found, style), _speed(found, style), _rest(found)]
    return "\n".join(part for part in parts if part)


def _figures(group: Mapping[str, Any]) -> list[str]:
    inside = group["inside_share"]
    shown = [f"{group[name]:.1%}" for name in ("median_error", "p90_error", "worst_error")]
    return [str(group["readings"]), *shown, "-" if inside is None else f"{inside:.0%}"]


def _by_term(found: Mapping[str, Any], style: Style) -> str:
    rows = [[term, *_figures(group)] for term, group in found["summary"].items()]
    if found["naive"]:
        rows.append([NAIVE, *_figures(found["naive"])])
    return f"{style('Estimates against published measurements', 'title')}\n\n" + table(("what was read", *FIGURES), rows, style=style)


def _by_side(found: Mapping[str, Any], side: str, style: Style) -> str:
    rows = [[group[side], group["term"], *_figures(group)] for group in found["by"][side]]
    return table((side, "what was read", *FIGURES), rows, style=style) if rows else ""


def _verdicts(verdicts: Mapping[str, Any]) -> str:
    wrong_here = len(verdicts["said_no_but_ran"])
    return (
        f"verdicts: {verdicts['ran_on_named_card']} runs name their card, {wrong_here} of them we would have refused there;\n"
        f"against every size of card ({verdicts['questions']:,} questions): "
        f"{verdicts['said_fits_but_would_not']} times 'fits' where it would not, "
        f"{verdicts['said_no_but_would_fit']} times 'does not fit' where it would, {verdicts['said_tight']:,} times 'tight'\n"
    )


def _worst(found: Mapping[str, Any], style: Style) -> str:
    rows = [
        [
            row["measurement"],
            row["model"],
            row["measure"],
            f"{row['measured_bytes'] / GIB:,.2f}",
            f"{row['error']:+.1%}",
            row["why"] or "not known",
        ]
        for row in found["worst"]
    ]
    header = ("the worst ten", "model", "what was read", "GiB", "off by", "why")
    return table(header, rows, 72, style, whole=["why"]) if rows else ""


def _speed(found: Mapping[str, Any], style: Style) -> str:
    rows = [
        [
            *(group[name] for name in ("measure", "runtime", "hardware")),
            *(str(group["readings"]), f"{group['inside_share']:.0%}", str(group["cards"]), f"{group['cards_inside_share']:.0%}"),
            "rough" if group["rough"] else "",
        ]
        for group in found["speed"]
    ]
    header = ("speed", "runtime", "hardware", "readings", "inside", "cards", "card by card", "")
    return table(header, rows, style=style) if rows else ""


def _rest(found: Mapping[str, Any]) -> str:
    bounds = found["bounds"]
    lines = []
    if bounds:
        lines.append(f"bounds respected: {sum(bound['respected'] for bound in bounds)} of {len(bounds)}\n")
    lines += [f"not compared: {number} ({reason})\n" for reason, number in found["left_out"].items()]
    return "".join(lines)
