"""Every generated page of the site, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.accuracy import Checks, check
from llmops_catalog.catalog import Record
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.render.views import chosen
from llmops_catalog.render.views.accuracy import accuracy_page, model_evidence
from llmops_catalog.render.views.answers import gpu_answers, home_answer, model_answers, overview
from llmops_catalog.render.views.evidence import notebook_answers
from llmops_catalog.render.views.facts import FactReader
from llmops_catalog.render.views.fields import fields_pages
from llmops_catalog.render.views.home import fit_form, home_page
from llmops_catalog.render.views.indexes import IndexColumn, index_page
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.matrix import WAYS, Matrix
from llmops_catalog.render.views.parts import Block, Cell, Column, PageView, plain
from llmops_catalog.render.views.records import record_page


def all_pages(library: Library, matrix: Matrix) -> Iterator[PageView]:
    """Home, the answers, an index per collection, a page per record."""
    yield home_page(library, home_answer(library, matrix))
    yield fit_page(library, matrix)
    checked = check(library.catalog)
    yield accuracy_page(library, checked)
    yield from fields_pages(library)
    for collection, records in library.records.items():
        yield index_page(library, collection, (_four_bit_column(matrix),) if collection == "models" else ())
        reader = FactReader(library, collection)
        for record in records.values():
            yield record_page(library, reader, record, _answers(library, matrix, checked, record))


def _four_bit_column(matrix: Matrix) -> IndexColumn:
    """What each model needs in the usual first choice of llama.cpp, for the index of models."""

    def cell(library: Library, record: Record) -> Cell:
        memory = matrix.memory(library.models[record.id], WAYS[0])
        return Cell(plain(f"{memory.total_bytes / GIB:,.1f}"), sort=memory.total_bytes, css="n") if memory else Cell(css="n")

    return IndexColumn(Column(f"{WAYS[0].title} needs", "n", sub="GiB at 8k tokens"), cell)


def _answers(library: Library, matrix: Matrix, checked: Checks, record: Record) -> tuple[Block, ...]:
    """The sections that need the estimator."""
    if record.collection == "models":
        return (*model_answers(library, matrix, library.models[record.id]), *model_evidence(library, checked, record.id))
    if record.collection == "gpus":
        return gpu_answers(library, matrix, library.gpus[record.id])
    if record.collection == "notebooks":
        return notebook_answers(library, record)
    return ()


def fit_page(library: Library, matrix: Matrix) -> PageView:
    """The question form, and answers for well-known pairs that need no script."""
    lead = "Choose a model and a card for the answer at each quantization. The address holds the question: share it, or come back to it."
    table = overview(library, matrix, chosen.WELL_KNOWN_MODELS, chosen.WELL_KNOWN_GPUS, title="Well-known models on well-known cards")
    return PageView("fit/index.md", "Does it fit?", lead, (fit_form(library), table), lead=lead, search=False)
