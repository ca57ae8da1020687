"""From a record's plain data to facts: what is filled in, what stays unknown, and what the room may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from facts_for_tests import GEMMA_2, LLAMA_8B, models, vectors

import llmops_catalog.fit as room
from llmops_catalog.catalog.facts import gpu_facts, model_facts
from llmops_catalog.fit.kv_cache import cached_layers

ROOM = Path(room.__file__).parent
RECORD = vectors("models")["models"]["meta-llama/llama-3.1-8b-instruct"]


def test_layers_are_expanded_and_groups_resolved():
    assert LLAMA_8B.layer_types == ("full_attention",) * 32
    assert [(group.layers, group.num_key_value_heads, group.head_dim) for group in LLAMA_8B.layer_groups] == [(32, 8, 128)]
    assert GEMMA_2.layer_types[:3] == ("sliding_attention", "full_attention", "sliding_attention")
    assert {group.type: (group.layers, group.sliding_window) for group in GEMMA_2.layer_groups} == {
        "sliding_attention": (21, 4096),
        "full_attention": (21, None),
    }


def test_groups_with_other_heads_keep_them():
    groups = {group.type: group for group in models()["google/gemma-4-26b-a4b-it"].layer_groups}
    assert (groups["full_attention"].num_key_value_heads, groups["full_attention"].head_dim) == (2, 512)
    assert (groups["sliding_attention"].num_key_value_heads, groups["sliding_attention"].sliding_window) == (8, 1024)


def test_the_smaller_of_stated_and_configured_context_counts():
    def limit(**context):
        return model_facts("a/b", {**RECORD, "context": context})

    assert limit(maximum=131072, configured=163840).max_context_tokens == 131072
    assert limit(maximum=256, configured=512).max_context_tokens == 256
    assert limit(maximum=256, configured=512).position_tokens == 512
    assert limit(maximum=None).max_context_tokens is None


def test_facts_of_a_card():
    card = gpu_facts(
        "nvidia/l4",
        {
            "name": "NVIDIA L4",
            "vendor": "nvidia",
            "architecture": "ada-lovelace",
            "segment": "datacenter",
            "memory": {"sold_gb": 24, "driver_mib": 23034, "cuda_gib": 22.161},
            "bandwidth_gb_s": 300.1,
            "compute_capability": "8.9",
            "formats": {"bf16": "native", "fp8": "native", "fp4": "none"},
            "launch_price": {"amount": 2500, "currency": "EUR"},
        },
    )
    assert card.capability == (8, 9)
    assert (card.driver_mib, card.cuda_gib, card.fp8, card.launch_price_usd) == (23034, 22.161, "native", None)
    assert gpu_facts("a/b", {"name": "B", "vendor": "amd", "memory": {"sold_gb": 16}}).capability is None


def test_the_room_imports_only_itself_and_the_errors():
    allowed = ("llmops_catalog.errors", "llmops_catalog.problems", "llmops_catalog.fit")
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                standard = name.split(".")[0] in sys.stdlib_module_names
                assert standard or name.startswith(allowed), f"{path.name} imports {name}"


def test_modules_stay_small():
    for path in ROOM.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, path


def test_answering_loads_nothing_heavy():
    script = "import sys, llmops_catalog.fit; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOM.parent.parent)
    loaded = set(done.stdout.split())
    assert not loaded & {
        "pydantic",
        "yaml",
        "rich",
        "click",
        "jinja2",
        "sqlite3",
        "json",
        "asyncio",
        "decimal",
        "fractions",
    }


def test_layers_that_reuse_a_cache_are_the_last_of_their_type_whatever_the_groups():
    """Gemma 4 E2B: its reusing layers are groups of their own, because their feed forward is wider."""
    model = models()["google/gemma-4-e2b-it"]
    narrow, wide = (
        [group._replace(layers=layers) for group, layers in zip(model.layer_groups, counts, strict=True)] for counts in ((12, 3), (16, 4))
    )
    apart = model._replace(layer_groups=(*narrow, *wide))
    assert [(group.layers, group.window) for group in cached_layers(apart)] == [(12, 512), (3, None)]
    assert cached_layers(apart) == cached_layers(model)
