"""What the keys of a GGUF header say about the model, as llama.cpp reads them (`load_hparams` in src/llama-model.cpp).

Source of every default here: `load_arch_hparams` of the architecture in
https://github.com/ggml-org/llama.cpp/tree/master/src/models, and `src/llama-hparams.cpp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llmops_catalog.errors import UnknownModelType, UnreadableModel
from llmops_catalog.outside.gguf_header import Header, Value
from llmops_catalog.problems import did_you_mean, nearest

LARGEST_NUMBER = 2**31 - 1
MOST_LAYERS = 4096


class Sliding(NamedTuple):
    """Layers with a window: all but each `every`-th, the first (`dense_first`) or the last of each `every` being full.

    `window` stands where the file does not say; `only_layers` restricts it to one size of model.
    """

    every: int
    dense_first: bool = False
    window: int | None = None
    kind: str = "sliding_attention"
    only_layers: int | None = None


SLIDING = {
    "gemma2": Sliding(2, window=4096), "gemma3": Sliding(6), "gemma3n": Sliding(5), "gemma-embedding": Sliding(6), "gpt-oss": Sliding(2),
    "cohere2": Sliding(4), "cohere2moe": Sliding(4, dense_first=True), "olmo2": Sliding(4),
    "exaone4": Sliding(4, window=4096, only_layers=64), "exaone-moe": Sliding(4, window=128),
    "smallthinker": Sliding(4, dense_first=True), "modern-bert": Sliding(3, dense_first=True),
    "afmoe": Sliding(4), "laguna": Sliding(4, dense_first=True), "mellum": Sliding(4), "muse-glimmer": Sliding(4), "plamo3": Sliding(8),
    "llama4": Sliding(4, window=8192, kind="chunked_attention"),
    # these name every layer in attention.sliding_window_pattern
    **dict.fromkeys(("gemma4", "granite_swa", "maple", "mimo2", "spark2_5", "step35", "dots3note"), Sliding(1)),
}  # fmt: skip
"""`load_swa_pattern` of each architecture. Elsewhere a window in the file is not used (Mistral, Phi 3)."""

DELTA_NETS = ("qwen3next", "qwen35", "qwen35moe", "qwen4exp", "minimax-01")
"""Every n-th layer attends (full_attention_interval, 4 where it is not said), the others recur."""
RECURRENT = {
    **dict.fromkeys(("qwen3next", "qwen35", "qwen35moe", "qwen4exp"), ("linear_attention", "gated-delta-net")),
    **dict.fromkeys(("kimi-linear", "kimi-k3", "bailingmoe3", "glm5-next"), ("linear_attention", "kimi-delta")),
    **dict.fromkeys(("lfm2", "lfm2moe"), ("convolution", "short-convolution")),
    **dict.fromkeys(("mamba", "jamba"), ("state_space", "mamba")),
    **dict.fromkeys(("mamba2", "nemotron_h", "nemotron_h_moe", "granitehybrid", "plamo2", "falcon-h1"), ("state_space", "mamba2")),
    **dict.fromkeys(("rwkv6", "rwkv7", "rwkv6qwen2", "arwkv7"), ("state_space", "wkv")),
    "minimax-01": ("linear_attention", "lightning-attention"),
}  # fmt: skip
"""What layers without a cache are, and what they keep."""
STATE_SPACE = ("mamba", "mamba2", "rwkv6", "rwkv7", "rwkv6qwen2", "arwkv7")
ENCODERS = (
    "bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "modern-bert", "jina-bert-v2", "jina-bert-v3", "eurobert", "gemma-embedding",
    "t5encoder", "llama-embed",
)  # fmt: skip
COMPRESSION = {0: "sliding_attention", 4: "compressed_sparse_attention", 128: "heavily_compressed_attention"}
"""compress_ratios of DeepSeek V4."""
PLAIN = (
    "llama", "deci", "falcon", "grok", "gpt2", "gptj", "gptneox", "mpt", "baichuan", "starcoder", "refact", "bloom", "stablelm", "qwen",
    "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "phi2", "phi3", "phimoe", "plamo", "codeshell", "orion",
    "internlm2", "minicpm", "minicpm3", "gemma", "starcoder2", "xverse", "command-r", "dbrx", "olmo", "olmoe", "openelm", "arctic",
    "deepseek", "deepseek2", "deepseek2-ocr", "deepseek32", "chatglm", "glm4", "glm4moe", "glm-dsa", "bitnet", "t5", "jais", "jais2",
    "nemotron", "exaone", "granite", "granitemoe", "chameleon", "plm", "bailingmoe", "bailingmoe2", "dots1", "arcee", "ernie4_5",
    "ernie4_5-moe", "hunyuan-moe", "hunyuan-dense", "hunyuan_vl", "hy_v3", "smollm3", "dream", "llada", "llada-moe", "seed_oss",
    "grovemoe", "apertus", "minimax-m2", "minimax-m3", "cogvlm", "rnd1", "pangu-embedded", "mistral3", "mistral4", "paddleocr",
    "maincoder", "talkie", "nanbeige",
)  # fmt: skip
"""Architectures whose layers all attend to everything before them."""
ARCHITECTURES = tuple(dict.fromkeys([*PLAIN, *SLIDING, *RECURRENT, *ENCODERS, "deepseek4"]))
NOT_MODELS = {"clip": "the vision or audio part of a model (mmproj)", "adapter": "an adapter (LoRA)", "imatrix": "an importance matrix",
              "mmproj": "the vision or audio part of a model (mmproj)", "wavtokenizer-dec": "an audio decoder"}  # fmt: skip


class Keys:
    """The keys of one header, each checked when it is asked for."""

    def __init__(self, header: Header, place: str) -> None:
        self.header, self.place = header, place
        self.architecture = self._architecture()
        self.layers_in_file = self.size("block_count", most=MOST_LAYERS)
        self.layers = self.layers_in_file - self.size("nextn_predict_layers", 0)
        if self.layers < 1:
            raise self.refuse(f"{self.architecture}.nextn_predict_layers leaves no layer")

    def refuse(self, message: str, hint: str = "") -> UnreadableModel:
        return UnreadableModel(self.place, message, hint or "the file was not written by llama.cpp's converter: convert the model again")

    def _architecture(self) -> str:
        values = self.header.values
        name, kind = values.get("general.architecture"), values.get("general.type", "model")
        if not isinstance(name, str) or not name:
            raise self.refuse("it does not say its architecture (general.architecture)")
        what = NOT_MODELS.get(name) or NOT_MODELS.get(str(kind))
        if what:
            raise self.refuse(f"it is {what}, not a language model", "name the file with the model's own weights")
        if name not in ARCHITECTURES:
            near = did_you_mean(nearest(name, ARCHITECTURES))
            sentence = f"its architecture {name[:60]!r} is not one whose cache we can count. {near}".rstrip()
            raise UnknownModelType(self.place, sentence, "a newer release may know it")
        return name

    def value(self, key: str) -> Value | None:
        """A value of the architecture's own keys."""
        return self.header.values.get(f"{self.architecture}.{key}")

    def size(self, key: str, default: int | None = None, most: int = LARGEST_NUMBER) -> int:
        """A whole number from 0 to `most`; raises `UnreadableModel` where it is missing and has no default."""
        value = self.value(key)
        if value is None and default is not None:
            return default
        if value is None:
            raise self.refuse(f"the key {self.architecture}.{key} is missing")
        return self._whole(key, value, most)

    def optional(self, key: str, most: int = LARGEST_NUMBER) -> int | None:
        """As `size`; None where the key is missing or 0."""
        return self.size(key, 0, most) or None

    def largest(self, key: str, default: int = 0) -> int:
        """The number, or the largest of a list of one for each layer."""
        return max(self.each(key, default))

    def each(self, key: str, default: int) -> list[int]:
        """One number for each layer, whether the file gives one for all or a list."""
        value = self.value(key)
        if not isinstance(value, tuple):
            length = self.header.lengths.get(f"{self.architecture}.{key}")
            if length is not None:
                raise self.refuse(f"{self.architecture}.{key} holds {length:,} values, more than one for each layer")
            return [self.size(key, default)] * self.layers
        if len(value) < self.layers:
            raise self.refuse(f"{self.architecture}.{key} has {len(value)} values for {self.layers} layers")
        return [self._whole(key, number, LARGEST_NUMBER) for number in value[: self.layers]]

    def _whole(self, key: str, value: Value, most: int) -> int:
        if not isinstance(value, int) or not 0 <= value <= most:
            raise self.refuse(f"{self.architecture}.{key} is {str(value)[:60]}, not a whole number up to {most:,}")
        return int(value)


