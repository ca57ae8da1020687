"""How PyTorch's caching allocator turns tensors into bytes on the card, and what CUDA takes beside it."""

from __future__ import annotations

from llmops_catalog.fit.checkpoint_formats import HALF_ROLES
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers
from llmops_catalog.fit.runtimes.transformers.families import ONE_BLOCK_LOADING, Version
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.sizes import MIB, padded

CUDA_CONTEXT = 256 * MIB
"""Beyond the tensors after loading: 194 to 321 MiB in nvidia-smi readings saved in
https://github.com/DJCordhose/llm-ops (Llama 3.1 8B, Llama 3.2 1B and 3B on an L4)."""
CUDA_CONTEXT_LOW, CUDA_CONTEXT_HIGH = 150 * MIB, 640 * MIB
"""462 to 470 MiB in reports of another card, and 70 to 160 MiB that the allocator held without use beside a short prompt
(https://huggingface.co/kreas/FA_benchmarks)."""
WORKSPACE, HOPPER_WORKSPACE = 8_519_680, 32 * MIB
"""Scratch of cuBLAS, taken from the allocator at the first multiplication: 2 x 4 MiB and 8 x 16 KiB, and 32 MiB on compute
capability 9.0 (aten/src/ATen/cuda/CublasHandlePool.cpp)."""
SEGMENT, UNSPLIT, LARGE = 2 * MIB, MIB, 10 * MIB
"""Blocks of 10 MiB and more are asked for in steps of 2 MiB; what is left over in a block is given out again only if it is
more than 1 MiB (`kRoundLarge`, `kSmallSize`, `kMinLargeAlloc` in c10/cuda/CUDACachingAllocator.cpp). The counters of
PyTorch count whole blocks."""
GROWTH = 0.05
"""Blocks the allocator holds but does not use, as a share of what grows and shrinks."""


def left_in_cache_blocks(groups: tuple[CachedLayers, ...], sizes: list[int]) -> int:
    """Bytes unused at the end of the blocks of cached keys and values, `sizes` being those of one layer of each group.

    Every step makes new tensors a little longer than those before, so a block is chosen whose rest is anything up to 1 MiB:
    half of that on average. Tensors up to 1 MiB are cut from shared blocks exactly.
    """
    left = (2 * group.layers * min(UNSPLIT // 2, max(0, size // 2 - UNSPLIT)) for group, size in zip(groups, sizes, strict=True))
    return sum(left)


def left_in_weight_blocks(model: ModelFacts, quantization: str, version: Version) -> int:
    """Bytes unused at the end of the blocks of weights, where each was loaded by itself."""
    if version >= ONE_BLOCK_LOADING:
        return 0
    bits = bits_of(quantization)
    left = 0
    for tensor in known_tensors(model)[0]:
        size = tensor.rows * tensor.cols * (max(16, bits) if tensor.role in HALF_ROLES else bits) // 8
        rest = padded(size, SEGMENT) - size
        if size >= LARGE and rest <= UNSPLIT:
            left += rest * tensor.copies * len(tensor.layers)
    return left


def bits_of(quantization: str) -> int:
    """Bits of a quantized weight as it is stored."""
    if quantization == "f32":
        return 32
    if quantization in ("f16", "bf16", "native"):
        return 16
    return 8 if quantization.startswith(("bnb-int8", "gptq-int8", "int8", "fp8", "w8")) else 4
