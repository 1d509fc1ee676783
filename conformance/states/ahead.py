"""Runs that the collected cases declare, staged side by side before they are needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from conformance.outcomes import Fault, Untested
from conformance.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from conformance.states.handles import Run
    from conformance.states.stage import Stage

#: States that a run keeps until its case comes to it.
LASTING: Final = frozenset({*FINAL, "requires_action"})


class Ahead:
    """Stages ahead where time is real; elsewhere, and whatever was not declared, when it is asked for."""

    def __init__(self, stage: Stage, at_once: int) -> None:
        """Stage at most so many things at once."""
        self._stage = stage
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="staging")
        self._coming: dict[tuple[str, str], Future[Run]] = {}

    def begin(self, subjects: Iterable[Callable[[], object]], runs: Iterable[tuple[str, str]]) -> None:
        """
        Begin to stage, in the order given.

        Args:
            subjects: Each stages one shared subject.
            runs: The scope and the state of each run that a case wants for itself.
        """
        try:
            _ = self._stage.assistant_id
        except (Untested, Fault):
            return  # the cases will say so
        for subject in subjects:
            self._pool.submit(subject)
        for scope, state in runs:
            if state in LASTING:
                self._coming[scope, state] = self._pool.submit(self._in_scope, scope, state)

    def run(self, scope: str, state: str) -> Run:
        """The run that a scope wants, waiting for it if it is on its way."""
        coming = self._coming.pop((scope, state), None)
        if coming is None:
            return self._stage.run(state)
        with self._stage.client.idling():
            return coming.result()

    def end(self) -> None:
        """Stage nothing more; what is on its way gives up at its next wait."""
        self._stage.client.give_up()
        self._pool.shutdown(cancel_futures=True)

    def _in_scope(self, scope: str, state: str) -> Run:
        with self._stage.client.within(scope):
            return self._stage.run(state)
