"""Do a model's weights add up: the tensors of its architecture to its total, the parts of its checkpoint to the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llmops_catalog.catalog.facts import model_facts
from llmops_catalog.catalog.load import RecordFile
from llmops_catalog.fit import ModelFacts, described_model_types, parameter_count
from llmops_catalog.problems import Level, Problem, did_you_mean, nearest

Place = tuple[str | int, ...]

MOST_ROWS = 1_000_000
"""No vocabulary is larger: a solution beyond it is a coincidence."""


def check_parameters(record: RecordFile) -> Iterator[Problem]:
    """The weights must add up exactly: a size that is off by one digit shows here, and nowhere else."""
    facts = model_facts(record.id, record.document.data)
    derived = parameter_count(facts)
    if derived is None:
        kind = str(facts.model_type)  # the record may hold a number that is accepted as text
        yield _problem(
            record,
            ("architecture", "model_type"),
            "undescribed-architecture",
            f"no list of tensors is known for {kind!r} with these sizes, so its weights can only be guessed from the total",
            did_you_mean(nearest(kind, described_model_types() - {kind})) or "describe the family in llmops_catalog/fit/architectures",
            "warning",
        )
    elif derived != facts.total_parameters:
        yield _problem(
            record,
            ("parameters", "total"),
            "parameter-mismatch",
            f"the architecture adds up to {derived:,} parameters, the record says {facts.total_parameters:,}"
            f" ({_more_or_fewer(facts.total_parameters - derived)})",
            likely_cause(facts, derived)
            or "compare every size with config.json: often tie_word_embeddings, intermediate_size or the number of layers is wrong",
        )
    yield from _checkpoint(record)


def _more_or_fewer(difference: int) -> str:
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"


def likely_cause(facts: ModelFacts, derived: int) -> str:
    """The one fact that would make the sum exact if it alone were different; empty where none would."""
    tied = facts._replace(tie_word_embeddings=not facts.tie_word_embeddings)
    if parameter_count(tied) == facts.total_parameters:
        return f"with tie_word_embeddings: {str(tied.tie_word_embeddings).lower()} both would agree; compare it with config.json"
    for name, size, changed in _resized(facts):
        more = (parameter_count(changed(size + 1)) or 0) - derived
        missing = facts.total_parameters - derived
        value = size + missing // more if more > 0 and missing % more == 0 else 0
        if 0 < value <= MOST_ROWS and parameter_count(changed(value)) == facts.total_parameters:
            return f"with {name}: {value} instead of {size} both would agree; compare it with config.json"
    return ""


def _resized(facts: ModelFacts) -> Iterator[tuple[str, int, Callable[[int], ModelFacts]]]:
    """Each size the sum depends on in a straight line: its name, its value, and the facts with another one."""
    if facts.intermediate_size:
        yield "intermediate_size", facts.intermediate_size, lambda size: facts._replace(intermediate_size=size)
    experts = facts.experts
    if experts:
        name = "experts.intermediate_size"
        yield name, experts.intermediate_size, lambda size: facts._replace(experts=experts._replace(intermediate_size=size))
    if len(facts.layer_groups) == 1 and facts.kind != "encoder-decoder":
        yield "num_hidden_layers", facts.num_hidden_layers, lambda size: _layered(facts, size)
    yield "vocab_size", facts.vocab_size, lambda size: facts._replace(vocab_size=size)


def _layered(facts: ModelFacts, layers: int) -> ModelFacts:
    group = facts.layer_groups[0]._replace(layers=layers)
    return facts._replace(num_hidden_layers=layers, layer_groups=(group,), layer_types=(group.type,) * layers)


def _checkpoint(record: RecordFile) -> Iterator[Problem]:
    """Where the published files hold something else than the total, the record says by what, to the last element."""
    parameters = record.document.data["parameters"]
    checkpoint, total = parameters.get("checkpoint"), parameters["total"]
    beside = parameters.get("beside", ())
    if checkpoint is None:
        if beside:
            message = "parts of a checkpoint are named, but not how much it holds"
            yield _problem(record, ("parameters", "beside"), "checkpoint-difference", message, "give its elements in parameters.checkpoint")
        return
    named = sum(part["count"] for part in beside)
    if named == checkpoint - total:
        return
    yield _problem(
        record,
        ("parameters", "checkpoint"),
        "checkpoint-difference",
        f"the checkpoint holds {checkpoint:,} elements, {_more_or_fewer(checkpoint - total)} than the total of {total:,}; "
        f"parameters.beside names {named:,}",
        "name each part with its count, also one that was not traced"
        if checkpoint > total
        else "a total counts what the published files hold, and no more: compare it with them",
    )


def _problem(record: RecordFile, place: Place, code: str, message: str, hint: str, level: Level = "error") -> Problem:
    at = record.document.place(place)
    return Problem(record.path, at.line, at.column, code, message, hint, level)
