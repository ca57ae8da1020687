"""One kind of weight tensor of a model: its role, its shape, the layers it stands in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Role = str
"""What a tensor does. Names follow llama.cpp's tensor names, because its quantizer decides by them.

- embeddings: `token_embd`, `position`, `per_layer_token_embd`, `output` (the lm_head)
- attention: `attn_q`, `attn_k`, `attn_v`, `attn_qkv` (fused), `attn_output`, `attn_k_b` (MLA's key half, transposed),
  `attn_gate` (the gate of a gated delta net, whose queries, keys and values are `attn_qkv` too)
- feed forward: `ffn_gate`, `ffn_up`, `ffn_down`; the same with `expert_` or `shared_` in front; `router`
- `linear`: any other matrix the formats quantize; `vector`: norms and biases; `kept`: small matrices kept in 32 bit;
  `half`: matrices no quantizer touches, in 16 bit
- `tower`: vision and audio parts, known by their total only; `rest`: counted but not derived
"""


class Tensor(NamedTuple):
    """`rows` x `cols` weights (out x in features), `copies` of them in each of `layers`.

    `layers` holds the layer indices, so that rules which treat early or late layers differently can ask;
    it is ``(0,)`` for what stands outside the layers.
    """

    role: Role
    rows: int
    cols: int
    layers: Sequence[int] = (0,)
    copies: int = 1

    @property
    def parameters(self) -> int:
        """Weights in all layers and copies together."""
        return self.rows * self.cols * self.copies * len(self.layers)


def count(tensors: Iterable[Tensor]) -> int:
    """Weights of all tensors."""
    return sum(tensor.parameters for tensor in tensors)


def together(tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """The same weights with one entry for each role and shape, its layers in order.

    Layers of different kinds often hold the same matrix; rules that count the matrices of a role through the model need
    to see them as one row. What stands twice in one layer stays twice.
    """
    found: dict[tuple[Role, int, int, int], set[int]] = {}
    again: list[Tensor] = []
    for tensor in tensors:
        key, layers = (tensor.role, tensor.rows, tensor.cols, tensor.copies), set(tensor.layers)
        if layers & found.setdefault(key, set()):
            again.append(tensor)
        else:
            found[key] |= layers
    once = (Tensor(role, rows, cols, tuple(sorted(layers)), copies) for (role, rows, cols, copies), layers in found.items())
    return (*once, *again)


def vector(size: int, layers: Sequence[int] = (0,), copies: int = 1) -> Tensor:
    """A norm or a bias: one row, never quantized."""
    return Tensor("vector", 1, size, layers, copies)
