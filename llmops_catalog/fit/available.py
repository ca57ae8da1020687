"""What a process can allocate on a card: less than on the box, and less than the driver says."""

from __future__ import annotations

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import GpuFacts
from llmops_catalog.fit.sizes import GIB, MIB, shown

DEFAULT_UTILIZATION = 0.92
"""vLLM's default for gpu_memory_utilization, 0.9 before 0.21, when graphs were not yet taken off the budget:
https://github.com/vllm-project/vllm/blob/main/vllm/config/cache.py"""
DRIVER_CONTEXT = GIB // 2
"""What CUDA's context takes before vLLM looks at what is free: 0.23 to 0.56 GiB in its logs ("Free memory on device
(78.66/79.19 GiB) on startup")."""
CONTEXT_RESERVE = int(0.2 * GIB)
CONTEXT_RESERVE_SHARE = 0.006
CONTEXT_RESERVE_MOST = int(0.75 * GIB)
"""What the driver keeps of what it reports: 0.26 GiB on a T4, 0.33 on an L4, 0.35 on an RTX 4090, 0.44 on an A100
40 GB, 0.68 on an A100 80 GB, 0.71 on a B200 (driver reading less CUDA's total, in published logs)."""
SOLD_SHARE = 0.9
"""Of the size on the box, read as GiB, where neither the driver's nor CUDA's reading is recorded: cards whose ECC takes
its bits from the memory show 0.9375 of it, and the driver keeps a part."""

VLLM_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/config/cache.py"
START_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/utils.py"
METAL_SOURCE = "https://developer.apple.com/documentation/metal/mtldevice/recommendedmaxworkingsetsize"


def memory_card(size_bytes: int) -> GpuFacts:
    """Stands for a card that is not in the catalog, of which a process can use exactly `size_bytes`."""
    if size_bytes < MIB:
        raise FitInputError(f"{size_bytes} bytes is no memory size", "write it as 24GiB, 24GB or 24g")
    return GpuFacts(
        id=f"{size_bytes / GIB:.4g}gib",
        name=shown(size_bytes),
        vendor="",
        sold_gb=size_bytes / 10**9,
        exact_bytes=size_bytes,
    )


def card_bytes(gpu: GpuFacts) -> tuple[int, list[Assumption]]:
    """Bytes one process sees on one card (0 where no size is recorded), and what was assumed where nobody read it off."""
    if gpu.exact_bytes is not None:
        return gpu.exact_bytes, []
    if gpu.system_limit_low_gib is not None:
        text = f"the system lets the GPU use {gpu.system_limit_low_gib:g} GiB of the shared memory by default"
        return int(gpu.system_limit_low_gib * GIB), [Assumption(text, METAL_SOURCE if gpu.vendor == "apple" else None)]
    if gpu.cuda_gib is not None:
        return int(gpu.cuda_gib * GIB), []
    if gpu.driver_mib is not None:
        reported = gpu.driver_mib * MIB
        kept = min(CONTEXT_RESERVE + int(reported * CONTEXT_RESERVE_SHARE), CONTEXT_RESERVE_MOST)
        text = f"the driver's {gpu.driver_mib:,} MiB less {kept // MIB} MiB it keeps"
        return reported - kept, [Assumption(f"what CUDA shows of a {gpu.name} is not recorded: {text}")]
    if gpu.sold_gb is None:
        return 0, [Assumption(f"no memory size of the {gpu.name} is recorded")]
    text = f"{SOLD_SHARE:.0%} of the {gpu.sold_gb:g} GB sold"
    missing = f"neither the driver's nor CUDA's reading of a {gpu.name} is recorded"
    return int(gpu.sold_gb * GIB * SOLD_SHARE), [Assumption(f"{missing}: {text}")]


def available_per_card(
    gpu: GpuFacts, runtime: str, reserve_bytes: int = 0, gpu_memory_utilization: float = DEFAULT_UTILIZATION
) -> tuple[int, list[Assumption]]:
    """Bytes one card offers to a runtime, less what is reserved for others, and what was assumed.

    vLLM takes a share of all memory, however much of it is free, and does not start where less is free than that.
    Raises `FitInputError` for a negative reserve or a share outside 0 to 1.
    """
    if isinstance(reserve_bytes, bool) or not isinstance(reserve_bytes, int):
        raise FitInputError(f"the reserve must be a whole number of bytes, not {str(reserve_bytes)[:60]!r}", "parse_size('1GiB') makes one")
    if reserve_bytes < 0:
        raise FitInputError("the reserve is negative", "write how much of the card something else uses, as 1GiB")
    if not isinstance(gpu_memory_utilization, (int, float)) or not 0 < gpu_memory_utilization <= 1:
        raise FitInputError(
            f"gpu_memory_utilization {str(gpu_memory_utilization)[:60]} is no share of the memory", "between 0 and 1, as 0.9"
        )
    size, said = card_bytes(gpu)
    if runtime == "vllm":
        said += _budget(size, reserve_bytes, gpu_memory_utilization)
        size = int(size * gpu_memory_utilization)
    return max(0, size - reserve_bytes), said


def _budget(size: int, reserve_bytes: int, share: float) -> list[Assumption]:
    """What vLLM takes, and what it must be told where others leave less than that free (`request_memory`)."""
    said = [Assumption(f"vLLM takes {share:.0%} of the card (gpu_memory_utilization)", VLLM_SOURCE)]
    free = size - reserve_bytes - DRIVER_CONTEXT
    if reserve_bytes and 0 < free < size * share:
        text = f"vLLM does not start with {shown(reserve_bytes)} in use by something else: set gpu_memory_utilization to"
        said.append(Assumption(f"{text} {int(100 * free / size) / 100:.2f} or less", START_SOURCE))
    return said
