"""The answer tables: which cards run a model, what runs on a card, and the overview of well-known pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmops_catalog.fit import GpuFacts, Memory, ModelFacts
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.render import text
from llmops_catalog.render.views import chosen, wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.matrix import WAYS, Answer, Best, Chooser, Matrix, Way, card_bytes, small_print
from llmops_catalog.render.views.parts import (
    Block,
    Cell,
    Column,
    Items,
    Prose,
    Row,
    Span,
    Table,
    plain,
    verdict_css,
    verdict_words,
)

_TUNINGS = {"instruct": 0, "reasoning": 0, "code": 1}
_VERDICTS = ("fits", "tight", "does-not-fit", "unsupported", "unknown")
IN_TABLE = 40
"""Models a card's page shows in full; the rest is listed by name."""
LEGEND = (
    Span("fits", css="v vf"),
    Span(" also by the high estimate · "),
    Span("tight", css="v vt"),
    Span(" only by the low one · "),
    Span("does not fit", css="v vn"),
    Span(" · "),
    Span("unsupported", css="v vu"),
    Span(" for the reason under it · "),
    Span("unknown", css="v vq"),
    Span(" a fact is missing. “to 32k”: the longest context that fits, in steps of two."),
)


def verdict_cell(answer: Answer) -> Cell:
    """A verdict with its reach; sorting puts what reaches farthest first."""
    spans = [Span(verdict_words(answer.verdict), css=verdict_css(answer.verdict))]
    if words := small_print(answer):
        spans.append(Span(words, css="sub"))
    rank = answer.reach_tokens // 1024 if answer.verdict == "fits" else -_VERDICTS.index(answer.verdict)
    return Cell(tuple(spans), sort=rank)


def model_answers(library: Library, matrix: Matrix, model: ModelFacts) -> tuple[Block, ...]:
    """'Which GPUs run it': cards with the same answers share a row, smallest memory first."""
    groups: dict[tuple[Answer, ...], list[GpuFacts]] = {}
    for gpu in library.gpus.values():
        answers = tuple(_as_shown(matrix.answer(model, gpu, way)) for way in WAYS)
        groups.setdefault(answers, []).append(gpu)
    if not groups:
        return ()
    runs = [(answers, gpus) for answers, gpus in groups.items() if _runs(answers)]
    others = [gpu for answers, gpus in groups.items() if not _runs(answers) for gpu in gpus]
    if not runs:
        return (_none_runs_it(matrix, model, others),)
    ordered = sorted(runs, key=lambda item: (min(card_bytes(gpu) for gpu in item[1]), item[1][0].id))
    rows = tuple(
        Row(
            (
                Cell(tuple(_cards(gpus, library)), sort=min(gpu.sold_gb or 0 for gpu in gpus)),
                *(verdict_cell(answer) for answer in answers),
            )
        )
        for answers, gpus in ordered
    )
    context = text.short_tokens(matrix.context(model))
    intro = (
        *_smallest(library, matrix, model),
        Span(
            f"Asked at {context} tokens of context, one user, one card; each column names what is needed, low to high estimate. "
            "Cards with the same answers share a row."
        ),
    )
    columns = (Column("Cards"), *(_way_column(matrix, model, way) for way in WAYS))
    sized = [gpu for gpu in others if gpu.has_memory]
    unsized = ", ".join(short_name(gpu) for gpu in others if not gpu.has_memory)
    gap = (Span(f". Not known, for they have no memory of their own: {unsized}"),) if unsized else ()
    rest = Prose((*_cards(sized), *gap), title="Alone it runs on none of these", anchor="other-gpus", css="lc-rest")
    return (
        Table(
            f"Which GPUs run {model.name}",
            columns,
            rows,
            title="Which GPUs run it",
            anchor="gpus",
            intro=intro,
            note=LEGEND,
            tools=True,
            css="lc-matrix lc-cards",
            stack=True,
        ),
        *((rest,) if others else ()),
    )


def _none_runs_it(matrix: Matrix, model: ModelFacts, gpus: list[GpuFacts]) -> Prose:
    """For the largest models, and those nobody can be sure about: what they need beside what the largest card offers."""
    largest = max(gpus, key=lambda gpu: (card_bytes(gpu), gpu.id))
    needs = [
        f"{way.title} in {wording.named('runtime', way.runtime)} {_needs(memory)}" for way in WAYS if (memory := matrix.memory(model, way))
    ]
    context = text.short_tokens(matrix.context(model))
    said = (
        f"No card of this catalog runs it alone. Needed at {context} tokens of context: {'; '.join(needs)}. "
        f"The largest card, {largest.name}, lets a program allocate about {text.gib(card_bytes(largest))}. For several cards ask "
        if needs
        else "Facts are missing, so what it needs cannot be said for sure. What is known: "
    )
    command = Span(f"llmops-catalog fit --model {model.id} --gpu h200 --gpus 8", css="code")
    return Prose((Span(said), command, Span(".")), title="Which GPUs run it", anchor="gpus")


