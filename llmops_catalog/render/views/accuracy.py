"""Our estimates beside everything published that we can compare with: on a model's page and on /accuracy/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import Memory, estimate
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.measured import readings
from llmops_catalog.render.views.parts import Block, Cell, Column, PageView, Prose, Row, Span, Table, plain

AFTER_RUN = "driver-used-after-run"
LOADED = ("driver-used-loaded", "weights", "file")
"""What training has in common with running a model: it is loaded first."""
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "MB": 10**6, "GB": 10**9}
PARTS: dict[str, tuple[str, str]] = {
    "driver-used-loaded": ("weights and overhead", "loaded"),
    "driver-used-after-run": ("everything", "after a run"),
    "allocated-peak": ("everything but overhead", "allocated at most"),
    "reserved-peak": ("everything but overhead", "reserved at most"),
    "weights": ("weights", "weights"),
    "file": ("file", "file"),
    "kv-cache": ("key/value cache", "key/value cache"),
    "compute-buffer": ("compute buffers", "compute buffer"),
}
"""For each kind of reading: which part of an estimate answers to it, and its short name."""


def part_of(memory: Memory, measure: str) -> tuple[int, int, int] | None:
    """Low, middle and high of the part of an estimate that a reading shows; exact parts have one value."""
    loaded = memory.weights_bytes + memory.overhead_bytes
    spread_low, spread_high = memory.total_bytes - memory.low_bytes, memory.high_bytes - memory.total_bytes
    if measure == "driver-used-loaded":
        return max(0, loaded - spread_low), loaded, loaded + spread_high
    if measure == "driver-used-after-run":
        return memory.low_bytes, memory.total_bytes, memory.high_bytes
    if measure in ("allocated-peak", "reserved-peak"):
        inside = memory.total_bytes - memory.overhead_bytes
        return max(0, inside - spread_low), inside, inside + spread_high
    exact = {
        "weights": memory.weights_bytes,
        "file": memory.file_bytes,
        "kv-cache": memory.kv_cache_bytes,
        "compute-buffer": memory.compute_bytes,
    }.get(measure)
    return None if exact is None else (exact, exact, exact)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reading beside the estimate of the same thing. `within` says whether the reading lies in the estimated range."""

    measure: str
    measured_bytes: float
    low_bytes: int
    estimated_bytes: int
    high_bytes: int

    @property
    def error(self) -> float:
        """How far the estimate is off, as a share of the reading."""
        return (self.estimated_bytes - self.measured_bytes) / self.measured_bytes

    @property
    def within(self) -> bool:
        """Whether the range holds the reading."""
        return self.low_bytes <= self.measured_bytes <= self.high_bytes


def comparisons(readings: list[Mapping[str, Any]], memory: Memory) -> Iterator[Comparison]:
    """Every reading the estimator has a figure for."""
    for reading in readings:
        measured = reading["value"] * UNITS.get(reading["unit"], 0)
        part = part_of(memory, reading["measure"])
        if part and measured > 0:
            yield Comparison(reading["measure"], measured, *part)


@dataclass(frozen=True, slots=True)
class Checked:
    """One reading of one measurement record beside its estimate."""

    record: Record
    model_id: str
    context_tokens: int
    context_stated: bool
    comparison: Comparison


def checked_measurements(library: Library) -> list[Checked]:
    """Every published reading that names model, quantization and runtime and that the estimator has a figure for."""
    contexts = _contexts_of_uses(library)
    found: list[Checked] = []
    for record in library.records.get("measurements", {}).values():
        if record.data.get("grade") == "bound" or record.data["kind"] not in ("memory", "training"):
            continue  # a bound is no reading; speeds and scores are not bytes
        for reading in readings(record):
            if record.data["kind"] == "training" and reading["measure"] not in LOADED:
                continue  # what training itself takes is not what we estimate
            found += _checked(library, record, reading, contexts.get(record.id))
    return found


def _checked(library: Library, record: Record, reading: Mapping[str, Any], context_of_use: int | None) -> Iterator[Checked]:
    model = library.models.get(reading.get("model") or "")
    if model is None or not reading.get("quantization") or not reading.get("runtime"):
        return
    stated = reading.get("context_tokens") or context_of_use
    try:
        asked = estimate(
            model,
            quantization=reading["quantization"],
            runtime=reading["runtime"],
            context_tokens=stated or None,
            prompt_tokens=min(reading["prompt_tokens"], stated) if stated and reading.get("prompt_tokens") else None,
            concurrency=reading.get("concurrency") or 1,
            kv_cache_type=reading.get("cache_type"),
            gpu_count=reading.get("gpus") or 1,
        )
    except FitInputError:
        return
    for one in comparisons([reading], asked.memory):
        yield Checked(record, model.id, asked.question.context_tokens, bool(stated), one)


def _contexts_of_uses(library: Library) -> dict[str, int]:
    """The context of the notebook that saved a measurement, where the reading itself does not say."""
    uses = [use for record in library.records.get("notebooks", {}).values() for use in record.data.get("uses", ())]
    return {use["measurement"]: use["context_tokens"] for use in uses if use.get("measurement") and use.get("context_tokens")}


