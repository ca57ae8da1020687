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
SYMBOLS = {"fits": "fits", "tight": "tight", "does-not-fit": "does not fit", "unsupported": "unsupported", "unknown": "unknown"}


def gib(size: int | None) -> str:
    """Bytes as GiB with two decimals; a dash where nothing is known."""
    return "-" if size is None else f"{size / GIB:,.2f}"


def estimate_text(answer: Answer, style: Style = plain) -> str:
    """One configuration: what it needs, part by part, and the assumptions."""
    memory = answer["memory"]
    return f"{_headline(answer, style)}\n\n{breakdown(memory, style)}{_beside(memory)}{assumptions(answer, style)}"


def _headline(answer: Answer, style: Style) -> str:
    cards = f", {answer['gpu_count']} cards" if answer["gpu_count"] > 1 else ""
    sequences = f" x {answer['concurrency']} sequences" if answer["concurrency"] > 1 else ""
    return (
        f"{style(printable(answer['model']), 'title')}  {answer['quantization']}  {answer['runtime']}  "
        f"{answer['context_tokens']:,} tokens{sequences}, cache in {answer['kv_cache_type']}{cards}"
    )


def breakdown(memory: Mapping[str, Any], style: Style = plain) -> str:
    """The parts of the total, in GiB, and the interval the true value is expected in."""
    rows = [[label, gib(memory[part])] for part, label in PARTS if memory[part]]
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


def fit_text(answers: Sequence[Answer], subject: str, style: Style = plain) -> str:
    """Several answers as a table; one answer, or the best of those for one model and card, with its breakdown."""
    if not answers:
        return "nothing to answer: no model or card is left to try\n"
    if len(answers) == 1:
        return _single(answers[0], style)
    rows = [_row(answer, subject) for answer in answers]
    header = [{"quantization": "quantization", "gpu": "card", "model": "model"}[subject]]
    header += [] if subject == "quantization" else ["quantization"]
    header += ["verdict", "needs GiB", "of GiB", "longest context", "why"]
    roles = ["" if name != "verdict" else "=" for name in header]
    text = f"{_subject_line(answers[0], subject, style)}\n\n{table(header, rows, 64, _verdicts(style), roles)}"
    best = answers[0]
    if subject == "quantization":
        best = next((answer for answer in answers if answer["verdict"] == "fits"), best)
        return (
            f"{text}\n{best['quantization']}, part by part\n{breakdown(best['memory'], style)}{assumptions(best, style)}"
            if best.get("memory")
            else text
        )
    return text


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
    return f"{style(printable(what), 'title')}  {answer['runtime']}, {answer['context_tokens']:,} tokens" + (
        f", {answer['gpu_count']} cards" if answer["gpu_count"] > 1 else ""
    )


def _row(answer: Answer, subject: str) -> list[str]:
    memory = answer.get("memory") or {}
    names = [answer["quantization"]] if subject == "quantization" else [answer[subject], answer["quantization"]]
    longest = answer.get("max_context_tokens")
    why = answer["reasons"][0]["message"] if answer["reasons"] and answer["verdict"] not in ("fits", "tight") else ""
    return [
        *names,
        SYMBOLS[answer["verdict"]],
        gib(memory.get("total_bytes")),
        gib(answer.get("available_bytes")),
        f"{longest:,}" if longest else "-",
        why,
    ]


def _single(answer: Answer, style: Style) -> str:
    verdict = answer["verdict"]
    lines = [f"{_headline(answer, style)}\n", f"{printable(answer['gpu'])}: {style(SYMBOLS[verdict], verdict)}"]
    if answer.get("available_bytes") is not None:
        lines.append(f", {gib(answer['available_bytes'])} GiB available\n")
    else:
        lines.append("\n")
    lines.extend(f"  {printable(reason['message'])}\n" for reason in answer["reasons"])
    if answer.get("memory"):
        lines.append(f"\n{breakdown(answer['memory'], style)}{_beside(answer['memory'])}")
    lines.append(_reach(answer))
    lines.append(assumptions(answer, style))
    return "".join(lines)


def _reach(answer: Answer) -> str:
    """How far the card goes with this model: longest context, most sequences, fewest cards, lowest price."""
    lines = []
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
    return "\n" + "".join(lines) if lines else ""
