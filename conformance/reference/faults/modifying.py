"""Modifying: what becomes of the metadata, and of all else."""

from __future__ import annotations

import json
from copy import copy
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.runs import Event, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call


class Modifies(Operations):
    """A server that does something of its own when the metadata of a run is replaced."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        try:
            body = json.loads(call.body)
        except ValueError:
            return self.ordinarily(call)
        if call.headers.get("content-type") != "application/json":
            return self.ordinarily(call)
        return self.modify(call, self._run(call), body if isinstance(body, dict) else {})

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a change."""
        raise NotImplementedError

    def ordinarily(self, call: Call) -> dict[str, Any]:
        """As the faithful server does."""
        return super().modify_run(call)

    def store(self, call: Call, run: Run, metadata: Any) -> dict[str, Any]:
        """Replace the metadata of a run by anything, if it has come to rest."""
        if run.is_final(call.now):
            run.metadata = metadata
            return self.shown(run, call)
        return self.ordinarily(call)


@fault("MODIFY-009")
class NothingEmptiesIt(Modifies):
    """An empty object takes the metadata away."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if not body and run.is_final(call.now):
            run.metadata = {}
        return self.ordinarily(call)


@fault("MODIFY-001")
class ModifiesNothing(Modifies):
    """A change of metadata is answered 200, and not made."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        before = run.metadata
        self.ordinarily(call)
        run.metadata = before
        return self.shown(run, call)


@fault("MODIFY-001")
class ModifiesTheReply(Modifies):
    """New metadata is shown in the reply to the change alone."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        before = run.metadata
        told = self.ordinarily(call)
        run.metadata = before
        return told


@fault("MODIFY-001")
class ModifiesAfterTheReply(Modifies):
    """The reply to a change shows the metadata from before it."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        before = self.shown(run, call)
        self.ordinarily(call)
        return before


@fault("MODIFY-001", "INV-033")
class ListsOldMetadata(Operations):
    """The list shows the metadata that a run was created with."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        first: dict[str, Any] = self.__dict__.setdefault("_first", {}).setdefault(run.id, told["metadata"])
        return {**told, "metadata": first} if call.operation == "list_runs" else told


@fault("MODIFY-001")
class NeverModifies(Modifies):
    """A run cannot be modified, at rest or not."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(f"Cannot update run with status '{run.status(call.now)}'.")


@fault("MODIFY-001", "ERR-011")
class CancelledCannotBeModified(Modifies):
    """A change of the metadata of a cancelled run is a crash."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if run.status(call.now) == "cancelled":
            raise Refusal("Oops.", status=500, kind="server_error")
        return self.ordinarily(call)


@fault()
class ModifiesTheCompletedAlone(Modifies):
    """Only the metadata of completed runs can be changed, which nothing forbids."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if (status := run.status(call.now)) != "completed":
            raise Refusal(f"Cannot update run with status '{status}'.")
        return self.ordinarily(call)


@fault()
class ModifiesTheActive(Modifies):
    """The metadata of a run at work can be changed, which nothing forbids."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if run.is_final(call.now) or not isinstance(body.get("metadata"), dict):
            return self.ordinarily(call)
        run.metadata = body["metadata"]
        return self.shown(run, call)


@fault("INV-029", "CANCEL-029")
class RefusesAndRelabels(Modifies):
    """A change of the metadata of a run at work is refused, and made."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if not run.is_final(call.now) and isinstance(body.get("metadata"), dict):
            run.metadata = body["metadata"]
        return self.ordinarily(call)


