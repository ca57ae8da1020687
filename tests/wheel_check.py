"""Runs the installed wheel's command in an empty folder: what a newcomer gets from a plain `pip install`. Called by .ci/run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile


def main() -> int:
    """0 when every question is answered from the packaged catalog."""
    command = sys.argv[1]
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "LLMOPS_CATALOG_CACHE": f"{empty}/cache", "PYTHONPATH": ""}

        def run(*arguments: str) -> str:
            folder = f"{empty}/elsewhere"
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            done = subprocess.run([command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(arguments)} exited {done.returncode}\n{done.stdout}{done.stderr}")
            return done.stdout

        models = json.loads(run("list", "models", "--format", "json"))
        assert models["total"] >= 40, models["total"]
        answers = json.loads(run("fit", "--gpu", "t4", "--format", "json"))
        assert any(answer["verdict"] == "fits" for answer in answers["results"])
        one = json.loads(
            run("fit", "--model", "meta-llama/Llama-3.1-8B-Instruct", "--gpu", "T4", "--quantization", "q4_k_m", "--format", "json")
        )
        assert one["results"][0]["verdict"] == "fits", one["results"][0]
        assert "T4" in run("show", "t4")
        assert run("validate").strip().endswith("0 warnings")
        run("render", "--to", "pages")
        assert os.path.exists(f"{empty}/elsewhere/pages/index.md")  # noqa: PTH110
    print(f"the wheel answers in an empty folder: {models['total']} models, {len(answers['results'])} answers for a T4")
    return 0


if __name__ == "__main__":
    sys.exit(main())
