"""What must lead nowhere: ids never issued, a thread that is not the run's own, keys that nobody was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.states.handles import Run, Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.wire.exchange import Exchange

#: A key of the usual form that nobody was given.
WRONG_KEY: Final = "sk-conformance-nobody-was-given-this-key-0000"

# Each alphabet is closed in itself, so that an id keeps its form: decimal, hexadecimal, base 32, base 62.
_ALPHABETS = ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHJKMNPQRSTVWXYZ")
_TURNED = {ord(one): other for each in _ALPHABETS for one, other in zip(each, each[1:] + each[0], strict=True)}
#: The own part of an id that is shorter may be a counter, in whatever base.
_COUNTED: Final = 8
#: One that is at least as long, and no number, was drawn: nobody issues the beginning of one as another.
_DRAWN: Final = 12
#: A shorter key is hardly one.
_KEY: Final = 8
#: The part of a key that is changed at its end: a last character alone may hold bits that say nothing.
_END: Final = 2


def never_issued(id: str) -> str:
    """Make up an id of the form of one that the target did issue."""
    own = _own_part(id)
    return f"{id}000000" if own.isdecimal() or len(own) < _COUNTED else id[:-6] + id[-6:].translate(_TURNED)


def beginning_of(id: str) -> str:
    """
    Cut an id short.

    Raises:
        Untested: it is a counter, whose beginning may be the id of another.
    """
    own = _own_part(id)
    if own.isdecimal() or len(own) < _DRAWN:
        raise Untested(f"the beginning of {id} may be another id", gates=False)
    return id[:-6]


def respelt(id: str) -> str:
    """
    Swap the case of all letters of an id.

    Raises:
        Untested: it is written in one case, or in base 16, so that a target may take either for the same.
    """
    own = _own_part(id)
    if own in {own.lower(), own.upper()} or not set(own.lower()) - set("0123456789abcdef-"):
        raise Untested(f"{id} is written in one case, which may not matter", gates=False)
    return id.removesuffix(own) + own.swapcase()


def _own_part(id: str) -> str:
    """What sets an id apart from others of its kind."""
    return id.rpartition("_")[2]


#: Keys that are almost the target's own, by what sets them apart. Each gives it away, so none may be shown: the
#: redactor takes them for the key.
NEAR_MISSES: Final[Mapping[str, Callable[[str], str]]] = {
    "another-end": lambda key: key[:-_END] + "".join("0" if char in "1I" else "1" for char in key[-_END:]),
    "longer": lambda key: f"{key}-0",
    "other-case": lambda key: key.swapcase(),
}


def near_miss(key: str, what: str) -> str:
    """
    Make up a key that is almost another one.

    Raises:
        Untested: a target may take the two for one, as where they are numbers in base 16; or the key is hardly one.
    """
    if len(key) < _KEY or (what == "other-case" and not set(key.lower()) - set("0123456789abcdef-_:")):
        raise Untested("no key of its own is that near to this one", gates=False)
    return NEAR_MISSES[what](key)


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
