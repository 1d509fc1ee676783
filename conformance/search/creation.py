"""How a sequence creates threads, runs and messages, and what must be let in, kept out, and come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.search.course import Course
from conformance.search.known import KnownThread
from conformance.search.ledger import Spent
from conformance.search.lives import limit_claims, rest_claims, start_claims
from conformance.search.locks import locked_claims, refused_claims, released_claims
from conformance.search.pages import stranger_claims
from conformance.states import ACTIVE, FINAL
from conformance.states.lists import items_of
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT, SHORT_PROMPT, SMALL_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.search.known import KnownRun
    from conformance.states.handles import Thread
    from conformance.wire.exchange import Exchange

#: Kinds of runs, by the fields that they are created with; `failing` and `stalling` take a profile that knows how.
KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {},
    "function": CALL_A_FUNCTION,
    "limit": SMALL_LIMIT,
    "failing": {},
    "stalling": {},
}
_RECIPES: Final = {"failing": "failed", "stalling": "expired"}


class Creation(Course):
    """What moves are made of that bring something about; places count backwards from the newest thread or run."""

    def _at(self, place: int) -> KnownThread:
        if not self.threads:
            return self._thread(long=False)
        return self.threads[-1 - place % len(self.threads)]

    def _which(self, place: int) -> KnownRun:
        if not (runs := self.runs):
            raise Untested("there is no run")
        return runs[-1 - place % len(runs)]

    def _thread(self, *, long: bool) -> KnownThread:
        thread = KnownThread(self.stage.thread(LONG_PROMPT if long else SHORT_PROMPT), long=long)
        self.threads.append(thread)
        return thread

    def _create(self, thread: KnownThread, kind: str, goal: str) -> None:
        self._need_room()
        recipe = self.stage.means.recipes.get(_RECIPES.get(kind, kind), {})
        fields = {**KINDS.get(kind, {}), **recipe}
        plain = not KINDS.get(kind) and not recipe
        reply = self._something_new("run", thread, lambda there: self.stage.create_run(there, **fields), plain=plain)
        if not reply.succeeded:
            return
        run = thread.runs[-1]
        run.endless = kind == "stalling" or (thread.long and kind == "plain")
        if goal == "start" or (goal and run.endless):
            started = self.settle(run, {*ACTIVE, *FINAL} - {"queued"}, "start")
            if started is not None:
                self.say(start_claims(run, started=started, budget=self.waits.budget("start")))
        elif goal:
            self._rest(run)

    def _need_room(self) -> None:
        """Begin no sequence whose runs the session cannot pay for."""
        try:
            self.stage.means.allow(1)
        except Untested as problem:
            raise Spent from problem

    def _something_new(
        self, what: str, thread: KnownThread, make: Callable[[Thread], Exchange], *, plain: bool
    ) -> Exchange:
        """Create a run or a message on a thread, and judge whether it should have been let in."""
        before = [run for run in thread.runs if run.may_move]
        reply = self.need_patience(make(thread.handle))
        if reply.succeeded:
            self.ledger.able.add(what)
        elif not reply.refused:
            thread.lost = True  # nobody knows what a server that crashed has made
        for run in before if reply.succeeded or reply.refused else ():
            self.look(run)
        self.say(locked_claims(what, reply, before if thread.sure else ()))
        if reply.succeeded:
            if not before:
                self.say(released_claims(what, thread, reply, self._asking(thread)))
            if what == "run":
                self.known(thread, reply)
        elif reply.refused and before:
            if what == "run":
                thread.refused.append(reply)
                page = thread.handle.list()
                self.say(stranger_claims(thread, page, [item["id"] for item in items_of(page)]))
        elif reply.refused and thread.sure:
            self._judge_refusal(what, thread, reply, make, plain=plain)
        return reply

    def _judge_refusal(
        self, what: str, thread: KnownThread, reply: Exchange, make: Callable[[Thread], Exchange], *, plain: bool
    ) -> None:
        """A thread without an active run took nothing new; a fresh one shows whether its past is to blame."""
        for run in thread.runs:
            self.look(run)
        proven = what in self.ledger.able
        self._need_room()
        control = self.need_patience(make(self.stage.thread(LONG_PROMPT if thread.long else SHORT_PROMPT)))
        elsewhere = self.active(each for each in self.threads if each is not thread)
        self.say(refused_claims(what, thread, reply, control, elsewhere, plain=plain, proven=proven))

    def _asking(self, thread: KnownThread) -> list[KnownRun]:
        """The runs of other threads that wait for outputs, and so are active for certain."""
        return [run for run in self.runs if run.thread is not thread and run.status == "requires_action"]

    def _rest(self, run: KnownRun) -> None:
        """Poll until it rests or asks; where a cancel was granted, it must rest."""
        if run.endless and not run.cancelled:
            self.look(run)
            return
        wait = "cancel" if run.cancelled else "finish"
        rested = self.settle(run, FINAL if run.cancelled else {*FINAL, "requires_action"}, wait)
        if rested is not None:
            self.say(rest_claims(run, rested=rested, budget=self.waits.budget(wait)))
        self.say(limit_claims(run))