def _as_shown(answer: Answer) -> Answer:
    """Without the other 16-bit format where it does not fit either: both are the same size."""
    return replace(answer, instead="") if answer.verdict == "does-not-fit" else answer


def _runs(answers: tuple[Answer, ...]) -> bool:
    """True where at least one way may run."""
    return any(answer.verdict in ("fits", "tight") for answer in answers)


def _smallest(library: Library, matrix: Matrix, model: ModelFacts) -> Iterator[Span]:
    """The answer in one line: for each file of llama.cpp, the smallest card it fits."""
    by_size = sorted(library.gpus.values(), key=lambda gpu: (card_bytes(gpu), gpu.id))
    found = [
        (way, next((gpu for gpu in by_size if matrix.answer(model, gpu, way).verdict == "fits"), None))
        for way in WAYS
        if way.runtime == "llama.cpp"
    ]
    known = [(way, gpu) for way, gpu in found if gpu is not None]
    if known:
        yield Span("Smallest card of this catalog it fits: ")
        for position, (way, gpu) in enumerate(known):
            yield Span("; " if position else "")
            yield Span(f"{way.title} ", css="b")
            yield library.link("gpus", gpu.id, f"{short_name(gpu)} ({sold(gpu)})")
        yield Span(". ")


def _cards(gpus: list[GpuFacts], library: Library | None = None) -> Iterator[Span]:
    """Cards by the memory they are sold with; links where there is a library to link into."""
    sizes: dict[str, list[GpuFacts]] = {}
    for gpu in sorted(gpus, key=lambda gpu: (gpu.sold_gb or 0, short_name(gpu), gpu.id)):
        sizes.setdefault(sold(gpu), []).append(gpu)
    for number, (size, same) in enumerate(sizes.items()):
        yield Span(f"{'; ' if number else ''}{size}: ", css="b")
        for position, gpu in enumerate(same):
            if position:
                yield Span(", ")
            yield library.link("gpus", gpu.id, short_name(gpu)) if library else Span(short_name(gpu))


def _needs(memory: Memory) -> str:
    return f"{memory.low_bytes / GIB:,.2f}–{memory.high_bytes / GIB:,.2f} GiB"


def _way_column(matrix: Matrix, model: ModelFacts, way: Way) -> Column:
    memory = matrix.memory(model, way)
    needs = _needs(memory) if memory else ""
    runtime = wording.named("runtime", way.runtime)
    return Column(way.title, sub=" · ".join(filter(None, [runtime, needs])), short=runtime if way.quantization == "native" else "")


def short_name(gpu: GpuFacts) -> str:
    """A card's name as people say it: no vendor, and no size, which always stands beside it."""
    name = gpu.name
    for word in ("NVIDIA ", "AMD ", "Intel ", "Apple ", "GeForce ", "Tesla "):
        name = name.removeprefix(word)
    return name.removesuffix(f" {sold(gpu)}").rstrip(",")


def gpu_answers(library: Library, matrix: Matrix, gpu: GpuFacts) -> tuple[Block, ...]:
    """'What runs on it': the models most worth trying in a table, all others by name under their best quantization."""
    chooser = Chooser(matrix)
    found = sorted(
        ((model, chooser.best(model, gpu)) for model in library.models.values()),
        key=lambda pair: (_VERDICTS.index(pair[1].answer.verdict), *_interest(pair[0])),
    )
    if not found:
        return ()
    shown = [pair for pair in found if pair[1].answer.verdict in ("fits", "tight")][:IN_TABLE]
    names = {model.id for model, _ in shown}
    rows = tuple(_model_row(library, matrix, gpu, model, best) for model, best in shown)
    columns = (
        Column("Model"),
        Column("Most bits that fit", sub="in llama.cpp"),
        Column("Needs (GiB)", "n"),
        Column("As shipped", sub="in vLLM"),
        Column("As shipped", sub="in transformers"),
        Column("Parameters", "n"),
    )
    intro = plain(
        f"A process can allocate about {text.gib(card_bytes(gpu))} here. Asked at 8k tokens of context (or the model's own maximum), "
        "one user, one card; "
        "“most bits” among Q4_K_M, Q8_0 and F16."
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Table(
                f"What runs on {gpu.name}",
                columns,
                rows,
                title="What runs on it",
                anchor="models",
                intro=intro,
                note=LEGEND,
                tools=True,
                css="lc-matrix",
            )
        )
    others = [pair for pair in found if pair[0].id not in names]
    if others:
        title = "All other models" if rows else "No model of this catalog runs on it alone" if gpu.has_memory else "What runs on it"
        blocks.append(Items(tuple(_by_outcome(library, others)), title=title, anchor="other-models", css="plain", searchable=False))
    return tuple(blocks)


