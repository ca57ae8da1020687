"""Model records: identity, licence, access, an architecture complete enough to count every byte; and the families they form."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmops_catalog.schema.base import (
    AnyRef,
    Count,
    DatasetRef,
    Date,
    FamilyRef,
    License,
    Line,
    Many,
    ModelRef,
    Prose,
    Record,
    Size,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip

Kind = Literal["decoder", "encoder", "encoder-decoder", "hybrid", "state-space"]
NumberFormat = Literal["fp32", "fp16", "bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4", "fp8+fp4", "mixed"]
LayerType = Literal[
    "full_attention", "sliding_attention", "chunked_attention", "linear_attention", "state_space", "convolution", "sparse_attention",
    "compressed_sparse_attention", "heavily_compressed_attention", "cross_attention", "feed_forward",
]  # fmt: skip


class Attention(StrictModel):
    """Heads of the attention layers; a layer group may say otherwise for its own layers."""

    num_attention_heads: Size = described("Query heads (0 where a model has no attention)", 32)
    num_key_value_heads: Size = described("Key/value heads: equal to the query heads (MHA), fewer (GQA) or 1 (MQA)", 8)
    head_dim: Size = described("Size of one key or query head, written out even where it is hidden_size / heads", 128)
    value_head_dim: Count | None = optional("Size of one value head, where it differs from head_dim (MiMo V2)", 128)
    sliding_window: Count | None = optional(
        "Tokens a sliding-window layer looks back; layers that slide are named in layer_groups or layer_pattern", 4096
    )


class LatentAttention(StrictModel):
    """Multi-head latent attention (DeepSeek V2, arXiv:2405.04434): one compressed vector per token is cached."""

    kv_lora_rank: Count = described("Size of the compressed key/value vector", 512)
    q_lora_rank: Count | None = optional("Size of the compressed query; left out where queries are not compressed", 1536)
    qk_rope_head_dim: Count = described("Rotary part of a key, cached beside the latent", 64)
    qk_nope_head_dim: Count = described("Part of a query or key head without rotary position", 128)
    v_head_dim: Count = described("Size of one value head after decompression", 128)
    index_head_dim: Count | None = optional("Head size of the sparse-attention indexer (DeepSeek V3.2)", 128)
    index_n_heads: Count | None = optional("Heads of the indexer", 64)
    index_topk: Count | None = optional("Tokens the indexer keeps", 2048)
    index_layers: Many[Size] = several("Layers with an indexer of their own, where the others reuse an earlier one (GLM-5.2)", [0, 1, 2, 6])


class CompressedAttention(StrictModel):
    """Attention over compressed tokens (DeepSeek V4): one key that is its own value, both projections through low ranks."""

    q_lora_rank: Count = described("Size of the compressed query", 1024)
    o_lora_rank: Count = described("Rows of one group of the output's first projection", 1024)
    o_groups: Count = described("Groups of heads with an output projection of their own", 8)
    qk_rope_head_dim: Count = described("Rotary part of a head", 64)
    index_head_dim: Count = described("Head size of the indexer of compressed_sparse_attention layers", 128)
    index_n_heads: Count = described("Heads of the indexer", 64)
    index_topk: Count = described("Compressed tokens the indexer keeps", 512)
    sparse_ratio: Count = described("Tokens that become one entry in compressed_sparse_attention layers", 4)
    heavy_ratio: Count = described("Tokens that become one entry in heavily_compressed_attention layers", 128)


class SparseAttention(StrictModel):
    """An indexer beside ordinary attention that picks blocks of tokens (MiniMax M3); its key is cached too."""

    index_n_heads: Count = described("Heads of the indexer", 4)
    index_head_dim: Count = described("Head size of the indexer", 128)
    block_size: Count = described("Tokens of one block", 128)
    topk_blocks: Count = described("Blocks the indexer keeps", 16)


class LayerGroup(StrictModel):
    """Layers that are alike in what they cache; the groups' counts add up to num_hidden_layers."""

    layers: Count = described("How many layers are of this kind", 25)
    type: LayerType = described("What the layers mix tokens with", "sliding_attention")
    sliding_window: Count | None = optional("Tokens these layers look back, where it differs from attention.sliding_window", 1024)
    num_attention_heads: Count | None = optional("Query heads of these layers, where they differ (Step 3.7)", 96)
    num_key_value_heads: Count | None = optional("Key/value heads of these layers, where they differ", 2)
    head_dim: Count | None = optional("Head size of these layers, where it differs", 512)
    intermediate_size: Count | None = optional("Feed-forward size of these layers, where it differs", 2112)


