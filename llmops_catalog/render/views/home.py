"""The home page: what this is, a first real answer, and the entries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from llmops_catalog.fit import GpuFacts, ModelFacts
from llmops_catalog.render.views import chosen, wording
from llmops_catalog.render.views.answers import short_name, sold
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.matrix import REFUSALS
from llmops_catalog.render.views.parts import Block, Choice, FitForm, Items, PageView, Span, Tile, Tiles

Facts = TypeVar("Facts", GpuFacts, ModelFacts)


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
    cards = [library.link("gpus", gpu.id, f"{short_name(gpu)} · {sold(gpu)}") for gpu in _some(library.gpus, chosen.HOME_CARDS)]
    models = [library.link("models", model.id) for model in _some(library.models, chosen.HOME_CHOICES)]
    return PageView(
        "index.md",
        "Will this model run on that card?",
        lead,
        (
            Items(
                _chips(cards, f"all {counts['gpus']:,}", "gpus/"),
                title="Your card: what runs on it?",
                anchor="cards",
                css="chips",
                searchable=False,
            ),
            Items(
                _chips(models, f"all {counts['models']:,}", "models/"),
                title="A model: which cards run it?",
                anchor="models",
                css="chips",
                searchable=False,
            ),
            answer,
            Tiles(tuple(entries), title="Look around", anchor="entries"),
        ),
        lead=lead,
        css="lc-home",
        actions=(Span("Ask for any model and card", page="fit/", css="primary"),),
    )


def _some(found: Mapping[str, Facts], wanted: Sequence[str]) -> list[Facts]:
    """The wanted ones in their order; where the catalog has none of them, its first few."""
    return [found[name] for name in wanted if name in found] or list(found.values())[: len(wanted)]


def _chips(links: list[Span], everything: str, page: str) -> tuple[tuple[Span, ...], ...]:
    return (*((link,) for link in links), (Span(everything, page=page, css="b"),))


def fit_form(library: Library, model: str = "", gpu: str = "") -> FitForm:
    """The question as a form over every model and card."""
    return FitForm(choices(library, "models"), choices(library, "gpus"), model, gpu, json.dumps(REFUSALS))


def choices(library: Library, collection: str) -> tuple[Choice, ...]:
    """The records of a collection as a list to choose from, by name."""
    records = sorted(library.records.get(collection, {}).values(), key=lambda record: (record.label.casefold(), record.id))
    return tuple(Choice(record.id, record.label) for record in records)


def _short(intro: str) -> str:
    return intro.split(". ")[0].rstrip(".") + "."
