"""Training a model in transformers: weights, gradients, optimizer states, adapters, activations and logits of one step.

The peak of a step lies where the loss is taken (logits in 32 bit, three times) or where one layer is recomputed and
differentiated; everything that stands at that moment is summed. Several cards share weights, gradients and states
(fully sharded data parallel), and each has its own micro-batch.
"""

from __future__ import annotations

from llmops_catalog.fit.training.footprint import footprint

__all__ = ["footprint"]