class Experts(StrictModel):
    """Mixture of experts: how many there are and how many one token uses."""

    count: Count = described("Routed experts per layer", 128)
    used_per_token: Count = described("Routed experts one token passes through", 8)
    intermediate_size: Count = described("Feed-forward size of one routed expert", 768)
    shared_count: Size | None = optional("Experts every token passes through", 1)
    shared_intermediate_size: Count | None = optional("Feed-forward size of the shared experts together", 2048)
    first_dense_layers: Size | None = optional("Leading layers that have one ordinary feed-forward instead", 3)
    layer_step: Count | None = optional("Every n-th layer has experts, the others one ordinary feed-forward (Llama 4 Maverick, Jamba)", 2)
    latent_size: Count | None = optional("Width of the narrower space the routed experts work in (Nemotron 3, Kimi K3)", 1024)
    routed_parameters: Count | None = optional("Parameters of all routed experts of all layers", 653908770816)


class RecurrentState(StrictModel):
    """What layers without a key/value cache keep per sequence, whatever its length."""

    kind: Literal["gated-delta-net", "kimi-delta", "mamba", "mamba2", "rwkv", "short-convolution"] = described(
        "Which recurrence", "gated-delta-net"
    )
    num_key_heads: Count | None = optional("Key heads of linear attention", 16)
    num_value_heads: Count | None = optional("Value heads of linear attention, or heads of Mamba 2", 32)
    key_head_dim: Count | None = optional("Size of one key head", 128)
    value_head_dim: Count | None = optional("Size of one value head, or head size of Mamba 2", 128)
    state_size: Count | None = optional("State per channel of a state-space layer", 128)
    inner_size: Count | None = optional("Channels inside a state-space layer", 8192)
    num_groups: Count | None = optional("Groups that share B and C in Mamba 2", 8)
    conv_kernel: Count | None = optional("Length of the short convolution", 4)


