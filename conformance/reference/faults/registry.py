"""What a fault is, and where all of them are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.runs import Run
    from conformance.reference.steps import Step

    Said = tuple[str, Any]
    Telling = Callable[[str, Any, Run, list[str]], list[Said]]

T = TypeVar("T", bound=Operations)


@dataclass(frozen=True)
class Fault:
    """One way to be wrong."""

    name: str
    #: What the server does, in a sentence.
    does: str
    #: The ids of the requirements that it breaks: these, and no others.
    breaks: frozenset[str]
    #: Where it was seen in the wild, if it was.
    seen: str
    #: The cancel policy under which it shows, if only under one.
    policy: str
    behaviour: type[Operations]

    @property
    def kind(self) -> str:
        """What it is about: the name of the module that describes it."""
        return self.behaviour.__module__.rpartition(".")[2]

    @property
    def told(self) -> str:
        """What it does, when it shows, and where it was seen."""
        policy = f" Shows with --runs-cancel-policy={self.policy}." if self.policy else ""
        return f"{self.does}{policy}" + (f" Seen in {self.seen}." if self.seen else "")


#: Every fault by its name.
FAULTS: dict[str, Fault] = {}


def name_of(behaviour: str) -> str:
    """The name of the fault that a class describes."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", behaviour).lower()


def fault(*breaks: str, seen: str = "", policy: str = "") -> Callable[[type[T]], type[T]]:
    """Enter a class into the bestiary: its name and its docstring are the fault's."""

    def decorate(behaviour: type[T]) -> type[T]:
        enter(name_of(behaviour.__name__), behaviour.__doc__ or "", breaks, behaviour, seen=seen, policy=policy)
        return behaviour

    return decorate


def shows(
    name: str, does: str, *breaks: str, change: Callable[[dict[str, Any], Run, Call], Any], seen: str = ""
) -> None:
    """
    Enter a fault that shows a run otherwise than it is.

    Args:
        name: The fault's name.
        does: What the server does, in a sentence.
        breaks: The requirements that it breaks.
        change: Changes the members of the run in place.
        seen: Where it was seen in the wild.
    """

    def shown(self: Operations, run: Run, call: Call) -> dict[str, Any]:
        told: dict[str, Any] = super(behaviour, self).shown(run, call)
        change(told, run, call)
        return told

    behaviour: Any = type(name, (Operations,), {"shown": shown, "__module__": change.__module__})
    enter(name, does, breaks, behaviour, seen=seen)


def tells(*breaks: str, seen: str = "") -> Callable[[Telling], Telling]:
    """
    Enter a function that tells otherwise of what happens to a run: its name and its docstring are the fault's.

    It takes an event's name and data, the run, and the names of the events so far; it returns what to tell instead.
    """

    def decorate(change: Telling) -> Telling:
        def narrated(self: Operations, name: str, data: Any, run: Run) -> list[Said]:
            said: list[str] = run.__dict__.setdefault("said", [])
            told = change(name, data, run, list(said))
            said.append(name)
            return [event for each in told for event in super(behaviour, self).narrated(*each, run)]

        behaviour: Any = type(change.__name__, (Operations,), {"narrated": narrated, "__module__": change.__module__})
        enter(change.__name__.replace("_", "-"), change.__doc__ or "", breaks, behaviour, seen=seen)
        return change

    return decorate


def shows_step(
    name: str, does: str, *breaks: str, change: Callable[[dict[str, Any], Step, Call], Any], seen: str = ""
) -> None:
    """Enter a fault that shows a step otherwise than it is, as `shows` does for a run."""

    def shown_step(self: Operations, step: Step, call: Call) -> dict[str, Any]:
        told: dict[str, Any] = super(behaviour, self).shown_step(step, call)
        change(told, step, call)
        return told

    behaviour: Any = type(name, (Operations,), {"shown_step": shown_step, "__module__": change.__module__})
    enter(name, does, breaks, behaviour, seen=seen)


def enter(
    name: str, does: str, breaks: tuple[str, ...], behaviour: type[Operations], *, seen: str = "", policy: str = ""
) -> None:
    """Enter a fault into the bestiary, under a name of its own."""
    if name in FAULTS:
        raise ValueError(f"there are two faults named {name}")
    ids = frozenset(f"RUN-{id}" for id in breaks)
    FAULTS[name] = Fault(name, " ".join(does.split()), ids, seen, policy, behaviour)
