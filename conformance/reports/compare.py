"""What differs between the reports of two sessions, of one target at two times or of two targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from conformance.outcomes import Unusable
from conformance.reports.markdown import LONGEST, code, prose, table
from conformance.reports.record import effect
from conformance.reports.summary import ATTENTION
from conformance.reports.words import RANK
from conformance.verdicts import MEASURED, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.reports.document import Effect, Report, Requirement

Kind = Literal["regressed", "worse", "stale", "better", "changed", "new", "vanished"]
_HEADINGS: Final[dict[Kind, str]] = {
    "regressed": "worse, and it counts",
    "worse": "worse",
    "stale": ATTENTION[Verdict.STALE],
    "better": "better",
    "changed": "changed, for neither better nor worse",
    "new": "new",
    "vanished": "vanished",
}
_EFFECTS: Final[dict[Effect, int]] = {"none": 0, "incomplete": 1, "breaks": 2}
#: Sessions that say nothing of the target as a whole.
_PARTIAL: Final = frozenset({"interrupted", "nothing measured"})


@dataclass(frozen=True)
class Change:
    """A requirement that came to something else, and those of its items that did; None is not being there."""

    requirement: Requirement
    kind: Kind
    before: Verdict | None
    after: Verdict | None
    items: Sequence[tuple[str, Verdict | None, Verdict | None]]


@dataclass(frozen=True)
class Difference:
    """All that differs between two reports."""

    before: Report
    after: Report
    changes: Sequence[Change]

    @property
    def regressed(self) -> bool:
        """Whether a requirement got worse in a way that counts."""
        return any(change.kind == "regressed" for change in self.changes)


def compare(before: Report, after: Report) -> Difference:
    """
    Compare two reports, requirement by requirement.

    What counts is decided by the gate of the second one.

    Raises:
        Unusable: one of the sessions says nothing of its target as a whole.
    """
    for name, each in (("first", before), ("second", after)):
        if each.ended.outcome in _PARTIAL:
            raise Unusable(f"the {name} report says nothing of its target: {each.ended.sentence}")
        if left := len(each.coverage.not_reached):
            raise Unusable(f"the session of the {name} report was cut short: {left} requirements were not reached")
    if len({each.target.kind == "sdk" for each in (before, after)}) > 1:
        raise Unusable("one report is of a server and the other of a client: there is nothing to compare")
    old, new = ({row.id: row for row in each.requirements} for each in (before, after))
    return Difference(
        before,
        after,
        [
            change
            for id in sorted({*old, *new})
            if (change := _change(old.get(id), new.get(id), after.ended.gate)) is not None
        ],
    )


def in_words(difference: Difference) -> Iterator[str]:
    """The difference for a terminal."""
    for name, each in (("A", difference.before), ("B", difference.after)):
        yield f"{name}: {each.target.name}, {each.ended.began}: {each.ended.sentence}"
    for kind, heading in _HEADINGS.items():
        changes = [each for each in difference.changes if each.kind == kind]
        if changes:
            yield ""
            yield f"{heading}:"
        for change in changes:
            yield f"  {change.requirement.id}  {change.requirement.title}: {_words(change.before, change.after)}"
            yield from (f"      {case}: {_words(one, other)}" for case, one, other in change.items)
    yield ""
    yield _verdict(difference)


def in_markdown(difference: Difference) -> Iterator[str]:
    """The difference as Markdown, short enough for a comment on a pull request."""
    left = LONGEST
    for line in _in_markdown(difference):
        left -= len(line.encode()) + 1
        if left < 0:
            yield from ("", "There is no room here for the rest.")
            return
        yield line


def _in_markdown(difference: Difference) -> Iterator[str]:
    yield f"## Runs conformance: {_verdict(difference)}"
    for name, each in (("A", difference.before), ("B", difference.after)):
        yield ""
        yield f"{name}: {prose(each.target.name)}, {prose(each.ended.began)}: {prose(each.ended.sentence)}"
    for kind, heading in _HEADINGS.items():
        changes = [each for each in difference.changes if each.kind == kind]
        if changes:
            yield from ("", f"### {heading} ({len(changes)})", "")
            yield from table(
                ["requirement", "A", "B", "items"],
                (
                    [
                        prose(f"{change.requirement.id} {change.requirement.title}"),
                        change.before or "–",  # noqa: RUF001 - a dash
                        change.after or "–",  # noqa: RUF001 - a dash
                        "<br>".join(
                            f"{code(case).replace('|', chr(92) + '|')} {_words(one, other)}"
                            for case, one, other in change.items
                        ),
                    ]
                    for change in changes
                ),
            )


def _verdict(difference: Difference) -> str:
    counted = sum(change.kind == "regressed" for change in difference.changes)
    if counted:
        return f"{counted} of the requirements got worse in a way that counts"
    return "nothing got worse in a way that counts" if difference.changes else "no difference"


def _change(old: Requirement | None, new: Requirement | None, gate: str) -> Change | None:
    row = new or old
    if row is None:
        return None
    items = list(_items(old, new)) if len(row.items) > 1 else []
    before, after = (each.verdict if each else None for each in (old, new))
    kind: Kind
    if old is None or new is None:
        kind, items = ("new" if old is None else "vanished"), []
    elif _EFFECTS[_effect(new, gate)] > _EFFECTS[_effect(old, gate)]:
        kind = "regressed"
    elif new.verdict is Verdict.STALE and (items or old.verdict is not Verdict.STALE):
        kind = "stale"
    elif old.verdict == new.verdict and not items:
        return None
    else:
        steps = [_step(old.verdict, new.verdict)]
        # Where the requirement came to the same, an item that got worse is not made good by another.
        steps = steps if old.verdict != new.verdict else [_step(a, b) for _, a, b in items if a and b]
        kind = "worse" if any(step > 0 for step in steps) else "better" if any(steps) else "changed"
    return Change(row, kind, before, after, items)


def _items(old: Requirement | None, new: Requirement | None) -> Iterator[tuple[str, Verdict | None, Verdict | None]]:
    """The items that came to something else, in the order of the second report."""
    one, other = ({item.case: item.verdict for item in each.items} if each else {} for each in (old, new))
    for case in dict.fromkeys([*other, *one]):
        if one.get(case) != other.get(case):
            yield case, one.get(case), other.get(case)


def _step(before: Verdict, after: Verdict) -> int:
    """How much worse it became, or better if that is negative; what was not measured any more is never better."""
    step = RANK[after] - RANK[before]
    return step if after in MEASURED else max(step, 0)


def _effect(row: Requirement, gate: str) -> Effect:
    """
    What a requirement does to the target's verdict under a gate that need not be the one that it was judged with.

    That it is listed and holds is the list's fault. An error leaves it incomplete where it does not break the gate.
    """
    verdicts = [item.verdict for item in row.items if item.verdict is not Verdict.STALE]
    return effect(verdicts, row.level, gate, incomplete=row.effect == "incomplete" or row.verdict is Verdict.ERROR)


def _words(before: Verdict | None, after: Verdict | None) -> str:
    return f"{before or 'not there'}, then {after or 'not there'}"
