"""Us beside the installable peers: the same question as a whole process, and the same measured memory as an answer.

    python benchmarks/peers.py            # installs the peers into build/bench the first time (npm and pip)

First the time: user + system CPU and wall seconds of one warm `fit`, in turn in one run, and the ratios ours / peer.
Limit: 0.8 of each. Then the answers: every published reading of a whole run that a peer has an answer for, its error and
ours on the same rows. Peers that must ask the Hub (kvfit, whichllm, hf-mem) or read the weights' file (modelinfo) cannot
answer offline, and llm-mem-planner knows one family: they are not asked.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from support.installing import PROJECT, from_npm, from_pypi

from llmops_catalog import load_catalog
from llmops_catalog.accuracy import Checked, check
from llmops_catalog.accuracy.figures import ninth_of_ten

FITLLM_VERSION, LLMFIT_VERSION = "2.18.0", "1.1.17"
ROUNDS = 15
LIMIT = 0.8

FITLLM_MODELS = {
    "meta-llama/llama-3.1-8b-instruct": "llama-3.1-8b",
    "meta-llama/llama-3.2-1b-instruct": "llama-3.2-1b",
    "meta-llama/llama-3.2-3b-instruct": "llama-3.2-3b",
    "qwen/qwen3-0.6b": "qwen3-0.6b",
    "qwen/qwen3-1.7b": "qwen3-1.7b",
    "openai/gpt-oss-20b": "gpt-oss-20b",
    "openai/gpt-oss-120b": "gpt-oss-120b",
}
FITLLM_QUANTIZATIONS = {"bf16": "FP16", "f16": "FP16", "q8_0": "Q8_0", "q6_k": "Q6_K", "q5_k_m": "Q5_K_M", "q4_k_m": "Q4_K_M"}
LLMFIT_QUANTIZATIONS = {
    "bf16": "BF16", "f16": "F16", "q8_0": "Q8_0", "q6_k": "Q6_K", "q5_k_m": "Q5_K_M", "q4_k_m": "Q4_K_M", "q4_0": "Q4_0",
    "gptq-int4": "GPTQ-Int4", "gptq-int8": "GPTQ-Int8", "awq-int4": "AWQ-4bit",
}  # fmt: skip
"""The peers' own words for a model and a format."""


class Peer(NamedTuple):
    """A program we are compared with: how it is asked our question, and what it answers to a measured one, in bytes."""

    name: str
    command: list[str]
    answer: Callable[[Checked], float | None]


def fitllm() -> str:
    """The npm peer's command."""
    return str(from_npm("fitllm", FITLLM_VERSION))


def llmfit() -> str:
    """The PyPI peer's command."""
    return str(from_pypi("llmfit", LLMFIT_VERSION, "llmfit"))


def peers() -> list[Peer]:
    """The peers that answer offline, with models and formats of their own."""
    return [
        Peer(f"fitllm {FITLLM_VERSION}", [fitllm(), "llama-3.1-8b", "--gpu", "4090", "--quant", "Q4_K_M", "--json"], fitllm_bytes),
        Peer(
            f"llmfit {LLMFIT_VERSION}",
            [llmfit(), "plan", "meta-llama/Llama-3.1-8B-Instruct", "--context", "8192", "--quant", "Q4_K_M", "--json"],
            llmfit_bytes,
        ),
    ]


def our_command() -> list[str]:
    """The installed command where there is one, as a person would run it."""
    script = Path(sys.executable).parent / "llmops-catalog"
    start = [str(script)] if script.exists() else [sys.executable, "-m", "llmops_catalog"]
    return [*start, "fit", "--model", "meta-llama/llama-3.1-8b-instruct", "--gpu", "4090", "--quantization", "q4_k_m", "--format", "json"]


def run(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of one whole process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=PROJECT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def asked(command: list[str]) -> dict[str, object] | None:
    """What a peer prints as JSON; None where it has no answer."""
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    start = found.stdout.find("{")
    if start < 0:
        return None
    try:
        return dict(json.loads(found.stdout[start:]))
    except ValueError:
        return None


def fitllm_bytes(one: Checked) -> float | None:
    """What fitllm says is used, less the reserve for a desktop it adds; its GB are GiB (4.56 for 4.58 GiB of Q4_K_M)."""
    question = one.estimate.question
    model, format_name = FITLLM_MODELS.get(one.model_id), FITLLM_QUANTIZATIONS.get(question.quantization)
    if model is None or format_name is None or question.gpu_count > 1:
        return None
    found = asked([fitllm(), model, "--gpu", "4090", "--quant", format_name, "--ctx", str(question.context_tokens), "--json"])
    if found is None or "usedGB" not in found:
        return None
    return float((found["usedGB"] - found["breakdown"]["reserveGB"]) * 2**30)  # type: ignore[index]  # JSON of the peer


def llmfit_bytes(one: Checked) -> float | None:
    """The smallest card llmfit asks for; it adds decimal GB of weights and GiB of cache and calls the sum GB."""
    question = one.estimate.question
    format_name = LLMFIT_QUANTIZATIONS.get(question.quantization)
    if not one.model.hub_id or format_name is None or question.gpu_count > 1:
        return None
    command = [llmfit(), "plan", one.model.hub_id, "--context", str(question.context_tokens), "--quant", format_name, "--json"]
    found = asked(command)
    return float(found["minimum"]["vram_gb"]) * 10**9 if found and "minimum" in found else None  # type: ignore[index]  # as above


def times(others: list[Peer]) -> bool:
    """Prints the ratios of time; True where all are within the limit."""
    ours = our_command()
    run(ours)  # the compiled catalog is built here
    time.sleep(2.5)  # and the stamp is believed from here on
    for command in (ours, *(peer.command for peer in others)):
        run(command)
    rounds = [[run(command) for command in (ours, *(peer.command for peer in others))] for _ in range(ROUNDS)]
    within = True
    for place, peer in enumerate(others, start=1):
        for position, name in enumerate(("cpu", "wall")):
            mine, theirs = (statistics.median(found[column][position] for found in rounds) for column in (0, place))
            ratio = statistics.median(found[0][position] / found[place][position] for found in rounds)
            print(f"{name:4}  llmops-catalog {mine:.3f} s   {peer.name} {theirs:.3f} s   ratio {ratio:.2f} (limit {LIMIT})")
            within = within and (ratio <= LIMIT or name == "wall")
    return within


def answers(others: list[Peer]) -> None:
    """Prints each peer's errors and ours on the rows it has an answer for."""
    totals = [one for one in check(load_catalog(PROJECT / "catalog")).compared if one.comparison.term == "total"]
    for peer in others:
        known: dict[tuple[object, ...], float | None] = {}
        rows = []
        for one in totals:
            question = (one.model_id, one.estimate.question)
            if question not in known:
                known[question] = peer.answer(one)
            theirs = known[question]
            if theirs is not None:
                rows.append((abs(theirs / one.comparison.measured_bytes - 1), abs(one.comparison.error)))
        if not rows:
            print(f"{peer.name} has no answer to any of the {len(totals)} readings")
            continue
        shown = []
        for name, errors in ((peer.name, sorted(row[0] for row in rows)), ("llmops-catalog", sorted(row[1] for row in rows))):
            shown.append(f"{name} half within {statistics.median(errors):.1%}, nine of ten within {ninth_of_ten(errors):.1%}")
        print(f"{len(rows)} of {len(totals)} measured totals: {'; '.join(shown)}")


def main() -> int:
    """0 where our CPU time is within the limit of every peer's."""
    others = peers()
    within = times(others)
    answers(others)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
