"""Which records stand for the many on overview pages and come first in the site's search; missing ones are skipped."""

from __future__ import annotations

WELL_KNOWN_MODELS = (
    "qwen/qwen2.5-0.5b-instruct",
    "google/gemma-2-2b-it",
    "meta-llama/llama-3.2-3b-instruct",
    "qwen/qwen3-4b",
    "mistralai/mistral-7b-instruct-v0.3",
    "meta-llama/llama-3.1-8b-instruct",
    "qwen/qwen3-8b",
    "google/gemma-2-9b-it",
    "microsoft/phi-3-medium-128k-instruct",
    "qwen/qwen3-14b",
    "openai/gpt-oss-20b",
    "google/gemma-3-27b-it",
    "qwen/qwen3-30b-a3b",
    "qwen/qwen3-32b",
    "mistralai/mixtral-8x7b-instruct-v0.1",
    "meta-llama/llama-3.1-70b-instruct",
    "meta-llama/llama-3.3-70b-instruct",
    "openai/gpt-oss-120b",
    "deepseek-ai/deepseek-v3",
)
WELL_KNOWN_GPUS = (
    "nvidia/rtx-3060-12gb",
    "nvidia/t4",
    "nvidia/l4",
    "nvidia/rtx-4060-ti-16gb",
    "nvidia/rtx-3090",
    "nvidia/rtx-4090",
    "nvidia/rtx-5090",
    "apple/m4-16gb",
    "apple/m1-16gb",
    "nvidia/l40s",
    "nvidia/a100-80gb-sxm",
    "nvidia/h100-sxm",
)
HOME_CARDS = (
    "nvidia/t4",
    "nvidia/l4",
    "nvidia/rtx-3060-12gb",
    "nvidia/rtx-4060",
    "nvidia/rtx-3090",
    "nvidia/rtx-4090",
    "nvidia/rtx-5090",
    "amd/rx-7900-xtx",
    "apple/m1-16gb",
    "apple/m4-16gb",
    "nvidia/a100-80gb-sxm",
    "nvidia/h100-sxm",
)
HOME_CHOICES = (
    "meta-llama/llama-3.1-8b-instruct",
    "meta-llama/llama-3.3-70b-instruct",
    "qwen/qwen3-8b",
    "qwen/qwen3-30b-a3b",
    "openai/gpt-oss-20b",
    "openai/gpt-oss-120b",
    "google/gemma-3-27b-it",
    "mistralai/mixtral-8x7b-instruct-v0.1",
    "deepseek-ai/deepseek-r1",
    "baai/bge-m3",
)
HOME_MODELS = (
    "google/gemma-2-2b-it",
    "meta-llama/llama-3.1-8b-instruct",
    "google/gemma-2-9b-it",
    "qwen/qwen3-32b",
    "mistralai/mixtral-8x7b-instruct-v0.1",
    "meta-llama/llama-3.1-70b-instruct",
)
HOME_GPUS = ("nvidia/t4", "nvidia/l4", "nvidia/rtx-4090", "nvidia/a100-80gb-sxm")


def search_boost(collection: str, record_id: str) -> int:
    """How far a record is moved up in search results: who types ``4090`` means the card before its laptop variant."""
    if record_id in (*WELL_KNOWN_GPUS, *WELL_KNOWN_MODELS, *HOME_CARDS, *HOME_CHOICES):
        return 4
    return 2 if collection in ("models", "gpus") else 1
