"""One warm `fit` as a whole process, against the npm peer `fitllm` on the same question, in turn in one run.

    python benchmarks/query.py            # installs the peer into build/bench with npm the first time

Prints the median of user + system CPU seconds and of wall seconds of both, and the ratios ours / peer. Limit: 1.0.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEER_VERSION = "2.18.0"
ROUNDS = 15
LIMIT = 1.0
PROJECT = Path(__file__).parent.parent


def peer_command() -> list[str]:
    """The peer's command, installed on first use."""
    folder = PROJECT / "build" / "bench"
    entry = folder / "node_modules" / ".bin" / "fitllm"
    if not entry.exists():
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("this benchmark needs npm, to install the peer")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", str(folder), f"fitllm@{PEER_VERSION}"], check=True)
    return [str(entry), "llama-3.1-8b", "--gpu", "4090", "--quant", "Q4_K_M", "--json"]


def our_command() -> list[str]:
    """The installed command where there is one, as a person would run it."""
    script = Path(sys.executable).parent / "llmops-catalog"
    start = [str(script)] if script.exists() else [sys.executable, "-m", "llmops_catalog"]
    return [*start, "fit", "--model", "meta-llama/llama-3.1-8b-instruct", "--gpu", "4090", "--quantization", "q4_k_m", "--format", "json"]


def run(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of one whole process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def main() -> int:
    """0 when we are at least as fast as the peer."""
    ours, peer = our_command(), peer_command()
    run(ours)  # the compiled catalog is built here
    time.sleep(2.5)  # and the stamp is believed from here on
    run(ours), run(peer)
    pairs = [(run(ours), run(peer)) for _ in range(ROUNDS)]
    for position, name in enumerate(("cpu", "wall")):
        mine = statistics.median(pair[0][position] for pair in pairs)
        theirs = statistics.median(pair[1][position] for pair in pairs)
        ratio = statistics.median(pair[0][position] / pair[1][position] for pair in pairs)
        print(f"{name:4}  llmops-catalog {mine:.3f} s   fitllm {PEER_VERSION} {theirs:.3f} s   ratio {ratio:.2f} (limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
