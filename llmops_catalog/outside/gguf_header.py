"""The header of a GGUF file: its keys and the list of its tensors. Reads nothing else, and never more than it can hold.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; what llama.cpp refuses (`gguf_init_from_reader` in
https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/gguf.cpp) is refused here. A tokenizer's hundred thousands of
strings are stepped over: of long arrays only the length is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

from llmops_catalog.errors import UnreadableModel

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT, LARGEST_ALIGNMENT = 32, 2**20
MOST_KEYS, MOST_TENSORS, MOST_STRINGS = 2**16, 2**16, 2**22
"""Beyond these no file is a model: published ones have some 50 keys, 2,000 tensors and 1,000,000 strings in their tokenizer."""
LONGEST_KEY, LONGEST_TENSOR_NAME, MOST_DIMENSIONS = 2**16 - 1, 63, 4
LONGEST_KEPT_TEXT, LONGEST_KEPT_ARRAY = 1024, 4096
KEPT_BYTES = 8 * 2**20
"""Of names and values altogether."""
CHUNK = 2**16

Value = int | float | str | tuple[int | float, ...]

STRING, ARRAY = 8, 9
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of values other than strings and arrays, and their codes in `struct`."""

TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    # id: (name, weights in a block, bytes of a block); ids: enum ggml_type in ggml/include/ggml.h
    # https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py GGML_QUANT_SIZES
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip


class TensorInfo(NamedTuple):
    """One tensor as the header lists it; `shape` begins with the length of a row."""

    name: str
    shape: tuple[int, ...]
    type: str
    size_bytes: int

    @property
    def elements(self) -> int:
        """Weights in it."""
        product = 1
        for size in self.shape:
            product *= size
        return product


class Header(NamedTuple):
    """What a header says: scalar values and short lists of numbers, how long each array is, the tensors.

    `is_whole` is False where the file ends with its header, so that only the header is there.
    """

    values: Mapping[str, Value]
    lengths: Mapping[str, int]
    tensors: tuple[TensorInfo, ...]
    is_whole: bool


def read_header(file: BinaryIO, size: int, place: str) -> Header:
    """The header of a file of `size` bytes; `place` names it in messages. Raises `UnreadableModel`."""
    reader = _Reader(file, size, place)
    tensor_count, key_count = _beginning(reader)
    values, lengths = _keys(reader, key_count)
    tensors, offsets = _tensors(reader, tensor_count)
    return Header(values, lengths, tensors, _data_is_there(reader, values, tensors, offsets))


class _Reader:
    """Reads forward and knows where the file ends: no length in it is believed before that."""

    def __init__(self, file: BinaryIO, size: int, place: str) -> None:
        self.file, self.size, self.place = file, size, place
        self.position = 0
        self.kept = 0
        self.strings = 0

    def refuse(self, message: str, hint: str = "") -> UnreadableModel:
        return UnreadableModel(self.place, message, hint or "llama.cpp would not load it either: download it again, or convert it again")

    def take(self, length: int, what: str) -> bytes:
        """The next bytes; `what` is said where the file ends before them."""
        if length > self.size - self.position:
            raise self.refuse(f"the file ends at byte {self.size:,}, before {what}")
        data = self.file.read(length)
        if len(data) != length:
            raise self.refuse(f"the file ends at byte {self.position + len(data):,}, before {what}")
        self.position += length
        return data

    def step_over(self, length: int, what: str) -> None:
        if length > self.size - self.position:
            raise self.refuse(f"{what} takes {length:,} bytes, the file has only {self.size - self.position:,} left")
        self.position += length
        self.file.seek(self.position)

    def number(self, code: str, what: str) -> int:
        """One whole number; `code` is its letter in `struct`."""
        return int(struct.unpack(f"<{code}", self.take(struct.calcsize(code), what))[0])

    def text(self, longest: int, what: str) -> str:
        """A string that has to be UTF-8 and not longer than `longest` bytes."""
        length = self.number("Q", f"the length of {what}")
        if length > longest:
            raise self.refuse(f"{what} is {length:,} bytes long, more than {longest:,}")
        try:
            return self.take(length, what).decode()
        except UnicodeDecodeError:
            raise self.refuse(f"{what} is not UTF-8 text") from None

    def keep(self, key: str, weight: int) -> None:
        """Counts what stays in memory."""
        self.kept += len(key) + weight
        if self.kept > KEPT_BYTES:
            raise self.refuse("its keys hold more than any model has to say")

    def step_over_strings(self, count: int, what: str) -> None:
        """Strings one after another, each behind its length; read in pieces, none of them kept."""
        self.strings += count
        if self.strings > MOST_STRINGS:
            raise self.refuse(f"{what} holds {count:,} strings, more than any tokenizer")
        while count:
            piece = self.file.read(min(CHUNK, self.size - self.position))
            count, used = _strings_in(piece, count)
            if not used and len(piece) >= 8:  # one string longer than the piece
                used, count = 8 + int.from_bytes(piece[:8], "little"), count - 1
            if not used or used > self.size - self.position:
                raise self.refuse(f"the file ends at byte {self.size:,}, before the end of {what}")
            self.position += used
            self.file.seek(self.position)