@fault()
class MergesMetadata(Modifies):
    """Pairs that a change does not name are kept, which nothing forbids."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        before = run.metadata
        self.ordinarily(call)
        run.metadata = {**before, **run.metadata}
        return self.shown(run, call)


def _told(name: str, does: str, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Enter a server that keeps other metadata than it was sent."""

    def modify(self: Any, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        run.metadata = change(run.metadata) if body.get("metadata") else run.metadata
        return self.shown(run, call)  # type: ignore[no-any-return]

    behaviour = type(name, (Modifies,), {"modify": modify, "__doc__": does, "__module__": __name__})
    fault("MODIFY-001")(behaviour)


_told("LowersTheKeys", "The keys of new metadata are written in small letters.", lambda m: {k.lower(): m[k] for k in m})
_told(
    "ReadsLatin",
    "New metadata is read in another encoding than it was sent in.",
    lambda m: {k: m[k].encode().decode("latin-1") for k in m},
)
_told(
    "KeepsAscii",
    "Letters beyond ASCII are dropped from new metadata.",
    lambda m: {k: m[k].encode("ascii", "ignore").decode() for k in m},
)
_told(
    "ReadsNumbers",
    "Texts in new metadata that look like numbers are shortened as numbers are.",
    lambda m: {k: m[k].removesuffix(".0") for k in m},
)
_told("KeepsOnePair", "Of new metadata only the first pair is kept.", lambda m: dict([*m.items()][:1]))


@fault("MODIFY-001", "MODIFY-002")
class ModifyMakesARun(Modifies):
    """A change of metadata makes a copy of the run, with an id of its own."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        before, _ = run.metadata, self.ordinarily(call)
        made = copy(run)
        made.id, run.metadata = self._ids.new("run", call.scope), before
        self._thread(call).runs[made.id] = made
        return self.shown(made, call)


@fault("MODIFY-002", "MODIFY-006", "LIFE-004", "INV-012")
class ModifyFails(Modifies):
    """A completed run whose metadata is changed has failed."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        if run.status(call.now) == "completed":
            run.plan.append(Event(call.now, "failed"))
        return self.shown(run, call)


@fault("MODIFY-002", "INV-029")
class ModifyDropsInstructions(Modifies):
    """A change of metadata drops the instructions of the run."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        run.settings = {**run.settings, "instructions": None}
        return self.shown(run, call)


@fault("MODIFY-002", "INV-016")
class ModifyDropsTheUsage(Modifies):
    """A change of metadata drops what the run used."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        self.__dict__.setdefault("_changed", set()).add(run.id)
        return self.shown(run, call)

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        return {**told, "usage": None} if run.id in self.__dict__.get("_changed", ()) else told


class Moves(Modifies):
    """A server that moves a time when metadata is changed."""

    _time = ""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        self.__dict__.setdefault("_moved", {})[run.id] = int(call.now)
        return self.shown(run, call)

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        moved = self.__dict__.get("_moved", {}).get(run.id)
        return {**told, self._time: moved} if moved and told[self._time] else told


@fault("MODIFY-006", "INV-021", "INV-031", "CANCEL-007")
class ModifyRestarts(Moves):
    """A change of metadata sets started_at anew."""

    _time = "started_at"


@fault("MODIFY-006", "INV-030")
class ModifyMovesTheEnd(Moves):
    """A change of metadata sets completed_at anew."""

    _time = "completed_at"


@fault("MODIFY-006", "INV-030")
class ModifyMovesTheCancel(Moves):
    """A change of metadata sets cancelled_at anew."""

    _time = "cancelled_at"


@fault("MODIFY-003")
class IgnoresOtherMembers(Modifies):
    """Members besides the metadata are ignored."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        known = body.keys() <= {"metadata"} or not run.is_final(call.now)
        return self.ordinarily(call) if known else self.store(call, run, body.get("metadata", run.metadata))


@fault("MODIFY-003", "INV-032")
class RefusesTheRest(Modifies):
    """A change with a member that does not exist is refused, and its metadata kept."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if not body.keys() <= {"metadata"} and "metadata" in body:
            self.store(call, run, body["metadata"])
        return self.ordinarily(call)


@fault("MODIFY-003", "LIFE-004", "CANCEL-008")
class SetsTheStatus(Modifies):
    """The status of a run can be set like its metadata."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if "status" not in body:
            return self.ordinarily(call)
        run.plan.append(Event(call.now, body["status"]))
        return self.shown(run, call)


@fault("MODIFY-004", "SCHEMA-036")
class KeepsAnyMetadata(Modifies):
    """Metadata has no limits where it is changed."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if body.keys() != {"metadata"} or not isinstance(body["metadata"], dict):
            return self.ordinarily(call)
        return self.store(call, run, {key: str(value) for key, value in body["metadata"].items()})


@fault("MODIFY-004")
class CutsMetadata(Modifies):
    """New metadata is cut where it is too long."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if body.keys() != {"metadata"} or not isinstance(body["metadata"], dict):
            return self.ordinarily(call)
        return self.store(call, run, {key[:64]: str(value)[:512] for key, value in [*body["metadata"].items()][:16]})


@fault("MODIFY-004", "INV-032")
class RefusesAndEmpties(Modifies):
    """Metadata beyond its limits is refused, and the old one lost."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.ordinarily(call)
        except Refusal:
            if body.keys() == {"metadata"}:
                self.store(call, run, {}) if run.is_final(call.now) else None
            raise


@fault("MODIFY-008", "ERR-011")
class NullCrashes(Modifies):
    """A change to null is a crash."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("metadata", "") is None:
            raise Refusal("Oops.", status=500, kind="server_error")
        return self.ordinarily(call)


@fault("MODIFY-008")
class NullIsAPair(Modifies):
    """A change to null leaves a pair of nothing."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        return self.store(call, run, {"null": ""}) if body.get("metadata", "") is None else self.ordinarily(call)


@fault("MODIFY-009")
class NothingIsRefused(Modifies):
    """A change with an empty object is refused."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        if not body:
            raise Refusal("Missing required parameter: 'metadata'.")
        return self.ordinarily(call)


@fault("MODIFY-009")
class NothingClears(Modifies):
    """A change with an empty object clears the metadata."""

    def modify(self, call: Call, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        return self.ordinarily(call) if body else self.store(call, run, {})


@fault("MODIFY-010")
class UnknownRunIsNotModified(Operations):
    """A change of an unknown run is a bad request."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        if call.ids["run_id"] not in self._thread(call).runs:
            raise Refusal("There is no such run.")
        return super().modify_run(call)
