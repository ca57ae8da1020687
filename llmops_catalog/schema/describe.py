"""The schema in words: the model inside a field's type, and an example as one writes it in YAML. Shared by messages and pages."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

_WRAPPERS = (Annotated, Union, UnionType)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model a field holds, looked for inside optional types and lists; None where it holds plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (*_WRAPPERS, tuple):
        return next(filter(None, map(model_in, get_args(annotation))), None)
    return None


def is_list(annotation: Any) -> bool:
    """True where a field holds a sequence."""
    return get_origin(annotation) is tuple or (get_origin(annotation) in _WRAPPERS and any(map(is_list, get_args(annotation))))


def yaml_flow(value: Any) -> str:
    """A value as one writes it on one YAML line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {yaml_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(yaml_flow, value)) + "]"
    return str(value)
