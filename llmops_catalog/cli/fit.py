"""`estimate` and `fit`: how much memory a configuration needs, and whether it fits a card. Answers offline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from llmops_catalog.cli.common import open_catalog, print_json, style

Command = TypeVar("Command", bound=Callable[..., Any])

_SHARED = (
    click.option("--runtime", default=None, metavar="NAME", help="llama.cpp (also Ollama, LM Studio), vllm or transformers. Default: one that loads the quantization."),
    click.option("--context", "context_tokens", type=int, metavar="N", help="Tokens kept in the cache per sequence. Default: 8192, or the model's maximum."),
    click.option("--prompt", "prompt_tokens", type=int, metavar="N", help="Tokens prefilled at once. Default: all of the context."),
    click.option("--concurrency", type=int, default=1, show_default=True, metavar="N", help="Sequences kept at once."),
    click.option("--kv-cache", "kv_cache_type", metavar="TYPE", help="Number format of the cache: f16, bf16, q8_0, q4_0, fp8 ..."),
    click.option("--gpus", "gpu_count", type=int, default=1, show_default=True, metavar="N", help="Cards the model is spread over."),
    click.option("--task", type=click.Choice(["inference"]), default="inference", show_default=True, help="What is done with the model."),
    click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How the answer is printed."),
)


def _shared_options(command: Command) -> Command:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.command("estimate")
@click.option("--model", "model_name", required=True, metavar="NAME", help="Record id, Hugging Face id or alias.")
@click.option("--quantization", required=True, metavar="Q", help="q4_k_m, q8_0, f16, bnb-nf4, awq-int4, native ...")
@_shared_options
@click.pass_context
def estimate_command(context: click.Context, model_name: str, quantization: str, format_: str, task: str, runtime: str | None, **question: Any) -> None:
    """Memory of one configuration, part by part. No GPU needed."""
    from llmops_catalog.fit import estimate, usual_runtime
    from llmops_catalog.report.fit import estimate_text

    model = open_catalog(context).model(model_name)
    answer = estimate(model, quantization=quantization, runtime=runtime or usual_runtime(quantization), **question).as_json()
    if format_ == "json":
        print_json(answer)
    else:
        click.echo(estimate_text(answer, style), nl=False)


@click.command("fit")
@click.option("--model", "model_name", metavar="NAME", help="Record id, Hugging Face id or alias. Left out: which models run on the card.")
@click.option("--gpu", "gpu_name", metavar="NAME", help="Record id or alias of a card ('4090', 'nvidia/l4'). Left out: which cards run the model.")
@click.option("--memory", metavar="SIZE", help="Instead of --gpu: a card with this much memory, as 24GiB, 24GB or 24g.")
@click.option("--reserve", metavar="SIZE", help="Memory something else keeps on the card, a desktop for example.")
@click.option("--quantization", metavar="Q", help="Only this one. Default: those worth trying.")
@click.option("--check", is_flag=True, help="Exit 1 unless it fits.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True, help="Most rows of a table.")
@_shared_options
@click.pass_context
def fit_command(
    context: click.Context, model_name: str | None, gpu_name: str | None, memory: str | None, reserve: str | None, quantization: str | None,
    check: bool, limit: int, format_: str, task: str, **question: Any,
) -> int:  # fmt: skip
    """Does it fit? Model and card given: the answer per quantization. Only a model: which cards. Only a card: which models."""
    from llmops_catalog.fit import fit, fit_quantizations, memory_card, parse_size, rank_gpus, rank_models, usual_runtime
    from llmops_catalog.report.fit import fit_text

    if gpu_name and memory:
        raise click.UsageError("--gpu and --memory are two ways to name the card: give one")
    if not (model_name or gpu_name or memory):
        raise click.UsageError("say which --model, which --gpu (or --memory), or both")
    catalog = open_catalog(context)
    question["reserve_bytes"] = parse_size(reserve) if reserve else 0
    question["runtime"] = question["runtime"] or (usual_runtime(quantization) if quantization else "llama.cpp")
    model = catalog.model(model_name) if model_name else None
    card = memory_card(parse_size(memory)) if memory else catalog.gpu(gpu_name) if gpu_name else None
    if model and card:
        subject = "quantization"
        results = [fit(model, card, quantization=quantization, **question)] if quantization else fit_quantizations(model, card, **question)
    elif model:
        subject, results = "gpu", rank_gpus(model, catalog.gpus(), quantization=quantization, **question)
    else:
        assert card is not None  # noqa: S101  (one of the three was given)
        subject, results = "model", rank_models(card, catalog.models(), quantization=quantization, **question)
    if format_ == "json":
        print_json({"schema": "llmops-catalog/fit/1", "results": [result.as_json() for result in results]})
    else:
        shown = [result.as_json() for result in results[:limit]]
        click.echo(fit_text(shown, subject, style), nl=False)
        if len(results) > limit:
            click.echo(f"... {len(results) - limit} more; see them with --limit {len(results)}")
    return 1 if check and not any(result.verdict == "fits" for result in results) else 0