def _model_row(library: Library, matrix: Matrix, gpu: GpuFacts, model: ModelFacts, best: Best) -> Row:
    tight = "tight " if best.answer.verdict == "tight" else ""
    chosen = Cell(
        (Span(best.way.title, css=verdict_css(best.answer.verdict)), Span(f"{tight}{small_print(best.answer)}".strip(), css="sub")),
        sort=best.way.title,
    )
    needs = best.memory.total_bytes / GIB if best.memory else 0.0
    shipped = (verdict_cell(_as_shown(matrix.answer(model, gpu, way))) for way in WAYS if way.quantization == "native")
    size = Cell(plain(text.billions(model.total_parameters)), sort=model.total_parameters, css="n")
    return Row((Cell((library.link("models", model.id),)), chosen, Cell(plain(f"{needs:,.2f}"), css="n"), *shipped, size))


def _by_outcome(library: Library, found: list[tuple[ModelFacts, Best]]) -> Iterator[tuple[Span, ...]]:
    """Models by name, under what is the best that can be had of them."""
    groups: dict[tuple[str, str], list[ModelFacts]] = {}
    for model, best in found:
        runs = best.answer.verdict in ("fits", "tight")
        groups.setdefault((best.answer.verdict, best.way.title if runs else ""), []).append(model)
    for (verdict, way), models in sorted(groups.items(), key=lambda item: (_VERDICTS.index(item[0][0]), item[0][1])):
        words = (
            f"{'tight' if verdict == 'tight' else 'fits'} at {way}"
            if way
            else {"does-not-fit": "too large even at Q4_K_M"}.get(verdict, verdict_words(verdict))
        )
        spans = [Span(words, css=verdict_css(verdict)), Span(" ")]
        for position, model in enumerate(models):
            spans += [Span(", ")] if position else []
            spans.append(library.link("models", model.id))
        yield tuple(spans)


def _interest(model: ModelFacts) -> tuple[object, ...]:
    """Instruction-tuned before base, current before replaced, newer years before older, larger before smaller."""
    return (
        _TUNINGS.get(model.tuning or "", 2),
        model.replaced_by is not None,
        -int((model.released or "0")[:4]),
        -model.total_parameters,
        model.id,
    )


def overview(
    library: Library, matrix: Matrix, model_ids: Sequence[str], gpu_ids: Sequence[str], *, title: str, stack: bool = False
) -> Table:
    """Well-known models against well-known cards: the most bits that fit, and how far the context reaches."""
    models = [library.models[name] for name in model_ids if name in library.models] or list(library.models.values())[: len(model_ids)]
    gpus = [library.gpus[name] for name in gpu_ids if name in library.gpus] or list(library.gpus.values())[: len(gpu_ids)]
    models.sort(key=lambda model: (model.total_parameters, model.id))
    gpus.sort(key=lambda gpu: (card_bytes(gpu), gpu.id))
    chooser = Chooser(matrix)
    rows = []
    for model in models:
        cells = [
            Cell((library.link("models", model.id), Span(text.billions(model.total_parameters), css="sub")), sort=model.total_parameters)
        ]
        cells += [_best_cell(chooser, model, gpu) for gpu in gpus]
        rows.append(Row(tuple(cells)))
    columns = (Column("Model"), *(Column(short_name(gpu), sub=sold(gpu)) for gpu in gpus))
    intro = plain("The most bits that fit in llama.cpp at 8k tokens of context, one user, and the longest context they leave room for.")
    return Table(title, columns, tuple(rows), title=title, anchor="answers", intro=intro, css="lc-matrix", stack=stack)


def sold(gpu: GpuFacts) -> str:
    """The size a card is sold with, as people write it."""
    return "size not known" if gpu.sold_gb is None else f"{text.number(gpu.sold_gb)} GB"


def _best_cell(chooser: Chooser, model: ModelFacts, gpu: GpuFacts) -> Cell:
    best = chooser.best(model, gpu)
    verdict = best.answer.verdict
    if verdict in ("fits", "tight"):
        return Cell(
            (
                Span(best.way.title, css=verdict_css(verdict)),
                Span(" ".join(filter(None, ["tight" if verdict == "tight" else "", small_print(best.answer)])), css="sub"),
            )
        )
    return Cell((Span("too large" if verdict == "does-not-fit" else verdict_words(verdict), css=verdict_css(verdict)),))


HOME_TITLE = "What runs where"


def home_answer(library: Library, matrix: Matrix) -> Table:
    """The table of the home page: a handful of models on a handful of cards."""
    return overview(library, matrix, chosen.HOME_MODELS, chosen.HOME_GPUS, title=HOME_TITLE, stack=True)
