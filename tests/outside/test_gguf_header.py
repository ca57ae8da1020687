"""Headers of files nobody should trust: one sentence for each, little memory, little time."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path
from time import process_time

import pytest
from gguf_writer import BLOCKS, Raw, Tensor, data_size, header, padded, text, value, write
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.errors import FitInputError, UnreadableModel
from llmops_catalog.fit.formats import GGUF_BLOCKS
from llmops_catalog.outside import model_from_gguf
from llmops_catalog.outside.gguf_header import TENSOR_TYPES, Header, read_header

KEYS = {"general.architecture": "llama", "llama.block_count": 2, "llama.context_length": 4096, "llama.embedding_length": 64,
        "llama.attention.head_count": 4, "llama.attention.head_count_kv": [2, 2], "general.alignment": 32, "llama.rope.freq_base": 1e4,
        "tokenizer.ggml.tokens": ["<s>", "a", "ä"] * 7, "tokenizer.ggml.scores": [0.5] * 21,
        "tokenizer.ggml.add_bos_token": True}  # fmt: skip
TENSORS = [
    Tensor("token_embd.weight", (64, 21), "Q8_0"),
    Tensor("output_norm.weight", (64,), "F32"),
    Tensor("blk.0.ffn_up.weight", (64, 96)),
]
HEADER = header(KEYS, TENSORS)
VALID = HEADER + bytes(padded(len(HEADER)) - len(HEADER) + data_size(TENSORS))


def read(data: bytes) -> Header:
    return read_header(io.BytesIO(data), len(data), "x.gguf")


def refused(data: bytes) -> str:
    with pytest.raises(UnreadableModel) as caught:
        read(data)
    assert caught.value.place == "x.gguf"
    return caught.value.message


def test_values_and_tensors_are_read() -> None:
    found = read(VALID)
    assert found.values["llama.block_count"] == 2
    assert found.values["llama.attention.head_count_kv"] == (2, 2)
    assert found.values["llama.rope.freq_base"] == 1e4
    assert found.values["tokenizer.ggml.add_bos_token"] is True
    assert found.lengths["tokenizer.ggml.tokens"] == 21
    assert "tokenizer.ggml.tokens" not in found.values
    assert [(tensor.name, tensor.shape, tensor.size_bytes) for tensor in found.tensors] == [
        (*tensor[:2], tensor.size) for tensor in TENSORS
    ]
    assert found.is_whole


@pytest.mark.parametrize("type_id", TENSOR_TYPES)
def test_sizes_of_blocks_are_those_of_the_estimator(type_id: int) -> None:
    name, block, octets = TENSOR_TYPES[type_id]
    assert GGUF_BLOCKS.get(name, (block, octets)) == (block, octets)
    assert BLOCKS.get(name, (type_id, block, octets)) == (type_id, block, octets)


def changed(offset: int, code: str, number: int) -> bytes:
    data = bytearray(VALID)
    struct.pack_into(f"<{code}", data, offset, number)
    return bytes(data)


def key_file(item: Raw) -> bytes:
    return header({"a": item}, []) + b"\0" * 8


def tensor_file(shape: tuple[int, ...] = (64, 2), type_id: int | None = None, name: str | bytes = "t", place: int = 0) -> bytes:
    described = (
        text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", 0 if type_id is None else type_id, place)
    )
    return b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + described + bytes(4096)


def empty_strings(number: int) -> Raw:
    return Raw(9, struct.pack("<IQ", 8, number) + bytes(8 * number))


HUGE = 2**63
REFUSED = {
    "another kind of file": (b"PK\3\4" + bytes(64), "it begins with b'PK\\x03\\x04', not with 'GGUF': it is no GGUF file"),
    "three bytes": (b"GGU", "it begins with b'GGU', not with 'GGUF': it is no GGUF file"),
    "big-endian": (changed(4, "I", 0x03000000), "it is big-endian, which llama.cpp loads on big-endian machines only"),
    "version 1": (changed(4, "I", 1), "its GGUF version is 1; llama.cpp loads 2 and 3"),
    "version 4": (changed(4, "I", 4), "its GGUF version is 4; llama.cpp loads 2 and 3"),
    "millions of tensors": (changed(8, "Q", 10**7), "it says it has 10,000,000 tensors, more than any model"),
    "millions of keys": (changed(16, "Q", 10**7), "it says it has 10,000,000 keys, more than any model"),
    "more keys than there are": (changed(16, "Q", 60_000), "key 13 of 60,000 is 5,910,974,510,923,776 bytes long, more than 65,535"),
    "cut in the version": (VALID[:6], "the file ends at byte 6, before the version"),
    "cut in a key": (VALID[:40], "the file ends at byte 40, before key 1 of 11"),
    "cut in a tensor": (HEADER[:-20], "the file ends at byte 919, before the shape of the tensor 'blk.0.ffn_up.weight'"),
    "cut in the data": (VALID[:-1], "its tensors end at byte 14,944, the file at byte 14,943: it is not downloaded whole"),
    "long key": (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, HUGE), "key 1 of 1 is 9,223,372,036,854,775,808 bytes long, more than 65,535"),
    "empty key": (header({"": 1}, []), "key 1 is empty"),
    "key that is no text": (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"\xff\xfe") + value(1), "key 1 of 1 is not UTF-8 text"),
    "same key twice": (b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + 2 * (text("k") + value(1)), "the key 'k' is there twice"),
    "unknown type": (key_file(Raw(13, b"")), "the key 'a' has type 13, which GGUF does not know"),
    "nested arrays": (key_file(Raw(9, struct.pack("<IQ", 9, 1))), "the key 'a' is an array of type 9, which llama.cpp does not read"),
    "endless text": (key_file(Raw(8, struct.pack("<Q", 2**40))), "the key 'a' takes 1,099,511,627,776 bytes, the file has only 8 left"),
    "short text beyond the end": (key_file(Raw(8, struct.pack("<Q", 100))), "the file ends at byte 53, before the value of the key 'a'"),
    "endless list of strings": (key_file(Raw(9, struct.pack("<IQ", 8, 2**60))),
                                "the key 'a' says it holds 1,152,921,504,606,846,976 strings, more than the file has room for"),
    "a string beyond the end": (key_file(Raw(9, struct.pack("<IQQ", 8, 1, 2**62))),
                                "the file ends at byte 65, before the end of the key 'a'"),
    "endless list of numbers": (key_file(Raw(9, struct.pack("<IQ", 4, 2**62))),
                                "the key 'a' takes 18,446,744,073,709,551,616 bytes, the file has only 8 left"),
    "alignment": (header({"general.alignment": 24}, []), "general.alignment is 24, no power of two up to 1,048,576"),
    "alignment in words": (header({"general.alignment": "page"}, []), "general.alignment is 'page', no power of two up to 1,048,576"),
    "long tensor name": (tensor_file(name="t" * 64), "the name of tensor 1 of 1 is 64 bytes long, more than 63"),
    "same tensor twice": (header({}, [Tensor("t", (64,)), Tensor("t", (64,))]), "the tensor 't' is there twice"),
    "five dimensions": (tensor_file((1, 1, 1, 1, 1)), "the tensor 't' has 5 dimensions, more than 4"),
    "overflowing shape": (tensor_file((2**32, 2**32)), "the tensor 't' has a shape no memory could hold: 4294967296 x 4294967296"),
    "negative shape": (tensor_file((2**64 - 1, 0)), "the tensor 't' has a shape no memory could hold: 18446744073709551615 x 0"),
    "unknown tensor type": (tensor_file(type_id=31), "the tensor 't' has type 31, which llama.cpp does not know"),
    "broken rows": (tensor_file((100, 2), 12), "the tensor 't' has rows of 100 weights, no whole number of Q4_K blocks of 256"),
    "data elsewhere": (tensor_file(place=64), "the tensor 't' is said to begin at byte 64 of the data, but 0 comes next"),
    "data beyond the file": (tensor_file((2**20, 2**20)),
                             "its tensors end at byte 4,398,046,511,200, the file at byte 4,161: it is not downloaded whole"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_each_defect_has_its_sentence(case: str) -> None:
    data, message = REFUSED[case]
    assert refused(data) == message


def test_how_to_cut_a_file_to_its_header_is_said_and_works() -> None:
    with pytest.raises(UnreadableModel) as caught:
        read(VALID[:-100])
    assert caught.value.hint == f"download the rest; to ask without it, cut the file to its header: head -c {len(HEADER)} FILE"
    found = read(VALID[: len(HEADER)])
    assert not found.is_whole
    assert found._replace(is_whole=True) == read(VALID)


def test_tokenizers_are_stepped_over(tmp_path: Path) -> None:
    """A string longer than a piece, strings across the ends of pieces, and numbers by the hundred thousand."""
    words = ["x" * (length % 97) for length in range(200_000)] + ["y" * 200_000, ""] + ["z"] * 1000
    path = write(tmp_path / "x.gguf", KEYS | {"tokenizer.ggml.tokens": words, "tokenizer.ggml.scores": [0.0] * 200_000,
                                              "tokenizer.chat_template": "{" * 100_000}, TENSORS)  # fmt: skip
    tracemalloc.start()
    began = process_time()
    model = model_from_gguf(path)
    spent, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.vocab_size == 21
    assert peak < 2 * 2**20
    assert spent < 5


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(lambda: header({f"key.{number}": number for number in range(20_000)}, []), id="keys"),
        pytest.param(lambda: header({f"key.{number}": "x" * 1000 for number in range(60_000)}, []), id="texts"),
        pytest.param(lambda: header({f"{number:05}" + "k" * 1000: 1 for number in range(20_000)}, []), id="names"),
        pytest.param(lambda: header({f"key.{number}": [1] * 4000 for number in range(2_000)}, []), id="lists"),
        pytest.param(lambda: header({"a": empty_strings(500_000), "b": empty_strings(4_000_000)}, []), id="strings"),
        pytest.param(lambda: header({}, [Tensor(f"t.{number}", (1,)) for number in range(12_000)]), id="tensors"),
    ],
)
def test_memory_and_time_are_bounded(parts, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(parts())
    tracemalloc.start()
    began = process_time()
    try:
        with pytest.raises(UnreadableModel):
            model_from_gguf(path)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
        assert process_time() - began < 20
    finally:
        tracemalloc.stop()


@settings(max_examples=400)
@given(st.data())
def test_whatever_is_changed_in_a_file_there_is_an_answer_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    altered = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(HEADER) - 8))
        change = data.draw(st.sampled_from(["byte", "number", "cut", "insert"]))
        if change == "byte":
            altered[place % len(altered)] = data.draw(st.integers(0, 255))
        elif change == "number" and len(altered) > 8:
            struct.pack_into(
                "<Q", altered, min(place, len(altered) - 8), data.draw(st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
            )
        elif change == "cut":
            del altered[place : place + data.draw(st.integers(1, 9))]
        else:
            altered[place:place] = data.draw(st.binary(max_size=9))
    path = tmp_path_factory.getbasetemp() / "fuzzed.gguf"
    path.write_bytes(altered)
    try:
        model = model_from_gguf(path)
    except FitInputError as error:
        sentence = error.message
        assert 0 < len(sentence) < 400
    else:
        assert model.file is not None
        assert model.total_parameters >= 0


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_noise_behind_the_magic_is_refused_or_empty(noise: bytes) -> None:
    try:
        assert read(b"GGUF\3\0\0\0" + noise) is not None
    except UnreadableModel as error:
        assert error.place == "x.gguf"  # noqa: PT017
