"""Fit answers as people read them: one table, the breakdown of the answer that matters, what was assumed and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_catalog.fit.sizes import GIB
from llmops_catalog.report.tables import Style, plain, printable, table

Answer = Mapping[str, Any]
"""One estimate or fit result in the form of the JSON contract."""

PARTS = (
    ("weights_bytes", "weights"), ("kv_cache_bytes", "KV cache"), ("state_bytes", "recurrent state"), ("compute_bytes", "compute buffers"),
    ("overhead_bytes", "outside the allocator"),
)  # fmt: skip
TRAINING_PARTS = (
    ("base_bytes", "weights"), ("adapter_bytes", "adapters"), ("gradient_bytes", "gradients"), ("optimizer_bytes", "optimizer states"),
    ("activation_bytes", "activations"), ("working_bytes", "logits and working space"), ("overhead_bytes", "outside the allocator"),
)  # fmt: skip
"""How the total of a training run is divided."""
SYMBOLS = {"fits": "fits", "tight": "tight", "does-not-fit": "does not fit", "unsupported": "unsupported", "unknown": "unknown"}
VERDICTS = tuple(SYMBOLS)
"""Best first."""


def gib(size: int | None) -> str:
    """Bytes as GiB with two decimals; a dash where nothing is known."""
    return "-" if size is None else f"{size / GIB:,.2f}"


def estimate_text(answer: Answer, style: Style = plain) -> str:
    """One configuration: what it needs, part by part, and the assumptions."""
    memory = answer["memory"]
    return f"{_headline(answer, style)}\n\n{breakdown(memory, style, answer.get('training'))}{_beside(memory)}{assumptions(answer, style)}"


def _headline(answer: Answer, style: Style) -> str:
    cards = f", {answer['gpu_count']} cards" if answer["gpu_count"] > 1 else ""
    sequences = f" x {answer['concurrency']} sequences" if answer["concurrency"] > 1 else ""
    return (
        f"{style(printable(answer['model']), 'title')}  {answer['quantization']}  {answer['runtime']}  "
        f"{answer['context_tokens']:,} tokens{sequences}, {_doing(answer)}{cards}"
    )


def _doing(answer: Answer) -> str:
    """What is done: the cache of inference, or how it is trained."""
    task = answer.get("task", "inference")
    return f"cache in {answer['kv_cache_type']}" if task == "inference" else {"full": "all weights trained"}.get(task, f"{task} training")


def breakdown(memory: Mapping[str, Any], style: Style = plain, training: Mapping[str, Any] | None = None) -> str:
    """The parts of the total, in GiB, and the interval the true value is expected in; `training` divides what it adds."""
    sizes: dict[str, Any] = dict(memory)
    parts: tuple[tuple[str, str], ...] = PARTS
    if training:
        sizes.update(training, base_bytes=memory["weights_bytes"] - training["adapter_bytes"])
        parts = TRAINING_PARTS
    rows = [[label, gib(sizes[part])] for part, label in parts if sizes[part]]
    rows.append(["total", gib(memory["total_bytes"])])
    rows.append(["expected between", f"{gib(memory['low_bytes'])} and {gib(memory['high_bytes'])}"])
    width = max(len(label) for label, _ in rows)
    number = max(len(value) for _, value in rows[:-1])
    lines = [f"  {label.ljust(width)}  {value.rjust(number)} GiB" for label, value in rows]
    lines[-2] = style(lines[-2], "title")
    return "".join(f"{line}\n" for line in lines)


def _beside(memory: Mapping[str, Any]) -> str:
    lines = []
    if memory.get("host_bytes"):
        lines.append(f"  beside it, {gib(memory['host_bytes'])} GiB stay in main memory\n")
    if memory.get("file_bytes"):
        lines.append(f"  to download: {gib(memory['file_bytes'])} GiB\n")
    return "".join(lines)


def assumptions(answer: Answer, style: Style = plain) -> str:
    """What the numbers rest on, each with its source."""
    lines = [
        f"  - {printable(entry['text'])}{style('  ' + printable(entry['source']), 'note') if entry.get('source') else ''}\n"
        for entry in answer["assumptions"]
    ]
    return "\nassumed\n" + "".join(lines) if lines else ""


def fit_text(
    answers: Sequence[Answer], subject: str, style: Style = plain, rental: Mapping[str, Any] | None = None, width: int | None = None
) -> str:
    """Several answers as a table; one answer, or the best of those for one model and card, with its breakdown.

    `rental` is the cheapest known way to rent cards for the model; columns that matter least give way to a terminal's `width`.
    """
    if not answers:
        return "nothing to answer: no model or card is left to try\n"
    if len(answers) == 1:
        return _single(answers[0], style) + _rental_line(rental)
    text = f"{_subject_line(answers[0], subject, style)}\n\n{_answer_table(answers, subject, style, width)}"
    best = min(answers, key=_distance)
    if subject == "quantization":
        parts = breakdown(best["memory"], style, best.get("training")) if best.get("memory") else ""
        part = f"\n{best['quantization']}, part by part\n{parts}" if parts else ""
        return f"{text}{part}{_reach(best)}{assumptions(best, style) if part else ''}"
    return f"{text}{_beneath(best, subject)}{_rental_line(rental)}"


def _distance(answer: Answer) -> tuple[int, int]:
    """How far an answer is from running: its verdict, and of those too large the smallest; the first of equals is the one to take."""
    verdict = answer["verdict"]
    return VERDICTS.index(verdict), (answer.get("memory") or {}).get("total_bytes") or 0 if verdict == "does-not-fit" else 0


GIVES_WAY = ("quality", "of GiB", "longest context", "tokens/s")
"""Columns a narrow terminal goes without, first to go first."""


def _answer_table(answers: Sequence[Answer], subject: str, style: Style, width: int | None) -> str:
    """The answers, without the columns in which nobody has anything to say."""
    rows = [_row(answer, subject) for answer in answers]
    names = [name for name in rows[0] if any(row[name] not in ("", "-") for row in rows)]
    for name in GIVES_WAY:
        if width is None or _width(names, rows) <= width:
            break
        names = [other for other in names if other != name]
    roles = ["=" if name == "verdict" else "" for name in names]
    return table(names, [[row[name] for name in names] for row in rows], 64, _verdicts(style), roles, ["why"])


def _width(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> int:
    """Characters of a line; the reasons at its end may run over."""
    return sum(2 + max(len(name), *(len(row[name]) for row in rows)) for name in names if name != "why") - 2


def _verdicts(style: Style) -> Style:
    """Verdicts are shown in words; their colour is that of the contract's name."""
    names = {shown: verdict for verdict, shown in SYMBOLS.items()}
    return lambda text, role: style(text, names.get(role, role))


