"""What is said of one run and reaches another, and what is lost of a run on the way to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.reference.errors import not_found
from conformance.reference.faults.mishearing import said_in
from conformance.reference.faults.registry import enter, fault, shows_step
from conformance.reference.faults.step_shapes import functions
from conformance.reference.operations import Operations
from conformance.reference.runs import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call

#: Seconds for which a run that came with its thread cannot be found.
_AWAY: Final = 0.3


def _sticks(member: str, row: str) -> None:
    """Enter a fault that keeps a setting of a run with its assistant."""

    def create_run(self: Operations, call: Call) -> dict[str, Any]:
        told: dict[str, Any] = super(behaviour, self).create_run(call)
        said = said_in(call) or {}
        if said.get(member):
            assistants = self._store.assistants
            id = said["assistant_id"]
            assistants[id] = {**assistants[id], member: said[member]}
        return told

    behaviour: Any = type(member, (Operations,), {"create_run": create_run, "__module__": __name__})
    enter(f"{member}-stick", f"The {member} of a run become its assistant's.", (row,), behaviour)


_sticks("instructions", "CREATE-007")
_sticks("tools", "CREATE-010")


@fault("MODIFY-002", "INV-029")
class OneMetadataForAll(Operations):
    """Runs that were created without metadata share one object, which a change of one fills for all."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        bare = not run.metadata
        told = super().modify_run(call)
        if bare:
            for thread in self._store.threads.values():
                for each in thread.runs.values():
                    if not each.metadata:
                        each.metadata = run.metadata
        return told


@fault("GET-003")
class AppearsLaterWithItsThread(Operations):
    """A run that was created together with its thread cannot be read for a moment."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        self.__dict__.setdefault("_together", set()).add(told["id"])
        return told

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.id in self.__dict__.get("_together", ()) and call.now - run.created < _AWAY:
            raise not_found("run", run.id)
        return super().retrieve_run(call)


@fault("TOOL-007")
class TakesOutputsWhileCancelling(Operations):
    """Outputs that come while a run is being cancelled are granted, and change nothing."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) == "cancelling":
            return self.shown(run, call)
        return super().submit_tool_outputs(call)


@fault("CANCEL-006")
class CancellingWithTools(Operations):
    """A run that went on with the outputs of its functions stays cancelling for ever."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        run = self._run(call)
        if run.outputs:
            run.plan = [event for event in run.plan if event.status not in FINAL]
        return told


@fault("CANCEL-025")
class CancelDeletesTheAnswer(Operations):
    """With a run that is cancelled goes the message that it was writing."""

    def list_messages(self, call: Call) -> dict[str, Any]:
        told = super().list_messages(call)
        return {**told, "data": [each for each in told["data"] if each.get("status") != "incomplete"]}


def _answered(how: Callable[[str], Any]) -> Any:
    """Change the output of each function that has one."""
    return functions(lambda told: told["output"] is not None and told.update(output=how(told["output"])))


for _name, _does, _how in (
    ("output-empty-is-null", "An empty output is kept as none.", lambda text: text or None),
    ("output-cut-late", "An output is cut after 1000 characters.", lambda text: text[:1000]),
    ("output-unescaped", "Escapes in an output are resolved.", lambda text: text.replace("\\n", "\n")),
):
    shows_step(_name, _does, "TOOL-012", change=_answered(_how))


@fault("SCHEMA-001")
class ThinCancel(Operations):
    """The reply to a cancel shows the run's id and status, and nothing else of it."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        return {name: told[name] for name in ("id", "object", "status")}
