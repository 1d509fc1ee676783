"""What is written of a component: the verdict of every requirement, so that a change either way is noticed."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.requirements import Side, State, catalogue
from conformance.verdicts import Verdict
from tools.targets.fingerprint import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.targets.session import Measured

#: What is written, in this order; a requirement that is in no group is expected to pass.
_GROUPS = [verdict for verdict in Verdict if verdict is not Verdict.PASS]
_ID = re.compile(r'\s*"((?:RUN|SDK)-[A-Z]+-\d{3})",')


@dataclass(frozen=True)
class Chance:
    """Requirements that come out this way or that, and why."""

    reason: str
    verdicts: Sequence[Verdict]
    requirements: Sequence[str]


@dataclass(frozen=True)
class Expectation:
    """What is expected of a component."""

    code: int
    #: Of each requirement, as long as anything at all is measured.
    verdicts: Mapping[str, Verdict]
    either: Sequence[Chance] = ()
    side: Side = Side.SERVER

    def accepts(self, id: str) -> Sequence[Verdict]:
        """The verdicts that a requirement may have, or none if it must not have any."""
        chances = [chance.verdicts for chance in self.either if id in chance.requirements]
        return chances[0] if chances else [self.verdicts[id]] if id in self.verdicts else []


def read(text: str, side: Side = Side.SERVER) -> Expectation:
    """Read an expectation of a server, or of a client."""
    told = tomllib.loads(text)
    written = {id: verdict for verdict in _GROUPS for id in told.get(verdict, ())}
    either = [
        Chance(each["reason"], [Verdict(name) for name in each["verdicts"]], each["requirements"])
        for each in told.get("either", ())
    ]
    passing = [] if told.get("nothing-measured") else _judged(side) - set(told.get("left-out", ()))
    return Expectation(told.get("exit", 0), {**dict.fromkeys(passing, Verdict.PASS), **written}, either, side)


def _judged(side: Side) -> set[str]:
    """The requirements that a whole session tells of."""
    return {id for id, row in catalogue(side).items() if row.state is State.ACTIVE}


def changes(expected: Expectation, measured: Measured) -> Iterator[str]:
    """What came out otherwise than it is written, one line each."""
    if measured.code != expected.code:
        yield f"exit code: expected {expected.code}, got {measured.code}"
    chances = {id for chance in expected.either for id in chance.requirements}
    for id in sorted(expected.verdicts.keys() | measured.verdicts.keys() | chances):
        wanted, got = expected.accepts(id), measured.verdicts.get(id)
        if got not in (wanted or [None]):
            yield f"{id}: expected {' or '.join(wanted) or 'nothing'}, got {got or 'nothing'}"


def written(sessions: Sequence[Measured], old: str, fingerprint: str, side: Side = Side.SERVER) -> str:
    """
    Write an expectation down anew.

    Args:
        sessions: What was measured; where they differ, both verdicts are expected, and the reason is to be filled in.
        old: What was written, whose comments and chances are kept where they still apply.
        fingerprint: That of the requirements and cases that were judged.
        side: Who was judged.
    """
    before = read(old, side)
    comments, head = _comments(old)
    seen = {id: {session.verdicts.get(id) for session in sessions} for session in sessions for id in session.verdicts}
    kept = [
        (each, [id for id in each.requirements if seen.get(id, {None}) <= {*each.verdicts}]) for each in before.either
    ]
    uncertain = {id for _, ids in kept for id in ids}
    lines = [*head, f"exit = {sessions[0].code}", f"{KEY} = {json.dumps(fingerprint)}"]
    if not seen:
        lines.append("nothing-measured = true")
    for verdict in _GROUPS:
        if ids := sorted(id for id, told in seen.items() if told == {verdict} and id not in uncertain):
            key = verdict if verdict.isalnum() else f'"{verdict}"'
            lines += ["", f"{key} = [", *(line for id in ids for line in (*comments.get(id, ()), f'    "{id}",')), "]"]
    if seen and (absent := sorted(_judged(side) - seen.keys())):
        lines += ["", "left-out = [", *(line for id in absent for line in (*comments.get(id, ()), f'    "{id}",')), "]"]
    kept += [
        (Chance("TODO: say why", sorted({each or Verdict.UNTESTED for each in told}), [id]), [id])
        for id, told in sorted(seen.items())
        if len(told) > 1 and id not in uncertain
    ]
    for chance, ids in kept:
        if ids:
            lines += [
                "",
                "[[either]]",
                f"reason = {json.dumps(chance.reason)}",
                f"verdicts = {_texts(chance.verdicts)}",
            ]
            lines += ["requirements = [", *(f'    "{id}",' for id in ids), "]"]
    return "\n".join(lines) + "\n"


def _texts(each: Sequence[str]) -> str:
    return json.dumps([str(text) for text in each])


def _comments(text: str) -> tuple[dict[str, list[str]], list[str]]:
    """The comment lines right above each id, and those that the file begins with."""
    by_id: dict[str, list[str]] = {}
    head: list[str] | None = None
    above: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            above.append(line)
            continue
        if head is None:
            head = above
        elif found := _ID.match(line):
            by_id[found[1]] = above
        above = []
    return by_id, above if head is None else head
