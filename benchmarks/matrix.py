"""The whole matrix: every model on every card in every quantization and runtime, at one context, in CPU seconds.

    python benchmarks/matrix.py [CONTEXT]      # tokens; default 8192, or what a model can

Prints how many verdicts, how they fall, and the CPU time without reading the catalog. Limit: 5 s.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from llmops_catalog import load_catalog
from llmops_catalog.fit import VERDICTS
from llmops_catalog.fit.matrix import MatrixRow, matrix

LIMIT_SECONDS = 5.0
PROJECT = Path(__file__).parent.parent


def main() -> int:
    """0 where the CPU time is within the limit."""
    context = int(sys.argv[1]) if len(sys.argv) > 1 else None
    catalog = load_catalog(PROJECT / "catalog")
    models, gpus = list(catalog.models()), list(catalog.gpus())
    started = time.process_time()
    rows: list[MatrixRow] = list(matrix(models, gpus, context_tokens=context))
    took = time.process_time() - started
    cells = Counter[int]()
    for row in rows:
        cells.update(row.verdicts)
    what = f"{len(models)} models x {len(gpus)} cards, {len(rows):,} rows, {cells.total():,} verdicts"
    print(f"{what} in {took:.2f} s of CPU (limit {LIMIT_SECONDS:g})")
    print(", ".join(f"{VERDICTS[verdict]} {number:,}" for verdict, number in sorted(cells.items())))
    return 0 if took <= LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
