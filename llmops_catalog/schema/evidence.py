"""What claims rest on: datasets, benchmarks, measurements, claims, and the source lists themselves."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from llmops_catalog.schema.base import (
    Amount,
    AnyRef,
    AsText,
    Count,
    Date,
    Figure,
    GpuRef,
    License,
    Line,
    Many,
    ModelRef,
    Prose,
    QuantizationRef,
    Quote,
    Record,
    Size,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip
from llmops_catalog.schema.software import RuntimeName

ItemId = Annotated[str, Field(pattern=r"^\d{3}-L\d{3,4}-\d+$"), AsText]


class Dataset(Record):
    """Data to train or test on."""

    collection: ClassVar[str] = "datasets"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    name: Line = described("Its name", "Falcon RefinedWeb")
    summary: Prose = described("What is in it and what it is for", "Filtered English web pages for pre-training.")
    url: Url = described("Where it is", "https://huggingface.co/datasets/tiiuae/falcon-refinedweb")
    authors: Many[Line] = several("Who made it", ["Technology Innovation Institute"])
    published: Date | None = optional("When it was published", "2023-05")
    license: License | None = optional("Its licence", {"id": "ODC-By-1.0"})
    size: Line | None = optional("How much there is", "968 million pages")


class Benchmark(Record):
    """A test or a ranking of models."""

    collection: ClassVar[str] = "benchmarks"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    name: Line = described("Its name", "Open LLM Leaderboard")
    kind: Literal["benchmark", "leaderboard"] = described("A test, or a table of results", "leaderboard")
    summary: Prose = described("What it measures and how far to trust it", "Scores of open models on shared tests, frozen since 2025.")
    url: Url = described("Where it is", "https://huggingface.co/spaces/open-llm-leaderboard/open_llm_leaderboard")
    alt_urls: Many[Url] = several("Other addresses of it", ["https://github.com/EleutherAI/lm-evaluation-harness"])
    authors: Many[Line] = several("Who runs it", ["Hugging Face"])
    published: Date | None = optional("When it started", "2023")
    state: Literal["active", "archived", "unknown"] | None = optional("Whether it still takes results", "archived")


Measure = Literal[
    # memory
    "driver-used-before", "driver-used-loaded", "driver-used-after-run", "driver-used-after-training", "allocated-loaded", "allocated-peak",
    "reserved-peak", "total", "weights", "weights-part", "file", "kv-cache", "cache-room", "cache-tokens", "state", "compute-buffer",
    "activations", "overhead", "bound",
    # time
    "decode-speed", "prefill-speed", "throughput", "overall-speed", "training-speed", "load-time", "run-time",
    # answers
    "accuracy", "task-score", "task-recovery", "perplexity", "perplexity-ratio", "kl-divergence", "probability-change", "same-top-token",
    "changed-top-token",
]  # fmt: skip
Unit = Literal[
    "B", "KiB", "MiB", "GiB", "MB", "GB", "tokens", "tokens/s", "samples/s", "s", "min", "correct", "percent", "share", "nats",
    "perplexity", "score",
]  # fmt: skip


class Setup(StrictModel):
    """What was measured: stated once for a whole table, or row by row where rows differ."""

    model: ModelRef | None = optional("Id of the model; left out where it has no record", "meta-llama/llama-3.1-8b-instruct")
    model_name: Line | None = optional("The model in the source's words, where it has no record", "EvolCodeLlama-7B")
    quantization: QuantizationRef | None = optional("Id of the quantization", "bnb-nf4-dq")
    quantization_name: Line | None = optional("The quantization in the source's words, where it has no record", "exl2 4.25 bpw")
    runtime: RuntimeName | None = optional("Runtime of the estimator", "transformers")
    runtime_version: Line | None = optional(
        "Version of the runtime, or the software where it is no runtime of the estimator", "transformers 4.46.0"
    )
    gpu: GpuRef | None = optional("Id of the card", "nvidia/t4")
    gpu_name: Line | None = optional("The hardware in the source's words, where it has no record", "Xeon 8480, 56 cores")
    gpus: Count | None = optional("How many cards", 1)
    concurrency: Count | None = optional("Sequences at once; of training, on each card", 1)
    task: Literal["full", "lora", "qlora"] | None = optional(
        "What is trained: every weight, adapters, adapters on a quantized model", "lora"
    )
    precision: Literal["bf16", "mixed", "fp32"] | None = optional("Precision of the training, by the estimator's word", "mixed")
    optimizer: Line | None = optional("Optimizer of the training, by the estimator's word where it has one", "adamw")
    gradient_checkpointing: bool | None = optional("Whether activations are computed again for the gradients", True)
    lora_rank: Count | None = optional("Rank of the adapters", 16)
    lora_targets: Literal["all-linear", "attention", "query-value"] | None = optional("Matrices with an adapter", "all-linear")
    gradient_accumulation: bool | None = optional("Whether the gradients of several micro-batches are added up before a step", False)
    fused_loss: bool | None = optional("Whether the loss is taken piece by piece, without the logits of all tokens", False)
    flash_attention: bool | None = optional("Whether flash attention was on, where the source shows it", False)
    micro_batch_tokens: Count | None = optional("Tokens computed at once, where not the engine's own number", 2048)
    gpu_layers: Size | None = optional("Layers on the cards, the output layer counted as one, where not all of them", 30)
    cpu_expert_layers: Count | None = optional("Layers whose experts stay in main memory", 12)


class Reading(Setup):
    """One figure exactly as it was logged; what it does not say about its setup is as the record says."""

    measure: Measure = described("What was read", "driver-used-loaded")
    metric: Line | None = optional("The test, in the source's words", "MMLU 5-shot (lm-eval)")
    value: Figure = described("The figure, in `unit`", 5749)
    unit: Unit = described("Unit of the figure; MiB and GiB are powers of two", "MiB")
    of: Amount | None = optional("What the figure is out of", 15360)
    baseline: Figure | None = optional("The same figure of the unquantized model, from the same source", 5.3639)
    bits_per_weight: Amount | None = optional("Bits per weight of the file, where the source says", 4.8944)
    context_tokens: Size | None = optional("Tokens in the cache at that moment", 8192)
    prompt_tokens: Size | None = optional("Tokens of the prompt", 512)
    cache_type: Line | None = optional("Type of the key/value cache", "f16")
    quote: Quote | None = optional("The log line or table row, exactly", "5647MiB / 15360MiB")
    note: Line | None = optional("What the figure includes", "with the CUDA context")
    off_because: Line | None = optional(
        "Why an estimate cannot meet it, where that is known", "the build of 2023 kept one buffer more per card"
    )
    url: Url | None = optional(
        "Where this figure can be seen, where it is another page than the record's", "https://github.com/a/b/issues/1"
    )


class Measurement(Record, Setup):
    """Readings of one configuration, or one published table, row by row."""

    collection: ClassVar[str] = "measurements"
    label_field: ClassVar[str] = "title"
    title: Line = described("What was measured on what", "Llama 3.1 8B, NF4 with double quantization, on a T4")
    kind: Literal["memory", "speed", "quality", "training"] = described("What the record is about", "memory")
    grade: Literal["log", "table", "third-party", "self-reported", "bound"] | None = optional(
        "How the figures reached print: a log, the makers' table, somebody else's table, a report nobody checked, or only a bound", "log"
    )
    measured: Date | None = optional("When", "2024-10-27")
    method: Prose = described("How the figures were read", "nvidia-smi cells saved in the notebook's output")
    url: Url = described(
        "Where the figures can be seen, pinned where possible",
        "https://github.com/DJCordhose/llm-ops/blob/8c4d1bf173/Present_Lllama_3.1_8B_4bit.ipynb",
    )
    readings: Many[Reading] = described("The figures", [{"measure": "driver-used-loaded", "value": 5749, "unit": "MiB"}], min_length=1)

    @model_validator(mode="after")
    def _names_its_models(self) -> Measurement:
        if self.model is not None or self.model_name is not None:
            _names_one_model(self)
        for reading in self.readings:
            if (self.model is None and self.model_name is None) or (reading.model is not None and reading.model_name is not None):
                _names_one_model(reading)
        return self


def _names_one_model(setup: Setup) -> None:
    if (setup.model is None) == (setup.model_name is None):
        raise PydanticCustomError(
            "invalid-value",
            "a measurement names either 'model' or 'model_name'",
            {"hint": "use 'model' where the catalog has a record"},
        )


class Claim(Record):
    """Something a source asserts, and what came of it."""

    collection: ClassVar[str] = "claims"
    label_field: ClassVar[str] = "statement"
    statement: Line = described("The assertion, in one sentence", "Models above 7 billion parameters need a GPU with more than 24 GB")
    as_of: Date | None = optional("When it was made", "2023-08")
    status: Literal["confirmed", "contradicted", "dated", "open"] = described("What the evidence says", "contradicted")
    because: Prose = described("Why, in two or three sentences", "True for 16-bit weights above roughly 11 billion parameters.")
    evidence: Many[AnyRef] = several("Records that decide it", ["measurements/llm-ops/llama-3.1-8b-bnb-nf4-t4"])


class ListItem(StrictModel):
    """One item of a source list: the record that carries it, or why none does."""

    item_id: ItemId = described("Its id in the inventory of the list", "000-L032-1")
    text: Line = described("What the item is, as the inventory names it", "Present.ipynb")
    section: Line | None = optional("Heading of the document under which this item and those after it stand", "Present")
    record: AnyRef | None = optional("The record that carries it", "notebooks/llm-ops/present")
    also: Many[AnyRef] = several(
        "Further records it names: the checkpoints of a range, the paper beside a model", ["models/eleutherai/gpt-j-6b"]
    )
    why_none: Line | None = optional("Why no record carries it", "a bare mention")
    correction: Line | None = optional("What the list says and what is right", "the list says 2023/06; the model is from 2021/06")
    correction_status: Literal["confirmed", "likely", "open"] | None = optional(
        "How sure the correction is: likely and open ones are flagged, not decided", "confirmed"
    )
    correction_source: Url | None = optional("What shows it", "https://arankomatsuzaki.wordpress.com/2021/06/04/gpt-j/")

    @model_validator(mode="after")
    def _is_accounted_for(self) -> ListItem:
        if (self.record is None) == (self.why_none is None):
            raise PydanticCustomError(
                "invalid-value",
                "item {id} needs either 'record' or 'why_none'",
                {"id": self.item_id, "hint": "say which record carries it, or why none does"},
            )
        return self


class SourceList(Record):
    """A published list this catalog grew out of, item by item."""

    collection: ClassVar[str] = "lists"
    label_field: ClassVar[str] = "title"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    title: Line = described("Its title", "llm-ops: Past, Present, and Future of LLM Operations")
    authors: Many[Line] = several("Who wrote it", ["DJCordhose"])
    summary: Prose = described("What it is", "Notes of a workshop that runs the same task on three generations of models.")
    url: Url = described("The document at the commit used", "https://github.com/DJCordhose/llm-ops/blob/aeae8700bf/README.md")
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$"), AsText] | None = optional("The commit used", "aeae8700bf")
    license: License | None = optional("Its licence", {"id": "MIT"})
    item_count: Count = described("Items the document has; what `items` lacks of them is missing", 51)
    items: Many[ListItem] = several(
        "Every item in the document's own order",
        [{"item_id": "000-L032-1", "text": "Present.ipynb", "record": "notebooks/llm-ops/present"}],
    )

    @model_validator(mode="after")
    def _names_each_item_once(self) -> SourceList:
        twice = [item_id for item_id, times in Counter(item.item_id for item in self.items).items() if times > 1]
        if twice:
            raise PydanticCustomError(
                "invalid-value", "the item {id} stands here twice", {"id": twice[0], "hint": "keep the one with the better record"}
            )
        return self
