"""What people learn from: courses, notebooks, resources, concepts, paths, prerequisites."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmops_catalog.schema.base import (
    AnyRef,
    AsText,
    ConceptRef,
    Count,
    Date,
    GpuRef,
    Line,
    Many,
    MeasurementRef,
    ModelRef,
    PathRef,
    PrerequisiteRef,
    Prose,
    ProviderRef,
    QuantizationRef,
    Record,
    Slug,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip
from llmops_catalog.schema.software import RuntimeName

Level = Literal["intro", "intermediate", "advanced"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$"), AsText]


class Availability(StrictModel):
    """Whether the address still leads to the thing."""

    state: Literal["live", "moved", "dead", "unknown"] = described("Last known state", "live")
    evidence: Line | None = optional("What shows it", "the repository's list links to the new address")


class LearningRecord(Record):
    """What all things to read, watch or run have in common."""

    label_field: ClassVar[str] = "title"
    title: Line = described("Its real title", "Let's build GPT: from scratch, in code, spelled out")
    authors: Many[Line] = several("People or organisations who made it", ["Andrej Karpathy"])
    published: Date | None = optional("When it was published", "2023-01-17")
    language: Language = optional("ISO 639-1 code, English where left out", "en")
    level: Level | None = optional("For whom", "intro")
    topics: Many[Slug] = several("What it is about", ["quantization", "inference"])
    summary: Prose = described("What one can do after it, in our own words", "Write a small GPT line by line and understand each one.")
    status: Availability | None = optional("Whether the address still works", {"state": "live"})


class Course(LearningRecord):
    """Something to follow over hours or weeks."""

    collection: ClassVar[str] = "courses"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    url: Url = described("Where it starts", "https://course.fast.ai/")
    alt_urls: Many[Url] = several("Other addresses of it", ["https://github.com/fastai/course22"])
    provider: Line | None = optional("Who offers it", "fast.ai")
    format: Line | None = optional("How it is taught", "videos and notebooks")
    length: Line | None = optional("How long it takes", "9 lessons of 90 minutes")
    free: Literal["yes", "no", "audit", "partly"] | None = optional(
        "What it costs: yes, no, audit (free without certificate), partly", "yes"
    )
    parts: Many[Line] = several("Its parts in order", ["Getting started"])


class Repository(StrictModel):
    """A file at one commit, so that what is described is what is run."""

    repository: Url = described("The repository", "https://github.com/DJCordhose/llm-ops")
    path: Line = described("Path of the file in it", "Present.ipynb")
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$"), AsText] = described("The commit described here", "aeae8700bf")


class NotebookRun(StrictModel):
    """Where the notebook can be run."""

    colab: Url | None = optional(
        "Opens it in Google Colab", "https://colab.research.google.com/github/DJCordhose/llm-ops/blob/aeae8700bf/Present.ipynb"
    )
    kaggle: Url | None = optional("Opens it on Kaggle", "https://www.kaggle.com/code/author/name")


class NotebookUse(StrictModel):
    """One configuration the notebook runs."""

    model: ModelRef = described("Id of the model", "meta-llama/llama-3.1-8b-instruct")
    quantization: QuantizationRef | None = optional("Id of the quantization", "bnb-nf4-dq")
    runtime: RuntimeName | None = optional("Runtime of the estimator it amounts to", "transformers")
    gpu: GpuRef | None = optional("Id of the card it names; left out for CPU", "nvidia/t4")
    training: Literal["full", "lora", "qlora"] | None = optional("How it trains the model; left out where it only runs it", "qlora")
    context_tokens: Count | None = optional("Tokens it keeps in the cache, where it says", 1024)
    measurement: MeasurementRef | None = optional("The saved reading of this configuration", "llm-ops/llama-3.1-8b-bnb-nf4-t4")
    note: Line | None = optional("What is particular", "on the CPU in the version of 2024-09")


class Notebook(LearningRecord):
    """Something to run, pinned to the commit it was looked at."""

    collection: ClassVar[str] = "notebooks"
    source: Repository | None = optional(
        "The file and commit described here",
        {"repository": "https://github.com/DJCordhose/llm-ops", "path": "Present.ipynb", "commit": "aeae8700bf"},
    )
    url: Url | None = optional("Its address where it is in no repository", "https://colab.research.google.com/drive/1234")
    run: NotebookRun | None = optional(
        "Where to run it", {"colab": "https://colab.research.google.com/github/DJCordhose/llm-ops/blob/aeae8700bf/Present.ipynb"}
    )
    task: Line | None = optional("The job it does", "yes-or-no classification of sentences")
    uses: Many[NotebookUse] = several("Models, quantizations and cards it names", [{"model": "qwen/qwen3-8b"}])
    needs: Many[PrerequisiteRef] = several("What one must have before", ["google-account"])
    minutes: Count | None = optional("How long a run takes", 20)
    url_fields: ClassVar[tuple[str, ...]] = ("source", "url")


class Resource(LearningRecord):
    """Something to read or watch."""

    collection: ClassVar[str] = "resources"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    kind: Literal["article", "tutorial", "video", "paper", "book", "slides", "docs", "code", "list", "profile", "directory"] = described(
        "What it is", "paper"
    )
    url: Url | None = optional("Its address; left out only for a book without one", "https://arxiv.org/abs/2209.11055")
    alt_urls: Many[Url] = several("Other addresses of it", ["https://arxiv.org/pdf/2209.11055"])
    free: Literal["yes", "no", "audit", "partly"] | None = optional("What it costs", "yes")
    isbn: Annotated[str, Field(pattern=r"^[\dX-]{10,17}$"), AsText] | None = optional("ISBN of a book", "978-1633437166")


class Comparison(StrictModel):
    """A table that sets alternatives side by side."""

    columns: Many[Line] = described("What is compared", ["Masked", "Causal"], min_length=2)
    rows: Many[Many[Line]] = described(
        "First cell: the aspect; then one cell per column", [["sees", "both sides", "the past"]], min_length=1
    )


class Concept(Record):
    """An idea one meets, explained once."""

    collection: ClassVar[str] = "concepts"
    label_field: ClassVar[str] = "title"
    title: Line = described("Its name", "Key/value cache")
    summary: Prose = described(
        "What it is, in three or four sentences", "Keys and values of past tokens are kept so that each new token costs one step."
    )
    matters_because: Prose | None = optional("What it changes for someone running a model", "It grows with every token and every user.")
    comparison: Comparison | None = optional(
        "Alternatives side by side", {"columns": ["Masked", "Causal"], "rows": [["sees", "both sides", "the past"]]}
    )
    related: Many[ConceptRef] = several("Concepts to read next", ["quantization"])
    read_more: Many[AnyRef] = several("Where to learn it", ["resources/setfit-paper"])


class Step(StrictModel):
    """One stage of a path."""

    title: Line = described("What this stage is about", "Present: small decoders on a card you can afford")
    summary: Prose | None = optional("Why it comes here", "After the encoders, the same task with a decoder.")
    items: Many[AnyRef] = several("Records to work through, in order", ["notebooks/llm-ops/present"])


class LearningPath(Record):
    """An order in which to learn."""

    collection: ClassVar[str] = "paths"
    label_field: ClassVar[str] = "title"
    title: Line = described("Its name", "Past, present and future of running language models")
    summary: Prose = described("Who it is for and where it leads", "Three evenings from an encoder on a CPU to a mixture of experts.")
    audience: Line | None = optional("What one should know already", "can read Python")
    steps: Many[Step] = described("Its stages in order", [{"title": "Past", "items": ["notebooks/llm-ops/past"]}], min_length=1)
    needs: Many[PrerequisiteRef] = several("What one must have before", ["google-account"])
    after: PathRef | None = optional("The path that comes before", "llm-course/fundamentals")


class Prerequisite(Record):
    """An account, token, permission or device one needs first."""

    collection: ClassVar[str] = "prerequisites"
    label_field: ClassVar[str] = "title"
    url_fields: ClassVar[tuple[str, ...]] = ("url",)
    title: Line = described("What to get", "A Hugging Face access token")
    kind: Literal["account", "token", "gated-access", "service", "hardware", "software", "knowledge"] = described(
        "What sort of thing it is", "token"
    )
    summary: Prose = described("What it is for and how to get it", "Create it in the settings and paste it where the notebook asks.")
    url: Url | None = optional("Where to get it", "https://huggingface.co/settings/tokens")
    login_required: bool | None = optional("The page shows nothing without signing in", True)
    costs: Line | None = optional("What it costs", "free")
    needs: Many[PrerequisiteRef] = several("What must come before it", ["huggingface-account"])
    model: ModelRef | None = optional("The gated model it opens", "google/gemma-2-2b-it")
    provider: ProviderRef | None = optional("Who issues it", "hugging-face")
