"""What the estimator knows about a model and a card: plain immutable values, free of YAML, pydantic and files.

They are named tuples, not dataclasses: importing `dataclasses` and building such classes costs more time than a whole
answer, and a fit must answer at once.

Field names are those of Hugging Face configs and of the catalog's schema; units are in the names. `None` always means
"nobody has said", never zero: the estimator answers `unknown` rather than guess in its place.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llmops_catalog.fit.support import Support

CACHING_LAYERS = ("full_attention", "sliding_attention", "chunked_attention", "sparse_attention")
"""Layer types that keep one key/value entry per token (the sliding and chunked ones up to a limit)."""
RECURRENT_LAYERS = ("linear_attention", "state_space", "convolution")
"""Layer types whose memory does not grow with the context."""


class LayerGroupFacts(NamedTuple):
    """Layers that are alike; heads, head size and window are already resolved against the model's own."""

    layers: int
    type: str
    sliding_window: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    intermediate_size: int | None = None
    num_attention_heads: int | None = None


class LatentFacts(NamedTuple):
    """Ranks of multi-head latent attention (DeepSeek V2, arXiv:2405.04434)."""

    kv_lora_rank: int
    qk_rope_head_dim: int
    qk_nope_head_dim: int
    v_head_dim: int
    q_lora_rank: int | None = None
    index_head_dim: int | None = None
    index_n_heads: int | None = None
    index_topk: int | None = None
    index_layers: tuple[int, ...] = ()
    """Layers with an indexer of their own; empty where all have one."""


class CompressedFacts(NamedTuple):
    """Attention over compressed tokens (DeepSeek V4): the fields of the record's `compressed_attention`."""

    q_lora_rank: int
    o_lora_rank: int
    o_groups: int
    qk_rope_head_dim: int
    index_head_dim: int
    index_n_heads: int
    index_topk: int
    sparse_ratio: int
    heavy_ratio: int


class SparseFacts(NamedTuple):
    """The indexer beside ordinary attention (MiniMax M3): it picks blocks of tokens, and its key is cached too."""

    index_n_heads: int
    index_head_dim: int
    block_size: int
    topk_blocks: int


class ExpertFacts(NamedTuple):
    """Mixture of experts: how many exist, how many one token uses."""

    count: int  # type: ignore[assignment]  # the record's own word; nobody counts in this tuple
    used_per_token: int
    intermediate_size: int
    shared_count: int | None = None
    shared_intermediate_size: int | None = None
    first_dense_layers: int = 0
    routed_parameters: int | None = None
    layer_step: int = 1
    """Every n-th layer has experts, beginning with the n-th."""
    latent_size: int | None = None
    """Width of the routed experts where they work in a narrower space than the residual stream."""

    def has_layer(self, index: int) -> bool:
        """True where layer `index` (from 0) has experts rather than one feed-forward."""
        return index >= self.first_dense_layers and (index + 1) % self.layer_step == 0


class StateFacts(NamedTuple):
    """What layers without a key/value cache keep per sequence, whatever its length."""

    kind: str
    num_key_heads: int | None = None
    num_value_heads: int | None = None
    key_head_dim: int | None = None
    value_head_dim: int | None = None
    state_size: int | None = None
    inner_size: int | None = None
    num_groups: int | None = None
    conv_kernel: int | None = None


class FileTensor(NamedTuple):
    """One tensor as it lies in a file: its role (`fit/tensors.py`), `rows` x `cols` weights, and the bytes they take there.

    `layer` is None outside the layers. Tensors that are not `loaded` are in the file only (heads that predict further tokens).
    """

    role: str
    rows: int
    cols: int
    size_bytes: int
    layer: int | None = None
    loaded: bool = True


class WeightFile:
    """The very file that facts were read from: its quantization and the tensors in it. Never changed."""

    def __init__(self, quantization: str, tensors: Iterable[FileTensor]) -> None:
        self.quantization = quantization
        self.tensors = tuple(tensors)
        self.file_bytes = sum(tensor.size_bytes for tensor in self.tensors)
        self._hash = hash((quantization, self.tensors))

    def __eq__(self, other: object) -> bool:
        """Equal where the same lies in it."""
        return isinstance(other, WeightFile) and (self.quantization, self.tensors) == (other.quantization, other.tensors)

    def __hash__(self) -> int:
        """Computed once: every estimate is remembered by its model's facts."""
        return self._hash


