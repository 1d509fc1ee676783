"""The catalogue as `--runs-list` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.requirements import Side, State, catalogue, excluded_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def rows(checks: Mapping[str, Sequence[str]], side: Side = Side.SERVER) -> Iterator[str]:
    """
    The lines: each row with its reach and what checks it, then the sentences that no row covers.

    Args:
        checks: The names of the cases and invariants that check a row, by its id.
        side: Whose requirements.
    """
    area = None
    for row in catalogue(side).values():
        if row.area != area:
            area = row.area
            yield ""
            yield f"{area.key}: {area.name}"
        state = "" if row.state is State.ACTIVE else f", {row.state}"
        yield f"  {row.id}  {row.title}  ({row.reach}, basis {row.basis}{state})"
        if row.reason:
            yield f"      {row.reason}"
        yield from (f"      {check}" for check in checks.get(row.id, ()))
    counts = [sum(row.state is state for row in catalogue(side).values()) for state in State]
    if excluded := excluded_sentences(side):
        yield ""
        yield "sentences of the sources that cannot be tested:"
        yield from (f"  {each.source}: {each.sentence} -- {each.reason}" for each in excluded)
    yield ""
    yield ", ".join(f"{count} {state}" for count, state in zip(counts, State, strict=True))
