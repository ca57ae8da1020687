"""`estimate` and `fit`: how much memory a configuration needs, and whether it fits a card. Answers offline."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from llmops_catalog.cli.arguments import Parser, UsageError, add_format, release, share, whole_number
from llmops_catalog.cli.common import open_catalog, print_json, style_for, terminal_width
from llmops_catalog.cli.model import add_ways, given_way, model_by

DEFAULT_ROWS = 30


def estimate_arguments(parser: Parser) -> None:
    """Options of `estimate`."""
    add_ways(parser, "")
    parser.add_argument(
        "--quantization", metavar="Q", help="q4_k_m, q8_0, f16, bnb-nf4, awq-int4, native ...; a GGUF file and a training have their own"
    )
    _add_question(parser)


def fit_arguments(parser: Parser) -> None:
    """Options of `fit`."""
    add_ways(parser, "; left out: which models run on the card")
    parser.add_argument("--gpu", metavar="NAME", help="record id or alias of a card (4090, nvidia/l4); left out: which cards run the model")
    parser.add_argument("--memory", metavar="SIZE", help="instead of --gpu: a card with this much memory, as 24GiB, 24GB or 24g")
    parser.add_argument("--reserve", metavar="SIZE", help="memory something else keeps on the card, a desktop for example")
    parser.add_argument(
        "--gpu-memory-utilization", type=share, metavar="X", help="vLLM: share of each card it may use (default: 0.92, as vLLM)"
    )
    parser.add_argument("--quantization", metavar="Q", help="only this one (default: those worth trying)")
    parser.add_argument("--check", action="store_true", help="exit 1 unless it fits")
    parser.add_argument(
        "--limit", type=whole_number(1, 10_000), metavar="N", help=f"most answers (default: {DEFAULT_ROWS} in a table, all in JSON)"
    )
    _add_question(parser)


def _add_question(parser: Parser) -> None:
    number = whole_number()
    parser.add_argument(
        "--runtime",
        metavar="NAME",
        help="llama.cpp (also Ollama, LM Studio), vllm or transformers; default: one that loads the quantization",
    )
    parser.add_argument(
        "--context", type=number, metavar="N", help="tokens kept in the cache per sequence (default: 8192, or the model's maximum)"
    )
    parser.add_argument("--prompt", type=number, metavar="N", help="tokens prefilled at once (default: all of the context)")
    parser.add_argument("--concurrency", type=number, default=1, metavar="N", help="sequences kept at once (default: 1)")
    parser.add_argument("--kv-cache", metavar="TYPE", help="number format of the cache: f16, bf16, q8_0, q4_0, fp8 ...")
    parser.add_argument("--gpus", type=number, default=1, metavar="N", help="cards the model is spread over (default: 1)")
    _add_engine(parser, number)
    _add_training(parser, number)
    add_format(parser, "text", "json")


def _add_engine(parser: Parser, number: Callable[[str], int]) -> None:
    parser.add_argument("--ubatch", type=number, metavar="N", help="llama.cpp: tokens computed at once (default: 512)")
    parser.add_argument("--no-flash-attention", action="store_true", help="attention scores are written out")
    parser.add_argument("--gpu-layers", type=number, metavar="N", help="llama.cpp -ngl: layers on the cards (default: all)")
    parser.add_argument(
        "--cpu-moe", type=number, default=0, metavar="N", help="llama.cpp --n-cpu-moe: layers whose experts stay in main memory"
    )
    parser.add_argument("--max-batched-tokens", type=number, metavar="N", help="vLLM: tokens of a batch (default: by the card)")
    parser.add_argument("--pipeline-parallel", type=number, default=1, metavar="N", help="vLLM: pipeline stages the cards form")
    parser.add_argument(
        "--runtime-version", type=release, metavar="V", help="an older release that allocates otherwise, as 4.44 of transformers"
    )


def _add_training(parser: Parser, number: Callable[[str], int]) -> None:
    parser.add_argument("--task", default="inference", metavar="TASK", help="inference, full, lora or qlora (default: inference)")
    parser.add_argument("--optimizer", default="adamw", metavar="NAME", help="of training: adamw, adamw-8bit, adafactor, sgd ...")
    parser.add_argument("--precision", default="bf16", metavar="P", help="of training: bf16, mixed or fp32 (default: bf16)")
    parser.add_argument("--no-gradient-checkpointing", action="store_true", help="training keeps the activations of every layer")
    parser.add_argument("--no-gradient-accumulation", action="store_true", help="training steps after every micro-batch")
    parser.add_argument("--fused-loss", action="store_true", help="training takes the loss piece by piece (Liger, Unsloth, chunked)")
    parser.add_argument("--lora-rank", type=number, default=16, metavar="N", help="rank of the adapters (default: 16)")
    parser.add_argument("--lora-targets", default="all-linear", metavar="SET", help="all-linear, attention or query-value")


def _question(options: Any) -> dict[str, Any]:
    from llmops_catalog.fit import Engine, Training, usual_runtime

    return {
        "runtime": _runtime(options, usual_runtime),
        "context_tokens": options.context, "prompt_tokens": options.prompt, "concurrency": options.concurrency,
        "kv_cache_type": options.kv_cache, "gpu_count": options.gpus, "task": options.task,
        "engine": Engine(
            micro_batch_tokens=options.ubatch, flash_attention=not options.no_flash_attention, gpu_layers=options.gpu_layers,
            cpu_expert_layers=options.cpu_moe, batched_tokens=options.max_batched_tokens,
            pipeline_parallel=options.pipeline_parallel, runtime_version=options.runtime_version,
        ),
        "training": Training(
            optimizer=options.optimizer, precision=options.precision, gradient_checkpointing=not options.no_gradient_checkpointing,
            lora_rank=options.lora_rank, lora_targets=options.lora_targets, fused_loss=options.fused_loss,
            gradient_accumulation=not options.no_gradient_accumulation,
        ),
    }  # fmt: skip


def _runtime(options: Any, usual: Callable[[str], str]) -> str | None:
    """The one named, or one that loads the quantization; None leaves it to the task where that is training."""
    from llmops_catalog.fit.question import trains

    if options.runtime is not None or trains(options.task):
        return options.runtime  # type: ignore[no-any-return]  # argparse's namespace
    return "llama.cpp" if options.gguf is not None or options.quantization is None else usual(options.quantization)


def estimate_command(folder: str | None, options: Any) -> None:
    """Memory of one configuration, part by part. No GPU needed."""
    from llmops_catalog.fit import estimate, usual_quantization
    from llmops_catalog.fit.question import trains

    way, trained = given_way(options), trains(options.task)
    missing = ["--model"] if way is None else []
    if options.quantization is None and not trained and way in (None, "model"):
        missing.append("--quantization")
    if way is None or missing:
        raise UsageError(f"say which {' and which '.join(missing)}")
    question = _question(options)
    model = model_by(way, options, open_catalog(folder))
    usual = None if trained else usual_quantization(model, question["runtime"])
    quantization = usual if options.quantization is None else options.quantization
    answer = estimate(model, quantization=quantization, **question).as_json()
    if options.format == "json":
        print_json(answer)
    else:
        from llmops_catalog.report.fit import estimate_text

        sys.stdout.write(estimate_text(answer, style_for(sys.stdout)))


def fit_command(folder: str | None, options: Any) -> int:
    """Does it fit? Model and card given: the answer per quantization. Only a model: which cards. Only a card: which models."""
    from llmops_catalog.fit import memory_card, parse_size

    if options.gpu is not None and options.memory is not None:
        raise UsageError("--gpu and --memory are two ways to name the card: give one")
    way = given_way(options)
    if way is None and options.gpu is None and options.memory is None:
        raise UsageError("say which --model, which --gpu (or --memory), or both")
    question = _question(options) | {"reserve_bytes": parse_size(options.reserve) if options.reserve is not None else 0}
    if options.gpu_memory_utilization is not None:
        question["gpu_memory_utilization"] = options.gpu_memory_utilization
    card = memory_card(parse_size(options.memory)) if options.memory is not None else None
    catalog = open_catalog(folder)
    model = model_by(way, options, catalog) if way is not None else None
    if options.gpu is not None:
        card = catalog.gpu(options.gpu)
    limit = DEFAULT_ROWS if options.limit is None and options.format == "text" else options.limit
    quantization = model.file.quantization if model and model.file and options.quantization is None else options.quantization
    subject, total, results = _answers(catalog, model, card, quantization, question, limit)
    rental = _cheapest_rental(catalog, model, quantization, question) if subject == "gpu" else None
    shown = [result.as_json() for result in results[:limit]]
    if options.format == "json":
        beside = {"cheapest_rental": rental} if subject == "gpu" else {}
        print_json({"schema": "llmops-catalog/fit/1", "results": shown, **beside})
    else:
        from llmops_catalog.report.fit import fit_text

        sys.stdout.write(fit_text(shown, subject, style_for(sys.stdout), rental, terminal_width(sys.stdout)))
        if total > len(shown):
            sys.stdout.write(f"... {total - len(shown)} more; see them with --limit {total}\n")
    return 1 if options.check and not any(result.verdict == "fits" for result in results) else 0


def _answers(
    catalog: Any, model: Any, card: Any, quantization: str | None, question: dict[str, Any], limit: int | None
) -> tuple[str, int, list[Any]]:
    """What the rows of the answer are (quantization, gpu or model), how many there are, and the best `limit` of them."""
    if model and card and quantization is not None:
        from llmops_catalog.fit import fit

        return "quantization", 1, [fit(model, card, quantization=quantization, **question)]
    from llmops_catalog.fit import fit_quantizations, rank_gpus, rank_models

    if model and card:
        answers = fit_quantizations(model, card, **question)
        return "quantization", len(answers), answers
    if model:
        ranked = rank_gpus(model, catalog.gpus(), quantization=quantization, limit=limit, **question)
        return "gpu", catalog.counts["gpus"], ranked
    return "model", catalog.counts["models"], rank_models(card, catalog.models(), quantization=quantization, limit=limit, **question)


def _cheapest_rental(catalog: Any, model: Any, quantization: str | None, question: dict[str, Any]) -> Any:
    """The cheapest known way to rent cards that hold the model, as JSON."""
    from llmops_catalog.fit import cheapest_rental

    found = cheapest_rental(model, catalog.gpus(), quantization=quantization, **question)
    return None if found is None else found.as_json()
