"""Our estimates beside everything published that we can compare with: on a model's page and on /accuracy/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmops_catalog.accuracy import (
    BREAKDOWNS,
    PARTS,
    TERMS,
    Bound,
    Checked,
    Checks,
    Figures,
    VerdictErrors,
    breakdown,
    figures,
    naive_figures,
    nominal_bits,
    speed_coverage,
    verdict_errors,
    why,
    worst,
)
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, PageView, Prose, Row, Span, Table, plain

MATTERS_AT_A_CONTEXT = ("total", "cache")
"""Terms whose readings depend on the context."""


def accuracy_table(library: Library, found: Sequence[Checked], *, title: str = "", anchor: str = "") -> Table:
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
    exact = not found.has_range
    low_high = "" if exact else f"{found.low_bytes / GIB:,.2f} – {found.high_bytes / GIB:,.2f}"
    matters = found.term in MATTERS_AT_A_CONTEXT
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


def accuracy_page(library: Library, checks: Checks) -> PageView:
    """Our estimates against everything published that we can compare with, the bad ones too."""
    lead = (
        "Every memory reading of this catalog that names its model, quantization and runtime, "
        "beside what we would have estimated. Nothing is left out because it looks bad."
    )
    found = checks.compared
    if not found:
        nothing = Prose(plain("No measurement can be compared yet."))
        return PageView("accuracy/index.md", "How far off are the estimates?", lead, (nothing,), lead=lead, search=False)
    judged = verdict_errors(found, library.gpus)
    blocks: tuple[Block, ...] = (
        _summary(found),
        _by_term(library, found),
        _verdicts(judged),
        _by_side(library, found, "runtime"),
        _worst(library, found),
        *(_by_side(library, found, side) for side in ("quantization", "family")),
        *_speed(library),
        *((_bounds(library, checks.bounds),) if checks.bounds else ()),
        _left_out(checks.left_out),
        accuracy_table(library, found, title="Reading by reading", anchor="readings"),
    )
    return PageView("accuracy/index.md", "How far off are the estimates?", lead, blocks, lead=lead, search=False)


def _summary(found: Sequence[Checked]) -> Prose:
    totals = [one for one in found if one.comparison.term == "total"]
    shown = figures(totals or found)
    inside = "" if shown.inside_share is None else f"; {shown.inside_share:.0%} lie inside the interval we give"
    return Prose(
        plain(
            f"{len(found)} readings of {len({one.record.id for one in found})} measurements. "
            f"Of the {shown.readings} that say what a whole run took, half are off by {shown.median_error:.1%} or less "
            f"and nine of ten by {shown.p90_error:.1%} or less{inside}. "
            "Not all of this is independent proof: what the engines take beside the tensors was itself set after some of these readings, "
            "and every such figure names them in the code."
        ),
    )


def _by_term(library: Library, found: Sequence[Checked]) -> Table:
    """What is exact and what is not; and what the usual rule of thumb makes of the same totals."""
    groups = breakdown(found, BREAKDOWNS["term"])
    rows = [_figures_row(TERMS[term], groups[term]) for term in TERMS if term in groups]
    naive = naive_figures(found, nominal_bits(library.catalog))
    if naive:
        rows.append(_figures_row("All together, by parameters × bytes × 1.2", naive))
    return Table(
        "Errors by what was read", _figures_columns("What was read"), tuple(rows), title="By what was read", anchor="by-part", stack=True,
        note=plain("The last row is what most calculators answer for inference: it knows no context, no cache and no runtime."),
    )  # fmt: skip


def _by_side(library: Library, found: Sequence[Checked], side: str) -> Table:
    """One row per runtime, quantization or family: how far off the weights are, the cache, and a whole run."""
    names = breakdown(found, BREAKDOWNS[side])
    by_term = {term: breakdown((one for one in found if one.comparison.term == term), BREAKDOWNS[side]) for term in TERMS}
    rows = tuple(
        Row((
            Cell(_as_span(_side_name(library, side, name))),
            Cell(plain(group.readings), sort=group.readings, css="n"),
            _errors_cell(by_term["weights"].get(name)),
            _errors_cell(by_term["cache"].get(name)),
            _errors_cell(by_term["compute"].get(name)),
            _errors_cell(by_term["total"].get(name)),
            _inside_cell(by_term["total"].get(name)),
        ))
        for name, group in names.items()
    )  # fmt: skip
    columns = (
        Column(side.capitalize()),
        Column("Readings", "n"),
        *(Column(words, "n", sub="half / nine of ten") for words in ("Weights", "Cache", "Buffers", "All together")),
        Column("In our interval", "n"),
    )
    return Table(f"Errors by {side}", columns, rows, title=f"By {side}", anchor=f"by-{side}", stack=True, tools=len(rows) > 12)


def _errors_cell(found: Figures | None) -> Cell:
    """The middle error and the one nine of ten do not exceed; empty where nothing was read."""
    if found is None:
        return Cell(css="n")
    return Cell(plain(f"{found.median_error:.1%} / {found.p90_error:.1%}"), sort=found.p90_error, css="n")


def _inside_cell(found: Figures | None) -> Cell:
    inside = found.inside_share if found else None
    return Cell(css="n") if inside is None else Cell(plain(f"{inside:.0%}"), sort=inside, css="n")


def _as_span(name: str | Span) -> tuple[Span, ...]:
    return (name if isinstance(name, Span) else Span(name),)


def _side_name(library: Library, side: str, name: str) -> str | Span:
    if side == "runtime":
        return wording.named("runtime", name)
    return library.link("quantizations", name) if side == "quantization" else name


def _figures_columns(first: str) -> tuple[Column, ...]:
    return (
        Column(first), Column("Readings", "n"), Column("Half are off by less than", "n"), Column("Nine of ten by less than", "n"),
        Column("Worst", "n"), Column("In our interval", "n"),
    )  # fmt: skip


def _figures_row(name: str, found: Figures) -> Row:
    inside = found.inside_share
    return Row((
        Cell(plain(name)),
        Cell(plain(found.readings), sort=found.readings, css="n"),
        Cell(plain(f"{found.median_error:.1%}"), sort=found.median_error, css="n"),
        Cell(plain(f"{found.p90_error:.1%}"), sort=found.p90_error, css="n"),
        Cell(plain(f"{found.worst_error:.1%}"), sort=found.worst_error, css="n"),
        Cell(plain("no interval" if inside is None else f"{inside:.0%}"), sort=inside, css="n"),
    ))  # fmt: skip


def _verdicts(judged: VerdictErrors) -> Prose:
    """The errors that cost somebody an evening."""
    ran = (
        f"{judged.ran} of the whole runs name the card they ran on; we say of {len(judged.said_no)} of them that it would not fit there. "
        if judged.ran
        else ""
    )
    return Prose(
        plain(
            f"{ran}Put against every size of card in the catalog, that makes {judged.questions:,} questions: "
            f"{judged.fits_wrongly} times we say “fits” where the measured need is larger than the card, "
            f"{judged.refused_wrongly} times “does not fit” where it is smaller, and {judged.tight:,} times “tight”, "
            "which is the honest answer in between."
        ),
        title="What a wrong answer costs",
    )


def _worst(library: Library, found: Sequence[Checked]) -> Table:
    rows = tuple(
        Row((
            Cell((library.link("measurements", one.record.id),)),
            Cell((library.link("models", one.model_id),)),
            Cell(plain(PARTS[one.comparison.measure].short)),
            Cell(plain(f"{one.comparison.measured_bytes / GIB:,.2f}"), css="n"),
            Cell(plain(f"{one.comparison.error:+.1%}"), css="n"),
            Cell(plain(why(one) or "not known")),
        ))
        for one in worst(found)
    )  # fmt: skip
    columns = (
        Column("Measurement"),
        Column("Model"),
        Column("What was read"),
        Column("Measured (GiB)", "n"),
        Column("Off by", "n"),
        Column("Why"),
    )
    return Table("The ten worst", columns, rows, title="The ten worst, and why", anchor="worst", stack=True)


def _bounds(library: Library, bounds: Sequence[Bound]) -> Table:
    """Figures a source gives only as a bound: no error can be computed, only whether our interval respects it."""
    rows = tuple(
        Row((
            Cell((library.link("measurements", bound.record.id),)),
            Cell((library.link("models", bound.model.id),)),
            Cell(plain(f"{bound.bound_bytes / GIB:,.2f}"), css="n"),
            Cell(plain(f"{bound.estimate.memory.low_bytes / GIB:,.2f}"), css="n"),
            Cell((Span("yes" if bound.respected else "no", css="v vf" if bound.respected else "v vn"),)),
        ))
        for bound in bounds
    )  # fmt: skip
    columns = (
        Column("Source"),
        Column("Model"),
        Column("Needs at most (GiB)", "n"),
        Column("Our low (GiB)", "n"),
        Column("Respected", facet=True),
    )
    return Table("Bounds", columns, rows, title="Bounds, used only as bounds", anchor="bounds", stack=True)


def _speed(library: Library) -> tuple[Block, ...]:
    """How many published speeds lie in the interval given for the same model on the same card."""
    groups = speed_coverage(library.catalog)
    rows = tuple(
        Row((
            Cell(plain(wording.FORMATS["measure"](group.measure)), sort=group.measure),
            Cell(plain(wording.named("runtime", group.runtime))),
            Cell(plain(f"{group.hardware}{', rough' if group.rough else ''}")),
            Cell(plain(group.readings), sort=group.readings, css="n"),
            Cell(plain(f"{group.share:.0%}"), sort=group.share, css="n"),
            Cell(plain(group.cards), sort=group.cards, css="n"),
            Cell(plain(f"{group.cards_inside / group.cards:.0%}"), sort=group.cards_inside / group.cards, css="n"),
        ))
        for group in groups
    )  # fmt: skip
    columns = (
        Column("Speed", facet=True),
        Column("Runtime", facet=True),
        Column("Hardware"),
        Column("Readings", "n"),
        Column("In our interval", "n"),
        Column("Cards", "n"),
        Column("Card by card", "n"),
    )
    note = plain(
        "Speeds are given as wide intervals on purpose: builds, drivers and hosts differ. "
        "The intervals were set while looking at these readings, so expect "
        "fewer inside on cards that are not here; rough marks the classes with little evidence."
    )
    return (Table("Speeds", columns, rows, title="Speeds, inside and outside", anchor="speed", stack=True, note=note),) if rows else ()


def _left_out(left_out: Mapping[str, int]) -> Table:
    rows = tuple(Row((Cell(plain(reason)), Cell(plain(number), sort=number, css="n"))) for reason, number in left_out.items())
    columns = (Column("Why"), Column("Readings", "n"))
    return Table("Not compared", columns, rows, title="Not compared", anchor="left-out", stack=True)


def model_evidence(library: Library, checks: Checks, model_id: str) -> tuple[Block, ...]:
    """The readings of one model, for its page."""
    own = [one for one in checks.compared if one.model_id == model_id]
    return (accuracy_table(library, own, title="Measured", anchor="measured"),) if own else ()
