"""`validate` on a generated catalog of 1,000 records as a whole process, against the limit of one second of CPU.

    python benchmarks/validate.py                # prints the CPU seconds and the ratio to the limit; exits 1 where it is over
    python benchmarks/validate.py --keep DIR     # leaves the records in DIR/catalog

The records have the size and shape of real ones (some 1.6 KB; half of them models and cards, the rest things to read), all valid, with
references between them. User and system time of the child process are added; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RECORDS = 1000
ROUNDS = 7
LIMIT = 1.0
PROJECT = Path(__file__).parent.parent

SOURCES = """\
confidence: high
doubts:
  - {{field: {field}, confidence: thin, why: "taken from the family's other sizes, not read here"}}
sources:
  - {{url: "https://example.org/{name}/card", supports: [{field}], checked: 2026-11-20}}
  - {{url: "https://github.com/example/{name}/tree/v0.32.0", supports: [{field}], checked: 2026-11-20, note: exact figures in its presets}}
  - url: https://github.com/example/{name}/blob/78a2524e086d6e4d594077401cd5e35f8517e8c9/README.md
    supports: [{field}]
    checked: 2026-11-20
    note: the table under the first heading, row {number}
  - {{url: "https://huggingface.co/example/{name}/blob/main/config.json", supports: [{field}], checked: 2026-11-20}}
  - url: https://docs.example.com/{name}/guides/running-it-at-home.html
    supports: [{field}]
    checked: 2026-11-20
    note: compared with the vendor's own figures, which round to the next half
"""

MODEL = """\
name: Example {number} Instruct
summary: >-
  Follows instructions well for its size and fits a small card in four bits. Newer models of this size reason better; take this one when a
  guide, an adapter or a comparison depends on it.
hub_id: example-{org}/Example-{number}-Instruct
aliases: [example {number}]
developer: Example
family: example
watch_out:
  - access has to be requested once
modalities: [text]
tuning: instruct
released: 2024-07-23
license: {{id: Apache-2.0, url: "https://www.apache.org/licenses/LICENSE-2.0", commercial_use: yes}}
gated: {{mode: no}}
parameters: {{total: 8030261248}}
context: {{maximum: 131072}}
native_dtype: bf16
architecture:
  kind: decoder
  model_type: llama
  num_hidden_layers: 32
  hidden_size: 4096
  intermediate_size: 14336
  vocab_size: 128256
  tie_word_embeddings: false
  attention: {{num_attention_heads: 32, num_key_value_heads: 8, head_dim: 128}}
paper: https://example.org/papers/{number}
tags: [instruct, multilingual]
"""

GPU = """\
name: Example Card {number}
aliases: [card {number}]
vendor: nvidia
architecture: ada-lovelace
segment: datacenter
released: 2023-03-21
memory: {{sold_gb: 24, driver_mib: 23034, cuda_gib: 22.161, type: GDDR6}}
bandwidth_gb_s: 300.1
rates:
  fp16_tflops: 121
  fp16_vector_tflops: 30.29
  int8_tops: 242
  basis: computed from 752 tensor cores at 2280 MHz, FP32 accumulation at full rate
compute_capability: "8.9"
formats: {{bf16: native, fp8: native, fp4: none}}
interconnect: {{nvlink: false}}
tdp_w: 72
launch_price: {{amount: 2500, currency: USD, as_of: 2023-03}}
tags: [nvidia]
not_known:
  - {{field: colab, why: not seen in a session}}
"""

RESOURCE = """\
title: "How to run example {number}: a walk through every step"
authors: [A. Author, B. Writer]
published: 2024-05
level: intro
topics: [inference, quantization]
summary: >-
  Loads a model in four bits, measures what it takes, and shows what changes when the prompt grows. After it one can tell
  beforehand whether a model fits.
kind: article
url: https://example.org/articles/{number}
alt_urls: ["https://example.com/copies/{number}"]
free: yes
tags: [hands-on]
"""

CONCEPT = """\
title: Idea number {number}
summary: >-
  Keys and values of past tokens are kept so that each new token costs one step. The memory they take grows with the context and with every
  sequence served at once.
matters_because: It decides how many users one card can serve.
read_more: [resources/example/{number}, models/example-1/example-{number}]
tags: [memory]
"""

ARCHITECTURE = "name: Ada Lovelace\nvendor: nvidia\nsummary: The first consumer generation that computes in fp8.\n"

FAMILY = "name: Example\ndeveloper: Example\nsummary: Models that exist only to be counted.\n"


def write_catalog(folder: Path, records: int) -> int:
    """`records` valid records below `folder`; returns their bytes."""
    texts = {
        "architectures/ada-lovelace": ARCHITECTURE + SOURCES.format(field="summary", name="ada", number=0),
        "families/example": FAMILY + SOURCES.format(field="summary", name="family", number=0),
    }
    number = 0
    while len(texts) < records:
        number += 1
        fields = {"number": number, "org": number % 40}
        texts[f"models/example-1/example-{number}"] = MODEL.format(**fields) + SOURCES.format(
            field="released", name=f"model-{number}", number=number
        )
        texts[f"resources/example/{number}"] = RESOURCE.format(**fields) + SOURCES.format(
            field="published", name=f"resource-{number}", number=number
        )
        if number % 2:
            texts[f"gpus/nvidia/card-{number}"] = GPU.format(**fields) + SOURCES.format(
                field="memory", name=f"card-{number}", number=number
            )
        else:
            texts[f"concepts/idea-{number}"] = CONCEPT.format(**fields) + SOURCES.format(
                field="summary", name=f"idea-{number}", number=number
            )
    for record_id, text in list(texts.items())[:records]:
        path = folder / f"{record_id}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return sum(len(text.encode()) for text in list(texts.values())[:records])


def cpu_seconds(catalog: Path) -> float:
    """User and system seconds of one whole `validate`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(
        [sys.executable, "-m", "llmops_catalog", "--catalog", str(catalog), "validate"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if answer.returncode:
        sys.exit(f"the generated records are not valid:\n{answer.stderr[:2000]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Generates, measures, compares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", type=Path, help="leave the generated records in this folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        catalog = (chosen.keep or Path(temporary)) / "catalog"
        size = write_catalog(catalog, chosen.records)
        cpu_seconds(catalog)  # compiles the package's byte code and warms the disk
        rounds = [cpu_seconds(catalog) for _ in range(chosen.rounds)]
    median = statistics.median(rounds)
    limit = LIMIT * chosen.records / RECORDS
    print(f"validate: {chosen.records:,} records, {size / chosen.records:,.0f} bytes each")
    print(f"  CPU seconds: {median:.2f} (median of {chosen.rounds}; {min(rounds):.2f} to {max(rounds):.2f})")
    print(f"  ratio to the limit of {limit:.2f} s: {median / limit:.2f}")
    return 1 if median > limit else 0


if __name__ == "__main__":
    sys.exit(main())