def layer_types(keys: Keys, indexed: Sequence[int] = ()) -> list[str]:
    """What each layer does, in order; `indexed` are those with tensors of an indexer."""
    if keys.architecture == "deepseek4":
        ratios = keys.each("attention.compress_ratios", 0)
        if not set(ratios) <= set(COMPRESSION):
            raise keys.refuse("deepseek4.attention.compress_ratios has a ratio that is neither 0, 4 nor 128")
        return [COMPRESSION[ratio] for ratio in ratios]
    if keys.architecture == "minimax-m3":
        dense = keys.size("leading_dense_block_count", 0)
        picking = set(indexed) or set(range(dense, keys.layers))
        return ["sparse_attention" if layer in picking else "full_attention" for layer in range(keys.layers)]
    sliding = _sliding(keys)
    recurrent = _recurrent(keys)
    heads, key_heads = keys.each("attention.head_count", 0), keys.each("attention.head_count_kv", 1)
    recurrence = RECURRENT.get(keys.architecture, ("full_attention", ""))[0]
    window = SLIDING.get(keys.architecture, Sliding(1)).kind
    types = []
    for layer in range(keys.layers):
        if recurrent[layer]:
            types.append(recurrence)
        elif not heads[layer] or not key_heads[layer]:
            types.append("feed_forward")
        else:
            types.append(window if sliding[layer] else "full_attention")
    return types


