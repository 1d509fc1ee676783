"""What must lead nowhere: ids never issued, a thread that is not the run's own, a key that nobody was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.states.handles import Run, Thread

if TYPE_CHECKING:
    from conformance.wire.exchange import Exchange

#: A key of the usual form that nobody was given.
WRONG_KEY: Final = "sk-conformance-nobody-was-given-this-key-0000"

# Each alphabet is closed in itself, so that an id keeps its form: decimal, hexadecimal, base 32, base 62.
_ALPHABETS = ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHJKMNPQRSTVWXYZ")
_TURNED = {ord(one): other for each in _ALPHABETS for one, other in zip(each, each[1:] + each[0], strict=True)}


def never_issued(id: str) -> str:
    """Make up an id of the form of one that the target did issue."""
    counter = id.rpartition("_")[2]
    return f"{id}000000" if counter.isdecimal() else id[:-6] + id[-6:].translate(_TURNED)


class Phantom(Run):
    """A run that was never issued, on the thread of one that was."""

    @property
    def id(self) -> str:
        """An id that leads nowhere."""
        return never_issued(super().id)


@dataclass
class Misaddressed(Run):
    """A run, asked for through a thread that is not its own."""

    through: Thread

    @property
    def thread_id(self) -> str:
        """The wrong thread."""
        return self.through.id


@dataclass
class Intruder(Run):
    """A run in the hands of somebody with the wrong key."""

    def _call(self, operation: str, **options: Any) -> Exchange:
        reply = super()._call(operation, **options, key=WRONG_KEY)
        if reply.succeeded:
            raise Untested(f"the wrong key was let in, which RUN-AUTH-003 is about: {reply}")
        return reply
