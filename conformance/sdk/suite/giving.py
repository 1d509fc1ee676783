"""What a user is given, compared with what was sent; each difference belongs to one requirement."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested, Violated
from conformance.sdk import bodies
from conformance.sdk.bodies import TIMES
from conformance.sdk.script import reply
from conformance.sdk.suite.telling import CALLS, OF_RUN
from conformance.wire.values import ABSENT, same, shown_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conformance.sdk.conversation import Conversation, Seen

#: The requirements that a difference can belong to; the first one is about all that the others are not.
RUN, TIME, NULL, ARGUMENTS, KEYS, EMPTY = (f"SDK-RUN-{number:03}" for number in (1, 6, 7, 8, 9, 14))
#: Differences that are told in full; of more, the number.
_TOLD: Final = 4
#: What a language without null has in its place.
_BLANKS: Final[tuple[Any, ...]] = ({}, [], "", 0, False)
_HOLDERS: Final[tuple[Any, ...]] = ({}, [], "")


@dataclass(frozen=True)
class Difference:
    """A place where what was given is not what was sent."""

    place: str
    sent: Any
    got: Any
    #: The requirement that it breaks.
    row: str


def differences(sent: Any, got: Any) -> list[Difference]:
    """
    Where a value is not the one that was sent; members that were not sent are nobody's business here.

    Args:
        sent: A run, or the data of an event.
        got: What the user was given of it.
    """
    return [
        Difference(".".join(map(str, path)), one, other, row)
        for path, one, other in _apart(sent, got, ())
        for row in (_row(path, one, other),)
    ]


def given(sdk: Conversation, body: Any, call: str = "retrieve_run", **more: Any) -> Seen:
    """What the user is given of a body; a second reading finds the same."""
    sdk.answers(reply(body), reply(body))
    return sdk.call(call, **(CALLS.get(call, OF_RUN) | more))


def expect_given(seen: Seen, sent: Any, *rows: str, only: str = "") -> None:
    """
    The call must give what was sent, as far as these requirements are about it.

    Args:
        seen: The call.
        sent: The run.
        rows: Requirements that differences belong to; all that `RUN` is about, if there are none.
        only: A member that alone counts.
    """
    seen.expect(seen.answer.error is None, "the run")
    found = [each for each in differences(sent, seen.answer.result) if each.row in (rows or (RUN,))]
    expect_none(seen, [each for each in found if not only or each.place.partition(".")[0] == only])


def expect_none(seen: Seen, found: Iterable[Difference], what: str = "") -> None:
    """There must be no such differences; those that there are, are told."""
    told = [(each.place, *shown_apart(each.sent, each.got)) for each in found]
    more = f", and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    wanted, got = (
        what + ", ".join(f"{line[0] or 'the run'} {line[side]}" for line in told[:_TOLD]) + more for side in (1, 2)
    )
    seen.expect(not told, wanted, got)


@contextmanager
def unless(row: str, plain: Callable[[], object]) -> Iterator[None]:
    """
    Whatever breaks a requirement within is another one's business where a plain counterpart breaks that one.

    Args:
        row: The other requirement.
        plain: Judges the counterpart; asked only where there is something to tell.

    Raises:
        Violated: as within.
        Untested: it belongs to the other requirement, or the counterpart cannot be judged.
    """
    try:
        yield
    except Violated:
        try:
            plain()
        except Violated as problem:
            raise Untested(f"so is what is plain, which {row} is about: {problem}") from None
        raise


def plain_run(sdk: Conversation, body: Any = None, call: str = "retrieve_run", only: str = "id") -> Callable[[], None]:
    """Judges whether a call gives a run without anything special in it, or this one, as far as a member tells."""
    plain = bodies.run() if body is None else body
    return lambda: expect_given(given(sdk, plain, call), plain, only=only)


def expect_as_well(sdk: Conversation, seen: Seen, sent: Any, plain: Any, call: str = "retrieve_run") -> None:
    """
    The call must give what was sent as well as it gives another run; what is wrong with both is another matter.

    Args:
        sdk: The conversation.
        seen: The call.
        sent: The run.
        plain: Another one, without what is special.
        call: What gives it.
    """
    with unless(RUN, plain_run(sdk, plain, call)):
        seen.expect(seen.answer.error is None, "the run")
        if found := [each for each in differences(sent, seen.answer.result) if each.row == RUN]:
            known = {each.place for each in differences(plain, given(sdk, plain, call).answer.result)}
            expect_none(seen, [each for each in found if each.place not in known])


def is_blank(value: Any) -> bool:
    """Whether a value is what some languages have instead of null, or holds nothing else."""
    if isinstance(value, dict | list) and value:
        return all(map(is_blank, value.values() if isinstance(value, dict) else value))
    return value is None or any(same(value, blank) for blank in _BLANKS)


def _apart(sent: Any, got: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """The places where values differ, as deep as they are of one shape."""
    if path == ("metadata",) and sent and isinstance(got, dict) and (common := sent.keys() & got.keys()):
        if sent.keys() != got.keys():
            yield (*path, "keys"), sorted(sent), sorted(got)
        sent = {name: sent[name] for name in sent if name in common}
    if isinstance(sent, dict) and sent and isinstance(got, dict):
        for name, each in sent.items():
            yield from _apart(each, got.get(name, ABSENT), (*path, name))
    elif isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        for place, (one, other) in enumerate(zip(sent, got, strict=True)):
            yield from _apart(one, other, (*path, place))
    elif not same(sent, got):
        yield path, sent, got


def _row(path: tuple[str | int, ...], sent: Any, got: Any) -> str:
    """The narrowest requirement that a difference breaks."""
    if sent is None and (got is ABSENT or is_blank(got)):
        return NULL if got is ABSENT else EMPTY
    if path[:1] == ("required_action",) and path[-1] == "arguments":
        return ARGUMENTS
    if (got is None or got is ABSENT) and any(same(sent, each) for each in _HOLDERS):
        return EMPTY
    if path == ("metadata", "keys"):
        return KEYS
    return TIME if sent is not None and path[:1] and path[0] in TIMES else RUN
