"""Every quantization of every model: llama.cpp's own decisions, the formats of checkpoints, and the order among them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from facts_for_tests import CATALOG, catalog_models, models, support, vectors

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import QUANTIZATIONS, RUNTIMES, MissingFact, estimate, usual_runtime
from llmops_catalog.fit.formats import GGUF_DEFAULT_TYPE, GGUF_ONLY, recorded, sized
from llmops_catalog.fit.gguf_mix import choices
from llmops_catalog.fit.shapes import RULES_CHANGED, shapes
from llmops_catalog.fit.weights import block_types, weigh

SNAPSHOTS = vectors("gguf_types")["models"]
TOLD_APART = {
    "token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "attn_gate", "attn_k_b",
    *(f"{prefix}ffn_{part}" for prefix in ("", "expert_", "shared_") for part in ("gate", "up", "down")),
}  # fmt: skip
NEVER_QUANTIZED = ("vector", "router", "position", "kept", "half", "tower", "remainder")


def unlike_the_name(model, file_type):
    """Tensors by kind and type that have another type than the file's, in the words of the golden file, by today's rules."""
    made, base = shapes(model._replace(released=RULES_CHANGED)), GGUF_DEFAULT_TYPE[file_type]
    table = choices(made.mix._replace(file_type=file_type))
    found = Counter()
    for shape in made.text_shapes:
        if shape.role in NEVER_QUANTIZED:
            continue
        stacked = shape.role == "stacked" or shape.role.startswith("expert_")
        singly = 1 if stacked or shape.role == "attn_k_b" else shape.matrices // shape.places
        for kind, number in block_types(shape, table.get(shape.role, table[""]), base):
            if number and kind != base:
                found[f"{shape.role if shape.role in TOLD_APART else 'other'} {kind}"] += number * singly
    return found


def in_words(text):
    return Counter({name: int(number) for name, _, number in (part.rpartition(" ") for part in text.split(", ") if part)})


@pytest.mark.parametrize("model_id", sorted(SNAPSHOTS))
def test_block_types_are_those_of_llama_cpps_own_snapshots(model_id):
    model = catalog_models()[model_id]
    for file_type, expected in SNAPSHOTS[model_id].items():
        assert (file_type, unlike_the_name(model, file_type)) == (file_type, in_words(expected))


def test_every_recorded_quantization_can_be_asked_for_and_the_other_way_round():
    records = {path.stem for path in (CATALOG / "quantizations").glob("*.yaml")}
    assert {*QUANTIZATIONS} - {"native"} == records


def loadable(model):
    """The questions whose answer somebody could load."""
    for quantization in QUANTIZATIONS:
        for runtime in RUNTIMES:
            if support().loads(runtime, quantization):
                yield quantization, runtime


def test_what_a_runtime_loads_has_a_size_for_every_model():
    missing = {}
    for model_id, model in catalog_models().items():
        for quantization, runtime in loadable(model):
            try:
                assert weigh(model, quantization, runtime).file_bytes > 0
            except MissingFact as said:
                missing.setdefault(quantization, {})[model_id] = str(said)
    assert set(missing) == {"q1_0", "native"}
    assert all("is no multiple of 128" in text for text in missing["q1_0"].values())
    assert all(catalog_models()[model_id].native_dtype is None for model_id in missing["native"])


FINER_TO_COARSER = {
    "llama.cpp": (
        "f32 f16 q8_0 q6_k q5_k_m q4_k_m q3_k_m q2_k iq1_s",
        "q6_k q5_k_s q4_k_s q3_k_s",
        "q8_0 q5_1 q5_0 q4_1 q4_0",
        "q3_k_l q3_k_m q3_k_s",
        "iq4_nl iq4_xs iq3_s iq3_xs iq3_xxs iq2_s iq2_xs iq2_xxs iq1_m iq1_s",
        "iq3_m iq3_s",
        "iq2_m iq2_s",
        "tq2_0 tq1_0",
        "q8_0 mxfp4",
        "iq6_k iq5_k iq4_k iq3_k iq2_k",
    ),
    "vllm": (
        "f32 bf16 gptq-int8 gptq-int4-g32 gptq-int4 awq-int4 w4a16-g128",
        "bf16 mxfp8 fp8-block nvfp4",
        "bf16 fp8 awq-int4",
        "bf16 fp8 w4a8-fp8",
        "w8a8-int8 w4a8-int8",
        "f32 native",
    ),
    "transformers": (
        "f32 bf16 bnb-int8 bnb-nf4 bnb-nf4-dq",
        "gptq-int8 gptq-int4 gptq-int3",
        "int8wo int4wo",
        "quanto-int8 quanto-int4",
        "mlx-8bit mlx-6bit mlx-5bit mlx-4bit mlx-3bit mlx-2bit",
        "exl2-5.0 exl2-4.0 exl2-3.0",
        "exl3-4.0 exl3-3.0 exl3-2.0",
    ),
}
"""Orders that hold for every model. Not among them, because llama.cpp's own mixes break them where rows are no multiple of 256 or
few heads share a value: Q2_K_S beside Q2_K, Q3_K_S beside Q2_K, IQ3_M beside IQ4_XS, Q4_K_M beside Q5_K_S; and the IQ types beside
the K types of nearly the same bits."""


@pytest.mark.parametrize("runtime", FINER_TO_COARSER)
def test_a_coarser_quantization_never_weighs_more_for_any_model(runtime):
    heavier = []
    for model_id, model in catalog_models().items():
        for order in FINER_TO_COARSER[runtime]:
            names = [name for name in order.split() if name != "native" or model.native_dtype]
            sizes = [(weigh(model, name, runtime).resident_bytes, name) for name in names]
            heavier += [(model_id, finer, coarser) for (size, finer), (more, coarser) in pairwise(sizes) if more > size]
    assert heavier == []


def test_sizes_in_the_name():
    assert sized("exl2-4.65") == ("exl2", 4.65, None)
    assert sized("gptq-int3-g64") == ("gptq", 3, 64)
    assert sized("mlx-6bit") == ("mlx", 6, None)
    assert sized("hqq-2bit-g16") == ("hqq", 2, 16)
    for name in (
        "exl2-9.0",
        "exl2-",
        "gptq-int5",
        "gptq-4bit",
        "awq-int8",
        "mlx-int4",
        "mlx-7bit",
        "gptq-int4-32",
        "gptq-int4-g33",
        "q4_k_m",
    ):
        assert sized(name) is None


def test_a_size_nobody_recorded_is_loaded_by_what_loads_its_kin():
    assert recorded("exl2-4.65") == "exl2-4.0"
    assert not support().loads("vllm", "exl2-4.65")
    assert support().loads("vllm", "gptq-int4-g64")


def test_an_unknown_size_is_refused_with_the_nearest_names():
    with pytest.raises(
        FitInputError, match=r"no quantization is called 'gptq-int5'\. Did you mean 'gptq-int8', 'gptq-int4' or 'gptq-int3'"
    ):
        usual_runtime("gptq-int5")


def test_native_is_what_the_developer_ships():
    gib = {
        name: round(weigh(model, "native", "vllm").file_bytes / 2**30, 1)
        for name in ("openai/gpt-oss-20b", "moonshotai/kimi-k2-thinking", "minimaxai/minimax-m2")
        for model in [catalog_models()[name]]
    }
    assert gib == {"openai/gpt-oss-20b": 12.8, "moonshotai/kimi-k2-thinking": 553.4, "minimaxai/minimax-m2": 214.2}


def test_sixteen_bit_of_gpt_oss_says_what_that_file_is():
    model = models()["openai/gpt-oss-20b"]
    in_gguf, unpacked = (estimate(model, quantization="bf16", runtime=runtime) for runtime in ("llama.cpp", "transformers"))
    assert "the experts stay in MXFP4 whatever the file is called: only the other tensors are in this type" in [
        said.text for said in in_gguf.assumptions
    ]
    assert "a checkpoint unpacked from the MXFP4 the developer ships: every expert in full" in [said.text for said in unpacked.assumptions]
    assert unpacked.memory.file_bytes == 2 * model.total_parameters


def test_only_gguf_types_are_read_as_gguf_by_other_runtimes():
    model = models()["meta-llama/llama-3.1-8b-instruct"]
    for quantization in GGUF_ONLY:
        assert weigh(model, quantization, "vllm") == weigh(model, quantization, "llama.cpp")


def test_vllm_keeps_the_experts_of_gpt_oss_padded():
    """65.9651 GiB in a log of https://github.com/vllm-project/vllm/issues, 60.8 without the padding."""
    model = catalog_models()["openai/gpt-oss-120b"]
    loaded, shipped = (weigh(model, "mxfp4", runtime).resident_bytes / 2**30 for runtime in ("vllm", "transformers"))
    assert loaded == pytest.approx(65.9651, rel=0.002)
    assert shipped == pytest.approx(60.8, rel=0.002)