class Architecture(StrictModel):
    """The numbers of config.json that decide memory. Names are those of Hugging Face configs."""

    kind: Kind = described("decoder, encoder, encoder-decoder, hybrid (attention and recurrence) or state-space", "decoder")
    model_type: Line = described("model_type of config.json: which code builds it", "llama")
    num_hidden_layers: Count = described("Layers (of the encoder, where there are two stacks)", 32)
    num_decoder_layers: Count | None = optional("Layers of the decoder, in an encoder-decoder", 24)
    hidden_size: Count = described("Width of the residual stream", 4096)
    intermediate_size: Count | None = optional("Feed-forward size of a dense layer", 14336)
    vocab_size: Count = described("Rows of the embedding table", 128256)
    tie_word_embeddings: bool = described("true where the output layer reuses the embedding table", False)
    attention: Attention | None = optional(
        "Heads; left out only where no layer attends", {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    )
    latent_attention: LatentAttention | None = optional(
        "MLA ranks", {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}
    )
    compressed_attention: CompressedAttention | None = optional(
        "Attention over compressed tokens (DeepSeek V4)", {"q_lora_rank": 1024, "o_lora_rank": 1024, "o_groups": 8}
    )
    sparse_attention: SparseAttention | None = optional(
        "The indexer of sparse_attention layers (MiniMax M3)", {"index_n_heads": 4, "index_head_dim": 128}
    )
    rope_scaling_factor: Count | None = optional(
        "Linear rotary scaling of the full-attention layers: their positions are divided by it (Gemma 3)", 8
    )
    residual_streams: Count | None = optional("Copies of the residual stream (hyper-connections of DeepSeek V4)", 4)
    layer_groups: Many[LayerGroup] = several(
        "Only where layers differ: each kind with its count", [{"layers": 25, "type": "sliding_attention"}]
    )
    layer_pattern: Many[LayerType] = several("Order of the layer types; a shorter list repeats", ["sliding_attention", "full_attention"])
    kv_shared_layers: Count | None = optional("Last layers that reuse the cache of earlier ones (Gemma 3n)", 10)
    per_layer_embedding_size: Count | None = optional("Width of the per-layer input embeddings (Gemma 3n)", 256)
    per_layer_embedding_rows: Count | None = optional("Rows of their table, where it has fewer than vocab_size", 262144)
    experts: Experts | None = optional("Mixture of experts", {"count": 8, "used_per_token": 2, "intermediate_size": 14336})
    recurrent_state: RecurrentState | None = optional("State of layers that keep no key/value cache", {"kind": "mamba", "state_size": 16})


class Beside(StrictModel):
    """Something a published checkpoint stores besides the weights of a forward pass."""

    what: Line = described("What it is", "the output layer, a copy of the embeddings")
    count: Count = described("Its elements", 155582464)


class Parameters(StrictModel):
    """Counts of weights, not of billions in a name."""

    total: Count = described("Every weight a forward pass can use, tied tables once", 8030261248)
    active: Count | None = optional("Weights one token passes through, where experts make it fewer", 3345000000)
    embedding: Count | None = optional("Of the total: token embeddings and output layer", 1050673152)
    other_modalities: Count | None = optional("Of the total: vision and audio towers", 415000000)
    checkpoint: Count | None = optional("Elements in the published checkpoint, where they are not the total", 684489845504)
    difference: Line | None = optional("Why the checkpoint differs from the total", "the published files also hold a prediction layer")
    beside: Many[Beside] = several(
        "What the checkpoint holds besides the total, part by part; the parts add up to checkpoint less total",
        [{"what": "a multi-token prediction layer", "count": 424699392}],
    )


class Context(StrictModel):
    """How many tokens a sequence may have."""

    maximum: Count | None = described("What the developer states; null where there is no bound (recurrent models)", 131072)
    configured: Count | None = optional("Limit in config.json, where it differs from what is stated", 163840)
    extended: Count | None = optional("Reachable with the rescaling (YaRN and the like) the developer documents", 131072)
    note: Line | None = optional("What the difference means", "128K as served; the config allows 160K")


class Gated(StrictModel):
    """Whether the weights can be downloaded without asking."""

    mode: Literal["no", "auto", "manual"] = described("no, auto (accept and go) or manual (somebody approves)", "manual")
    url: Url | None = optional("Page on which access is asked for", "https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct")


class Model(Record):
    """One checkpoint people download: a base or a tuned variant of one size."""

    collection: ClassVar[str] = "models"
    url_fields: ClassVar[tuple[str, ...]] = ("hub_id",)

    name: Line = described("As its developer writes it", "Llama 3.1 8B Instruct")
    hub_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", max_length=120)] = described(
        "organisation/name on the Hugging Face Hub, in its own case", "meta-llama/Llama-3.1-8B-Instruct"
    )
    developer: Line = described("Who trained it", "Meta")
    family: FamilyRef = described("Id of the line it belongs to", "llama-3.1")
    base_model: ModelRef | None = optional("The record it was tuned, distilled or merged from", "meta-llama/llama-3.1-8b")
    replaced_by: ModelRef | None = optional("What its developer offers instead today", "meta-llama/llama-3.3-70b-instruct")
    summary: Prose | None = optional(
        "What it is good for, in two or three plain sentences; the first answers: should I care?",
        "The small model most tutorials of 2024 assume.",
    )
    watch_out: Many[Line] = several("What bites: licence terms, missing abilities, traps", ["access has to be requested once"])
    modalities: Many[Literal["text", "image", "audio", "video", "embedding"]] = described(
        "What goes in besides text; embedding for models that return vectors", ["text"], min_length=1
    )
    tuning: Literal["base", "instruct", "reasoning", "code", "embedding", "guard", "other"] | None = optional(
        "What it was tuned for", "instruct"
    )
    released: Date | None = optional("Day of the announcement (not of the repository)", "2024-07-23")
    license: License | None = optional("Licence of the weights", {"id": "Apache-2.0"})
    gated: Gated | None = optional("Whether access must be asked for", {"mode": "no"})
    parameters: Parameters = described("How many weights", {"total": 8030261248})
    context: Context = described("How many tokens", {"maximum": 131072})
    native_dtype: NumberFormat | None = optional("Number format the developer ships", "bf16")
    architecture: Architecture = described("The numbers that decide memory", {"kind": "decoder", "model_type": "llama"})
    paper: Url | None = optional("The paper or technical report", "https://arxiv.org/abs/2407.21783")
    announcement: Url | None = optional("The developer's own announcement", "https://ai.meta.com/blog/meta-llama-3-1/")
    repository: Url | None = optional("Code of the developer", "https://github.com/meta-llama/llama-models")


class Family(Record):
    """A line of models that were announced together and share a design; its members name it in `family`."""

    collection: ClassVar[str] = "families"

    name: Line = described("As its developer writes it", "Llama 3.1")
    developer: Line = described("Who trained it", "Meta")
    summary: Prose = described(
        "What the line is and who still needs it, in two or three plain sentences",
        "The Llama generation with 128K of context and a 405B model; most tutorials of 2024 use its 8B.",
    )
    watch_out: Many[Line] = several(
        "What bites in every model of the line", ["services above 700 million users need a licence of their own"]
    )
    released: Date | None = optional("When the first of its models was announced", "2024-07-23")
    successor_of: FamilyRef | None = optional("The line of the same developer that it continues", "llama-3")
    built_on: Many[FamilyRef] = several("Lines of others whose weights its models were trained from", ["llama-2"])
    trained_on: Many[DatasetRef] = several("Datasets of this catalog it was trained on", ["falcon-refinedweb"])
    announcement: Url | None = optional("The developer's own page about it", "https://ai.meta.com/blog/meta-llama-3-1/")
    paper: Url | None = optional("The paper or technical report", "https://arxiv.org/abs/2407.21783")
    repository: Url | None = optional("Code of the developer", "https://github.com/meta-llama/llama-models")
    read_more: Many[AnyRef] = several("Records about it: papers, notebooks, articles", ["resources/mixtral-paper"])