class ModelFacts(NamedTuple):
    """One checkpoint. `max_context_tokens` is None where the model has no bound of its own.

    `layer_types` names every layer in order where the order is known, else it is empty and only `layer_groups` (always
    present, counts adding up to `num_hidden_layers`) say how many there are of each kind.
    """

    id: str
    name: str
    model_type: str
    kind: str
    num_hidden_layers: int
    hidden_size: int
    vocab_size: int
    total_parameters: int
    hub_id: str = ""
    developer: str = ""
    family: str = ""
    tuning: str | None = None
    released: str | None = None
    replaced_by: str | None = None
    modalities: tuple[str, ...] = ("text",)
    num_decoder_layers: int | None = None
    intermediate_size: int | None = None
    tie_word_embeddings: bool = False
    num_attention_heads: int = 0
    num_key_value_heads: int = 0
    head_dim: int = 0
    sliding_window: int | None = None
    layer_types: tuple[str, ...] = ()
    layer_groups: tuple[LayerGroupFacts, ...] = ()
    kv_shared_layers: int = 0
    per_layer_embedding_size: int | None = None
    latent: LatentFacts | None = None
    experts: ExpertFacts | None = None
    state: StateFacts | None = None
    max_context_tokens: int | None = None
    position_tokens: int | None = None
    """Tokens the config allows: the rows of a learned position table."""
    native_dtype: str | None = None
    active_parameters: int | None = None
    embedding_parameters: int | None = None
    other_modality_parameters: int | None = None
    checkpoint_parameters: int | None = None
    parameter_difference: str | None = None
    confidence: str = "high"
    sources: tuple[str, ...] = ()
    support: "Support | None" = None
    """What the catalog the facts came from knows of what runs where; None for facts from elsewhere."""
    value_head_dim: int | None = None
    """Size of a value head where it is not head_dim."""
    per_layer_embedding_rows: int | None = None
    """Rows of the per-layer embedding table where it has fewer than vocab_size."""
    compressed: CompressedFacts | None = None
    sparse: SparseFacts | None = None
    residual_streams: int = 1
    notes: tuple[str, ...] = ()
    """What a reader of any answer about this model should know."""
    file: WeightFile | None = None
    """Set where the facts were read from one file of weights: its own bytes are the answer, in its own quantization only."""
    mentions: int = 0
    """Records of the catalog that refer to it (lists, courses, measurements, models made from it): how well known it is."""
    rope_scaling_factor: int = 1
    """By what the positions of full-attention layers are divided."""

    @property
    def is_decoder(self) -> bool:
        """True where tokens are generated one after another, so that a cache is kept."""
        return self.kind != "encoder"


class RentalFacts(NamedTuple):
    """The lowest known price of one card for one hour, with who asked it and when it was seen."""

    amount: float
    provider: str
    as_of: str | None = None
    currency: str = "USD"
    source: str | None = None
    gpu_count: int = 1
    """Cards that come together; `amount` is the price of one of them."""

    def as_json(self) -> Mapping[str, object]:
        """The object of `usd_per_hour`."""
        return {"amount": self.amount, "currency": self.currency, "provider": self.provider, "as_of": self.as_of}


class GpuFacts(NamedTuple):
    """One card. Its three sizes differ: as sold (GB), as the driver reports it (MiB), as CUDA shows it (GiB)."""

    id: str
    name: str
    vendor: str
    sold_gb: float | None = None
    segment: str | None = None
    architecture: str | None = None
    released: str | None = None
    driver_mib: int | None = None
    cuda_gib: float | None = None
    system_limit_low_gib: float | None = None
    system_limit_high_gib: float | None = None
    bandwidth_gb_s: float | None = None
    compute_capability: str | None = None
    bf16: str | None = None
    fp8: str | None = None
    fp4: str | None = None
    fp16_tflops: float | None = None
    fp32_tflops: float | None = None
    launch_price_usd: float | None = None
    colab: str | None = None
    rental: RentalFacts | None = None
    exact_bytes: int | None = None
    """Set only for `--memory SIZE`: exactly what a process may use, no deduction."""
    memory_type: str | None = None
    """Memory technology in the vendor's words: GDDR6X, HBM3, LPDDR5X, unified."""
    nvlink: bool | None = None
    fp16_vector_tflops: float | None = None
    offers: tuple[RentalFacts, ...] = ()
    """Ways to rent it: for each size of instance the lowest known on-demand prices per card, with and without a day."""

    @property
    def has_memory(self) -> bool:
        """False where no size is recorded: no answer about it can be more than `unknown`."""
        sizes = (self.exact_bytes, self.system_limit_low_gib, self.cuda_gib, self.driver_mib, self.sold_gb)
        return any(size is not None for size in sizes)

    @property
    def capability(self) -> tuple[int, int] | None:
        """Compute capability as numbers, (8, 9) for 8.9, so that 10.0 is more than 9.0."""
        return capability(self.compute_capability)


@lru_cache(maxsize=256)
def capability(text: str | None) -> tuple[int, int] | None:
    """A compute capability as numbers; None where none is given."""
    if text is None:
        return None
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)