def _subject_line(answer: Answer, subject: str, style: Style) -> str:
    what = {
        "quantization": f"{answer['model']} on {answer['gpu']}",
        "gpu": f"cards for {answer['model']}",
        "model": f"models for {answer['gpu']}",
    }[subject]
    doing = "" if answer.get("task", "inference") == "inference" else f", {_doing(answer)}"
    cards = f", {answer['gpu_count']} cards" if answer["gpu_count"] > 1 else ""
    return f"{style(printable(what), 'title')}  {answer['runtime']}, {answer['context_tokens']:,} tokens{doing}{cards}"


def _row(answer: Answer, subject: str) -> dict[str, str]:
    memory = answer.get("memory") or {}
    longest = answer.get("max_context_tokens")
    runs = answer["verdict"] in ("fits", "tight")
    named = {} if subject == "quantization" else {"card" if subject == "gpu" else subject: answer[subject]}
    return {
        **named,
        "quantization": answer["quantization"],
        "verdict": SYMBOLS[answer["verdict"]],
        "needs GiB": gib(memory.get("total_bytes")),
        "of GiB": gib(answer.get("available_bytes")),
        "tokens/s": speed(answer.get("decode_tokens_per_second")) if runs else "-",
        "quality": "-" if subject == "gpu" else cost(answer.get("quality")),
        "longest context": f"{longest:,}" if longest else "-",
        "why": answer["reasons"][0]["message"] if answer["reasons"] and not runs else "",
    }


def speed(interval: Mapping[str, Any] | None) -> str:
    """An interval of tokens per second in two digits, as 35-75; a tilde where the evidence is thin, a dash where there is none."""
    if interval is None:
        return "-"
    return f"{'~' if interval.get('rough') else ''}{_two_digits(interval['low'])}-{_two_digits(interval['high'])}"


def _two_digits(value: float) -> str:
    if value < 1:
        return f"{value:.1g}"
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{float(f'{value:.2g}'):,.0f}"


