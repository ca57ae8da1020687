"""What every runtime answers: how many bytes of what, on which card, and how far that may be off."""

from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts


class Parts(NamedTuple):
    """What a training run adds, in bytes over all cards; adapters are among the weights, the others in compute.

    `activation_bytes` is what layers keep for their backward pass; `working_bytes` what comes and goes at the peak: logits,
    one layer computed again, gathered shards.
    """

    adapter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    working_bytes: int


class Footprint(NamedTuple):
    """Bytes summed over the cards, and `per_gpu_bytes` card by card.

    `below_bytes` and `above_bytes` are how much less or more one card may need than `per_gpu_bytes` says.
    `parts` divides what training adds.
    """

    weights_bytes: int
    host_bytes: int
    kv_cache_bytes: int
    state_bytes: int
    compute_bytes: int
    overhead_bytes: int
    per_gpu_bytes: tuple[int, ...]
    below_bytes: int
    above_bytes: int
    assumptions: tuple[Assumption, ...] = ()
    parts: Parts | None = None

    @property
    def total_bytes(self) -> int:
        """Everything on the accelerators."""
        return self.weights_bytes + self.kv_cache_bytes + self.state_bytes + self.compute_bytes + self.overhead_bytes


def shares(whole: int, cards: int, layers: int) -> list[int]:
    """`whole` spread over the cards in whole layers, as a layer split does: the first ones take one more."""
    base, more = divmod(layers, cards)
    return [whole * (base + (card < more)) // layers for card in range(cards)]


def feed_forward_width(model: ModelFacts) -> int:
    """Feed-forward numbers one token passes through in its widest layer: dense, or its experts together."""
    dense = max([group.intermediate_size or 0 for group in model.layer_groups] + [model.intermediate_size or 0])
    if model.experts is None:
        return dense or 4 * model.hidden_size
    routed = model.experts.used_per_token * model.experts.intermediate_size
    shared = model.experts.shared_intermediate_size or (model.experts.shared_count or 0) * model.experts.intermediate_size
    return max(routed + shared, dense if model.experts.first_dense_layers else 0)


def query_width(model: ModelFacts) -> int:
    """Numbers of all query heads of one token in the widest layer."""
    head_dim = max([group.head_dim or 0 for group in model.layer_groups] + [model.head_dim])
    if model.latent:
        return model.num_attention_heads * (model.latent.qk_nope_head_dim + model.latent.qk_rope_head_dim)
    return model.num_attention_heads * head_dim
