"""The page of an area: each of its requirements in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.reference.faults import FAULTS
from conformance.requirements import Basis, Reach, State
from tools.documentation.text import linked, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.requirements import Area, Requirement
    from tools.documentation.checks import Check

_BASIS = {
    Basis.STATED: "a source says it",
    Basis.SCHEMA: "a published schema says it",
    Basis.DERIVED: "it follows from definitions",
    Basis.OBSERVED: "it was seen, or reported, of the real service",
}
_REACH = {
    Reach.ALWAYS: "any session shows it",
    Reach.STAGED: "a run must first be brought into a state",
    Reach.IF_SEEN: "nothing provokes it, so that it is judged where it happens to be seen",
}
_HELP = (
    "The [index](../requirements.md) explains level, basis and reach; "
    "[Reading a failure](../reading-a-failure.md) explains what a session says of a requirement."
)
_RECORDED = "recorded traffic of the real service"
_REPORTED = "public reports of clients"


def page(area: Area, rows: Sequence[Requirement], checks: Mapping[str, Sequence[Check]]) -> str:
    """
    The page, in Markdown.

    Args:
        area: The area.
        rows: Its requirements, in the order of the catalogue.
        checks: What measures a requirement, by its id.
    """
    judged = sum(row.state is State.ACTIVE for row in rows)
    needs = f" They need the capability `{area.capability}`." if area.capability else ""
    head = (
        f"# {area.key}: {area.name}",
        f"{judged} requirements.{needs} {_HELP}",
        f"```console\n$ pytest --target-url=http://localhost:8000/v1 -m {area.key.lower()}\n```",
    )
    return "\n\n".join([*head, *(part for row in rows for part in _row(row, checks.get(row.id, ())))]) + "\n"


def _row(row: Requirement, checks: Sequence[Check]) -> Iterator[str]:
    yield f"## {row.id}"
    yield f"**{plain(row.title)}**"
    yield linked(row.why, "")
    yield "\n".join(_facts(row))
    if row.state is not State.ACTIVE:
        return
    yield "Checked by:"
    yield "\n".join(_check(check) for check in checks)
    proving = sorted((each for each in FAULTS.values() if row.id in each.breaks), key=lambda each: len(each.breaks))
    if proving:
        count = "1 fault proves it" if len(proving) == 1 else f"{len(proving)} faults prove it"
        faults = "\n".join(f"- `{fault.name}`: {plain(fault.told)}" for fault in proving)
        yield f"<details markdown>\n<summary>{count}</summary>\n\n{faults}\n\n</details>"
    else:
        yield "No fault proves it: it only remarks on what a target does."


def _facts(row: Requirement) -> Iterator[str]:
    if row.state is not State.ACTIVE:
        yield f"- **{row.state}**: {linked(row.reason, '')}"
    yield f"- level {row.level}, basis *{row.basis}*: {_BASIS[row.basis]}"
    yield f"- reach *{row.reach}*: {_REACH[row.reach]}"
    yield f"- sources: {plain('; '.join(row.sources))}"
    if said := _real(row):
        yield f"- real service: {said}"
    if row.state is State.ACTIVE:
        yield f"- select: `-k {row.id}`"


def _real(row: Requirement) -> str:
    """What the catalogue knows of the real service."""
    if row.basis is not Basis.OBSERVED:
        return ""
    if _RECORDED in row.sources:
        return "the row rests on recordings of it"
    return "the row rests on what its clients reported" if _REPORTED in row.sources else ""


def _check(check: Check) -> str:
    kind = [f"case in `{check.file}`" if check.file else "invariant", *check.special]
    if len(check.parameters) > 1:
        kind.append(f"{len(check.parameters)} items")
    return f"- `{check.name}` ({', '.join(kind)}): {plain(check.doc)}"
