"""Modifying a run that has come to rest: its metadata is replaced, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import Untested
from conformance.states.strangers import Phantom
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_same,
    expect_status,
    need,
    need_page,
    need_run,
    note,
    shown,
)
from conformance.wire import models
from conformance.wire.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.wire.exchange import Exchange

#: Letters of both cases, and such as some encodings do not have.
NEW: Final = {"Conformance-Step": "Größe 日本 ✓", "other_key": "1.0", "empty": ""}
TIMES: Final = ("created_at", "started_at", "expires_at", "completed_at", "cancelled_at", "failed_at")
#: Changes that are none, by what is wrong with them.
OTHER_MEMBERS: Final[Mapping[str, Any]] = {
    "status": {"status": "cancelled"},
    "instructions": {"metadata": {"smuggled": "in"}, "instructions": "Be silly."},
    "unknown": {"metadata": {"smuggled": "in"}, "conformance_unknown": True},
}
BEYOND_LIMITS: Final[Mapping[str, Any]] = {
    "17-pairs": {"metadata": {f"key {number}": "value" for number in range(17)}},
    "65-characters-of-key": {"metadata": {"k" * 65: "v"}},
    "513-characters-of-value": {"metadata": {"k": "v" * 513}},
    "no-text": {"metadata": {"k": True}},
    "null-value": {"metadata": {"k": None}},
    "array": {"metadata": ["k", "v"]},
}
#: The empty object comes first, since null may leave nothing that could be lost.
EMPTY: Final[Mapping[str, Any]] = {"empty": {}, "null": {"metadata": None}}


@dataclass(frozen=True)
class Change:
    """A run as it was read, what was asked of it, and how it was read and listed after that."""

    run: Run
    before: Exchange
    reply: Exchange
    after: Exchange
    listed: Exchange

    def shown(self) -> list[tuple[Exchange, dict[str, Any]]]:
        """The run in everything that shows it since."""
        in_list = [(self.listed, item) for item in need_page(self.listed) if item["id"] == self.run.id]
        return [(self.reply, need_run(self.reply)), (self.after, need_run(self.after)), *in_list]


def make(run: Run, body: object) -> Change:
    """Ask for a change, and look what came of it."""
    return Change(run, run.retrieve(), run.modify_by(body), run.retrieve(), run.thread.list())


def changed(shared: Shared, state: str) -> Change:
    """The metadata of a run that has come to rest for two seconds, replaced, which every case here only reads."""

    def replace() -> Change:
        run = shared.stage.run(state)
        run.pause("afterlife", since=run.seen)  # times that move do so by whole seconds
        return make(run, {"metadata": NEW})

    return shared.once(f"modified_{state}", replace)


@pytest.fixture
def change(request: pytest.FixtureRequest, shared: Shared) -> Change:
    """The change of a run in the state that the case is parametrized with."""
    return changed(shared, str(request.param))


at_rest = pytest.mark.parametrize("change", ["completed", "cancelled", "failed"], indirect=True)


@pytest.fixture
def mistakes(shared: Shared) -> Mapping[str, Change]:
    """The completed run after all that should not change it; what it shows in between tells what did."""
    usual = changed(shared, "completed")

    def ask() -> Mapping[str, Change]:
        asked = {name: make(usual.run, body) for name, body in {**EMPTY, **OTHER_MEMBERS, **BEYOND_LIMITS}.items()}
        return {"usual": usual, **asked}

    return shared.once("mistaken_changes", ask)


def _may_refuse(change: Change) -> None:
    """Only of a completed run it is known that the real service permitted to change it."""
    if change.reply.refused and change.run.body["status"] != "completed":
        raise Untested(f"the target does not change runs that did not complete: {change.reply}", gates=False)


def _granted(change: Change) -> Change:
    """Go on with a change that was made."""
    _may_refuse(change)
    need(change.reply.succeeded, f"the change was not made, which RUN-MODIFY-001 is about: {change.reply}")
    return change


def _is_metadata(value: object) -> bool:
    return value is None or (isinstance(value, dict) and all(isinstance(text, str) for text in value.values()))


def _steady(change: Change) -> list[str]:
    """The documented members that a run keeps as long as nobody does anything, before the change and after it."""
    seen, was, after = change.run.body, need_run(change.before), need_run(change.after)
    known = [name for name in models.Run.model_fields if name in was and name in after]
    return [name for name in known if same(seen.get(name, ABSENT), was[name])]


@requirement("RUN-MODIFY-001")
@at_rest
def test_the_metadata_of_a_run_is_replaced(change: Change) -> None:
    """The reply shows the run with what was sent, to the letter, and so does every look at it since."""
    _may_refuse(change)
    expect(change.reply.succeeded, "a success (2xx)", f"status {change.reply.status}", change.before, change.reply)

    shows = [(seen, run) for seen, run in change.shown() if _is_metadata(run.get("metadata", ABSENT))]
    need(shows, "nothing shows metadata in its form, which RUN-SCHEMA-035 and RUN-SCHEMA-036 are about")
    for seen, run in shows:
        expect(run["id"] == change.run.id, f"run {change.run.id}", f"run {run['id']}", change.reply, seen)
        metadata = run["metadata"] or {}
        expect(
            NEW.items() <= metadata.items(), f"metadata {shown(NEW)}", f"metadata {shown(metadata)}", change.reply, seen
        )


@requirement("RUN-MODIFY-002")
@at_rest
def test_a_change_of_metadata_changes_nothing_else(change: Change) -> None:
    """It is the same run in every other member, and the only one of its thread; times have a row of their own."""
    other_rows = {"id", "thread_id", "metadata", *TIMES}

    names = [name for name in _steady(_granted(change)) if name not in other_rows]
    expect_same(change.before, change.after, fields=names)
    others = [item["id"] for item in need_page(change.listed) if item["id"] != change.run.id]
    expect(not others, "no other run on the thread", others, change.reply, change.listed)


@requirement("RUN-MODIFY-006")
@at_rest
def test_a_change_of_metadata_moves_no_time(change: Change) -> None:
    """A label does not move when a run began or ended, however long ago that was."""
    names = [name for name in _steady(_granted(change)) if name in TIMES]

    expect_same(change.before, change.after, fields=names)


@requirement("RUN-MODIFY-007")
@pytest.mark.parametrize("change", ["completed"], indirect=True)
def test_metadata_is_replaced_or_merged(change: Change) -> None:
    """Nothing says what becomes of the pairs that a change does not name."""
    old = need_run(_granted(change).before).get("metadata")
    need(isinstance(old, dict) and old, f"it has no metadata to begin with: {change.before}")

    kept = set(old or ()) <= set(need_run(change.after).get("metadata") or ())
    note(f"pairs that a change does not name are {'kept' if kept else 'dropped'}")


@requirement("RUN-MODIFY-005")
@fresh_run("in_progress")
def test_a_run_in_progress_may_refuse_to_be_modified(run: Run) -> None:
    """The real service refused; whatever else came of it, the invariants judge."""
    reply = run.modify_by({"metadata": NEW})
    run.retrieve()

    note(f"a run in progress is {'modified' if reply.succeeded else 'not modified'}: {reply}")


@requirement("RUN-MODIFY-003")
@pytest.mark.parametrize("member", OTHER_MEMBERS)
def test_another_member_is_refused(member: str, mistakes: Mapping[str, Change]) -> None:
    """Nothing but metadata can be changed, and a request for more changes nothing."""
    change = mistakes[member]

    expect_refused(change.reply, change.before, because="nothing but metadata can be changed")
    expect_same(change.before, change.after, fields=("status", "instructions", "metadata"))


@requirement("RUN-MODIFY-004")
@pytest.mark.parametrize("what", BEYOND_LIMITS)
def test_metadata_beyond_its_limits_is_refused(what: str, mistakes: Mapping[str, Change]) -> None:
    """Metadata is at most 16 texts of 512 characters under keys of 64; what is more is not cut, and the old stays."""
    change = mistakes[what]

    expect_refused(change.reply, change.before, because="this is beyond the limits of metadata")
    expect_same(change.before, change.after, fields=("metadata",))


@requirement("RUN-MODIFY-008")
def test_null_is_no_metadata(mistakes: Mapping[str, Change]) -> None:
    """Whether it clears the metadata or leaves it, null is taken."""
    _granted(mistakes["usual"])
    change = mistakes["null"]

    expect(change.reply.succeeded, "a success (2xx)", f"status {change.reply.status}", change.before, change.reply)
    was, metadata = need_run(change.before).get("metadata"), need_run(change.after).get("metadata")
    legal = metadata in (None, {}) or metadata == was
    expect(legal, f"no metadata, or {shown(was)}", f"metadata {shown(metadata)}", change.before, change.after)


@requirement("RUN-MODIFY-009")
def test_an_empty_object_changes_nothing(mistakes: Mapping[str, Change]) -> None:
    """Who names no metadata leaves it as it is."""
    _granted(mistakes["usual"])
    change = mistakes["empty"]

    expect(change.reply.succeeded, "a success (2xx)", f"status {change.reply.status}", change.before, change.reply)
    expect_same(change.before, change.after, fields=("metadata",))


@requirement("RUN-MODIFY-010")
def test_a_run_that_does_not_exist_cannot_be_modified(some_run: Run) -> None:
    """There is nothing to modify."""
    reply = Phantom(some_run.client, some_run.waits, some_run.seen).modify_by({"metadata": NEW})

    need(reply.status not in {405, 501}, f"there is no such operation: {reply}")
    expect_status(reply, 404)
