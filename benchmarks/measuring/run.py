"""One run on one card, in a process of its own: a JSON order on standard input, a JSON answer as the last line of output.

Needs PyTorch and Transformers and nothing of this project, so any Python that has them can run it. The model is made on the card
with random weights: nothing is downloaded. Peaks are those of PyTorch's allocator, and what the driver says stands beside them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

NO_LIBRARIES, NO_CARD, OUT_OF_MEMORY, WRONG_MODEL = "no-libraries", "no-card", "out-of-memory", "wrong-model"
PARAMETERS_WITHIN = 0.01
"""How far the parameters of a model made from a record may be off before it is another model."""


class Refusal(Exception):
    """Why there is no reading: a kind, and a sentence for people."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def main() -> int:
    """Reads the order, prints the answer."""
    order = json.load(sys.stdin)
    try:
        answer = probe() if order["do"] == "probe" else measure(order)
    except Refusal as refusal:
        answer = {"refused": refusal.kind, "sentence": str(refusal)}
    print(json.dumps(answer), flush=True)
    return 0


def libraries() -> tuple[Any, Any]:
    """PyTorch and Transformers."""
    try:
        import torch
        import transformers
    except ImportError as error:
        sentence = f"{error.name or error} is not installed: pip install torch transformers, or name a Python that has them with --python"
        raise Refusal(NO_LIBRARIES, sentence) from None
    return torch, transformers


def probe() -> dict[str, Any]:
    """The card and the versions of everything."""
    torch, transformers = libraries()
    if not torch.cuda.is_available():
        raise Refusal(NO_CARD, "no CUDA card: PyTorch finds none (nvidia-smi shows what the driver sees)")
    return {
        "card": torch.cuda.get_device_name(0),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "cuda": torch.version.cuda,
        "driver": smi("driver_version") or "unknown",
    }