def accuracy_table(library: Library, found: list[Checked], *, title: str = "", anchor: str = "") -> Table:
    """The readings, one row each."""
    rows = tuple(_accuracy_row(library, one) for one in found)
    columns = (
        Column("Measurement"),
        Column("Model"),
        Column("What was read", facet=True),
        Column("Context", "n"),
        Column("Measured (GiB)", "n"),
        Column("Estimated (GiB)", "n"),
        Column("Off by", "n"),
        Column("In the range", facet=True),
    )
    return Table("Estimates and measurements", columns, rows, title=title, anchor=anchor, tools=len(rows) > 6, stack=True)


def _accuracy_row(library: Library, one: Checked) -> Row:
    found = one.comparison
    exact = found.low_bytes == found.high_bytes
    low_high = "" if exact else f"{found.low_bytes / GIB:,.2f} – {found.high_bytes / GIB:,.2f}"
    matters = found.measure in ("driver-used-after-run", "allocated-peak", "reserved-peak", "kv-cache")
    context = f"{text.short_tokens(one.context_tokens)}{'' if one.context_stated else ' assumed'}" if matters else ""
    return Row(
        (
            Cell((library.link("measurements", one.record.id),), sort=one.record.label),
            Cell((library.link("models", one.model_id),), sort=one.model_id),
            Cell(plain(wording.FORMATS["measure"](found.measure))),
            Cell(plain(context), sort=one.context_tokens if matters else None, css="n"),
            Cell(plain(f"{found.measured_bytes / GIB:,.2f}"), sort=found.measured_bytes, css="n"),
            Cell(
                (Span(f"{found.estimated_bytes / GIB:,.2f}"), *((Span(low_high, css="sub"),) if low_high else ())),
                sort=found.estimated_bytes,
                css="n",
            ),
            Cell(plain(f"{found.error:+.1%}"), sort=abs(found.error), css="n"),
            Cell(
                (
                    Span(
                        "no range" if exact else "yes" if found.within else "no",
                        css="v vu" if exact else "v vf" if found.within else "v vn",
                    ),
                )
            ),
        )
    )


def accuracy_page(library: Library, found: list[Checked]) -> PageView:
    """Our estimates against everything published that we can compare with, the bad ones too."""
    lead = (
        "Every memory reading of this catalog that names its model, quantization and runtime, "
        "beside what we would have estimated. Nothing is left out because it looks bad."
    )
    blocks: tuple[Block, ...] = (
        (_summary(found), _by_part(found), accuracy_table(library, found, title="Reading by reading", anchor="readings"))
        if found
        else (Prose(plain("No measurement can be compared yet.")),)
    )
    return PageView("accuracy/index.md", "How far off are the estimates?", lead, blocks, lead=lead, search=False)


def _by_part(found: list[Checked]) -> Table:
    """How far off we are by what was read: exact parts are near, buffers and peaks are where engines differ."""
    rows = []
    for measure in PARTS:
        errors = sorted(abs(one.comparison.error) for one in found if one.comparison.measure == measure)
        if errors:
            share = sum(error <= 0.05 for error in errors) / len(errors)
            rows.append(
                Row((
                    Cell(plain(wording.FORMATS["measure"](measure))),
                    Cell(plain(len(errors)), sort=len(errors), css="n"),
                    Cell(plain(f"{median(errors):.1%}"), sort=median(errors), css="n"),
                    Cell(plain(f"{share:.0%}"), sort=share, css="n"),
                    Cell(plain(f"{errors[-1]:.1%}"), sort=errors[-1], css="n"),
                ))
            )  # fmt: skip
    columns = (
        Column("What was read"), Column("Readings", "n"), Column("Half are off by less than", "n"), Column("Within 5 %", "n"),
        Column("Worst", "n"),
    )  # fmt: skip
    return Table("Errors by what was read", columns, tuple(rows), title="By what was read", anchor="by-part", stack=True)


def _summary(found: list[Checked]) -> Prose:
    errors = [abs(one.comparison.error) for one in found]
    ranged = [one.comparison.within for one in found if one.comparison.low_bytes < one.comparison.high_bytes]
    worst = max(found, key=lambda one: abs(one.comparison.error))
    return Prose(
        plain(
            f"{len(found)} readings of {len({one.record.id for one in found})} measurements. "
            f"Half of them are off by {median(errors):.1%} or less; {sum(ranged)} of the {len(ranged)} that have a range lie inside it; "
            f"the worst is off by {worst.comparison.error:+.1%} ({worst.record.label}). "
            "What training itself used is not compared: the estimates here are of inference. "
            "Releases of 2023 and 2024 are in the table too, and allocate otherwise than those we model: Transformers 4.38 computed an "
            "output for every token of the prompt, llama.cpp of 2024 kept one buffer more per card. "
            "Not all of this is independent proof: what transformers takes beside the tensors, and the scales of HQQ's experts, "
            "were themselves set after readings listed here (the notebooks of llm-ops)."
        ),
    )


def model_evidence(library: Library, found: list[Checked], model_id: str) -> tuple[Block, ...]:
    """The readings of one model, for its page."""
    own = [one for one in found if one.model_id == model_id]
    return (accuracy_table(library, own, title="Measured", anchor="measured"),) if own else ()
