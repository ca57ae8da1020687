"""Adds evidence: runs a model of a known shape in Transformers on your CUDA card and writes a `measurements` record.

    python benchmarks/measure_memory.py qwen/qwen3-0.6b
    python benchmarks/measure_memory.py qwen/qwen3-8b --prompt 1 4096 16384 --batch 1 4 --new 64
    python benchmarks/measure_memory.py --config config.json --name "My model 3B" --python ~/torch/bin/python

The model gets random weights on the card: nothing is downloaded. Every configuration runs in a process of its own, so that
peaks do not mix. PyTorch and Transformers (4.45 or newer) are needed there, not here: `--python` names a Python that has
them. `--plan` shows what would run and what we expect it to need. Exit codes: 0 written, 1 nothing could be measured,
2 wrong usage, 3 no card or no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from measuring.configs import config_values
from measuring.record import Run, Subject, record_name, record_text

from llmops_catalog import load_catalog
from llmops_catalog.catalog import Catalog
from llmops_catalog.errors import CatalogError
from llmops_catalog.fit import MissingFact, ModelFacts, estimate
from llmops_catalog.fit.sizes import shown

CHILD = Path(__file__).parent / "measuring" / "run.py"
PROMPTS, BATCHES, NEW = (1, 1024, 4096), (1,), 32
MOST_RUNS, MOST_TOKENS, MOST_SECONDS = 64, 4_000_000, 3600
NOT_OF_THE_SHAPE = ("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "auto_map", "quantization_config")
"""Keys of a config.json that say where it comes from, or how its checkpoint is stored."""


class Wrong(Exception):
    """Ends the program: one sentence, and the exit code."""

    def __init__(self, sentence: str, code: int = 2) -> None:
        super().__init__(sentence)
        self.code = code


class Shape(NamedTuple):
    """The model to make: a record's facts with their config values, or a config.json."""

    name: str
    model_id: str | None
    facts: ModelFacts | None
    order: dict[str, Any]
    vocab_size: int


def main(arguments: list[str] | None = None) -> int:
    """Runs every configuration and writes the record."""
    options = _options(arguments)
    try:
        catalog = load_catalog(options.catalog)
        runs = [(batch, prompt) for batch in options.batch for prompt in options.prompt]
        _within_reason(options, runs)
        shape = _shape(catalog, options, max(options.prompt) + options.new)
        if options.plan:
            return _plan(shape, options, runs)
        return _measure(catalog, shape, options, runs)
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return wrong.code
    except CatalogError as error:
        print(error, file=sys.stderr)
        return 2


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("model", nargs="?", help="a model of the catalog: its id, Hub id or name")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a Hugging Face config.json instead")
    parser.add_argument("--name", help="what the model of --config is called")
    parser.add_argument("--dtype", choices=("bf16", "f16", "f32"), default="bf16", help="number format of the weights (default: bf16)")
    parser.add_argument("--prompt", type=int, nargs="+", default=list(PROMPTS), metavar="N", help="tokens of it (default: 1 1024 4096)")
    parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES), metavar="N", help="sequences at once (default: 1)")
    parser.add_argument("--new", type=int, default=NEW, metavar="N", help="tokens to generate (default: %(default)s)")
    parser.add_argument("--attention", choices=("sdpa", "eager", "flash_attention_2"), help="default: what Transformers chooses")
    parser.add_argument("--card", type=int, default=0, metavar="N", help="which card, as nvidia-smi counts (default: %(default)s)")
    parser.add_argument("--gpu", metavar="ID", help="the card's record, where its name does not find it")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="a Python that has PyTorch (default: this one)")
    parser.add_argument("--timeout", type=int, default=600, metavar="S", help="seconds for one configuration (default: %(default)s)")
    parser.add_argument("--url", help="where the output can be seen: without it the record says that nobody checked it")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: catalog/measurements/measured/MODEL-DTYPE-CARD.yaml")
    parser.add_argument("--catalog", metavar="DIR", help="the catalog (default: as llmops-catalog)")
    parser.add_argument("--plan", action="store_true", help="only show what would run, and what it should need")
    return parser.parse_args(arguments)


def _within_reason(options: argparse.Namespace, runs: list[tuple[int, int]]) -> None:
    if min(*options.prompt, *options.batch, options.new, options.timeout) < 1 or options.card < 0:
        raise Wrong("--prompt, --batch, --new and --timeout are 1 or more, --card is 0 or more")
    if len(runs) > MOST_RUNS or options.timeout > MOST_SECONDS:
        raise Wrong(f"{len(runs)} configurations of up to {options.timeout} s: at most {MOST_RUNS}, of {MOST_SECONDS} s each")
    if max(batch * (prompt + options.new) for batch, prompt in runs) > MOST_TOKENS:
        raise Wrong(f"more than {MOST_TOKENS:,} tokens at once: choose a smaller --prompt, --batch or --new")


def _shape(catalog: Catalog, options: argparse.Namespace, positions: int) -> Shape:
    if (options.model is None) == (options.config is None):
        raise Wrong("name a model of the catalog, or give a config.json with --config")
    if options.config is not None:
        return _from_file(options.config, options.name)
    facts = catalog.model(options.model)
    kind = facts.kind if facts.kind in ("encoder", "encoder-decoder") else "decoder"
    parameters = facts.total_parameters - (facts.other_modality_parameters or 0)
    values = config_values(facts, positions)
    order = {"model_type": facts.model_type, "kind": kind, "values": values, "config": None, "parameters": parameters}
    return Shape(facts.name, facts.id, facts, order, facts.vocab_size)


