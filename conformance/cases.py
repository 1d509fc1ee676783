"""Cases carried out side by side, where time is real; pytest asks for each in its turn and hears what it came to."""

from __future__ import annotations

import inspect
import random
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Fault, Noted, Unstable, Untested, Violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    import pytest

    from conformance.client import Client
    from conformance.states.shared import Shared

#: The fixtures that are attributes of `Shared` and cost a run or more.
_SUBJECTS = frozenset(
    {
        *("listing", "tied_listing", "other_thread", "some_run", "called", "interrupted"),
        *("heard", "told", "told_of_a_call", "interfered"),
    }
)


@dataclass
class Attempt:
    """One time that a case is carried out, in a scope of its own."""

    scope: str
    #: The values of its fixtures by name, as far as they were made.
    values: dict[str, Any] = field(default_factory=dict)
    was_set_up: bool = False
    #: What ended it, unless it ran to its end.
    outcome: Exception | None = None


class Case:
    """An item of pytest that any thread can carry out, its fixtures and its body in one scope."""

    def __init__(self, item: pytest.Function, scope: str, times: int) -> None:
        """Prepare to carry it out so many times."""
        self._item = item
        self._params: dict[str, object] = item.callspec.params if hasattr(item, "callspec") else {}
        self.attempts = [Attempt(f"{scope}#{number}" if number > 1 else scope) for number in range(1, times + 1)]

    def anew(self) -> Sequence[Attempt]:
        """Forget what it came to, and begin again."""
        self.attempts = [Attempt(attempt.scope) for attempt in self.attempts]
        return self.attempts

    @property
    def is_plain(self) -> bool:
        """Whether its fixtures are functions of ours; those of anybody else, or with a tear-down, are pytest's."""
        return all(map(self._is_plain, self._item.fixturenames))

    @property
    def is_long(self) -> bool:
        """Whether it takes several runs one after the other."""
        return self._item.get_closest_marker("long") is not None

    @property
    def values(self) -> Mapping[str, Any]:
        """The values of its fixtures, by name."""
        return self.attempts[-1].values

    def subjects(self, shared: Shared) -> Mapping[str, Callable[[], object]]:
        """What it needs that other cases need as well, and how that is staged."""
        names = _SUBJECTS.intersection(self._item.fixturenames)
        subjects: dict[str, Callable[[], object]] = {name: partial(getattr, shared, name) for name in sorted(names)}
        if getattr(wanted := self._params.get("run"), "shared", False):
            subjects[str(wanted)] = partial(shared.run, str(wanted))
        return subjects

    def carry_out(self, attempt: Attempt, client: Client) -> None:
        """Set it up, run its body, and keep what ended it."""
        try:
            with client.scope(attempt.scope):
                arguments = {name: self._value(name, attempt.values) for name in self._arguments}
                attempt.was_set_up = True
                self._item.obj(**arguments)
        except Exception as problem:  # noqa: BLE001 - whatever ends it becomes its verdict
            attempt.outcome = problem

    def tell(self) -> None:
        """Raise what ended it: an error of ours, what its attempts agree on, or that they do not agree."""
        outcomes = [attempt.outcome for attempt in self.attempts]
        ended = [outcome for outcome in outcomes if outcome]
        broken = [outcome for outcome in ended if isinstance(outcome, Violated)]
        untested = [outcome for outcome in ended if isinstance(outcome, Untested)]
        noted = [outcome for outcome in ended if isinstance(outcome, Noted)]
        measured = len(outcomes) - len(untested)
        if len(broken) + len(untested) + len(noted) < len(ended):
            raise next(each for each in ended if not isinstance(each, (Violated, Untested, Noted)))
        if broken and len(broken) < measured:
            raise Unstable(len(broken), measured, broken[0].violations)
        if told := [*broken, *noted, *([] if measured else untested)]:
            raise told[0]

    @property
    def _arguments(self) -> Iterable[str]:
        return self._item._fixtureinfo.argnames  # noqa: SLF001 - pytest tells nobody else what a case needs

    def _fixture(self, name: str) -> Any:
        return self._item._fixtureinfo.name2fixturedefs.get(name, [None])[-1]  # noqa: SLF001

    def _is_plain(self, name: str) -> bool:
        fixture = self._fixture(name)
        if fixture is None:
            return name == "request"
        ours = fixture.func.__module__.startswith("conformance.") or name in {*self._params, "pytestconfig"}
        if not ours and fixture.scope != "function":
            return name not in self._arguments  # it is there before the first item, or does not matter to it
        return ours and not inspect.isgeneratorfunction(fixture.func) and all(map(self._is_plain, fixture.argnames))

    def _value(self, name: str, made: dict[str, Any]) -> Any:
        if name not in made:
            fixture = self._fixture(name)
            request = SimpleNamespace(param=self._params.get(name), config=self._item.config)
            needs = {each: request if each == "request" else self._value(each, made) for each in fixture.argnames}
            made[name] = fixture.func(**needs)
        return made[name]


class SideBySide:
    """Carries out cases, so many at once."""

    def __init__(self, shared: Shared, at_once: int) -> None:
        """Prepare to carry out at most so many at once."""
        self._shared = shared
        self._client = shared.stage.client
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="case")
        self._subjects: list[Future[object]] = []
        self._coming: dict[Case, list[Future[None]]] = {}
        self._begun: list[Future[None]] = []

    def begin(self, cases: Iterable[Case], seed: int | None = None) -> None:
        """
        Begin with what cases share and with what takes long; cases that wait for something shared come last.

        Args:
            cases: The cases.
            seed: Draws another order, if it is given.
        """
        with suppress(Untested, Fault):  # the cases will say so
            _ = self._shared.stage.assistant_id
        needed = {case: case.subjects(self._shared) for case in cases}
        for subject in {name: stage for subjects in needed.values() for name, stage in subjects.items()}.values():
            self._subjects.append(self._pool.submit(subject))
        attempts = [(case, attempt) for case in needed for attempt in case.attempts]
        attempts.sort(key=lambda each: (bool(needed[each[0]]), not each[0].is_long))
        if seed is not None:
            random.Random(seed).shuffle(attempts)  # noqa: S311 - an order, and no secret
        for case, attempt in attempts:
            self._begun.append(self._pool.submit(case.carry_out, attempt, self._client))
            self._coming.setdefault(case, []).append(self._begun[-1])

    def wait_for(self, case: Case) -> None:
        """Wait until a case has ended, and raise what ended its set-up, if anything did."""
        if case not in self._coming:  # somebody has it run again
            for attempt in case.anew():
                case.carry_out(attempt, self._client)
        with self._client.idling():
            for coming in self._coming.pop(case, ()):
                coming.result()
        if not any(attempt.was_set_up for attempt in case.attempts):
            case.tell()

    def wait_for_subjects(self) -> None:
        """Wait until nothing shared is being staged any more; what became of it, its cases say."""
        wait(self._subjects)

    def left(self) -> tuple[int, int]:
        """How many cases have not been carried out, and how many there are."""
        return sum(not each.done() for each in self._begun), len(self._begun)

    def has_ended(self, case: Case) -> bool:
        """Whether a case that was not told of yet has been carried out."""
        return case in self._coming and all(each.done() and not each.cancelled() for each in self._coming[case])

    def wait_for_all(self) -> None:
        """Wait until every case has ended, whatever it came to."""
        for coming in self._coming.values():
            for each in coming:
                each.result()

    def end(self) -> None:
        """Begin nothing more; what is on its way gives up at its next wait."""
        with self._client.giving_up():
            self._pool.shutdown(cancel_futures=True)
