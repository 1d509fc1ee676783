"""What a create may leave out, or say that it is null, or ask for where a target need not have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import invalid
from conformance.reference.faults.mishearing import crash, mishears
from conformance.reference.faults.registry import fault, shows
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said


def _refuse(name: str) -> None:
    raise invalid(name, "that is not offered here.")


def _no_null(said: Said) -> None:
    for name, value in said.items():
        if value is None and name != "assistant_id":
            _refuse(name)


mishears("refuses-null", "A create with null for what is not set is refused.", "CREATE-030", change=_no_null)
mishears(
    "null-is-cold",
    "A temperature of null is zero.",
    "CREATE-030",
    change=lambda said: said.update(temperature=0) if said.get("temperature", ...) is None else None,
)
mishears(
    "null-is-no-tool",
    "A tool choice of null is none.",
    "CREATE-030",
    change=lambda said: said.update(tool_choice="none") if said.get("tool_choice", ...) is None else None,
)
mishears(
    "null-silences",
    "Instructions of null take away those of the assistant.",
    "CREATE-030",
    change=lambda said: said.update(instructions=" ") if said.get("instructions", ...) is None else None,
)


@fault("CREATE-031")
class IncludeCrashes(Operations):
    """A create that asks for the results of file search is a crash."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if call.query:
            raise crash()
        return super().create_run(call)


@fault()
class NothingIsIncluded(Operations):
    """A create that asks for the results of file search is refused, as it may be."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if call.query:
            _refuse("include[]")
        return super().create_run(call)


mishears(
    "reasons-not",
    "A reasoning effort is refused, as it may be.",
    change=lambda said: _refuse("reasoning_effort") if said.get("reasoning_effort") else None,
)
shows(
    "reasons-harder",
    "Whatever reasoning effort was asked for, it is high.",
    "CREATE-032",
    change=lambda told, *_: told.update(reasoning_effort="high") if told["reasoning_effort"] else None,
)
