"""Which model a question is about: a record of the catalog, or one from outside of it (a file, the Hub)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmops_catalog.cli.arguments import Parser, UsageError

if TYPE_CHECKING:
    from llmops_catalog.catalog import Catalog
    from llmops_catalog.fit import ModelFacts

WAYS = ("model", "gguf", "config", "hub")
"""Options that name the model; one of them at a time."""


def add_ways(parser: Parser, left_out: str) -> None:
    """`--model` and what stands in its place; `left_out` says what it means to give none."""
    parser.add_argument("--model", metavar="NAME", help=f"record id, Hugging Face id or alias{left_out}")
    parser.add_argument("--gguf", metavar="FILE", help="instead of --model: a GGUF file; only its header is read")
    parser.add_argument("--config", metavar="FILE", help="instead of --model: a config.json of Hugging Face Transformers")
    parser.add_argument("--hub", metavar="ORG/NAME", help="instead of --model: ask the Hugging Face Hub about a repository")


def given_way(options: Any) -> str | None:
    """The option that names the model, None where none does. Raises `UsageError` for several."""
    ways = [way for way in WAYS if getattr(options, way) is not None]
    if len(ways) > 1:
        named = " and ".join(f"--{way}" for way in ways)
        raise UsageError(f"{named} are {'two' if len(ways) == 2 else len(ways)} ways to name the model: give one")
    return ways[0] if ways else None


def model_by(way: str, options: Any, catalog: Catalog) -> ModelFacts:
    """The facts of the model that this option names. What comes from outside is judged by the catalog's rules all the same."""
    if way == "model":
        return catalog.model(options.model)
    if way == "gguf":
        from llmops_catalog.outside.gguf_model import model_from_gguf

        return model_from_gguf(options.gguf, support=catalog.support)
    if way == "config":
        from llmops_catalog.outside.config import model_from_config

        return model_from_config(options.config, support=catalog.support)
    from llmops_catalog.outside.hub import model_from_hub

    return model_from_hub(options.hub, support=catalog.support)
