"""Which class of hardware a card belongs to where speed is concerned: by maker, memory technology and generation, never by name."""

from __future__ import annotations

from llmops_catalog.fit.facts import GpuFacts

VOLTA = (7, 0)
NVIDIA, NVIDIA_HBM, NVIDIA_OLD = "nvidia", "nvidia-hbm", "nvidia-old"
RADEON, INSTINCT, APPLE, INTEL = "radeon", "instinct", "apple", "intel"
CLASSES = {
    NVIDIA: "NVIDIA cards with GDDR or LPDDR memory, Turing and newer",
    NVIDIA_HBM: "NVIDIA cards with HBM, Volta and newer",
    NVIDIA_OLD: "NVIDIA cards of Pascal and older",
    RADEON: "AMD Radeon and Ryzen AI Max",
    INSTINCT: "AMD cards with HBM",
    APPLE: "Apple chips",
    INTEL: "Intel Arc and data-centre GPUs",
}
"""Cards that turn memory bandwidth into tokens alike, as published readings group them."""


def hardware_class(gpu: GpuFacts) -> str | None:
    """One of `CLASSES`; None where nothing published says how fast such hardware is, or a fact it takes is missing."""
    if gpu.vendor == "apple":
        return APPLE
    memory = gpu.memory_type
    if memory is None or gpu.segment in (None, "embedded", "accelerator"):
        return None  # Jetson boards, TPUs, Gaudi: what was measured there follows none of the classes
    stacked = memory.upper().startswith("HBM")
    if gpu.vendor == "nvidia" and gpu.capability:
        if gpu.capability < VOLTA:
            return NVIDIA_OLD
        return NVIDIA_HBM if stacked else NVIDIA
    if gpu.vendor == "amd":
        return INSTINCT if stacked else RADEON
    return INTEL if gpu.vendor == "intel" else None
