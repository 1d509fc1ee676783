"""Slips: one thing among many that are right, such as is forgotten by who has read all the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.forgotten import without_parts
from conformance.reference.faults.mishearing import mishears, said_in
from conformance.reference.faults.registry import fault, shows, shows_step
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said


class Hasty(Operations):
    """A server that adds messages before it knows whether there will be a run."""

    #: Whether it does so where another run locks the thread, or where something else is wrong.
    through_the_lock = False

    def create_run(self, call: Call) -> dict[str, Any]:
        thread, body = self._thread(call), said_in(call) or {}
        locked = thread.active(call.now) is not None
        try:
            return super().create_run(call)
        except Refusal:
            for each in body.get("additional_messages") or () if locked is self.through_the_lock else ():
                self._write(thread, each, call)
            raise


@fault("CREATE-009")
class RefusesAndAdds(Hasty):
    """A create with a wrong value is refused, and its messages are added all the same."""


@fault("LIFE-013")
class RefusesTheRunAlone(Hasty):
    """A create on a locked thread is refused, and its messages are added all the same."""

    through_the_lock = True


mishears(
    "loses-parts",
    "The content of additional messages is lost where it comes in parts.",
    "CREATE-009",
    change=lambda said: (
        said.update(additional_messages=without_parts(said["additional_messages"]))
        if isinstance(said.get("additional_messages"), list)
        else None
    ),
)


def _known_tools(said: Said) -> None:
    if isinstance(tools := said.get("tools"), list):
        known = ("code_interpreter", "file_search", "function")
        said["tools"] = [each for each in tools if not isinstance(each, dict) or each.get("type") in known]


mishears("drops-unknown-tools", "A tool of a type that does not exist is dropped.", "CREATE-010", change=_known_tools)
shows(
    "parallel-always",
    "parallel_tool_calls is shown as true, whatever it is.",
    "CREATE-023",
    change=lambda told, *_: told.update(parallel_tool_calls=True),
)
shows(
    "parallel-the-other-way",
    "parallel_tool_calls is shown as the opposite of what it is.",
    "CREATE-023",
    "CREATE-024",
    change=lambda told, *_: told.update(parallel_tool_calls=not told["parallel_tool_calls"]),
)


class Misnames(Operations):
    """A server that names another parameter than the one that is wrong."""

    name: str | None = None

    def create_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().create_run(call)
        except Refusal as refusal:
            refusal.param = self.name
            raise


@fault()
class NamesNoParameter(Misnames):
    """A refused create does not say which parameter is wrong, as nobody says that it must."""


@fault("ERR-001")
class BlamesTheAssistant(Misnames):
    """A refused create says that the assistant is wrong, whatever it is."""

    name = "assistant_id"


@fault("INV-037", "LIFE-012")
class StreamsThroughTheLock(Operations):
    """A thread takes a second run while one is active, if it is asked for as a stream."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if not (said_in(call) or {}).get("stream"):
            return super().create_run(call)
        thread = self._thread(call)
        before, thread.runs = thread.runs, {}
        try:
            return super().create_run(call)
        finally:
            thread.runs = {**before, **thread.runs}


@fault("TOOL-002")
class TwoOutputsAreDropped(Operations):
    """Two outputs for one call are answered 200, and the run waits on."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        listed = (said_in(call) or {}).get("tool_outputs")
        given = [str(each.get("tool_call_id")) for each in listed or () if isinstance(each, dict)]
        run = self._run(call)
        if len({*given}) < len(given) and run.status(call.now) == "requires_action":
            return self.shown(run, call)
        return super().submit_tool_outputs(call)


@fault("TOOL-012")
class OutputsByPosition(Operations):
    """Outputs are given to the calls one after the other, whichever calls they name."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        told, run = super().submit_tool_outputs(call), self._run(call)
        run.outputs = dict(zip(run.awaited(), run.outputs.values(), strict=True))
        return told


@fault("MODIFY-002")
class LabelsTheThread(Operations):
    """A change of the metadata of a run changes that of its thread as well."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        told = super().modify_run(call)
        self._thread(call).metadata = dict(told["metadata"])
        return told


@fault("INV-032", "MODIFY-002")
class LabelsTheNeighbours(Operations):
    """A change of the metadata of a run changes that of all runs of its thread."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        told = super().modify_run(call)
        for run in self._thread(call).runs.values():
            run.metadata = dict(told["metadata"])
        return told


@fault("MODIFY-002")
class ListsTheChangedFirst(Operations):
    """A run whose metadata was changed is listed as if it were the newest."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        told, runs = super().modify_run(call), self._thread(call).runs
        runs[told["id"]] = runs.pop(told["id"])
        return told


shows_step(
    "step-ends-anew",
    "A completed step was completed just now, whenever it is read.",
    "STEP-013",
    change=lambda told, _, call: told.update(completed_at=int(call.now)) if told["completed_at"] else None,
)