def _strings_in(piece: bytes, count: int) -> tuple[int, int]:
    """How many of `count` strings remain after those that lie whole in `piece`, and how many bytes these take."""
    length_at = struct.Struct("<Q").unpack_from
    position, last = 0, len(piece) - 8
    while count and position <= last:
        after = position + 8 + length_at(piece, position)[0]
        if after > len(piece):
            break
        position, count = after, count - 1
    return count, position


def _beginning(reader: _Reader) -> tuple[int, int]:
    """Checks magic and version; the numbers of tensors and keys."""
    start = reader.take(min(4, reader.size), "the first byte")
    if start != MAGIC:
        raise reader.refuse(f"it begins with {start!r}, not with 'GGUF': it is no GGUF file", "name a file that ends in .gguf")
    version = reader.number("I", "the version")
    if not version & 0xFFFF:
        raise reader.refuse("it is big-endian, which llama.cpp loads on big-endian machines only", "convert it with gguf_convert_endian.py")
    if version not in VERSIONS:
        raise reader.refuse(f"its GGUF version is {version}; llama.cpp loads {VERSIONS[0]} and {VERSIONS[1]}")
    tensors, keys = reader.number("Q", "the number of tensors"), reader.number("Q", "the number of keys")
    if tensors > MOST_TENSORS:
        raise reader.refuse(f"it says it has {tensors:,} tensors, more than any model")
    if keys > MOST_KEYS:
        raise reader.refuse(f"it says it has {keys:,} keys, more than any model")
    return tensors, keys


def _keys(reader: _Reader, count: int) -> tuple[dict[str, Value], dict[str, int]]:
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    seen: set[int] = set()
    for index in range(count):
        key = reader.text(LONGEST_KEY, f"key {index + 1:,} of {count:,}")
        shown = f"the key {key[:80]!r}"
        if not key or hash(key) in seen:
            raise reader.refuse(f"{shown} is there twice" if key else f"key {index + 1:,} is empty")
        seen.add(hash(key))
        kind = reader.number("I", f"the type of {shown}")
        if kind == ARRAY:
            length, value = _array(reader, shown)
            lengths[key] = length
            reader.keep(key, 64)
        else:
            value = _scalar(reader, kind, shown)
        if value is not None:
            values[key] = value
            reader.keep(key, len(value) * 32 if isinstance(value, (str, tuple)) else 32)
    return values, lengths


def _scalar(reader: _Reader, kind: int, shown: str) -> Value | None:
    """One value; None for a text longer than any that matters (a chat template)."""
    if kind in NUMBERS:
        value: Value = struct.unpack(f"<{NUMBERS[kind]}", reader.take(struct.calcsize(NUMBERS[kind]), f"the value of {shown}"))[0]
        return value
    if kind != STRING:
        raise reader.refuse(f"{shown} has type {kind}, which GGUF does not know")
    length = reader.number("Q", f"the length of {shown}")
    if length > LONGEST_KEPT_TEXT:
        reader.step_over(length, shown)
        return None
    return reader.take(length, f"the value of {shown}").decode(errors="replace")


