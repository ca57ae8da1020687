"""Counts the memory of a training step in real code and prints it beside the estimate. Needs torch, transformers, peft; no GPU.

The model is built from the catalog's facts on fake tensors, which have shapes and no bytes; every storage that autograd,
autocast and the loss keep alive is added up, and the peak of forward and backward pass is the answer. Attention keeps what
FlashAttention keeps; a layer in NF4 is a stand-in that holds packed weights and unpacks them, as bitsandbytes does.

    python benchmarks/count_training_memory.py                      # every row of tests/golden/training.json
    python benchmarks/count_training_memory.py --model qwen/qwen3-0.6b --write    # counts its rows anew
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from llmops_catalog import estimate, load_catalog
from llmops_catalog.fit import ModelFacts, Training

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "training.json"
ATTENTION = "counted"
SETTINGS = ("precision", "gradient_checkpointing", "lora_rank", "lora_targets")
TARGETS = {"attention": ["q_proj", "k_proj", "v_proj", "o_proj"], "query-value": ["q_proj", "v_proj"], "all-linear": "all-linear"}
PLAIN_LAYER_NORM = nn.functional.layer_norm

Row = dict[str, Any]


class Living(TorchDispatchMode):
    """Adds up the storages that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0

    def add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.sizes or not size:
            return
        self.sizes[key] = size
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._drop, key)

    def _drop(self, key: int) -> None:
        self.now -= self.sizes.pop(key, 0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                self.add(value)
        return result


class Flash(torch.autograd.Function):
    """Keeps queries, keys, values, the output and the logarithm of each head's sum."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        batch, heads, length, _ = query.shape
        out = torch.empty(batch, length, heads, value.shape[3], dtype=query.dtype).transpose(1, 2)
        ctx.save_for_backward(query, key, value, out, torch.empty(batch, heads, length))
        return out

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return tuple(torch.empty_like(tensor) for tensor in ctx.saved_tensors[:3])


def counted_attention(module: nn.Module, query: Any, key: Any, value: Any, mask: Any, **settings: Any) -> tuple[torch.Tensor, None]:
    """The attention function transformers calls; under autocast in 16 bit, as on a card."""
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (tensor.to(torch.bfloat16) for tensor in (query, key, value))
    return Flash.apply(query, key, value).transpose(1, 2).contiguous(), None


def layer_norm(values: torch.Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> torch.Tensor:
    """Autocast computes LayerNorm in 32 bit on a card, on a CPU it does not."""
    if torch.is_autocast_enabled("cpu"):
        values, weight, bias = (one.float() if one is not None else None for one in (values, weight, bias))
    return PLAIN_LAYER_NORM(values, shape, weight, bias, eps)


class Unpacking(torch.autograd.Function):
    """A product with a packed matrix: unpacked for the moment, forward and backward, nothing kept."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, rows: int, cols: int) -> torch.Tensor:
        ctx.shape = rows, cols
        return nn.functional.linear(inputs, torch.empty(rows, cols, dtype=inputs.dtype))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        return gradient @ torch.empty(*ctx.shape, dtype=gradient.dtype), None, None


class Packed(nn.Module):
    """A linear layer in NF4 with double quantization and its adapter, as PEFT computes it (peft/tuners/lora/bnb.py)."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.rows, self.cols = linear.weight.shape
        size = self.rows * self.cols
        self.register_buffer("packed", torch.empty(size // 2 + size // 64 + size // 64 // 256 * 4, dtype=torch.uint8))
        self.bias = linear.bias
        self.down, self.up = nn.Linear(self.cols, rank, bias=False), nn.Linear(rank, self.rows, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        result = Unpacking.apply(inputs.to(torch.bfloat16), self.rows, self.cols).to(inputs.dtype)
        result = result if self.bias is None else result + self.bias.to(result.dtype)
        return result.clone() + self.up(self.down(inputs)) * 2.0


def config_of(facts: ModelFacts) -> Any:
    """The config transformers builds the model from."""
    said: dict[str, Any] = {
        "hidden_size": facts.hidden_size, "intermediate_size": facts.intermediate_size, "num_hidden_layers": facts.num_hidden_layers,
        "num_attention_heads": facts.num_attention_heads, "num_key_value_heads": facts.num_key_value_heads, "head_dim": facts.head_dim,
        "vocab_size": facts.vocab_size, "tie_word_embeddings": facts.tie_word_embeddings, "pad_token_id": 0,
        "max_position_embeddings": facts.position_tokens or 4096, "hidden_dropout": 0.0, "residual_dropout": 0.0, "embedding_dropout": 0.0,
    }  # fmt: skip
    if facts.experts:
        said |= dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts"), facts.experts.count)
        said["num_experts_per_tok"] = facts.experts.used_per_token
        said["intermediate_size"] = said["moe_intermediate_size"] = facts.experts.intermediate_size
        said |= {"n_shared_experts": facts.experts.shared_count, "first_k_dense_replace": facts.experts.first_dense_layers, "n_group": 1}
    if facts.latent:
        said |= {name: value for name, value in facts.latent._asdict().items() if not name.startswith("index")}
        said |= {"head_dim": facts.latent.qk_rope_head_dim, "intermediate_size": facts.intermediate_size, "topk_group": 1}
    if facts.model_type == "opt":
        said |= {"ffn_dim": facts.intermediate_size, "word_embed_proj_dim": facts.hidden_size, "dropout": 0.0}
    if facts.model_type == "gpt_neox":
        said = {name: value for name, value in said.items() if name not in ("head_dim", "num_key_value_heads")}
    return CONFIG_MAPPING[facts.model_type](**said)


def built(facts: ModelFacts, row: Row) -> nn.Module:
    """The model, ready to train as the row says."""
    full, precision = row["task"] == "full", row.get("precision", "bf16")
    wide = precision == "fp32" or (full and precision == "mixed")
    torch.set_default_dtype(torch.float32 if wide else torch.bfloat16)
    model = AutoModelForCausalLM.from_config(config_of(facts), attn_implementation=ATTENTION).train()
    torch.set_default_dtype(torch.float32)
    model.config.use_cache = False
    rank = row.get("lora_rank", 16)
    if row["task"] == "lora":
        with staying():
            model = get_peft_model(model, LoraConfig(r=rank, target_modules=TARGETS[row.get("lora_targets", "all-linear")]))
    if row["task"] == "qlora":
        model.requires_grad_(False)
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear) and name != "lm_head":
                    setattr(parent, name, Packed(child, rank))
        for parameter in model.parameters():
            parameter.data = parameter.data.float()  # prepare_model_for_kbit_training
    if row["gradient_checkpointing"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        if not full:
            model.enable_input_require_grads()
    return model


@contextmanager
def staying() -> Iterator[None]:
    """Fake tensors cannot be moved, and need not be."""
    to = nn.Module.to
    nn.Module.to = lambda self, *args, **kwargs: self  # type: ignore[method-assign]  # put back below
    BaseTunerLayer._move_adapter_to_device_of_base_layer = lambda *args, **kwargs: None
    try:
        yield
    finally:
        nn.Module.to = to  # type: ignore[method-assign]  # as above


def count(facts: ModelFacts, row: Row) -> Row:
    """The row with what was counted: a step of AdamW whose gradients are accumulated."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        model, living = built(facts, row), Living()
        for tensor in (*model.parameters(), *model.buffers()):
            living.add(tensor)
        weights = living.now
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        tokens = torch.zeros(row["concurrency"], row["context_tokens"], dtype=torch.long)
        with living:
            states = [torch.empty_like(parameter) for parameter in trained for _ in range(2)]
            optimizer = living.now - weights
            for parameter in trained:
                parameter.grad = torch.empty_like(parameter)
            gradients = living.now - weights - optimizer
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=row.get("precision") != "fp32"):
                answer = model(input_ids=tokens, labels=tokens)
            loss, logits = answer.loss.float(), answer.logits.float()  # accelerate returns outputs in 32 bit
            del answer, logits
            gc.collect()
            loss.backward()
            peak = living.peak
        del states
    counted = {"weights_bytes": weights, "trained_parameters": sum(parameter.numel() for parameter in trained),
               "gradient_bytes": gradients, "optimizer_bytes": optimizer, "peak_bytes": peak}  # fmt: skip
    return {**row, **counted}


