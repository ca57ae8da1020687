"""The compute buffers of llama.cpp, card by card: the graph's shape at a micro-batch, a context, a build and a placement.

Read in https://github.com/ggml-org/llama.cpp/blob/master/src/llama-context.cpp (`sched_reserve`: the worst-case graph is
reserved for a whole micro-batch at the end of the context) and
https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-backend.cpp (what a card gets from outside is copied to it).
"""

import re
from typing import NamedTuple

from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.runtimes.llama_graph import Peak, Ways
from llmops_catalog.fit.runtimes.llama_layers import Shape, attends, boundary_width, graph_shape, slides

MICRO_BATCH = 512
"""Default of --ubatch-size (https://github.com/ggml-org/llama.cpp/blob/master/common/common.h)."""
PIPELINE_COPIES = 4
"""GGML_SCHED_MAX_COPIES: with all layers on several cards, every input of a card exists this often."""
FLASH_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cuda/fattn.cu"
FLASH_HEADS = (40, 64, 72, 80, 96, 112, 128, 256)
"""Head sizes with a flash-attention kernel, any number of heads
(https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cuda/fattn.cu)."""
FLASH_UNEVEN_HEADS = (192, 128)
"""Keys and values of different size, where query heads share a key head by the eight."""
FLASH_GROUPED_HEADS = (512,)
"""With one only where several query heads share a key head."""
FLASH_BUILD = 2776
"""Flash attention exists since https://github.com/ggml-org/llama.cpp/pull/5021, merged on 30 April 2024."""
PIPELINE_BUILD = 2400
"""Pipelines over several cards exist since https://github.com/ggml-org/llama.cpp/pull/6017 of March 2024; before it one
compute buffer stood on the first card alone."""
GLU_BUILD = 5790
"""The gate is activated and multiplied in one operation since https://github.com/ggml-org/llama.cpp/pull/14158 of June 2025."""
OUTPUT_FIRST_BUILD = 7460
"""The output layer is the first to come to a card since https://github.com/ggml-org/llama.cpp/pull/18148, proposed on 17 December
2025, the day of build 7445; before it came last."""
NARROW_MASK_BUILD = 9350
"""Masks are made in 16 bit since https://github.com/ggml-org/llama.cpp/pull/23764, merged in the last days of May 2026 (build
9272 is of 22 May); before it flash attention got them in 32 bit and turned them into 16 bit."""
FEW_LOGITS_BUILD = 9450
"""llama-server reserves logits only for the tokens it asks for since https://github.com/ggml-org/llama.cpp/pull/23861 of
June 2026; the library itself, llama-cli and llama-bench go on reserving them for every token of a micro-batch."""
RESERVED_COPIES_BUILD = 9489
"""The 16-bit copy that flash attention makes of a quantized cache stands in the compute buffer since
https://github.com/ggml-org/llama.cpp/pull/23907 of June 2026; before it CUDA's pool grew by it during the first long prompt,
beside the buffers llama.cpp reports."""
KEPT_EXPERTS_BUILD = 10800
"""What experts return is weighted and added in one operation since https://github.com/ggml-org/llama.cpp/pull/25952, merged in
September 2026 between builds 10760 and 10864."""


class Batch(NamedTuple):
    """What one pass computes: tokens at once, and the cells of the caches it looks at (per sequence)."""

    tokens: int
    cells: int
    sliding_cells: int
    slots: int = 1


class Build(NamedTuple):
    """How a build allocates, as far as it matters: None where the question names none."""

    flash_attention: bool
    pipelines: bool = True
    wide_masks: bool = False
    few_logits: bool = False
    gates_in_place: bool = False
    keeps_experts: bool = False
    reserves_copies: bool = True
    output_last: bool = False


def build_number(version: str | None) -> int | None:
    """The number of a build written as b9272 or 9272; None for anything else."""
    found = re.fullmatch(r"\s*b?(\d{3,6})\b.*", version or "")
    return int(found[1]) if found else None