def test_a_tied_falcon_has_both_tables_in_its_gguf_file():
    falcon = models()["tiiuae/falcon-7b"]
    sizes = weigh(falcon, "q8_0", "llama.cpp")
    assert falcon.tie_word_embeddings
    assert sizes.output_bytes == sizes.table_bytes == falcon.vocab_size * falcon.hidden_size * 34 // 32


def test_experts_that_transformers_5_does_not_quantize_are_said():
    mixtral, llama = models()["mistralai/mixtral-8x7b-instruct-v0.1"], models()["meta-llama/llama-3.1-8b-instruct"]
    text = "experts are counted as quantized, as up to Transformers 4; the high end has them in 16 bit, as plain Transformers 5 leaves them"
    said = {model.id: [one.text for one in weigh(model, "bnb-nf4", "transformers").assumptions] for model in (mixtral, llama)}
    assert text in said[mixtral.id]
    assert text not in said[llama.id]


def test_a_family_nobody_described_weighs_what_its_record_says():
    unknown = models()["qwen/qwen3-30b-a3b"]._replace(model_type="of-tomorrow", checkpoint_parameters=None)
    known = models()["qwen/qwen3-30b-a3b"]
    guess, exact = weigh(unknown, "q4_k_m", "llama.cpp"), weigh(known, "q4_k_m", "llama.cpp")
    assert weigh(unknown, "bf16", "vllm").resident_bytes == 2 * unknown.total_parameters
    assert guess.uncertainty_bytes > 0 == exact.uncertainty_bytes
    assert abs(guess.resident_bytes - exact.resident_bytes) < guess.uncertainty_bytes
    assert guess.expert_bytes == pytest.approx(exact.expert_bytes, rel=0.01)
