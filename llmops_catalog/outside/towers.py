"""Parameters of the parts that see and hear, where a config describes them completely."""

from __future__ import annotations

from llmops_catalog.outside.config_keys import Config

PARTS = ("vision_config", "audio_config", "visual", "vision_encoder")


def parameters(config: Config) -> int | None:
    """Weights of all parts beside the text model; 0 where there are none, None where one is not described here."""
    parts = [config.whole[name] for name in PARTS if config.whole.get(name)]
    return None if parts else 0
