"""GPUs, their architectures and the places that rent them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmops_catalog.schema.base import (
    Amount,
    ArchitectureRef,
    AsText,
    Count,
    Date,
    GpuRef,
    Line,
    Many,
    Money,
    Prose,
    ProviderRef,
    Record,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip

Vendor = Literal["nvidia", "amd", "intel", "apple", "google", "aws", "qualcomm", "huawei"]
Support = Literal["native", "emulated", "none"]
ComputeCapability = Annotated[str, Field(pattern=r"^\d{1,2}\.\d$"), AsText]


class SystemLimit(StrictModel):
    """A bound the operating system sets on memory it shares with the CPU."""

    low_gib: Amount = described("Lowest share seen, in GiB (2^30 bytes)", 10.67)
    high_gib: Amount = described("Highest share seen, in GiB", 12.0)
    note: Line | None = optional("Where the bound comes from", "Metal recommendedMaxWorkingSetSize")


class GpuMemory(StrictModel):
    """Three different sizes of one card, and why 24 GB is 22.2 GiB on some."""

    sold_gb: Amount | None = optional("As the vendor sells it, in GB; left out where no size is published or it has none of its own", 24)
    driver_mib: Count | None = optional("As the driver reports it (nvidia-smi total), in MiB (2^20 bytes)", 23034)
    cuda_gib: Amount | None = optional("As CUDA or HIP shows it to a process, in GiB (2^30 bytes)", 22.161)
    system_limit: SystemLimit | None = optional(
        "Only where the system decides: Apple, unified memory", {"low_gib": 10.67, "high_gib": 12.0}
    )
    type: Line | None = optional("Memory technology", "GDDR6")
    note: Line | None = optional("What changes the sizes", "ECC takes one sixteenth and can be switched off")


class DenseRates(StrictModel):
    """Peak rates without structured sparsity; `basis` says which rate a vendor's figure means."""

    fp16_tflops: Amount | None = optional("Matrix rate in fp16 with fp32 accumulation, TFLOP/s", 121)
    fp16_vector_tflops: Amount | None = optional("Rate of the ordinary cores in fp16, TFLOP/s", 30.29)
    fp32_tflops: Amount | None = optional("Rate in fp32, TFLOP/s", 30.29)
    int8_tops: Amount | None = optional("Matrix rate in int8, TOP/s", 242)
    basis: Line | None = optional("What the figures are: vendor's table, derived from cores and clock", "vendor datasheet, dense")


class NumberFormats(StrictModel):
    """Whether the card computes in a number format itself, through other units, or not at all."""

    bf16: Support | None = optional("bfloat16: from compute capability 8.0", "native")
    fp8: Support | None = optional("8-bit floating point: from 8.9; weights can run emulated from 7.5", "native")
    fp4: Support | None = optional("4-bit floating point: from 10.0", "none")


class Interconnect(StrictModel):
    """How cards of a kind talk to each other."""

    nvlink: bool | None = optional("Has an NVLink connector or bridge", False)
    nvlink_gb_s: Amount | None = optional("NVLink, both directions together, GB/s", 600)
    mig_instances: Count | None = optional("Parts the card can be split into (multi-instance GPU)", 7)


