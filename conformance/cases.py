"""Cases carried out side by side, where time is real; pytest asks for each in its turn and hears what it came to."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Fault, Untested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future

    import pytest

    from conformance.client import Client
    from conformance.states.shared import Shared

#: The fixtures that are attributes of `Shared` and cost a run or more.
_SUBJECTS = frozenset({"listing", "tied_listing", "other_thread", "some_run"})


class Case:
    """An item of pytest that any thread can carry out, its fixtures and its body in one scope."""

    def __init__(self, item: pytest.Function, scope: str) -> None:
        """Prepare it."""
        self._item = item
        self._params: dict[str, object] = item.callspec.params if hasattr(item, "callspec") else {}
        self._scope = scope
        #: The values of its fixtures by name, as far as they were made.
        self.values: dict[str, Any] = {}
        self.was_set_up = False
        self._outcome: Exception | None = None

    @property
    def is_plain(self) -> bool:
        """Whether its fixtures are functions of ours; those of anybody else, or with a tear-down, are pytest's."""
        return all(map(self._is_plain, self._arguments))

    @property
    def is_long(self) -> bool:
        """Whether it takes several runs one after the other."""
        return self._item.get_closest_marker("long") is not None

    def subjects(self, shared: Shared) -> Mapping[str, Callable[[], object]]:
        """What it needs that other cases need as well, and how that is staged."""
        names = _SUBJECTS.intersection(self._item.fixturenames)
        subjects: dict[str, Callable[[], object]] = {name: partial(getattr, shared, name) for name in sorted(names)}
        if getattr(wanted := self._params.get("run"), "shared", False):
            subjects[str(wanted)] = partial(shared.run, str(wanted))
        return subjects

    def carry_out(self, client: Client) -> None:
        """Set it up, run its body, and keep what ended it."""
        try:
            with client.scope(self._scope):
                arguments = {name: self._value(name) for name in self._arguments}
                self.was_set_up = True
                self._item.obj(**arguments)
        except Exception as problem:  # noqa: BLE001 - whatever ends it becomes its verdict
            self._outcome = problem

    def tell(self) -> None:
        """Raise what ended it, unless it ran to its end."""
        if self._outcome:
            raise self._outcome

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
        return ours and not inspect.isgeneratorfunction(fixture.func) and all(map(self._is_plain, fixture.argnames))

    def _value(self, name: str) -> Any:
        if name not in self.values:
            fixture = self._fixture(name)
            request = SimpleNamespace(param=self._params.get(name), config=self._item.config)
            needs = {each: request if each == "request" else self._value(each) for each in fixture.argnames}
            self.values[name] = fixture.func(**needs)
        return self.values[name]


class SideBySide:
    """Carries out cases, so many at once."""

    def __init__(self, shared: Shared, at_once: int) -> None:
        """Prepare to carry out at most so many at once."""
        self._shared = shared
        self._client = shared.stage.client
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="case")
        self._coming: dict[Case, Future[None]] = {}

    def begin(self, cases: Iterable[Case]) -> None:
        """Begin with what cases share and with what takes long; cases that wait for something shared come last."""
        with suppress(Untested, Fault):  # the cases will say so
            _ = self._shared.stage.assistant_id
        needed = {case: case.subjects(self._shared) for case in cases}
        for subject in {name: stage for subjects in needed.values() for name, stage in subjects.items()}.values():
            self._pool.submit(subject)
        for case in sorted(needed, key=lambda case: (bool(needed[case]), not case.is_long)):
            self._coming[case] = self._pool.submit(case.carry_out, self._client)

    def wait_for(self, case: Case) -> None:
        """Wait until a case has ended, and raise what ended its set-up, if anything did."""
        with self._client.idling():
            self._coming.pop(case).result()
        if not case.was_set_up:
            case.tell()

    def end(self) -> None:
        """Begin nothing more; what is on its way gives up at its next wait."""
        self._client.give_up()
        self._pool.shutdown(cancel_futures=True)