def estimated(facts: ModelFacts, row: Row) -> int:
    """What the estimator says of the same, without what stands outside the allocator."""
    said = Training(**{name: row[name] for name in SETTINGS if name in row})
    usual = row["task"] == "qlora" or row.get("precision") == "fp32"
    memory = estimate(
        facts, task=row["task"], quantization=None if usual else "bf16", context_tokens=row["context_tokens"],
        concurrency=row["concurrency"], training=said,
    ).memory  # fmt: skip
    return memory.total_bytes - memory.overhead_bytes


def main() -> None:
    """Counts rows and prints estimate / count for each; `--write` keeps what was counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="only the rows of this model")
    parser.add_argument("--write", action="store_true", help="write what was counted into the golden file")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    ALL_ATTENTION_FUNCTIONS[ATTENTION] = counted_attention
    ALL_MASK_ATTENTION_FUNCTIONS._global_mapping[ATTENTION] = lambda *args, **kwargs: None
    nn.functional.layer_norm = layer_norm
    golden, catalog = json.loads(GOLDEN.read_text(encoding="utf-8")), load_catalog()
    for place, row in enumerate(golden["rows"]):
        if options.model in (None, row["model"]):
            facts = catalog.model(row["model"])
            golden["rows"][place] = row = count(facts, row)
            ratio, named = estimated(facts, row) / row["peak_bytes"], " ".join(str(value) for value in list(row.values())[:-5])
            print(f"{ratio:.4f}  {row['peak_bytes'] / 2**30:7.2f} GiB  {named}", flush=True)
    if options.write:
        rows = ",\n    ".join(json.dumps(row) for row in golden["rows"])
        GOLDEN.write_text(f'{{\n  "where": {json.dumps(golden["where"])},\n  "rows": [\n    {rows}\n  ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
