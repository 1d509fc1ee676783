"""Somebody may be looking on at a session, and may ask it to end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from conformance.live import Live, can_move
from conformance.signals import Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

#: With -q -q nobody wants to know.
_LEAST_VERBOSITY = -1


class Attended:
    """What one session does for whoever sits before it."""

    def __init__(self) -> None:
        """Let signals end the session from now on."""
        self._interrupts = Interrupts()
        self._live: Live | None = None
        self._interrupts.begin()

    def show(self, reporter: Any, tell: Callable[[], str]) -> bool:
        """
        Begin to say what is waited for.

        Args:
            reporter: pytest's terminal reporter, if there is one.
            tell: What there is to say now; nothing if it is empty.

        Returns:
            Whether anybody will be told.
        """
        if reporter is None or reporter.verbosity < _LEAST_VERBOSITY:
            return False
        writer = reporter._tw  # noqa: SLF001 - no other way leads to where its lines are written
        try:
            self._live = Live(writer, tell, moving=can_move(writer._file, os.environ))  # noqa: SLF001
        except (AttributeError, OSError, ValueError):
            return False  # it writes to no file
        self._interrupts.at_once = self._live.wipe
        self._live.begin()
        return True

    def hide(self) -> None:
        """Leave the terminal as if nobody had looked on."""
        if self._live:
            self._live.end()

    def end(self) -> None:
        """Give back what belongs to the process."""
        self.hide()
        self._interrupts.end()
