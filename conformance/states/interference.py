"""Staging a run that works while it is told of, and all that is asked of it meanwhile: a read, more words, a cancel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.outcomes import NotClaimed, Untested
from conformance.states import FINAL
from conformance.states.handles import Run, run_of
from conformance.states.stage import SHORT_PROMPT
from conformance.states.streams import ATTEMPTS, Told, at_work, first, listen, read

if TYPE_CHECKING:
    from conformance.states.handles import Thread
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: Seconds after which a run that reads as queued, although its stream says more, is read again.
_SOON = 0.5


@dataclass(frozen=True)
class Locked:
    """What was asked of the thread of a run that worked."""

    message: Exchange
    create: Exchange


@dataclass(frozen=True)
class Interfered(Told):
    """A run that was told of, and cancelled while it worked; the run is shown by the reply to the cancel."""

    #: A read right after the event that showed the run first.
    at_once: Exchange
    #: A read after the stream had said that the run works.
    at_work: Exchange
    locked: Locked
    #: A read once it had come to rest, or right after the refusal of the cancel; else the last one.
    settled: Exchange

    @property
    def cancel(self) -> Exchange:
        """The reply to the cancel."""
        return self.run.seen


def interfered(stage: Stage, message: str) -> Interfered:
    """
    Hear of a run at work, read it, try to put words in between, and cancel it.

    Raises:
        NotClaimed: where a create awaits the end, nobody sees a run at work.
        Untested: it was not in progress, or the cancel came too late.
    """
    locked: Locked | None = None
    for attempt in range(1, ATTEMPTS + 1):
        thread = stage.thread(message)
        with listen(stage, thread) as stream:
            begun = first(stage, stream)
            at_once = read(stage, thread, begun)
            run = _read_at_work(at_work(stage, stream, thread, begun))
            status = run.body.get("status")
            if status in FINAL and attempt < ATTEMPTS:
                continue
            if status in FINAL and stage.means.synchronous:
                raise stage.client.withhold(NotClaimed("the profile says that a create awaits the end"))
            if status in FINAL:
                stage.staged(run.seen, "in_progress")
            locked = locked or _locked(stage, thread)
            cancel = run.cancel()
            heard, settled = (stream.finish(), _settled(run, cancel)) if cancel.succeeded else (None, run.retrieve())
            heard = heard or stream.leave()
        if run_of(settled).get("status") not in {*FINAL} - {"cancelled"}:
            return Interfered(heard, Run(stage.client, stage.means.waits, cancel), at_once, run.seen, locked, settled)
    raise Untested(f"each cancel came too late: {settled}", gates=False)


def _read_at_work(run: Run) -> Run:
    """The run of which a stream says that it works, read again as long as it reads as queued."""
    budget, seen = run.waits.budget("appear"), run.seen
    while run.itself(seen).get("status") == "queued" and seen.ended - run.seen.ended < budget:
        run.client.wait(_SOON, "appear")
        seen = run.retrieve()
    return Run(run.client, run.waits, seen)


def _locked(stage: Stage, thread: Thread) -> Locked:
    locked = Locked(thread.add_message(SHORT_PROMPT), stage.create_run(thread))
    if locked.create.succeeded:  # nobody needs what it would say
        Run(stage.client, stage.means.waits, locked.create).cancel()
    return locked


def _settled(run: Run, cancel: Exchange) -> Exchange:
    """The run once it has come to rest, or as it is when that took too long."""
    try:
        return run.settle("cancel")
    except Untested:
        seen = run.retrieve()
        if seen.ended - cancel.ended < run.waits.budget("cancel"):
            raise  # something else ended the wait
        return seen