class Gpu(Record):
    """One card, module or system on a chip, in one memory size."""

    collection: ClassVar[str] = "gpus"
    name: Line = described("As its vendor writes it", "NVIDIA L4")
    vendor: Vendor = described("Who makes it", "nvidia")
    architecture: ArchitectureRef = described("Id of its architecture", "ada-lovelace")
    segment: Literal["datacenter", "consumer", "workstation", "laptop", "embedded", "integrated", "system-on-chip", "accelerator"] = (
        described("What it is sold for", "datacenter")
    )
    summary: Prose | None = optional("Who meets it and what for, in one or two sentences", "The card behind most paid Colab sessions.")
    released: Date | None = optional("When it was announced or first sold", "2023-03-21")
    memory: GpuMemory = described("Its sizes", {"sold_gb": 24, "driver_mib": 23034})
    bandwidth_gb_s: Amount | None = optional("Memory bandwidth, GB/s (10^9 bytes)", 300.1)
    rates: DenseRates | None = optional("Peak dense rates", {"fp16_tflops": 121})
    compute_capability: ComputeCapability | None = optional("CUDA compute capability", "8.9")
    formats: NumberFormats | None = optional("Number formats it computes in", {"bf16": "native", "fp8": "native", "fp4": "none"})
    interconnect: Interconnect | None = optional("Links to its like", {"nvlink": False})
    tdp_w: Count | None = optional("Board power, W", 72)
    launch_price: Money | None = optional("Price at launch", {"amount": 1599, "currency": "USD", "as_of": "2022-09"})
    colab: Literal["free", "pay-as-you-go", "pro", "seen", "retired"] | None = optional(
        "How one meets it in Google Colab; left out where one does not", "pay-as-you-go"
    )
    rented_at: Many[ProviderRef] = several("Providers known to rent it", ["aws", "gcp"])


class GpuArchitecture(Record):
    """A generation of chips."""

    collection: ClassVar[str] = "architectures"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    name: Line = described("Its name", "Ada Lovelace")
    vendor: Vendor = described("Who designed it", "nvidia")
    released: Date | None = optional("When it was announced", "2022-09-20")
    summary: Prose = described("What it changed for people who run models", "The first consumer generation that computes in fp8.")
    brought: Many[Line] = several("What it was the first of its vendor's to have", ["fp8 tensor cores"])
    compute_capabilities: Many[ComputeCapability] = several("CUDA compute capabilities of its chips", ["8.9"])
    formats: NumberFormats | None = optional("Number formats its chips compute in", {"bf16": "native"})
    successor_of: ArchitectureRef | None = optional("The generation before it", "ampere")
    url: Url | None = optional("A page about it", "https://en.wikipedia.org/wiki/Ada_Lovelace_(microarchitecture)")


class Rental(StrictModel):
    """One way to rent one card, as once seen."""

    gpu: GpuRef = described("Id of the card", "nvidia/l4")
    gpus: Count = described("Cards in the instance", 1)
    instance: Line | None = optional("What the provider calls it", "g6.xlarge")
    price: Money | None = optional("Price of the whole instance per hour", {"amount": 0.80, "currency": "USD", "as_of": "2026-08"})
    kind: Literal["on-demand", "spot", "serverless"] = described("On demand, spot (may be taken away) or serverless", "on-demand")
    region: Line | None = optional("Where", "us-east-1")
    source: Url = described("Where the price was seen", "https://aws.amazon.com/ec2/instance-types/g6/")


class Provider(Record):
    """A company or service one deals with: rents cards, serves models, hosts files, issues accounts."""

    collection: ClassVar[str] = "providers"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    name: Line = described("Its name", "RunPod")
    kinds: Many[
        Literal["gpu-cloud", "marketplace", "notebook-host", "model-api", "model-hub", "chat-service", "account-issuer", "data-service"]
    ] = described("What one goes there for", ["gpu-cloud"], min_length=1)
    summary: Prose = described("What it is for and for whom", "Rents single cards by the minute.")
    url: Url = described("Its home page", "https://www.runpod.io/")
    pricing_url: Url | None = optional("Its price list", "https://www.runpod.io/pricing")
    charges_for_stopped_storage: bool | None = optional("Disks of stopped machines still cost", True)
    offers_spot: bool | None = optional("Cheaper machines that may be taken away", True)
    community_hosts: bool | None = optional("Some machines belong to strangers", True)
    rents: Many[Rental] = several(
        "Cards and prices as once seen", [{"gpu": "nvidia/l4", "gpus": 1, "kind": "on-demand", "source": "https://www.runpod.io/pricing"}]
    )
