"""Being asked to end: the first time with a clean-up and a summary, the second time at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ASKING = (signal.SIGINT, signal.SIGTERM)
#: What shells give a process that a signal ended.
_BY_SIGNAL = 128


class Interrupts:
    """Makes SIGTERM, which CI systems send, end a session like Ctrl-C, and a second one of either end the process."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._asked = False
        #: Called before the process ends at once.
        self.at_once: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Take over what nobody else took over; in the main thread only, where Python permits it."""
        if threading.current_thread() is not threading.main_thread():
            return
        usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        for each in _ASKING:
            if (before := signal.getsignal(each)) == usual[each]:
                self._before[each] = before
                signal.signal(each, self._ask)

    def end(self) -> None:
        """Give them back."""
        for each, before in self._before.items():
            signal.signal(each, before)
        self._before.clear()

    def _ask(self, number: int, _: object) -> None:
        if self._asked:
            with suppress(Exception):  # nothing may keep it from ending
                self.at_once()
            with suppress(Exception):
                sys.stdout.flush()
            os._exit(_BY_SIGNAL + number)
        self._asked = True
        raise KeyboardInterrupt(f"the session was ended by {signal.Signals(number).name}")