def smi(field: str) -> str:
    """One field of nvidia-smi for the first visible card; empty where there is no nvidia-smi."""
    import os

    card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    command = ["nvidia-smi", f"--id={card}", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().splitlines()[0].strip() if done.returncode == 0 and done.stdout.strip() else ""


def used_mib(torch: Any) -> int:
    """Memory of the whole card in use, in MiB: the driver's reading, or CUDA's where there is no nvidia-smi."""
    said = smi("memory.used")
    if said.isdecimal():
        return int(said)
    free, total = torch.cuda.mem_get_info(0)
    return round((total - free) / 2**20)


def measure(order: dict[str, Any]) -> dict[str, Any]:
    """Makes the model, runs it once and reads the counters. `order`: see `measure_memory.py`."""
    torch, transformers = libraries()
    if order["device"] == "cuda" and not torch.cuda.is_available():
        raise Refusal(NO_CARD, "no CUDA card: PyTorch finds none (nvidia-smi shows what the driver sees)")
    card = torch.cuda if order["device"] == "cuda" else None
    try:
        model = on_device(torch, made(torch, transformers, order), order["device"])
        loaded = reading(torch, card, "loaded")
        if card:
            card.reset_peak_memory_stats(0)
        with torch.no_grad():
            answered = run(torch, model, order)
        return {**loaded, **reading(torch, card, "after"), "generated": answered, "parameters": parameters(model)}
    except torch.cuda.OutOfMemoryError as error:
        raise Refusal(OUT_OF_MEMORY, str(error).splitlines()[0]) from None


def reading(torch: Any, card: Any, moment: str) -> dict[str, int]:
    """Bytes of the allocator and MiB of the driver; nothing without a card."""
    if card is None:
        return {}
    card.synchronize(0)
    if moment == "loaded":
        return {"weights_bytes": card.memory_allocated(0), "loaded_mib": used_mib(torch)}
    peaks = {"allocated_bytes": card.max_memory_allocated(0), "reserved_bytes": card.max_memory_reserved(0)}
    return {**peaks, "after_mib": used_mib(torch), "total_mib": round(card.mem_get_info(0)[1] / 2**20)}


def made(torch: Any, transformers: Any, order: dict[str, Any]) -> Any:
    """The model without weights: of `config` (a config.json), or of `values` for the class of `model_type`."""
    kinds = [order["model_type"], f"{order['model_type']}_text"]
    known = [kind for kind in kinds if kind in transformers.CONFIG_MAPPING]
    if not known:
        sentence = f"transformers {transformers.__version__} knows no model type {order['model_type']!r}"
        raise Refusal(WRONG_MODEL, f"{sentence}: it may need a newer release, or code of its own")
    counts = []
    for kind in known:
        try:
            values = order["config"] or for_class(transformers, kind, order["values"])
            config = transformers.AutoConfig.for_model(kind, **{**values, "use_cache": True})
            model = empty(torch, transformers, config, order)
        except Exception as error:  # whatever a config class or a model raises for values it does not like
            counts.append(f"{kind}: {(str(error).strip() or type(error).__name__).splitlines()[0][:200]}")
            continue
        count, expected = parameters(model), order.get("parameters")
        if not expected or abs(count - expected) <= PARAMETERS_WITHIN * expected:
            return model
        counts.append(f"{kind}: {count:,} parameters where the record says {expected:,}")
    raise Refusal(WRONG_MODEL, f"the record's facts make another model ({'; '.join(counts)}): give its config.json with --config")


def for_class(transformers: Any, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Those of `values` the config class of `kind` knows and lets be set; experts' width under its own name.

    Some classes do not know `head_dim`, though their models look for it.
    """
    plain = transformers.CONFIG_MAPPING[kind]()
    values = dict(values)
    width = values.pop("expert_width", None)
    if width and not hasattr(plain, "moe_intermediate_size"):
        values["intermediate_size"] = width
    fixed = {name for name in values if isinstance(getattr(type(plain), name, None), property)}
    return {name: value for name, value in values.items() if (hasattr(plain, name) or name == "head_dim") and name not in fixed}


def empty(torch: Any, transformers: Any, config: Any, order: dict[str, Any]) -> Any:
    """The model on the `meta` device in the wanted number format."""
    maker = transformers.AutoModel
    if order["kind"] == "decoder":
        maker = transformers.AutoModelForCausalLM
    elif order["kind"] == "encoder-decoder":
        maker = transformers.AutoModelForSeq2SeqLM
    chosen = {"attn_implementation": order["attention"]} if order["attention"] else {}
    with torch.device("meta"):
        model = maker.from_config(config, **chosen)
    return model.eval().to(getattr(torch, {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[order["dtype"]]))


def on_device(torch: Any, model: Any, device: str) -> Any:
    """The model with random weights, cut from one block as the loader of Transformers does."""
    if device == "cuda":
        size = sum(tensor.numel() * tensor.element_size() for tensor in model.parameters())
        block = torch.empty(size, dtype=torch.uint8, device=device)
        del block
    model = model.to_empty(device=device)
    model.tie_weights()
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_(std=0.02)
        for tensor in model.buffers():
            tensor.zero_()
    return model


def parameters(model: Any) -> int:
    """Parameters, shared ones once."""
    return sum(tensor.numel() for tensor in model.parameters())


def run(torch: Any, model: Any, order: dict[str, Any]) -> int:
    """Prefill and decode with `generate`, or one pass of an encoder; how many tokens came out of each sequence."""
    words = torch.randint(1, order["vocab_size"], (order["sequences"], order["prompt_tokens"]), device=order["device"])
    mask = torch.ones_like(words)
    if order["kind"] == "encoder":
        model(input_ids=words, attention_mask=mask)
        return 0
    model.generation_config.eos_token_id = None
    model.generation_config.decoder_start_token_id = 0
    out = model.generate(words, attention_mask=mask, max_new_tokens=order["new_tokens"], do_sample=False, pad_token_id=0)
    return int(out.shape[1]) - (1 if order["kind"] == "encoder-decoder" else order["prompt_tokens"])


if __name__ == "__main__":
    sys.exit(main())
