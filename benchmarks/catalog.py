"""The real catalog, whole processes: `validate` of every record, and warm `search`, against the limits they are held to.

    python benchmarks/catalog.py

Prints medians and their ratios to the limits: 1.5 s of CPU for `validate`, 0.25 s of wall time for one `search`.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent
VALIDATE_ROUNDS, SEARCH_ROUNDS = 5, 9
VALIDATE_LIMIT_CPU_S, SEARCH_LIMIT_WALL_S = 1.5, 0.25
WORDS = ("4090", "llama 8b", "qlora", "karpathy")


def run(*arguments: str) -> tuple[float, float, str]:
    """CPU seconds, wall seconds and output of one command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "llmops_catalog", *arguments]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if answer.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{answer.stderr[:2000]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, answer.stdout


def main() -> int:
    """Measures and compares."""
    records = run("validate")[2].split(":")[0]
    cpu = statistics.median(run("validate")[0] for _ in range(VALIDATE_ROUNDS))
    print(f"validate: {records}, {cpu:.2f} s of CPU (median of {VALIDATE_ROUNDS}), ratio to the limit {cpu / VALIDATE_LIMIT_CPU_S:.2f}")
    slowest = 0.0
    for words in WORDS:
        run("search", words)
        wall = statistics.median(run("search", words)[1] for _ in range(SEARCH_ROUNDS))
        slowest = max(slowest, wall)
        print(f"search {words!r}: {wall:.3f} s (median of {SEARCH_ROUNDS}), ratio to the limit {wall / SEARCH_LIMIT_WALL_S:.2f}")
    return 1 if cpu > VALIDATE_LIMIT_CPU_S or slowest > SEARCH_LIMIT_WALL_S else 0


if __name__ == "__main__":
    sys.exit(main())
