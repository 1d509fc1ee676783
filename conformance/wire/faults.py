"""What is wrong with a value, member by member, when it is held against a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from conformance.wire.values import ABSENT, shown

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class FieldFault:
    """One member that is not as it should be."""

    path: tuple[str | int, ...]
    expected: str
    actual: str
    #: What is wrong with it, in pydantic's words: `missing`, `string_type`, `too_long`, ...
    kind: str
    #: An integer written as 1.0, which JSON Schema calls an integer and most clients do not.
    integral_float: bool = False


def faults(value: object, model: type[BaseModel]) -> list[FieldFault]:
    """
    Hold a decoded JSON value against a model.

    Args:
        value: Any JSON value, however hostile.
        model: One of the models of the API.

    Returns:
        Each member that is not as it should be, at its narrowest place.
    """
    try:
        model.model_validate(value)
    except ValidationError as problem:
        return [
            _fault(error["loc"], error["type"], error["msg"], error["input"])
            for error in problem.errors(include_url=False, include_context=False)
        ]
    except RecursionError:
        return [FieldFault((), "an object of reasonable depth", "deeper nesting", "depth")]
    return []


def _fault(location: tuple[str | int, ...], kind: str, message: str, value: Any) -> FieldFault:
    path = _without_branches(location)
    integral = kind == "int_type" and isinstance(value, float) and value.is_integer()
    actual = shown(ABSENT if kind == "missing" else value)
    return FieldFault(path, _expected(kind, message), actual, kind, integral)


def _without_branches(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the branches of unions that pydantic names: `tools.0.function.function.name` is `tools.0.function.name`."""
    left, path = list(location), list[str | int]()
    while left:
        path.append(left.pop(0))
        if path[-1] in {"tool_choice", "response_format"} or path[-2:-1] == ["tools"]:
            branch = left.pop(0) if left else None
            if path[-1] == "response_format" and branch == "object" and left:
                left.pop(0)
    return tuple(path)


def _expected(kind: str, message: str) -> str:
    if kind == "missing":
        return "a value"
    text = message.removeprefix("Input should be ").removeprefix("Input should have ")
    text = text.replace("String should match pattern", "a string that matches").replace(" should have ", " with ")
    return text[:1].lower() + text[1:]
