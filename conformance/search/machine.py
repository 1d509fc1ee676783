"""The state machine that hypothesis draws sequences from; imported only when a search begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from conformance.client import CancelForm
from conformance.search.creation import KINDS
from conformance.search.moves import FOLLOWING, GOALS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from conformance.search.listing import ListingMoves

PLACES = st.integers(0, 2)
ORDERS = st.sampled_from(["desc", "asc"])


class Machine(RuleBasedStateMachine):
    """
    Draws moves.

    What is drawn depends on nothing that the target answers, so that the same seed draws the same sequences again.
    """

    def __init__(self, course: AbstractContextManager[ListingMoves] | None) -> None:
        """Without a course the moves are drawn, and not made."""
        super().__init__()
        self._entered = course
        self.course = course.__enter__() if course else None

    def make(self, name: str, **given: object) -> None:
        """Make a move, if that is wanted."""
        if self.course:
            self.course.make(name, **given)

    def teardown(self) -> None:
        """End its scope."""
        if self._entered:
            self._entered.__exit__(None, None, None)

    @rule()
    def open_thread(self) -> None:
        """Create a thread."""
        self.make("open_thread")

    @rule(at=st.none() | PLACES, kind=st.sampled_from([*KINDS]), goal=st.sampled_from(GOALS), long=st.booleans())
    def create(self, at: int | None, kind: str, goal: str, long: bool) -> None:
        """Create a run."""
        self.make("create", at=at, kind=kind, goal=goal, long=long)

    @rule(at=PLACES, number=st.integers(1, 3), apart=st.booleans())
    def fill(self, at: int, number: int, apart: bool) -> None:
        """Put several finished runs on a thread."""
        self.make("fill", at=at, number=number, apart=apart)

    @rule(which=PLACES)
    def look_up(self, which: int) -> None:
        """Read a run."""
        self.make("look_up", which=which)

    @rule(which=PLACES)
    def rest(self, which: int) -> None:
        """Poll a run until it rests or asks."""
        self.make("rest", which=which)

    @rule(wait=st.sampled_from(["apart", "afterlife", "expiry"]))
    def let_time_pass(self, wait: str) -> None:
        """Wait."""
        self.make("let_time_pass", wait=wait)

    @rule(which=PLACES, form=st.sampled_from(get_args(CancelForm)), rest=st.booleans())
    def cancel(self, which: int, form: CancelForm, rest: bool) -> None:
        """Cancel a run."""
        self.make("cancel", which=which, form=form, rest=rest)

    @rule(
        kind=st.sampled_from([*KINDS]),
        form=st.sampled_from(get_args(CancelForm)),
        following=st.sampled_from(FOLLOWING),
        rest=st.booleans(),
        long=st.booleans(),
    )
    def create_and_cancel(self, kind: str, form: CancelForm, following: str, rest: bool, long: bool) -> None:
        """Cancel a run as soon as it works, asks or rests, and go on."""
        self.make("create_and_cancel", kind=kind, form=form, following=following, rest=rest, long=long)

    @rule(which=PLACES, rest=st.booleans())
    def submit(self, which: int, rest: bool) -> None:
        """Submit outputs."""
        self.make("submit", which=which, rest=rest)

    @rule(which=PLACES, value=st.sampled_from(["one", "two"]))
    def modify(self, which: int, value: str) -> None:
        """Replace the metadata of a run."""
        self.make("modify", which=which, value=value)

    @rule(at=PLACES)
    def write(self, at: int) -> None:
        """Add a message."""
        self.make("write", at=at)

    @rule(which=PLACES, operation=st.sampled_from(["retrieve", "cancel"]))
    def go_astray(self, which: int, operation: str) -> None:
        """Address a run through another thread."""
        self.make("go_astray", which=which, operation=operation)

    @rule(
        at=PLACES,
        limit=st.sampled_from([100, None, 1, 2]),
        order=st.sampled_from([None, "desc", "asc"]),
        after=st.none() | PLACES,
        filled=st.booleans(),
    )
    def list_runs(self, at: int, limit: int | None, order: str | None, after: int | None, filled: bool) -> None:
        """List a page."""
        self.make("list_runs", at=at, limit=limit, order=order, after=after, filled=filled)

    @rule(at=PLACES, limit=st.integers(1, 3), order=ORDERS)
    def walk(self, at: int, limit: int, order: str) -> None:
        """Walk from page to page."""
        self.make("walk", at=at, limit=limit, order=order)

    @rule(at=PLACES)
    def walk_while_it_grows(self, at: int) -> None:
        """Create a run between the first page and the rest."""
        self.make("walk_while_it_grows", at=at)

    @invariant()
    def holds(self) -> None:
        """Whether the invariant holds that the sequence is being shrunk for."""
        if self.course:
            self.course.check()
