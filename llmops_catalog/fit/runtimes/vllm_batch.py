"""vLLM's batch: how many tokens and sequences are computed at once, which the card and the release decide where nobody says."""

from __future__ import annotations

import re
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.sizes import GIB, MIB

Release = tuple[int, int]

BATCHED_TOKENS, SEQUENCES = 2048, 256
"""max_num_batched_tokens and max_num_seqs of the server on cards below 70 GiB (`get_batch_defaults`)."""
LARGE_CARD_BYTES, LARGE_BATCHED_TOKENS, LARGE_SEQUENCES = 70 * GIB, 8192, 1024
"""On larger ones, such as H100 and H200; not on an A100, whose throughput suffers, nor on a GB10."""
LARGEST_CARD_BYTES, LARGEST_BATCHED_TOKENS = 160 * GIB, 16384
"""On B200, MI300X and beyond, with 1024 sequences as well."""
GB10_CAPABILITY = (12, 1)
ARGUMENTS_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/engine/arg_utils.py"

CHUNKS_FROM: Release = (0, 8)
"""From here (engine V1) every prompt is cut into chunks; before, one of up to 32,768 tokens was computed at once
(https://github.com/vllm-project/vllm/blob/v0.7.3/vllm/engine/arg_utils.py)."""
WHOLE_PROMPT_TOKENS = 32768
TWO_BATCHES_FROM: Release = (0, 21)
"""From here two batches are under way at once, and a window's cache keeps room for both (`max_in_flight_tokens`,
https://github.com/vllm-project/vllm/blob/main/vllm/config/vllm.py)."""

_RELEASE = r"(?<![\d.])v?(\d+)\.(\d+)"


class Batch(NamedTuple):
    """Tokens and sequences of the largest batch, and the tokens that may be under way at once."""

    tokens: int
    sequences: int
    in_flight_tokens: int


def release(question: Question) -> Release | None:
    """The release asked about, as (0, 11); None where none is named, or only a build between releases: today's is meant."""
    if question.engine.runtime_version is None:
        return None
    found = re.search(_RELEASE, question.engine.runtime_version)
    number = (int(found[1]), int(found[2])) if found else None
    return number if number and number >= (0, 2) else None


def before(question: Question, when: Release) -> bool:
    """True only where an older release is named."""
    named = release(question)
    return named is not None and named < when


def batch(model: ModelFacts, question: Question) -> Batch:
    """The largest batch of the server; an encoder takes its whole input at once."""
    engine, context = question.engine, question.context_tokens
    sequences = max(engine.max_sequences or SEQUENCES, question.concurrency)
    tokens = engine.batched_tokens
    if tokens is None:
        tokens = min(BATCHED_TOKENS, sequences * context)
        if not model.is_decoder or (before(question, CHUNKS_FROM) and context <= WHOLE_PROMPT_TOKENS):
            tokens = max(tokens, context)
    batches = 1 if before(question, TWO_BATCHES_FROM) else 1 + engine.pipeline_parallel
    return Batch(tokens, min(sequences, tokens), batches * tokens)


def settled(question: Question, gpu: GpuFacts) -> Question:
    """The question with the batch that vLLM chooses on this card, where the asker did not choose one.

    A size given by `--memory` names no card, so it keeps the small batch. The defaults of 2048 tokens and 256 sequences
    are left unsaid, so that small cards share one estimate.
    """
    engine = question.engine
    if question.runtime != "vllm" or gpu.exact_bytes is not None or before(question, CHUNKS_FROM):
        return question
    size = reported_bytes(gpu)
    if size < LARGE_CARD_BYTES or (size < LARGEST_CARD_BYTES and ("a100" in gpu.name.lower() or gpu.capability == GB10_CAPABILITY)):
        return question
    tokens = LARGEST_BATCHED_TOKENS if size >= LARGEST_CARD_BYTES else LARGE_BATCHED_TOKENS
    chosen = engine._replace(batched_tokens=engine.batched_tokens or tokens, max_sequences=engine.max_sequences or LARGE_SEQUENCES)
    return question._replace(engine=chosen)


def smaller_batch(question: Question, gpu: GpuFacts) -> Assumption:
    """What to say where the model goes in only with the batch of smaller cards."""
    tokens, sequences = question.engine.batched_tokens or BATCHED_TOKENS, question.engine.max_sequences or SEQUENCES
    text = f"with --max-num-batched-tokens {tokens} and --max-num-seqs {sequences}: what vLLM chooses on {gpu.name} needs more"
    return Assumption(text, ARGUMENTS_SOURCE)


def reported_bytes(gpu: GpuFacts) -> int:
    """The size vLLM asks the driver for (`get_device_total_memory`); 0 where no size is recorded."""
    if gpu.driver_mib is not None:
        return gpu.driver_mib * MIB
    return int((gpu.cuda_gib or gpu.sold_gb or 0) * GIB)
