"""Replay: answers from cassettes, strictly, without a network and without time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Fault, Untested
from conformance.redaction import Redactor
from conformance.replay.cassette import load, path_of, unplayed
from conformance.replay.interactions import replayed, stored_request
from conformance.replay.matching import closest, same_request
from conformance.wire.exchange import LEFT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conformance.senders import Reply
    from conformance.streams import Arriving
    from conformance.wire.exchange import Request, Response

_REMEDY = "record the set anew"


@dataclass
class _Playing:
    cassette: Any
    start: float
    clock: float
    complete: bool


class ReplaySender:
    """Plays each scope's cassette; equal requests are answered in the order in which they were recorded."""

    def __init__(self, folder: Path, redactor: Redactor | None = None) -> None:
        """Take the folder of a set; a redactor finds requests again that carried a secret when they were recorded."""
        self._folder = folder
        self._redactor = redactor or Redactor()
        self._playing: dict[str, _Playing] = {}
        self._departures = count(1)
        self._lock = Lock()

    def open(self, scope: str) -> None:
        """
        Load the scope's cassette, if it was recorded.

        Raises:
            Fault: the cassette is damaged.
        """
        path = path_of(self._folder, scope)
        if path.is_file():
            cassette = load(path)
            start = cassette.get_metadata("start", None)
            self._playing[scope] = _Playing(cassette, start, start, cassette.get_metadata("complete", None))

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:  # noqa: ARG002
        """
        Answer as it was recorded.

        Raises:
            Untested: the scope was never recorded, or its recording broke off.
            Fault: the recording does not have this request.
        """
        playing, reply = self._played(request, scope)
        playing.clock = reply.ended
        return reply

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:  # noqa: ARG002 - no time passes
        """
        Answer piece by piece as it was recorded; the errors are those of `send`.

        Raises:
            Untested: see `send`.
            Fault: see `send`.
        """
        return _Played(*self._played(request, scope))

    def _played(self, request: Request, scope: str) -> tuple[_Playing, Reply]:
        playing = self._playing.get(scope)
        if playing is None:
            raise Untested(f"{scope or 'what belongs to no case'} was never recorded in this set", gates=False)
        if not playing.complete:
            raise Untested(f"the recording of {scope} broke off")
        wanted = stored_request(request, self._redactor)
        with self._lock:
            try:
                reply = replayed(playing.cassette.play_response(wanted), playing.start)
            except KeyError:  # vcrpy's UnhandledHTTPRequestError
                raise Fault(_miss(scope, playing.cassette, wanted)) from None
            return playing, replace(reply, number=next(self._departures))

    def now(self, scope: str) -> float:
        """The recorded clock, as of the last reply."""
        playing = self._playing.get(scope)
        return playing.clock if playing else 0.0

    def wait(self, seconds: float, *scopes: str) -> None:
        """No time passes."""

    def close(self, scope: str, *, complete: bool) -> None:
        """
        Put the cassette away.

        Raises:
            Fault: the scope ran to its end and asked for less than was recorded.
        """
        playing = self._playing.pop(scope, None)
        if complete and playing and playing.complete and not playing.cassette.all_played:
            left = unplayed(playing.cassette)
            first = f"{left[0].method} {left[0].path}"
            raise Fault(f"{scope} asked for less than was recorded: {len(left)} left, first {first}; {_REMEDY}")


class _Played:
    """A recorded answer that comes in pieces once more."""

    def __init__(self, playing: _Playing, reply: Reply) -> None:
        self._playing, self._reply = playing, reply
        self.status, self.headers = reply.response.status, reply.response.headers
        self.at, self.number, self.cut = reply.at, reply.number, ""

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        response, start = self._reply.response, 0
        for size, came in response.pieces or ((len(response.body), self._reply.duration),):
            self._playing.clock = round(self.at + came, 3)
            yield response.body[start : start + size], came
            start += size
        if response.cut != LEFT:  # who left then leaves now
            self.cut = response.cut

    def hurry(self) -> None:
        pass

    def close(self, response: Response, duration: float) -> None:
        pass


def _miss(scope: str, cassette: Any, wanted: Any) -> str:
    asked = f"{scope} asks for {wanted.method} {wanted.path}"
    if not cassette.requests:
        return f"{asked}, but it was recorded without any request; {_REMEDY}"
    if times := sum(same_request(wanted, request) for request in cassette.requests):
        return f"{asked} more often than the {times} times that it was recorded; {_REMEDY}"
    nearest = closest(wanted, unplayed(cassette) or cassette.requests)
    return f"{asked}, which was not recorded; the closest is {nearest}; {_REMEDY}"
