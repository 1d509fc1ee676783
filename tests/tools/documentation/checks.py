"""What checks each requirement, as pytest collects it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from conformance.items import has
from conformance.suite import test_invariants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.invariants import Invariant


@dataclass
class Check:
    """A case or an invariant."""

    name: str
    #: The file of a case; empty for an invariant.
    file: str
    #: What it says of itself, in a sentence or two.
    doc: str
    #: What is special about it: that it is a race, or must be asked for.
    special: tuple[str, ...]
    #: What it is carried out with: its parameters as pytest shows them.
    parameters: list[str] = field(default_factory=list)


def checks() -> Mapping[str, Sequence[Check]]:
    """The cases and invariants that measure a requirement, by its id, in the order in which pytest collects them."""
    found: dict[str, dict[str, Check]] = {}
    for item in _collected():
        id = item.get_closest_marker("requirement").args[0]
        check = _check(item)
        known = found.setdefault(id, {}).setdefault(check.name, check)
        if check.file and hasattr(item, "callspec"):
            known.parameters.append(item.callspec.id)
    return {id: tuple(each.values()) for id, each in found.items()}


def _check(item: pytest.Function) -> Check:
    if item.function is test_invariants.test_every_message:
        invariant: Invariant = item.callspec.params["invariant"]
        member = f"The member {invariant.name.replace('_', ' ').replace(' of ', ' of the ')}, wherever a run is shown."
        return Check(invariant.name, "", invariant.doc or member, ())
    special = ["a race"] if has(item, "race") else []
    if fuzz := item.get_closest_marker("fuzz"):
        special.append(f"only with `--runs-fuzz{'=' + fuzz.args[0] if fuzz.args else ''}`")
    return Check(item.originalname, item.path.name, item.function.__doc__, tuple(special))


class _Collector:
    """Keeps what pytest collected."""

    items: Sequence[pytest.Function] = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if isinstance(item, pytest.Function)]


def _collected() -> Sequence[pytest.Function]:
    collector = _Collector()
    # One attempt at each race, and what only fuzzing selects as well; nothing is carried out.
    options = ("--target-url=reference", "--runs-races=1", "--runs-fuzz=writes", "--collect-only", "-q")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = pytest.main(list(options), plugins=[collector])
    if code:
        raise RuntimeError(printed.getvalue())
    return collector.items
