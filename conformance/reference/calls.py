"""A request that was routed, and how its body is read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from conformance.reference.streams import Story

#: How many levels of arrays and objects a body may have.
_DEEPEST = 100


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: What comes instead of a body, in pieces, each at its time.
    frames: Generator[bytes] | None = None


@dataclass(slots=True)
class Call:
    """A request that was routed, with the moment by the clock of what it addresses, in Unix seconds."""

    operation: str
    ids: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    scope: str
    now: float
    #: What is to be told instead of an answer at once.
    stories: list[Story] = field(default_factory=list)

    def json(self, check: Callable[[str, Any], None], *, optional: bool = False) -> dict[str, Any]:
        """The validated body; where it is optional, nothing at all counts as an empty object."""
        if optional and not self.body:
            return {}
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(f"Unsupported content type '{kind}': expected 'application/json'.")
        try:
            value = strict_json(self.body.decode())
        except (ValueError, RecursionError):
            raise Refusal("The body of the request is no valid JSON.") from None
        check("", value)
        return value  # type: ignore[no-any-return]


def strict_json(text: str) -> Any:
    """
    Read JSON that can be written again.

    Raises:
        ValueError: it is none.
        RecursionError: it is too deep.
    """
    value = _DECODER.decode(text)
    _need_shallow(value, _DEEPEST)
    return value


def _finite(literal: str) -> float:
    """A number of JSON, which knows no infinity."""
    if not math.isfinite(value := float(literal)):
        raise ValueError(literal)
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def _need_shallow(value: Any, levels: int) -> None:
    """Raise a RecursionError for what could be read, but perhaps not be written again."""
    if isinstance(value, dict | list):
        if not levels:
            raise RecursionError
        for inner in value.values() if isinstance(value, dict) else value:
            _need_shallow(inner, levels - 1)
