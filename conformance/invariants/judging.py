"""How a judge is declared: which row it judges, over what, when it applies, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from conformance.outcomes import Violation
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.invariants.evidence import Evidence
    from conformance.wire.exchange import Exchange

#: Characters of what a violation tells.
_LONGEST = 1000


def _legible(text: str) -> str:
    """A text that holds what a stranger sent, as any terminal and file can take it."""
    return cut(text, _LONGEST).encode("utf-8", "backslashreplace").decode("utf-8")


class Subject(Protocol):
    """What a judge looks at; its exchanges show where it was seen, the telling one last."""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Where it was seen."""


@dataclass(frozen=True)
class Broken:
    """The answer of a judge: what was expected, and what was there instead."""

    expected: str
    actual: str


@dataclass(frozen=True)
class Remark:
    """The answer of a judge that judges nobody: what it found."""

    text: str


Answer = Broken | Remark | None


@dataclass(frozen=True)
class Judgement:
    """What an invariant says of a session."""

    #: How many subjects it applied to; none means that it measured nothing.
    measured: int
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Invariant:
    """One judge."""

    requirement: str
    name: str
    doc: str
    _subjects: Callable[[Evidence], Iterable[Any]]
    _applies: Callable[[Any], bool]
    _check: Callable[[Any], Answer]

    def judge(self, evidence: Evidence) -> Judgement:
        """Look at everything that it applies to."""
        subjects = [each for each in evidence.once(self._subjects) if self._applies(each)]
        answers = [(subject, answer) for subject in subjects if (answer := self._check(subject)) is not None]
        violations, notes = list[Violation](), dict[str, None]()
        for subject, answer in answers:
            match answer:
                case Broken(expected, actual):
                    violations.append(Violation(_legible(expected), _legible(actual), subject.exchanges))
                case Remark(text):
                    notes[_legible(text)] = None
        return Judgement(len(subjects), tuple(violations), tuple(notes))


def invariant(
    requirement: str,
    subjects: Callable[[Evidence], Iterable[Any]],
    when: Callable[[Any], bool] = lambda _: True,
) -> Callable[[Callable[[Any], Answer]], Invariant]:
    """
    Declare a judge.

    Args:
        requirement: The id of the row that it judges.
        subjects: What it looks at, out of the evidence.
        when: Which of these it applies to.
    """

    def declare(check: Callable[[Any], Answer]) -> Invariant:
        return Invariant(requirement, check.__name__, check.__doc__ or "", subjects, when, check)

    return declare
