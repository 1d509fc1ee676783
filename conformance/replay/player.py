"""Replay: answers from cassettes, strictly, without a network and without time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vcr.errors import UnhandledHTTPRequestError

from conformance.outcomes import Fault, Untested
from conformance.replay.cassette import differences, load, path_of, replayed, stored_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.client import Reply
    from conformance.wire.exchange import Request


class ReplaySender:
    """Plays each scope's cassette in the order in which it was recorded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, Any] = {}
        self._clock: dict[str, float] = {}

    def open(self, scope: str) -> None:
        """Load the scope's cassette, if it was recorded."""
        path = path_of(self._folder, scope)
        if path.is_file():
            self._loaded[scope] = cassette = load(path)
            self._clock[scope] = cassette.get_metadata("start", 0.0)

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        """
        Answer as it was recorded.

        Raises:
            Untested: the scope was never recorded, or its recording broke off.
            Fault: the recording does not have this request.
        """
        cassette = self._loaded.get(scope)
        if cassette is None:
            raise Untested(f"{scope} was never recorded in this set", gates=False)
        if "broken_off" in cassette._metadata:  # noqa: SLF001 - asking for an absent entry raises
            raise Untested(f"the recording of {scope} broke off", gates=False)
        wanted = stored_request(request)
        try:
            reply = replayed(cassette.play_response(wanted), cassette.get_metadata("start", 0.0))
        except UnhandledHTTPRequestError:
            raise Fault(_miss(cassette, wanted, scope)) from None
        self._clock[scope] = round(reply.at + reply.duration, 3)
        return reply

    def now(self, scope: str) -> float:
        """The recorded clock."""
        return self._clock.get(scope, 0.0)

    def wait(self, seconds: float, scope: str) -> None:
        """No time passes."""

    def close(self, scope: str, *, complete: bool) -> None:
        """
        Put the cassette away.

        Raises:
            Fault: the scope ran to its end and asked for less than was recorded.
        """
        cassette = self._loaded.pop(scope, None)
        if complete and cassette is not None and not cassette.all_played and "broken_off" not in cassette._metadata:  # noqa: SLF001
            left = [request for index, request in enumerate(cassette.requests) if not cassette.play_counts[index]]
            raise Fault(
                f"{scope} asked for less than was recorded: {len(left)} left, the first {left[0].method} {left[0].path}; "
                "record the set anew"
            )


def _miss(cassette: Any, wanted: Any, scope: str) -> str:
    told = f"{scope} asks for {wanted.method} {wanted.path}, which its cassette does not have"
    unplayed = [request for index, request in enumerate(cassette.requests) if not cassette.play_counts[index]]
    if not unplayed:
        return f"{told}: all {len(cassette)} recorded requests are played"
    closest = min(unplayed, key=lambda request: len(differences(wanted, request)))
    found = differences(wanted, closest)
    return f"{told}; the closest is {closest.method} {closest.path}: {'; '.join(found)}; record the set anew"
