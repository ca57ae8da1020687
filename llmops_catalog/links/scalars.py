"""The characters every value of a YAML file is written with: what libyaml's events tell beyond the strict reader's start marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Scalar(NamedTuple):
    """One scalar: ``text[start:end]`` in the file without its byte order mark. `style` is ``'``, ``"``, ``|``, ``>`` or empty."""

    start: int
    end: int
    style: str
    in_flow: bool


class Sequence(NamedTuple):
    """A list of plain values: where it begins, and the last of them."""

    start: int
    in_flow: bool
    last_item: Scalar | None


class Layout(NamedTuple):
    """Scalars and sequences by the line and column (from 1) of their start, as `Document.place` gives them."""

    scalars: dict[tuple[int, int], Scalar]
    sequences: dict[tuple[int, int], Sequence]


def layout_of(text: str) -> Layout:
    """Where everything stands in a text the strict reader has accepted."""
    import yaml
    from yaml._yaml import CParser

    next_event: Callable[[], Any] = CParser(text).get_event
    layout = Layout({}, {})
    open_: list[tuple[Any, Scalar | None]] = []
    while (kind := (event := next_event()).__class__) is not yaml.StreamEndEvent:
        mark = event.start_mark
        if kind is yaml.ScalarEvent:
            in_flow = bool(open_) and bool(open_[-1][0].flow_style)
            scalar = Scalar(mark.index, event.end_mark.index, event.style or "", in_flow)
            layout.scalars[mark.line + 1, mark.column + 1] = scalar
            if open_:
                open_[-1] = (open_[-1][0], scalar)
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            open_.append((event, None))
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            start, last = open_.pop()
            if kind is yaml.SequenceEndEvent:
                at = start.start_mark
                layout.sequences[at.line + 1, at.column + 1] = Sequence(at.index, bool(start.flow_style), last)
    return layout