def _from_file(path: Path, name: str | None) -> Shape:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Wrong(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    config = written.get("text_config", written) if isinstance(written, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise Wrong(f"{path} is no config of a model: it names no model_type")
    vocabulary = config.get("vocab_size")
    if not isinstance(vocabulary, int) or vocabulary < 2:
        raise Wrong(f"{path} names no vocab_size")
    if not name:
        raise Wrong("say what the model is called: --name")
    shape = {key: value for key, value in config.items() if key not in NOT_OF_THE_SHAPE}
    made_for = " ".join(config.get("architectures") or written.get("architectures") or ())
    kind = "encoder-decoder" if config.get("is_encoder_decoder") else "encoder" if "ForMaskedLM" in made_for else "decoder"
    return Shape(name, None, None, {"model_type": config["model_type"], "kind": kind, "config": shape, "values": None}, vocabulary)


def _plan(shape: Shape, options: argparse.Namespace, runs: list[tuple[int, int]]) -> int:
    for batch, prompt in runs:
        expected = _expected(shape, options, batch, prompt)
        print(f"{shape.name}, {options.dtype}: {batch} x {prompt:,} tokens, {options.new} more{f': {expected}' if expected else ''}")
    return 0


def _expected(shape: Shape, options: argparse.Namespace, batch: int, prompt: int) -> str:
    if shape.facts is None:
        return ""
    tokens = {"context_tokens": prompt + options.new, "prompt_tokens": prompt, "concurrency": batch}
    try:
        memory = estimate(shape.facts, quantization=options.dtype, runtime="transformers", **tokens).memory
    except MissingFact:
        return ""
    return f"{shown(memory.low_bytes)} to {shown(memory.high_bytes)} expected on the card"


def _measure(catalog: Catalog, shape: Shape, options: argparse.Namespace, wanted: list[tuple[int, int]]) -> int:
    host = _child(options, {"do": "probe"})
    if "refused" in host:
        raise Wrong(host["sentence"], 3)
    runs = []
    for batch, prompt in wanted:
        order = {**shape.order, "do": "measure", "device": "cuda", "dtype": options.dtype, "attention": options.attention}
        order |= {"vocab_size": shape.vocab_size, "sequences": batch, "prompt_tokens": prompt, "new_tokens": options.new}
        before = _used_before(options.card)
        read = _child(options, order)
        if "refused" in read:
            print(f"{batch} x {prompt:,} tokens: {read['refused']}: {read['sentence']}", file=sys.stderr)
            continue
        new = 0 if shape.order["kind"] == "encoder" else options.new
        runs.append(Run(batch, prompt, new, read["weights_bytes"], read["allocated_bytes"], read["reserved_bytes"],
                        before, read["loaded_mib"], read["after_mib"], read["total_mib"]))  # fmt: skip
        print(f"{batch} x {prompt:,} tokens: peak {shown(runs[-1].allocated_bytes)}, {_expected(shape, options, batch, prompt)}")
    if not runs:
        raise Wrong("nothing could be measured, so no record was written", 1)
    gpu = _card(catalog, options.gpu or host["card"], asked=bool(options.gpu))
    versions = (host["transformers"], host["torch"], host["cuda"], host["driver"])
    subject = Subject(shape.model_id, shape.name, gpu, host["card"], options.dtype, options.attention, *versions)
    return _write(subject, runs, options)


def _child(options: argparse.Namespace, order: dict[str, Any]) -> dict[str, Any]:
    """The answer of one process; a crash or a time-out is an answer too."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": str(options.card), "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            [options.python, str(CHILD)], input=json.dumps(order), capture_output=True, text=True, timeout=options.timeout,
            env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"refused": "time-out", "sentence": f"not done after {options.timeout} s"}
    except OSError as error:
        return {"refused": "no-python", "sentence": f"{options.python} cannot be run: {error.strerror}"}
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return {"refused": "crash", "sentence": f"exit code {done.returncode}: {last[:300]}"}
    return answer if isinstance(answer, dict) else {"refused": "crash", "sentence": "an answer that is none"}


def _used_before(card: int) -> int | None:
    """MiB in use before the run, which needs no CUDA context of ours; None where there is no nvidia-smi."""
    command = ["nvidia-smi", f"--id={card}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return int(said) if said.isdecimal() else None


def _card(catalog: Catalog, name: str, asked: bool) -> str | None:
    """The record of the card; None where CUDA's name for it finds none and nobody named one."""
    try:
        return catalog.gpu(name).id
    except CatalogError:
        if asked:
            raise
        return None


def _write(subject: Subject, runs: list[Run], options: argparse.Namespace) -> int:
    path = options.output or Path(options.catalog or "catalog") / "measurements" / "measured" / f"{record_name(subject)}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record_text(subject, runs, datetime.now(UTC).date(), options.url), encoding="utf-8")
    print(f"{path}: written; check it with 'llmops-catalog validate {path}'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
