"""The home page: what this is, a first real answer, and the entries."""

from __future__ import annotations

from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Choice, FitForm, PageView, Span, Tile, Tiles


def home_page(library: Library, answer: Block) -> PageView:
    """Question, answer table, entries: readable in ten seconds on a phone."""
    counts = library.catalog.counts
    entries = [Tile("Does it fit?", "fit/", "", "Any model on any card, at each quantization.")]
    entries += [Tile(wording.TITLES[name], f"{name}/", f"{total:,}", _short(wording.INTROS[name])) for name, total in counts.items()]
    entries.append(Tile("How far off are we?", "accuracy/", "", "Our estimates beside published measurements."))
    lead = (
        "Open models, GPUs, quantizations and what to learn about them. "
        "Every value names its source, every answer its arithmetic, every doubt is said."
    )
    return PageView(
        "index.md",
        "Will this model run on that card?",
        lead,
        (answer, Tiles(tuple(entries), title="Look around", anchor="entries")),
        lead=lead,
        css="lc-home",
        actions=(Span("Ask for any model and card", page="fit/", css="primary"),),
    )


def fit_form(library: Library, model: str = "", gpu: str = "") -> FitForm:
    """The question as a form over every model and card."""
    return FitForm(choices(library, "models"), choices(library, "gpus"), model, gpu)


def choices(library: Library, collection: str) -> tuple[Choice, ...]:
    """The records of a collection as a list to choose from, by name."""
    records = sorted(library.records.get(collection, {}).values(), key=lambda record: (record.label.casefold(), record.id))
    return tuple(Choice(record.id, record.label) for record in records)


def _short(intro: str) -> str:
    return intro.split(". ")[0].rstrip(".") + "."
