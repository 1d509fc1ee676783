"""The moves that a sequence is made of: each sends its requests, and lets the model judge what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.search.cancels import cancel_claims, stray_claims
from conformance.search.claims import claim, told
from conformance.search.creation import Creation
from conformance.search.known import status_in
from conformance.states.handles import GRACE
from conformance.states.stage import SHORT_PROMPT
from conformance.states.strangers import Misaddressed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.client import CancelForm

#: What can follow a cancel.
FOLLOWING: Final = ("", "cancel", "submit", "create", "write")
#: The simplest that a move can be given.
SIMPLEST: Final[Mapping[str, object]] = {
    "following": "",
    "goal": "",
    "kind": "plain",
    "at": 0,
    "which": 0,
    "number": 1,
    "rest": False,
    "apart": False,
    "long": False,
}
#: How far a new run is watched.
GOALS: Final = ("", "start", "rest")


class Moves(Creation):
    """What can be done next, listing apart."""

    def open_thread(self) -> None:
        """Create a thread."""
        with self.move():
            self._thread(long=False)

    def create(self, at: int | None, kind: str, goal: str, *, long: bool) -> None:
        """Create a run, on a new thread with a short or a long prompt or on one of the others, and watch it."""
        with self.move():
            self._create(self._thread(long=long) if at is None else self._at(at), kind, goal)

    def fill(self, at: int, number: int, *, apart: bool) -> None:
        """Put several runs on a thread, one after the other, with different times of creation if that matters."""
        with self.move():
            thread = self._at(at)
            if thread.long or not thread.rests:
                thread = self._thread(long=False)
            for _ in range(number):
                self._create(thread, "quick", "rest")
                if apart:
                    self.pause(self.waits.budget("apart"), "apart")

    def look_up(self, which: int) -> None:
        """Read a run."""
        with self.move():
            self.look(self._which(which))

    def rest(self, which: int) -> None:
        """Poll a run until it rests or asks."""
        with self.move():
            self._rest(self._which(which))

    def let_time_pass(self, wait: str) -> None:
        """Wait; `expiry` passes only where time can be turned."""
        with self.move():
            if wait != "expiry":
                self.pause(self.waits.budget(wait), wait)
            elif self.stage.means.free:
                self.pause(self.waits.budget(wait) + GRACE, wait)
                self.look(self._which(0))

    def cancel(self, which: int, form: CancelForm, *, rest: bool) -> None:
        """Cancel a run, read it, and perhaps poll it until it rests."""
        with self.move():
            run = self._which(which)
            self.fresh(run)
            reply = self.need_patience(run.handle.cancel(form))
            after = self.read(run)
            usual, dated = form == self.stage.client.cancel_form, "started" in self.ledger.able
            self.say(cancel_claims(run, reply, after, form=form, usual=usual, policy=self.stage.policy, dated=dated))
            if not reply.refused:
                run.cancelled = reply
            run.see(after)
            if rest:
                self._rest(run)

    def create_and_cancel(self, kind: str, form: CancelForm, following: str, *, rest: bool, long: bool) -> None:
        """
        Create a run on a thread of its own, cancel it as soon as it works for long, asks or rests, and go on.

        Args:
            kind: Of the run.
            form: Of the cancel.
            following: What is done next.
            rest: Whether the cancelled run is polled until it rests before that.
            long: Whether the prompt is a long one.
        """
        with self.move():
            self._create(self._thread(long=long), kind, "rest")
            if kind == "stalling" and self.stage.means.free:
                self.pause(self.waits.budget("expiry") + GRACE, "expiry")
                self.look(self._which(0))
        self.cancel(0, form, rest=rest)
        if following == "cancel":
            self.cancel(0, self.stage.client.cancel_form, rest=False)
        elif following == "submit":
            self.submit(0, rest=False)
        elif following == "create":
            self.create(0, "plain", "", long=False)
        elif following == "write":
            self.write(0)

    def submit(self, which: int, *, rest: bool) -> None:
        """Submit outputs, whether they were asked for or not, and read the run."""
        with self.move():
            run = self._which(which)
            self.fresh(run)
            reply = self.need_patience(run.handle.submit())
            after = self.read(run)
            if run.when(status_in(after), submitting=not reply.refused) == {"cancelled"} and not run.astray:
                expected = "a refusal (4xx), since the run is cancelled"
                self.say([claim("RUN-CANCEL-022", not reply.succeeded, expected, told(reply), run.seen, reply)])
            run.submitted = not reply.refused
            run.see(after)
            if rest:
                self._rest(run)

    def modify(self, which: int, value: str) -> None:
        """Replace the metadata of a run, and read it."""
        with self.move():
            run = self._which(which)
            self.need_patience(run.handle.modify({"conformance": value}))
            run.unchanged = None
            self.look(run)

    def write(self, at: int) -> None:
        """Add a message to a thread."""
        with self.move():
            self._something_new("message", self._at(at), lambda thread: thread.add_message(SHORT_PROMPT), plain=True)

    def go_astray(self, which: int, operation: str) -> None:
        """Read or cancel a run through another thread."""
        with self.move():
            run = self._which(which)
            through = next((thread for thread in self.threads if thread is not run.thread), None)
            through = through or self._thread(long=False)
            self.fresh(run)
            stray = Misaddressed(self.stage.client, self.waits, run.handle.seen, through.handle)
            reply = self.need_patience(stray.cancel() if operation == "cancel" else stray.retrieve())
            if operation == "cancel":
                after = self.read(run)
                self.say(stray_claims(run, reply, after))
                if not reply.refused:
                    run.cancelled = reply
                run.see(after)
            elif reply.status < 500:  # noqa: PLR2004 - the class of the code
                expected = "a refusal (4xx), since the run belongs to another thread"
                self.say([claim("RUN-ERR-005", reply.refused, expected, told(reply), run.seen, reply)])