def _array(reader: _Reader, shown: str) -> tuple[int, Value | None]:
    """Its length, and its numbers where they are few."""
    kind, length = reader.number("I", f"the type of {shown}"), reader.number("Q", f"the length of {shown}")
    if kind == STRING:
        if length > (reader.size - reader.position) // 8:
            raise reader.refuse(f"{shown} says it holds {length:,} strings, more than the file has room for")
        reader.step_over_strings(length, shown)
        return length, None
    if kind not in NUMBERS:
        raise reader.refuse(f"{shown} is an array of type {kind}, which llama.cpp does not read")
    size = struct.calcsize(NUMBERS[kind])
    if length > LONGEST_KEPT_ARRAY:
        reader.step_over(length * size, shown)
        return length, None
    return length, struct.unpack(f"<{length}{NUMBERS[kind]}", reader.take(length * size, f"the values of {shown}"))


def _tensors(reader: _Reader, count: int) -> tuple[tuple[TensorInfo, ...], list[int]]:
    tensors: list[TensorInfo] = []
    offsets: list[int] = []
    names: set[str] = set()
    for index in range(count):
        name = reader.text(LONGEST_TENSOR_NAME, f"the name of tensor {index + 1:,} of {count:,}")
        if name in names:
            raise reader.refuse(f"the tensor {name!r} is there twice")
        names.add(name)
        tensors.append(_tensor(reader, name))
        offsets.append(reader.number("Q", f"the place of the tensor {name!r}"))
    return tuple(tensors), offsets


def _tensor(reader: _Reader, name: str) -> TensorInfo:
    shown = f"the tensor {name!r}"
    dimensions = reader.number("I", f"the shape of {shown}")
    if dimensions > MOST_DIMENSIONS:
        raise reader.refuse(f"{shown} has {dimensions:,} dimensions, more than {MOST_DIMENSIONS}")
    shape = struct.unpack(f"<{dimensions}Q", reader.take(8 * dimensions, f"the shape of {shown}")) or (1,)
    type_id = reader.number("I", f"the type of {shown}")
    if type_id not in TENSOR_TYPES:
        raise reader.refuse(f"{shown} has type {type_id}, which llama.cpp does not know")
    type_name, block, octets = TENSOR_TYPES[type_id]
    info = TensorInfo(name, shape, type_name, 0)
    if max(shape) >= 2**63 or info.elements >= 2**63:
        raise reader.refuse(f"{shown} has a shape no memory could hold: {' x '.join(map(str, shape))}")
    if shape[0] % block:
        raise reader.refuse(f"{shown} has rows of {shape[0]:,} weights, no whole number of {type_name} blocks of {block}")
    return info._replace(size_bytes=info.elements // block * octets)


def _data_is_there(reader: _Reader, values: Mapping[str, Value], tensors: tuple[TensorInfo, ...], offsets: list[int]) -> bool:
    """Whether the tensors follow the header, one after another as llama.cpp demands; False where the file ends before the first."""
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1):
        raise reader.refuse(f"general.alignment is {alignment!r}, no power of two up to {LARGEST_ALIGNMENT:,}")
    start = -(-reader.position // alignment) * alignment
    expected = end = 0
    for tensor, offset in zip(tensors, offsets, strict=True):
        if offset != expected:
            raise reader.refuse(f"the tensor {tensor.name!r} is said to begin at byte {offset:,} of the data, but {expected:,} comes next")
        end = offset + tensor.size_bytes
        expected = -(-end // alignment) * alignment
    if tensors and reader.position <= reader.size <= start:
        return False
    if tensors and start + end > reader.size:
        whole = f"its tensors end at byte {start + end:,}, the file at byte {reader.size:,}: it is not downloaded whole"
        raise reader.refuse(whole, f"download the rest; to ask without it, cut the file to its header: head -c {reader.position} FILE")
    return True
