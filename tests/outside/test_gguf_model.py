"""Facts from GGUF files: every byte of weights counted as it lies there, the cache by the file's own keys."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from gguf_writer import LATENT, Tensor, header, keys, table, write
from hypothesis import given, settings
from hypothesis import strategies as st
from records import facts

from llmops_catalog.errors import FitInputError, UnreadableModel
from llmops_catalog.fit import Engine, GpuFacts, ModelFacts, estimate, fit
from llmops_catalog.fit.weights import weigh
from llmops_catalog.outside import model_from_gguf

MIB = 2**20


def llama_8b() -> tuple[dict[str, Any], list[Tensor]]:
    """Llama 3.1 8B Instruct in Q4_K_M: types as `llama-quantize` prints them."""
    described = keys("llama", 32, 4096, 32, 8, feed_forward_length=14336, rope__dimension_count=128, vocab_size=128256)
    described |= {"general.file_type": 15, "general.name": "Meta Llama 3.1 8B Instruct", "tokenizer.ggml.tokens": ["a", "b"] * 500}
    tensors = [Tensor("token_embd.weight", (4096, 128256), "Q4_K"), Tensor("output.weight", (4096, 128256), "Q6_K"),
               Tensor("output_norm.weight", (4096,), "F32"), Tensor("rope_freqs.weight", (64,), "F32")]  # fmt: skip
    for layer in range(32):
        better = "Q6_K" if layer < 4 or layer >= 28 or (layer - 4) % 3 == 2 else "Q4_K"
        shapes = {"attn_q": (4096, 4096), "attn_k": (4096, 1024), "attn_v": (4096, 1024), "attn_output": (4096, 4096),
                  "ffn_gate": (4096, 14336), "ffn_up": (4096, 14336), "ffn_down": (14336, 4096)}  # fmt: skip
        tensors += [Tensor(f"blk.{layer}.{name}.weight", shape, better if name in ("attn_v", "ffn_down") else "Q4_K")
                    for name, shape in shapes.items()]  # fmt: skip
        tensors += [Tensor(f"blk.{layer}.{name}.weight", (4096,), "F32") for name in ("attn_norm", "ffn_norm")]
    return described, tensors


def test_a_whole_file_is_exact(tmp_path: Path) -> None:
    described, tensors = llama_8b()
    model = model_from_gguf(write(tmp_path / "llama-q4.gguf", described, tensors))
    answer = estimate(model, quantization="native", context_tokens=8192)
    assert (answer.quantization, answer.memory.file_bytes) == ("q4_k_m", sum(tensor.size for tensor in tensors))
    assert weigh(model, "q4_k_m", "llama.cpp").input_bytes == 128256 * 4096 // 256 * 144
    assert answer.memory.weights_bytes == answer.memory.file_bytes - 128256 * 4096 // 256 * 144
    assert answer.memory.kv_cache_bytes == 1024 * MIB
    size = f"{len(header(described, tensors)):,} bytes"
    assert [known.text for known in answer.assumptions if size in known.text] == [
        f"the header with its tokenizer takes {size} of the file beside the tensors"
    ]
    assert (model.total_parameters, model.vocab_size, model.max_context_tokens) == (8_030_261_248 + 64, 128_256, 131_072)
    assert answer.as_json()["model"] == "llama-q4.gguf"
    assert answer.as_json()["hub_id"] == ""


def test_it_agrees_with_the_catalogs_record(tmp_path: Path) -> None:
    """Apart from 256 bytes of rotary factors, which no record carries."""
    described, tensors = llama_8b()
    model, known = model_from_gguf(write(tmp_path / "x.gguf", described, tensors)), facts("meta-llama/llama-3.1-8b-instruct")
    for context in (512, 8192, 131_072):
        ours, theirs = (estimate(one, quantization="q4_k_m", context_tokens=context).memory for one in (model, known))
        assert ours.file_bytes - theirs.file_bytes == 256
        assert ours.total_bytes - theirs.total_bytes == 256


def test_only_the_header_is_needed(tmp_path: Path) -> None:
    described, tensors = llama_8b()
    whole = model_from_gguf(write(tmp_path / "x.gguf", described, tensors))
    (tmp_path / "x.gguf").write_bytes(header(described, tensors))
    model = model_from_gguf(tmp_path / "x.gguf")
    assert model._replace(notes=whole.notes) == whole
    answer = estimate(model, quantization="native")
    assert "only the header of the file is there: what it describes is answered" in [known.text for known in answer.assumptions]


PATTERN = {"gemma-4-26b": [layer % 6 != 5 for layer in range(30)], "gemma-4-e2b": [layer % 5 != 4 for layer in range(35)]}
KIMI = [32 if layer % 4 == 3 or layer == 26 else 0 for layer in range(27)]
NEMOTRON = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
MIMO = [layer not in (0, 5, 11, 17, 23, 29, 35, 41, 47) for layer in range(48)]
MAMBA = {"ssm__conv_kernel": 4, "ssm__inner_size": 1536, "ssm__state_size": 16, "ssm__time_step_rank": 48}
DELTA = {"ssm__conv_kernel": 4, "ssm__inner_size": 8192, "ssm__state_size": 128, "ssm__time_step_rank": 64, "ssm__group_count": 16}
MAMBA_2 = {"ssm__conv_kernel": 4, "ssm__inner_size": 4096, "ssm__state_size": 128, "ssm__time_step_rank": 64}
HEADS_64, HEADS_128, HEADS_256 = ({"attention__key_length": size, "attention__value_length": size} for size in (64, 128, 256))
HEADS_GEMMA_4 = {"attention__key_length": 512, "attention__value_length": 512, "attention__key_length_swa": 256,
                 "attention__value_length_swa": 256}  # fmt: skip
INDEXER = {"attention__indexer__head_count": 64, "attention__indexer__key_length": 128, "attention__indexer__top_k": 2048}
FILES: dict[str, dict[str, Any]] = {
    "google/gemma-2-9b-it": keys("gemma2", 42, 3584, 16, 8, **HEADS_256, attention__sliding_window=4096),
    "google/gemma-3-12b-it": keys("gemma3", 48, 3840, 16, 8, **HEADS_256, attention__sliding_window=1024),
    "google/gemma-3n-e2b-it": keys("gemma3n", 30, 2048, 8, 2, **HEADS_256,
                                   attention__sliding_window=512, attention__sliding_window_pattern=PATTERN["gemma-4-e2b"][:30]),
    "google/gemma-4-26b-a4b-it": keys("gemma4", 30, 2816, 16, [2 if not slides else 8 for slides in PATTERN["gemma-4-26b"]],
                                      **HEADS_GEMMA_4, attention__sliding_window=1024,
                                      attention__sliding_window_pattern=PATTERN["gemma-4-26b"]),
    "google/gemma-4-e2b-it": keys("gemma4", 35, 1536, 8, 1, **HEADS_GEMMA_4, attention__sliding_window=512,
                                  attention__shared_kv_layers=20, attention__sliding_window_pattern=PATTERN["gemma-4-e2b"],
                                  feed_forward_length=[6144] * 15 + [12288] * 20),
    "openai/gpt-oss-20b": keys("gpt-oss", 24, 2880, 64, 8, **HEADS_64, attention__sliding_window=128,
                               expert_count=32, expert_used_count=4, expert_feed_forward_length=2880),
    "deepseek-ai/deepseek-r1": keys("deepseek2", 61, 7168, 128, 1, attention__q_lora_rank=1536, **LATENT),
    "deepseek-ai/deepseek-v3.2": keys("deepseek32", 62, 7168, 128, 1, nextn_predict_layers=1,
                                      attention__q_lora_rank=1536, **INDEXER, **LATENT),
    "qwen/qwen3-30b-a3b": keys("qwen3moe", 48, 2048, 32, 4, **HEADS_128),
    "qwen/qwen3.5-122b-a10b": keys("qwen35moe", 48, 3072, 32, 2, **HEADS_256,
                                   full_attention_interval=4, **DELTA),
    "liquidai/lfm2-1.2b": keys("lfm2", 16, 2048, 32, [8 if layer in (2, 5, 8, 10, 12, 14) else 0 for layer in range(16)],
                               shortconv__l_cache=3),
    "ibm-granite/granite-4.0-h-micro": keys("granitehybrid", 40, 2048, 32, [8 if layer % 10 == 5 else 0 for layer in range(40)],
                                            ssm__group_count=1, **MAMBA_2),
    "nvidia/nvidia-nemotron-3-nano-30b-a3b-bf16": keys(
        "nemotron_h_moe", 52, 2688, 32, [2 if kind == "*" else 0 for kind in NEMOTRON], **HEADS_128,
        feed_forward_length=[1856 if kind == "E" else 0 for kind in NEMOTRON], ssm__group_count=8, **MAMBA_2),
    "state-spaces/mamba-130m-hf": keys("mamba", 24, 768, 0, 0, **MAMBA),
    "meta-llama/llama-4-scout-17b-16e-instruct": keys("llama4", 48, 5120, 40, 8, **HEADS_128),
    "lgai-exaone/exaone-4.0-32b": keys("exaone4", 64, 5120, 40, 8, attention__sliding_window=4096),
    "allenai/olmo-3-7b-instruct": keys("olmo2", 32, 4096, 32, 32, attention__sliding_window=4096),
    "deepseek-ai/deepseek-v4-flash": keys("deepseek4", 43, 4096, 64, 1, attention__key_length=512, attention__value_length=512,
                                          attention__sliding_window=128, attention__q_lora_rank=1024, attention__output_lora_rank=1024,
                                          attention__output_group_count=8, rope__dimension_count=64, hyper_connection__count=4,
                                          attention__compress_ratios=[0, 0, *[4, 128] * 20, 4], **INDEXER),
    "minimaxai/minimax-m3": keys("minimax-m3", 60, 6144, 64, 4, **HEADS_128, leading_dense_block_count=3,
                                 attention__indexer__head_count=4, attention__indexer__key_length=128, attention__indexer__block_size=128,
                                 attention__indexer__top_k=16),
    "mistralai/mistral-7b-instruct-v0.3": keys("llama", 32, 4096, 32, 8),
    "microsoft/phi-3-mini-4k-instruct": keys("phi3", 32, 3072, 32, 32, attention__sliding_window=2047),
    "google-t5/t5-base": keys("t5", 12, 768, 12, 12, **HEADS_64, decoder_block_count=12),
    "baai/bge-m3": keys("bert", 24, 1024, 16, 16),
}  # fmt: skip
"""The keys of published files."""


@pytest.mark.parametrize("model_id", FILES)
def test_the_cache_is_that_of_the_record(model_id: str, tmp_path: Path) -> None:
    described, known = FILES[model_id], facts(model_id)
    width = described[f"{described['general.architecture']}.embedding_length"]
    model = model_from_gguf(write(tmp_path / "x.gguf", described, table(width, 64)))
    assert model.kind == known.kind
    for context, sequences in ((512, 1), (20_000, 3), (131_072, 1)):
        asked = {"context_tokens": context, "concurrency": sequences}
        ours = estimate(model, quantization="native", **asked).memory
        theirs = estimate(known, quantization="bf16", **asked).memory
        assert (ours.kv_cache_bytes, ours.state_bytes) == (theirs.kv_cache_bytes, theirs.state_bytes)


def completed(described: dict[str, Any], known: ModelFacts) -> dict[str, Any]:
    """The keys with the feed forwards of the record, which the cache does not need."""
    own: dict[str, Any] = {
        "feed_forward_length": known.intermediate_size,
        "embedding_length_per_layer_input": known.per_layer_embedding_size,
    }
    if known.experts:
        own |= {"expert_count": known.experts.count, "expert_used_count": known.experts.used_per_token,
                "expert_feed_forward_length": known.experts.intermediate_size, "expert_shared_count": known.experts.shared_count,
                "expert_shared_feed_forward_length": known.experts.shared_intermediate_size,
                "leading_dense_block_count": known.experts.first_dense_layers}  # fmt: skip
    architecture = described["general.architecture"]
    return {f"{architecture}.{name}": value for name, value in own.items() if value} | described


@pytest.mark.parametrize("model_id", FILES)
def test_so_are_the_buffers(model_id: str, tmp_path: Path) -> None:
    known = facts(model_id)
    tensors = table(known.hidden_size, known.vocab_size)[: 1 if known.tie_word_embeddings else 2]
    model = model_from_gguf(write(tmp_path / "x.gguf", completed(FILES[model_id], known), tensors))
    for asked in ({"context_tokens": 8192}, {"context_tokens": 20_000, "concurrency": 4, "gpu_count": 2}):
        ours, theirs = estimate(model, **asked).memory, estimate(known, quantization="f16", **asked).memory
        assert (ours.compute_bytes, ours.overhead_bytes) == (theirs.compute_bytes, theirs.overhead_bytes)


def test_keys_and_values_of_different_sizes(tmp_path: Path) -> None:
    """MiMo V2 Flash: keys of 192, values of 128."""
    described = keys("mimo2", 48, 4096, 64, [8 if slides else 4 for slides in MIMO], attention__key_length=192, attention__value_length=128,
                     attention__sliding_window=128, attention__sliding_window_pattern=MIMO)  # fmt: skip
    model = model_from_gguf(write(tmp_path / "x.gguf", described, table(4096, 64)))
    window = 768  # 128 and a micro-batch of 512, padded to 256
    expected = (9 * 4 * 32_768 + 39 * 8 * window) * (192 + 128) * 2
    assert estimate(model, quantization="native", context_tokens=32_768).memory.kv_cache_bytes == expected


def test_delta_attention_beside_latent_attention(tmp_path: Path) -> None:
    """Kimi Linear: a file says 0 key/value heads for layers that keep a state."""
    described = keys("kimi-linear", 27, 2304, 32, KIMI, kda__head_dim=128, ssm__conv_kernel=4, **LATENT)
    memory = estimate(
        model_from_gguf(write(tmp_path / "x.gguf", described, table(2304, 64))), quantization="native", context_tokens=1024
    ).memory
    assert memory.kv_cache_bytes == KIMI.count(32) * 576 * 2 * 1024
    assert memory.state_bytes == KIMI.count(0) * (32 * 128 * 128 + 3 * 3 * 32 * 128) * 4


def test_layers_without_an_indexer_of_their_own(tmp_path: Path) -> None:
    """GLM-5.2: which layers have one is seen by their tensors."""
    described = keys("glm-dsa", 4, 64, 4, 1, attention__q_lora_rank=32, **INDEXER, **LATENT)
    tensors = [*table(64, 32), *(Tensor(f"blk.{layer}.indexer.attn_k.weight", (64, 128)) for layer in (0, 2))]
    model = model_from_gguf(write(tmp_path / "x.gguf", described, tensors))
    assert model.latent is not None
    assert model.latent.index_layers == (0, 2)


def test_latent_attention_of_an_old_file_is_cached_decompressed(tmp_path: Path) -> None:
    described = keys("deepseek2", 61, 7168, 128, 128, attention__key_length=192, attention__value_length=128, attention__kv_lora_rank=512,
                     rope__dimension_count=64)  # fmt: skip
    model = model_from_gguf(write(tmp_path / "x.gguf", described, table(7168, 64)))
    assert model.latent is None
    assert estimate(model, quantization="native", context_tokens=256).memory.kv_cache_bytes == 61 * 128 * 320 * 2 * 256


def test_layers_that_predict_further_tokens_stay_in_the_file(tmp_path: Path) -> None:
    described = keys("glm4moe", 3, 64, 4, 2, nextn_predict_layers=1)
    tensors = [*table(64, 32), *(Tensor(f"blk.{layer}.ffn_up.weight", (64, 64)) for layer in range(3)),
               Tensor("blk.2.nextn.eh_proj.weight", (64, 64))]  # fmt: skip
    model = model_from_gguf(write(tmp_path / "x.gguf", described, tensors))
    answer = estimate(model, quantization="native", context_tokens=256)
    assert model.num_hidden_layers == 2
    assert answer.memory.file_bytes == sum(tensor.size for tensor in tensors)
    assert answer.memory.file_bytes - weigh(model, "custom mix", "llama.cpp").resident_bytes == 2 * 64 * 64 * 2
    assert [known.text for known in answer.assumptions][1] == "the layers that predict further tokens (MTP) stay in the file"


def test_experts_count_towards_what_one_token_reads(tmp_path: Path) -> None:
    described = keys("qwen3moe", 1, 64, 4, 2, expert_count=8, expert_used_count=2, expert_feed_forward_length=32)
    tensors = [*table(64, 32), Tensor("blk.0.ffn_up_exps.weight", (64, 32, 8)), Tensor("blk.0.ffn_gate_inp.weight", (64, 8), "F32")]
    model = model_from_gguf(write(tmp_path / "x.gguf", described, tensors))
    assert model.total_parameters == 2 * 64 * 32 + 64 * 32 * 8 + 64 * 8
    assert model.active_parameters == 2 * 64 * 32 + 64 * 32 * 2 + 64 * 8
    assert model.experts is not None
    assert model.experts.routed_parameters == 64 * 32 * 8


def test_types_of_the_fork(tmp_path: Path) -> None:
    """IQ4_KS has one scale for each row beside its blocks."""
    described = keys("llama", 1, 256, 4, 2) | {"general.file_type": 145}
    tensors = [*table(256, 32), Tensor("blk.0.ffn_up.weight", (256, 100), "IQ4_KS"), Tensor("blk.0.attn_q.weight", (256, 256), "IQ3_K")]
    answer = estimate(model_from_gguf(write(tmp_path / "x.gguf", described, tensors)), context_tokens=256)
    assert answer.quantization == "iq4_ks"
    assert answer.memory.file_bytes == 2 * 32 * 8 * 34 + 100 * (136 + 4) + 256 * 110
    assert "the file has types of ik_llama.cpp, which only that fork of llama.cpp loads" in [known.text for known in answer.assumptions]


@pytest.mark.parametrize(("file_type", "name"), [(7, "q8_0"), (139, "iq3_k"), (30, "iq4_xs"), (4711, "custom mix"), (None, "custom mix")])
def test_what_a_file_is_called(tmp_path: Path, file_type: int | None, name: str) -> None:
    described = keys("llama", 1, 64, 4, 2) | ({} if file_type is None else {"general.file_type": file_type})
    model = model_from_gguf(write(tmp_path / "x.gguf", described, table(64, 32)))
    assert model.file is not None
    assert model.file.quantization == name
    assert estimate(model, quantization=name, context_tokens=256).as_json()["quantization"] == name
    with pytest.raises(FitInputError, match=r"^x\.gguf is a file in .*: what it would take in 'q2_k' is not in it$"):
        estimate(model, quantization="q2_k")


def test_does_it_fit(tmp_path: Path) -> None:
    described, tensors = llama_8b()
    model = model_from_gguf(write(tmp_path / "x.gguf", described, tensors))
    card = GpuFacts(id="x", name="X", vendor="nvidia", sold_gb=8, driver_mib=8192, cuda_gib=7.6)
    answer = fit(model, card, quantization="native", context_tokens=8192)
    assert (answer.verdict, answer.quantization) == ("fits", "q4_k_m")
    assert answer.max_context_tokens is not None
    assert 8192 <= answer.max_context_tokens < 131_072


def test_layers_count_with_their_own_bytes(tmp_path: Path) -> None:
    """Half of the layers on the card, and the experts of the first three in main memory."""
    described = keys("qwen3moe", 4, 256, 4, 2, expert_count=8, expert_used_count=2, expert_feed_forward_length=256)
    plain = [Tensor(f"blk.{layer}.attn_q.weight", (256, 256), kind) for layer, kind in enumerate(("Q8_0", "Q8_0", "F16", "F32"))]
    experts = [
        Tensor(f"blk.{layer}.ffn_up_exps.weight", (256, 256, 8), kind) for layer, kind in enumerate(("Q4_K", "Q4_K", "Q6_K", "Q8_0"))
    ]
    output = table(256, 32)
    model = model_from_gguf(write(tmp_path / "x.gguf", described, [*output, *plain, *experts]))
    for engine, on_card in (
        (Engine(gpu_layers=2), plain[3].size + experts[3].size + output[1].size),
        (Engine(gpu_layers=3), sum(one.size for one in (*plain[2:], *experts[2:], output[1]))),
        (Engine(cpu_expert_layers=3), sum(one.size for one in (*plain, experts[3], output[1]))),
        (Engine(), sum(one.size for one in (*plain, *experts, output[1]))),
    ):
        assert estimate(model, context_tokens=256, engine=engine).memory.weights_bytes == on_card


# --- split files ------------------------------------------------------------------------------------------------------


def split(folder: Path, parts: int = 3) -> tuple[list[Path], list[Tensor]]:
    tensors = [*table(64, 32), *(Tensor(f"blk.{layer}.ffn_up.weight", (64, 64)) for layer in range(4))]
    files = []
    for number in range(parts):
        described = {"split.no": number, "split.count": parts, "split.tensors.count": len(tensors)}
        mine = tensors[number * 2 : number * 2 + 2]
        path = folder / f"m-Q8_0-{number + 1:05}-of-{parts:05}.gguf"
        files.append(write(path, described if number else keys("llama", 4, 64, 4, 2) | described, mine))
    return files, tensors


@pytest.mark.parametrize("part", [0, 1, 2])
def test_any_part_of_a_split_file_stands_for_all(tmp_path: Path, part: int) -> None:
    files, tensors = split(tmp_path)
    answer = estimate(model_from_gguf(files[part]), quantization="native", context_tokens=256)
    assert answer.memory.file_bytes == sum(tensor.size for tensor in tensors)


def test_missing_parts_are_named(tmp_path: Path) -> None:
    files, _ = split(tmp_path)
    files[1].unlink()
    with pytest.raises(UnreadableModel) as caught:
        model_from_gguf(files[0])
    assert caught.value.message == "it is one of 3 parts; m-Q8_0-00002-of-00003.gguf is not beside it"
    renamed = files[0].rename(tmp_path / "first.gguf")
    with pytest.raises(UnreadableModel) as caught:
        model_from_gguf(renamed)
    assert caught.value.message == "it is one of 3 parts, and its name does not end in -00001-of-00003.gguf"


# --- keys of strangers ------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(0, 5), st.integers(0, 2**31 - 1), st.floats(0, 10, width=32), st.lists(st.integers(0, 300), min_size=1, max_size=70)
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_whatever_a_key_says_there_is_an_answer_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, model_id: str, data: st.DataObject
) -> None:
    described = dict(FILES[model_id])
    own = sorted(key for key in described if key.count(".") and not key.startswith("general"))
    for key in data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3)):
        described[key] = data.draw(NUMBERS)
    path = write(tmp_path_factory.getbasetemp() / "keys.gguf", described, table(64, 32))
    with suppress(FitInputError):
        assert estimate(model_from_gguf(path), quantization="native", context_tokens=1024).memory.total_bytes > 0