def build_of(version: str | None, flash_attention: bool) -> Build:
    """How this version allocates; without one, as the library does today."""
    number = build_number(version)
    if number is None:
        return Build(flash_attention)
    return Build(
        flash_attention and number >= FLASH_BUILD,
        number >= PIPELINE_BUILD,
        number < NARROW_MASK_BUILD,
        number >= FEW_LOGITS_BUILD,
        number < GLU_BUILD,
        number >= KEPT_EXPERTS_BUILD,
        number >= RESERVED_COPIES_BUILD,
        number < OUTPUT_FIRST_BUILD,
    )


def flash_attention_runs(model: ModelFacts) -> bool:
    """True where a CUDA kernel exists for every head of the model; else llama.cpp goes without flash attention."""
    if model.kind == "encoder-decoder":  # T5 adds a bias to the scores
        return False
    if model.latent:  # 576 numbers per key, 512 of them the value
        return (model.latent.kv_lora_rank, model.latent.qk_rope_head_dim) in ((512, 64), (256, 64))
    for group in model.layer_groups:
        head_dim = group.head_dim or model.head_dim
        keys = group.num_key_value_heads or model.num_key_value_heads
        if model.value_head_dim and model.value_head_dim != head_dim:
            if (head_dim, model.value_head_dim) != FLASH_UNEVEN_HEADS or model.num_attention_heads % (8 * keys):
                return False
            continue
        if not head_dim or head_dim in FLASH_HEADS:
            continue
        if head_dim not in FLASH_GROUPED_HEADS or model.num_attention_heads < 2 * keys:
            return False
    return True


def shape_of(model: ModelFacts, build: Build, cache_type: str, fed_from_outside: bool = False) -> Shape:
    """The shape of the model's graph for this build and cache."""
    flash = build.flash_attention and flash_attention_runs(model)
    unpacks = build.reserves_copies and copies_cache(model, build, cache_type)
    return graph_shape(model, Ways(flash, unpacks, fed_from_outside, build.gates_in_place, build.wide_masks, build.keeps_experts))


def copies_cache(model: ModelFacts, build: Build, cache_type: str) -> bool:
    """True where flash attention turns the cache of a layer into 16 bit before it reads it."""
    return build.flash_attention and cache_type not in ("f16", "f32") and flash_attention_runs(model)


def layers_bytes(shape: Shape, batch: Batch) -> int:
    """The end of the buffer while layers run."""
    return max((int(_end(peak, batch)) for peak in shape.layers), default=0)


def _end(peak: Peak, batch: Batch) -> float:
    cells = peak.cells
    per_token = peak.numbers + cells.full * batch.cells + cells.sliding * batch.sliding_cells
    unpacked = cells.unpacked_full * batch.cells + cells.unpacked_sliding * batch.sliding_cells
    return 4 * batch.tokens * per_token + batch.slots * (2 * unpacked + 4 * cells.states)


def output_bytes(shape: Shape, batch: Batch) -> int:
    """The end of the buffer at the output layer, with logits for every token."""
    return int(4 * batch.tokens * shape.output)


def mask_bytes(model: ModelFacts, build: Build, batch: Batch) -> int:
    """The attention masks of one micro-batch, as they are handed to a card."""
    kinds = {slides(group) for group in model.layer_groups if attends(group)}
    cells = batch.cells * (False in kinds) + batch.sliding_cells * (True in kinds)
    flash = build.flash_attention and flash_attention_runs(model)
    return batch.tokens * cells * (2 if flash and not build.wide_masks else 4)


def pipeline_bytes(model: ModelFacts, build: Build, batch: Batch, first: bool) -> int:
    """What a card in a pipeline keeps of its inputs: copies of the masks and of what the card before it (or main memory) sends."""
    sent = model.hidden_size if first else boundary_width(model)
    return PIPELINE_COPIES * (mask_bytes(model, build, batch) + int(4 * batch.tokens * sent))