def cost(quality: Mapping[str, Any] | None) -> str:
    """What a quantization costs, short: percent of perplexity or points of a score."""
    if quality is None:
        return "-"
    if quality["unit"] == "relative":
        return f"perplexity {quality['difference']:+.1%}"
    return f"score {quality['difference']:+.1f}"


def _cost_sentence(answer: Answer) -> str:
    quality = answer.get("quality")
    if quality is None:
        return ""
    points = " points" if quality["unit"] == "points" else ""
    whose = "" if quality["exact"] else f", published for {printable(quality['of_model'])}"
    return f"  quality of {answer['quantization']}: {cost(quality)}{points} against 16 bit ({printable(quality['metric'])}{whose})\n"


def _beneath(best: Answer, subject: str) -> str:
    """One line under a list of cards: what the quantization they all run costs."""
    sentence = _cost_sentence(best) if subject == "gpu" else ""
    return f"\n{sentence}" if sentence else ""


def _rental_line(rental: Mapping[str, Any] | None) -> str:
    if rental is None:
        return ""
    seen = f"seen {rental['as_of']}" if rental.get("as_of") else "day not known"
    cards = f"{rental['gpu_count']} x {rental['gpu']}" if rental["gpu_count"] > 1 else rental["gpu"]
    price = f"{rental['amount']:.2f} {rental['currency']} an hour at {rental['provider']}, {seen}"
    return printable(f"  cheapest known rent for {rental['quantization']}: {cards}, {price}") + "\n"


def _single(answer: Answer, style: Style) -> str:
    verdict = answer["verdict"]
    lines = [f"{_headline(answer, style)}\n", f"{printable(answer['gpu'])}: {style(SYMBOLS[verdict], verdict)}"]
    if answer.get("available_bytes") is not None:
        lines.append(f", {gib(answer['available_bytes'])} GiB available\n")
    else:
        lines.append("\n")
    lines.extend(f"  {printable(reason['message'])}\n" for reason in answer["reasons"])
    lines.append(_memory_alone(answer))
    if answer.get("memory"):
        lines.append(f"\n{breakdown(answer['memory'], style, answer.get('training'))}{_beside(answer['memory'])}")
    lines.append(_reach(answer))
    lines.append(assumptions(answer, style))
    return "".join(lines)


def _memory_alone(answer: Answer) -> str:
    """Of what is refused for another reason: whether the bytes would go in, so that one knows what the way out is worth."""
    memory, available = answer.get("memory"), answer.get("available_bytes")
    if answer["verdict"] != "unsupported" or not memory or memory["high_bytes"] is None or not available:
        return ""
    if memory["high_bytes"] <= available:
        return f"  the memory would do: {gib(memory['low_bytes'])} to {gib(memory['high_bytes'])} GiB\n"
    return f"  the memory would not do either: {gib(memory['low_bytes'])} to {gib(memory['high_bytes'])} GiB\n"


def _reach(answer: Answer) -> str:
    """How far the card goes with this model: longest context, most sequences, fewest cards, lowest price."""
    lines = []
    runs = answer["verdict"] in ("fits", "tight")
    if runs and (decode := answer.get("decode_tokens_per_second")):
        lines.append(f"  answers at {speed(decode)} tokens/s with the context full{', a rough figure' if decode['rough'] else ''}\n")
    if runs and (prefill := answer.get("prefill_tokens_per_second")):
        lines.append(f"  reads a prompt of {answer['prompt_tokens']:,} tokens at {speed(prefill)} tokens/s\n")
    lines.append(_cost_sentence(answer))
    if answer.get("largest_quantization") and answer["largest_quantization"] != answer["quantization"]:
        lines.append(f"  best quantization that fits: {answer['largest_quantization']}\n")
    if answer.get("max_context_tokens"):
        lines.append(f"  longest context that fits: {answer['max_context_tokens']:,} tokens\n")
    if answer.get("max_concurrency"):
        lines.append(f"  sequences of {answer['context_tokens']:,} tokens at once: {answer['max_concurrency']:,}\n")
    if (answer.get("min_gpus") or 0) > 1:
        lines.append(f"  fewest such cards: {answer['min_gpus']}\n")
    price = answer.get("usd_per_hour")
    if price:
        seen = f", seen {price['as_of']}" if price.get("as_of") else ", day not known"
        lines.append(f"  lowest known rent: {price['amount']:.2f} USD an hour at {printable(str(price['provider']))}{seen}\n")
    return "\n" + "".join(lines) if any(lines) else ""
