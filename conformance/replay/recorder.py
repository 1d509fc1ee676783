"""Recording: passes requests on to a target and keeps every scope's interactions on a cassette."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Fault
from conformance.replay.cassette import blank, path_of, save
from conformance.replay.interactions import stored_request, stored_response
from conformance.replay.provenance import PROVENANCE, write_manifest
from conformance.senders import Reply
from conformance.settings import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conformance.redaction import Redactor
    from conformance.replay.provenance import Provenance
    from conformance.senders import Sender
    from conformance.streams import Arriving
    from conformance.wire.exchange import Request, Response

#: Scopes of these kinds are recorded; races, the pre-flight and the clean-up are not.
_RECORDED = ("cases/", "subjects/")


@dataclass
class _Recording:
    cassette: Any
    start: float
    unanswered: bool = False


class RecordingSender:
    """Records into a folder beside the set, which takes the set's place when the session ends."""

    def __init__(self, inner: Sender, folder: Path, redactor: Redactor, provenance: Provenance) -> None:
        """
        Prepare a recording; nothing is written before it begins.

        Raises:
            BadSettings: something that is no cassette set is in the way.
        """
        self._inner, self._redactor, self._provenance = inner, redactor, provenance
        self.folder = folder = folder.resolve()
        self._partial = folder.with_name(f"{folder.name}.partial")
        self._replaced = folder.with_name(f"{folder.name}.replaced")
        for place in (self.folder, self._partial, self._replaced):
            if _is_foreign(place):
                raise BadSettings(f"{place} exists and is no cassette set; nothing is recorded over it")
        self._begun = False
        self._open: dict[str, _Recording] = {}
        self._lock = Lock()

    def begin(self) -> None:
        """
        Clear away what an earlier session left; the provenance comes first, since it marks the folder as ours.

        Raises:
            BadSettings: nothing can be written there.
        """
        with self._lock:
            if self._begun:
                return
            shutil.rmtree(self._partial, ignore_errors=True)
            try:
                self._provenance.write(self._partial, self._redactor)
            except OSError as problem:
                raise BadSettings(f"nothing can be recorded in {self.folder}: {problem.strerror}") from None
            self._begun = True

    def open(self, scope: str) -> None:
        """Begin the cassette of a scope."""
        self._inner.open(scope)
        if scope.startswith(_RECORDED):
            start = self._inner.now(scope)
            self.begin()
            self._open[scope] = _Recording(blank(path_of(self._partial, scope), scope, start), start)

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        """Pass the request on, and keep what came."""
        with self._answering(scope) as recording:
            reply = self._inner.send(request, scope, gate)
        if recording:
            self._keep(recording, request, reply)
        return reply

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:
        """Pass the request on, and keep what was heard until somebody hung up."""
        with self._answering(scope) as recording:
            arriving = self._inner.listen(request, scope, seconds)
        return _Heard(arriving, partial(self._keep, recording, request)) if recording else arriving

    @contextmanager
    def _answering(self, scope: str) -> Iterator[_Recording | None]:
        """Inside, an answer is waited for; a recording in which one did not come is not complete."""
        recording = self._open.get(scope)
        try:
            yield recording
        except BaseException:
            if recording:
                recording.unanswered = True
            raise

    def _keep(self, recording: _Recording, request: Request, reply: Reply) -> None:
        with self._lock:
            recording.cassette.append(
                stored_request(request, self._redactor), stored_response(reply, recording.start, self._redactor)
            )

    def now(self, scope: str) -> float:
        """The target's clock."""
        return self._inner.now(scope)

    def wait(self, seconds: float, *scopes: str) -> None:
        """Wait as the target does."""
        self._inner.wait(seconds, *scopes)

    def close(self, scope: str, *, complete: bool) -> None:
        """
        Save the cassette; one that broke off, or has a request without an answer, says that it is not complete.

        Raises:
            Fault: it cannot be written; the recording then never ends.
        """
        if recording := self._open.get(scope):
            try:
                with self._lock:  # two that make the same folder get in each other's way
                    save(recording.cassette, complete=complete and not recording.unanswered)
            except OSError as problem:
                raise Fault(f"the cassette of {scope} cannot be written: {problem}") from None
            del self._open[scope]
        self._inner.close(scope, complete=complete)

    def finish(self) -> bool:
        """Put the recording in the set's place and return True, unless no scope was recorded or one never ended."""
        if self._open or not any(self._partial.glob("*/")):
            return False
        try:
            write_manifest(self._partial)
            shutil.rmtree(self._replaced, ignore_errors=True)
            if self.folder.exists():
                self.folder.rename(self._replaced)
            self._partial.rename(self.folder)
        except OSError:
            return False
        shutil.rmtree(self._replaced, ignore_errors=True)
        self._begun = False
        return True

    def give_up(self) -> None:
        """Leave nothing behind but an earlier set."""
        if self._begun:
            shutil.rmtree(self._partial, ignore_errors=True)


class _Heard:
    """An answer in pieces that is kept once it is over."""

    def __init__(self, inner: Arriving, keep: Callable[[Reply], None]) -> None:
        self._inner, self._keep = inner, keep
        self.status, self.headers, self.at, self.number = inner.status, inner.headers, inner.at, inner.number

    @property
    def cut(self) -> str:
        return self._inner.cut

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        return self._inner.pieces()

    def hurry(self) -> None:
        self._inner.hurry()

    def close(self, response: Response, duration: float) -> None:
        self._inner.close(response, duration)
        self._keep(Reply(response, self.at, duration, self.number))


def _is_foreign(place: Path) -> bool:
    if not place.exists() or (place / PROVENANCE).is_file():
        return False
    return not place.is_dir() or any(place.iterdir())