def window_tokens(keys: Keys) -> int | None:
    """Tokens a sliding layer looks back; None where no layer slides."""
    if keys.architecture == "deepseek4":
        return keys.size("attention.sliding_window")
    rule = SLIDING.get(keys.architecture)
    if rule is None or (rule.only_layers and rule.only_layers != keys.layers):
        return None
    if keys.architecture == "llama4":  # the file says 0, or nothing: the chunk is fixed
        return None if keys.value("attention.sliding_window") == 0 else rule.window
    return keys.size("attention.sliding_window", rule.window or 0) or None


def _sliding(keys: Keys) -> list[bool]:
    rule = SLIDING.get(keys.architecture)
    if rule is None or not window_tokens(keys):
        return [False] * keys.layers
    pattern = keys.value("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        return [bool(flag) for flag in keys.each("attention.sliding_window_pattern", 0)]
    every = keys.size("attention.sliding_window_pattern", rule.every)
    if not every:
        return [True] * keys.layers
    return [(layer % every != 0) if rule.dense_first else (layer % every < every - 1) for layer in range(keys.layers)]


def _recurrent(keys: Keys) -> list[bool]:
    name = keys.architecture
    if name in STATE_SPACE or name == "falcon-h1":
        return [True] * keys.layers
    if name in DELTA_NETS:
        if isinstance(keys.value("attention.recurrent_layers"), tuple):
            return [bool(flag) for flag in keys.each("attention.recurrent_layers", 0)]
        every = keys.size("full_attention_interval", 4) or 1
        return [(layer + 1) % every != 0 for layer in range(keys.layers)]
    if name in RECURRENT:
        no_cache = [heads == 0 for heads in keys.each("attention.head_count_kv", 1)]
        forward = keys.each("feed_forward_length", 0) if name.startswith("nemotron_h") else [0] * keys.layers
        return [without and not size for without, size in zip(no_cache, forward, strict=True)]
    return [False] * keys.layers
