"""Estimates beside what was measured on a notebook's page: each use with its verdict and the saved reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_catalog.accuracy import AFTER_RUN, PARTS, UNITS, comparisons
from llmops_catalog.catalog import Record
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import FitResult, Memory, estimate, fit
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, Row, Span, Table, plain, verdict_css, verdict_words


def notebook_answers(library: Library, record: Record) -> tuple[Block, ...]:
    """'Does it fit the card it names': each use with its verdict, the estimate and the saved reading beside it."""
    uses = record.data.get("uses") or []
    if not uses:
        return ()
    rows = tuple(_use_row(library, use) for use in uses)
    columns = (
        Column("What it runs"),
        Column("Does it fit?"),
        Column("Estimate", "n", sub="GiB: low – middle – high"),
        Column("Measured", "n", sub="GiB"),
        Column("Estimate against measured", "n"),
    )
    note = plain(
        "Measured is what the notebook saved. “After a run” is compared with the whole estimate, “loaded” with its weights and overhead, "
        "for no token has been read yet then. Plus: we estimate more than was measured."
    )
    return (
        Table(
            "Does it fit the card it names?",
            columns,
            rows,
            title="Does it fit the card it names?",
            anchor="fit",
            note=note,
            css="lc-uses",
            searchable=True,
            stack=True,
        ),
    )


def _use_row(library: Library, use: Mapping[str, Any]) -> Row:
    quantization = use.get("quantization") or "native"
    runtime = use.get("runtime") or _usual_runtime(library, quantization)
    how = Span(f", {wording.named('runtime', runtime)}, {_context_words(use.get('context_tokens'))}", css="muted")
    head = [library.link("models", use["model"], css="b"), Span(" in "), library.link("quantizations", quantization), how]
    if use.get("note"):
        head.append(Span(use["note"], css="sub wrap"))
    verdict, estimate_cell, memory = _judged(library, use, runtime, quantization)
    if use.get("training"):
        verdict = Cell(
            (*verdict.spans, Span("to load and run it; training takes more, which is not estimated here", css="sub wrap")), css=verdict.css
        )
    if ran := _ran(library, use):
        verdict = Cell((*verdict.spans, Span(ran, css="sub wrap")), css=verdict.css)
    measured, against = _measured(library, use, memory)
    return Row((Cell(tuple(head)), verdict, estimate_cell, measured, against))


def _usual_runtime(library: Library, quantization: str) -> str:
    """What loads the quantization where a notebook does not say: llama.cpp for its own files, else transformers."""
    record = library.get("quantizations", quantization)
    return "llama.cpp" if record and record.data["method"] == "gguf" else "transformers"


def _ran(library: Library, use: Mapping[str, Any]) -> str:
    """What the saved reading proves about the very card: it ran there, in so much memory."""
    record = library.get("measurements", use.get("measurement") or "")
    if record is None or not use.get("gpu") or record.data.get("gpu") != use["gpu"]:
        return ""
    after = [reading for reading in record.data["readings"] if reading["measure"] == AFTER_RUN and reading["unit"] in UNITS]
    if not after:
        return ""
    size = max(reading["value"] * UNITS[reading["unit"]] for reading in after)
    return f"measured: it {'trained' if record.data['kind'] == 'training' else 'ran'} there in {text.gib(size)}"


def _context_words(context: int | None) -> str:
    return f"{text.short_tokens(context)} tokens" if context else "context not stated"


def _judged(library: Library, use: Mapping[str, Any], runtime: str, quantization: str) -> tuple[Cell, Cell, Memory | None]:
    model, gpu = library.models.get(use["model"]), library.gpus.get(use.get("gpu") or "")
    if model is None:
        return Cell((Span("unknown", css="v vq"),)), Cell(), None
    context = use.get("context_tokens")
    gpus = _cards(library, use)
    try:
        if gpu is None:
            memory = estimate(model, quantization=quantization, runtime=runtime, context_tokens=context).memory
            return Cell(plain("needs no card: it runs on the CPU")), _range_cell(memory), memory
        result = fit(model, gpu, quantization=quantization, runtime=runtime, context_tokens=context, gpu_count=gpus)
    except FitInputError as error:
        return Cell((Span("unknown", css="v vq"), Span(error.message, css="sub wrap"))), Cell(), None
    return _verdict_cell(library, result), _range_cell(result.memory), result.memory


def _cards(library: Library, use: Mapping[str, Any]) -> int:
    measurement = library.get("measurements", use.get("measurement") or "")
    return int(measurement.data.get("gpus") or 1) if measurement else 1


def _verdict_cell(library: Library, result: FitResult) -> Cell:
    of = (Span(" on "), library.link("gpus", result.gpu.id), Span(f"{text.gib(result.available_bytes)} can be allocated there", css="sub"))
    why = tuple(Span(reason.message, css="sub wrap") for reason in result.reasons)
    return Cell((Span(verdict_words(result.verdict), css=verdict_css(result.verdict)), *of, *why))


def _range_cell(memory: Memory | None) -> Cell:
    if memory is None:
        return Cell()
    low, middle, high = (f"{size / GIB:,.2f}" for size in (memory.low_bytes, memory.total_bytes, memory.high_bytes))
    return Cell((Span(f"{low} – "), Span(middle, css="b"), Span(f" – {high}")), sort=memory.total_bytes, css="n")


def _measured(library: Library, use: Mapping[str, Any], memory: Memory | None) -> tuple[Cell, Cell]:
    record = library.get("measurements", use.get("measurement") or "")
    if record is None:
        return Cell((Span("nothing saved", css="lc-gap"),), css="n"), Cell(css="n")
    memory_readings = [reading for reading in record.data["readings"] if reading["measure"] in PARTS and reading["unit"] in UNITS]
    trained = record.data["kind"] == "training"
    measured: list[Span] = []
    for reading in memory_readings:
        name = "after training" if trained and reading["measure"] == AFTER_RUN else PARTS[reading["measure"]].short
        measured.append(Span(f"{name}: {reading['value'] * UNITS[reading['unit']] / GIB:,.2f}", css="line"))
    measured.append(library.link("measurements", record.id, "all readings", css="sub"))
    compared = [reading for reading in memory_readings if not (trained and reading["measure"] == AFTER_RUN)]
    against: list[Span] = []
    for found in comparisons(compared, memory) if memory else ():
        against.append(
            Span(f"{found.error:+.1%} {PARTS[found.measure].short}, {'inside' if found.within else 'outside'} the range", css="line")
        )
    if len(compared) < len(memory_readings):
        against.append(Span("what training leaves behind is not estimated", css="sub wrap"))
    return Cell(tuple(measured), css="n"), Cell(tuple(against), css="n")
