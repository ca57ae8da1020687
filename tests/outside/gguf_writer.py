"""A small writer of GGUF files, right or wrong: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

BLOCKS = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q8_0": (8, 32, 34), "Q4_0": (2, 32, 18), "Q4_K": (12, 256, 144), "Q6_K": (14, 256, 210),
          "MXFP4": (39, 32, 17), "BF16": (30, 1, 2), "IQ3_K": (138, 256, 110), "IQ4_KS": (144, 256, 136)}  # fmt: skip
"""Written down a second time, so that the reader's own table is tested: id, weights in a block, bytes of a block."""


class Tensor(NamedTuple):
    name: str
    shape: Sequence[int]  # rows last, as in the file
    type: str = "F16"

    @property
    def size(self) -> int:
        _, block, octets = BLOCKS[self.type]
        scales = 4 * prod(self.shape[1:]) if self.type == "IQ4_KS" else 0
        return prod(self.shape) // block * octets + scales


class Raw(NamedTuple):
    """A value of a type of our choice, its bytes as given."""

    type: int
    data: bytes


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def value(item: Any) -> bytes:
    """Type and bytes of one value: whole numbers as u32, floats as f32, lists by their first element."""
    match item:
        case Raw():
            return struct.pack("<I", item.type) + item.data
        case bool():
            return struct.pack("<I?", 7, item)
        case int():
            return struct.pack("<II", 4, item)
        case float():
            return struct.pack("<If", 6, item)
        case str():
            return struct.pack("<I", 8) + text(item)
        case [bool(), *_]:
            return struct.pack(f"<IIQ{len(item)}?", 9, 7, len(item), *item)
        case [int(), *_]:
            return struct.pack(f"<IIQ{len(item)}i", 9, 5, len(item), *item)
        case [float(), *_]:
            return struct.pack(f"<IIQ{len(item)}f", 9, 6, len(item), *item)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(text, item))
    raise TypeError(item)


def padded(size: int, alignment: int = 32) -> int:
    return -(-size // alignment) * alignment


def header(keys: Mapping[str, Any], tensors: Sequence[Tensor], version: int = 3, offsets: Sequence[int] | None = None) -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(keys))]
    parts += [text(key) + value(item) for key, item in keys.items()]
    place = 0
    for index, tensor in enumerate(tensors):
        at = place if offsets is None else offsets[index]
        parts.append(text(tensor.name) + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape))
        parts.append(struct.pack("<IQ", BLOCKS[tensor.type][0], at))
        place += padded(tensor.size)
    return b"".join(parts)


def data_size(tensors: Sequence[Tensor]) -> int:
    return sum(padded(tensor.size) for tensor in tensors)


def write(path: Path, keys: Mapping[str, Any], tensors: Sequence[Tensor], **settings: Any) -> Path:
    """A whole file; the weights are a hole in it, however large they are."""
    head = header(keys, tensors, **settings)
    path.write_bytes(head)
    os.truncate(path, padded(len(head)) + data_size(tensors))
    return path


def keys(architecture: str, layers: int, width: int, heads: Any, key_heads: Any, **more: Any) -> dict[str, Any]:
    """The keys of a model as llama.cpp's converter writes them; `__` stands for a dot."""
    own = {"block_count": layers, "context_length": 131072, "embedding_length": width, "attention.head_count": heads,
           "attention.head_count_kv": key_heads}  # fmt: skip
    own |= {name.replace("__", "."): value for name, value in more.items()}
    return {"general.architecture": architecture} | {f"{architecture}.{name}": value for name, value in own.items()}


def table(width: int, rows: int) -> list[Tensor]:
    return [Tensor("token_embd.weight", (width, rows), "Q8_0"), Tensor("output.weight", (width, rows), "Q8_0")]


LATENT = {"attention__key_length": 576, "attention__value_length": 512, "attention__key_length_mla": 192,
          "attention__value_length_mla": 128, "attention__kv_lora_rank": 512, "rope__dimension_count": 64}  # fmt: skip
"""Keys of latent attention, as DeepSeek's files have them."""
