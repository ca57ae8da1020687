"""From the runs to a record of the catalog, in its one form: what `llmops-catalog validate` and `fmt --check` accept."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

import yaml

from llmops_catalog.catalog.layout import in_form

SCRIPT = "https://github.com/llmops-catalog/llmops-catalog/blob/main/benchmarks/measure_memory.py"
NAMES = {"f32": "32 bit", "f16": "fp16", "bf16": "bfloat16"}


class Subject(NamedTuple):
    """What was measured on what: ids where the catalog has records, names where not."""

    model: str | None
    model_name: str
    gpu: str | None
    gpu_name: str
    dtype: str
    attention: str | None
    transformers: str
    torch: str
    cuda: str
    driver: str


class Run(NamedTuple):
    """One process: sizes in tokens, peaks in bytes, what the driver said in MiB."""

    sequences: int
    prompt_tokens: int
    new_tokens: int
    weights_bytes: int
    allocated_bytes: int
    reserved_bytes: int
    before_mib: int | None
    loaded_mib: int
    after_mib: int
    total_mib: int


class _Plain(yaml.SafeDumper):
    """Without anchors and aliases, which records do not use."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def record_text(subject: Subject, runs: list[Run], measured: date, url: str | None) -> str:
    """The YAML of one record. `url`: where the output can be seen; without one the record says that nobody checked it."""
    data = {
        "title": f"{subject.model_name} in {NAMES[subject.dtype]} on {_article(subject.gpu_name)}: peak memory in Transformers",
        **({"model": subject.model} if subject.model else {"model_name": subject.model_name}),
        "quantization": subject.dtype,
        "runtime": "transformers",
        "runtime_version": f"transformers {subject.transformers}",
        **({"gpu": subject.gpu} if subject.gpu else {"gpu_name": subject.gpu_name}),
        "gpus": 1,
        "kind": "memory",
        "grade": "log" if url else "self-reported",
        "measured": measured,
        "method": _method(subject, runs),
        "url": url or SCRIPT,
        "readings": [reading for index, run in enumerate(runs) for reading in _readings(run, first=index == 0)],
        "tags": ["random-weights"],
        "confidence": "high" if url else "medium",
        "sources": [{"url": url or SCRIPT, "supports": ["readings", "method"], "checked": measured}],
    }
    raw = yaml.dump(data, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=10_000)
    return in_form(raw.encode(), "measurements")


def record_name(subject: Subject) -> str:
    """File name of the record: model, format, card."""
    model = (subject.model or subject.model_name).rpartition("/")[2]
    card = (subject.gpu or subject.gpu_name).rpartition("/")[2]
    return re.sub(r"[^a-z0-9.]+", "-", f"{model}-{subject.dtype}-{card}".casefold()).strip("-")


def _article(name: str) -> str:
    return f"an {name}" if name[:1] in "AEFHILMNORSX" else f"a {name}"


def _method(subject: Subject, runs: list[Run]) -> str:
    new = sorted({run.new_tokens for run in runs})
    answer = f"{', '.join(str(number) for number in new)} tokens generated" if any(new) else "one pass of the encoder"
    attention = f"attention {subject.attention}" if subject.attention else "the attention Transformers chooses"
    return (
        f"A model of this shape with random weights, each prompt prefilled and {answer} in a process of its own. Weights and peaks as "
        f"PyTorch's allocator counts them, without the CUDA context; the driver's readings cover the whole card. PyTorch {subject.torch}, "
        f"CUDA {subject.cuda}, driver {subject.driver}, {attention}."
    )


def _readings(run: Run, first: bool) -> list[dict[str, Any]]:
    setup = {"concurrency": run.sequences, "context_tokens": run.prompt_tokens + run.new_tokens, "prompt_tokens": run.prompt_tokens}
    before = (
        [] if run.before_mib is None else [{"measure": "driver-used-before", "value": run.before_mib, "unit": "MiB", "of": run.total_mib}]
    )
    loaded = [
        {"measure": "weights", "value": run.weights_bytes, "unit": "B"},
        *before,
        {"measure": "driver-used-loaded", "value": run.loaded_mib, "unit": "MiB", "of": run.total_mib},
    ]
    return [
        *(loaded if first else []),
        {**setup, "measure": "allocated-peak", "value": run.allocated_bytes, "unit": "B"},
        {**setup, "measure": "reserved-peak", "value": run.reserved_bytes, "unit": "B"},
        {**setup, "measure": "driver-used-after-run", "value": run.after_mib, "unit": "MiB", "of": run.total_mib},
    ]
