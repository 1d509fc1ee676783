"""What is known of the runs and threads of a sequence: of each run, the states that it could be in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.invariants.histories import reachable
from conformance.outcomes import Untested
from conformance.states import ALL, FINAL, FINISHED
from conformance.states.handles import run_of
from conformance.wire.values import same

if TYPE_CHECKING:
    from conformance.states.handles import Run, Thread
    from conformance.wire.exchange import Exchange

_FINISHED: Final = frozenset(FINISHED)


@dataclass(eq=False)
class KnownRun:
    """A run that the sequence created."""

    #: The run as the last message about it alone showed it.
    handle: Run
    thread: KnownThread
    #: The reply to its creation.
    created: Exchange
    #: Whether it was made to work for longer than anybody cares to poll it.
    endless: bool = False
    #: Whether a read has found it.
    found: bool = False
    #: The last request to cancel it that was not refused.
    cancelled: Exchange | None = None
    #: Whether outputs that were not refused were submitted since it was last seen.
    submitted: bool = False
    #: Whether it went where no run may go: invariants tell that, and the model says no more about it.
    astray: bool = False
    #: Since when every read of it, at rest, showed the same.
    unchanged: Exchange | None = None

    @property
    def seen(self) -> Exchange:
        """The last message about it alone."""
        return self.handle.seen

    @property
    def status(self) -> str:
        """Its status when it was last seen."""
        return status_in(self.seen)

    @property
    def rests(self) -> bool:
        """Whether it has come to rest for good."""
        return self.status in FINAL and not self.astray

    @property
    def may_move(self) -> bool:
        """Whether it may lock its thread."""
        return self.status not in FINAL

    def could_be(self) -> frozenset[str]:
        """The states that it could be in by now."""
        states = reachable(self.status, cancelled=self.cancelled is not None, submitted=self.submitted)
        asks_for_nothing = self.handle.body.get("tools") == [] and self.status != "requires_action"
        return states - {"requires_action"} if asks_for_nothing else states

    def when(self, after: str, *, cancelling: bool = False, submitting: bool = False) -> set[str]:
        """
        The states that it could have been in when a request arrived.

        Args:
            after: Its status in the read that followed.
            cancelling: Whether the request was a cancel that was not refused.
            submitting: Whether it were outputs that were not refused.
        """
        cancelled = cancelling or self.cancelled is not None
        return {
            state for state in self.could_be() if after in reachable(state, cancelled=cancelled, submitted=submitting)
        }

    def see(self, reply: Exchange) -> None:
        """Take over what a message about it alone shows."""
        before, was_at_rest = self.handle.body, self.status in FINAL
        self.astray |= status_in(reply) not in self.could_be()
        if status_in(reply) not in FINAL:
            self.unchanged = None
        elif self.unchanged is None or not was_at_rest or not same(before, run_of(reply)):
            self.unchanged = reply
        self.handle.seen, self.submitted = reply, False

    def has_settled(self) -> bool:
        """Whether it showed the same, at rest, for so long that what changes now is no late effect of its end."""
        first = self.unchanged
        return first is not None and self.seen.at - first.ended >= self.handle.waits.budget("afterlife")


@dataclass(eq=False)
class KnownThread:
    """A thread that the sequence created, and its runs, oldest first."""

    handle: Thread
    #: Whether its prompt asks for a long answer.
    long: bool = False
    runs: list[KnownRun] = field(default_factory=list)
    #: Creates that were refused because of an active run.
    refused: list[Exchange] = field(default_factory=list)
    #: Whether it may hold runs that nobody knows.
    lost: bool = False
    #: The ids of all its runs as the target lists them, by the order that was asked for; none unless all are at rest.
    whole: dict[str | None, tuple[Exchange, list[str]]] = field(default_factory=dict)
    #: The pages that it was shown as since its last run, by the query; none unless all are at rest.
    pages: dict[tuple[tuple[str, str], ...], tuple[Exchange, list[str]]] = field(default_factory=dict)

    @property
    def sure(self) -> bool:
        """Whether the model can say anything about its runs together."""
        return not self.lost and not any(run.astray for run in self.runs)

    @property
    def rests(self) -> bool:
        """Whether all its runs are known to be at rest."""
        return self.sure and all(run.rests for run in self.runs)

    @property
    def tied(self) -> bool | None:
        """Whether some of its runs were created within one second, or None where they do not say."""
        times = [run.handle.body.get("created_at") for run in self.runs]
        return len(set(times)) < len(times) if all(type(each) is int for each in times) else None

    def release_row(self) -> str | None:
        """The requirement that it is released by, as its runs ended; none where both could be meant."""
        statuses = {run.status for run in self.runs}
        if statuses == {"cancelled"}:
            return "RUN-CANCEL-023"
        return "RUN-LIFE-014" if statuses and statuses <= _FINISHED else None

    def add(self, run: KnownRun) -> None:
        """Take in a new run; what was listed before is out of date."""
        self.runs.append(run)
        self.whole.clear()
        self.pages.clear()


def status_in(reply: Exchange) -> str:
    """The status of the run in a reply; one that nobody documented is another requirement's."""
    status = run_of(reply).get("status")
    if not isinstance(status, str) or status not in ALL:
        raise Untested(f"{reply} shows no documented status")
    return status
