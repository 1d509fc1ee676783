"""Echoes: what a run or a change says, given back a little otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.mishearing import mishears, said_in, with_body
from conformance.reference.faults.registry import fault, shows
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said
    from conformance.reference.runs import Run


def _lenient(told: dict[str, Any], _: Run, __: Call) -> None:
    functions = [each for each in told["tools"] if each["type"] == "function"]
    others = [each for each in told["tools"] if each["type"] != "function"]
    told["tools"] = [*others, *({**each, "function": {**each["function"], "strict": False}} for each in functions)]


def _loose(told: dict[str, Any], _: Run, __: Call) -> None:
    if isinstance(shown := told["response_format"], dict) and "json_schema" in shown:
        schema = {name: each for name, each in shown["json_schema"].items() if name != "strict"}
        told["response_format"] = {**shown, "json_schema": schema}


shows("no-function-is-strict", "Every function is shown as not strict.", "CREATE-010", change=_lenient)
shows("no-schema-is-strict", "The schema of a response is shown without strict.", "CREATE-025", change=_loose)
shows(
    "text-is-automatic",
    "The response format text is shown as auto.",
    "CREATE-025",
    change=lambda told, *_: (
        told.update(response_format="auto") if told["response_format"] == {"type": "text"} else None
    ),
)


def _strip(said: Said) -> None:
    if isinstance(given := said.get("instructions"), str):
        said["instructions"] = given.strip()


mishears("strips-instructions", "Instructions lose the spaces around them.", "CREATE-007", change=_strip)


def _without_nulls(said: Said) -> None:
    if isinstance(given := said.get("metadata"), dict):
        said["metadata"] = {key: each for key, each in given.items() if each is not None}


mishears("null-is-no-pair", "A pair of metadata that is null is dropped.", "CREATE-013", change=_without_nulls)
mishears(
    "true-is-one",
    "A temperature that is true is taken for 1.",
    "CREATE-014",
    change=lambda said: said.update(temperature=1) if said.get("temperature") is True else None,
)


class Relabels(Operations):
    """A server that hears other metadata than was sent with a change."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        if isinstance(given := body.get("metadata"), dict):
            call = with_body(call, {**body, "metadata": {key: each for key, each in given.items() if self.keeps(each)}})
        return super().modify_run(call)

    def keeps(self, value: Any) -> bool:
        """Whether a pair with this value is heard."""
        raise NotImplementedError


@fault("MODIFY-001")
class EmptyIsNoPair(Relabels):
    """A pair of new metadata whose text is empty is dropped."""

    def keeps(self, value: Any) -> bool:
        return bool(value != "")


@fault("MODIFY-004")
class NullIsNoNewPair(Relabels):
    """A pair of new metadata that is null is dropped."""

    def keeps(self, value: Any) -> bool:
        return value is not None
