"""Recording: passes requests on to a target and keeps every scope's interactions on a cassette."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.replay.cassette import blank, path_of, stored_request, stored_response
from conformance.replay.provenance import MANIFEST, PROVENANCE, write_manifest
from conformance.settings import BadSettings
from conformance.wire.exchange import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.client import Reply, Sender
    from conformance.redaction import Redactor
    from conformance.replay.provenance import Provenance

#: Scopes of these kinds are recorded; races, the pre-flight and the clean-up are not.
_RECORDED = ("subjects/", "cases/")


@dataclass
class _Open:
    cassette: Any
    start: float


class RecordingSender:
    """Records into a folder beside the set, which takes the set's place when the session ends."""

    def __init__(self, inner: Sender, folder: Path, redactor: Redactor, provenance: Provenance) -> None:
        """
        Prepare a recording.

        Raises:
            BadSettings: something that is no cassette set is in the way.
        """
        if folder.exists() and not (folder / PROVENANCE).is_file() and any(folder.iterdir()):
            raise BadSettings(f"{folder} exists and is no cassette set; nothing is recorded over it")
        self._inner, self._folder, self._redactor, self._provenance = inner, folder, redactor, provenance
        self._partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._open: dict[str, _Open] = {}
        self._lock = Lock()

    def open(self, scope: str) -> None:
        """Begin the cassette of a scope."""
        self._inner.open(scope)
        if scope.startswith(_RECORDED):
            start = self._inner.now(scope)
            cassette = blank(path_of(self._partial, scope))
            cassette.get_metadata("scope", scope)
            cassette.get_metadata("start", start)
            self._open[scope] = _Open(cassette, start)

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        """Pass the request on, and keep what came."""
        reply = self._inner.send(request, scope, gate)
        if (held := self._open.get(scope)) is not None:
            with self._lock:
                held.cassette.append(
                    stored_request(self._clean(request)),
                    stored_response(
                        self._cleaned(reply), reply.at - held.start, self._redactor.headers(reply.response.headers)
                    ),
                )
        return reply

    def now(self, scope: str) -> float:
        """The target's clock."""
        return self._inner.now(scope)

    def wait(self, seconds: float, scope: str) -> None:
        """Wait as the target does."""
        self._inner.wait(seconds, scope)

    def close(self, scope: str, *, complete: bool) -> None:
        """Save the cassette; one that broke off says so, since it cannot be judged."""
        self._inner.close(scope, complete=complete)
        if (held := self._open.pop(scope, None)) is not None:
            if not complete:
                held.cassette.get_metadata("broken_off", default=True)
            held.cassette._save(force=True)  # noqa: SLF001 - vcrpy saves in no public way but its own patching

    def finish(self) -> None:
        """Put the recording in the set's place."""
        self._partial.mkdir(parents=True, exist_ok=True)
        self._provenance.write(self._partial)
        write_manifest(self._partial)
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._partial.rename(self._folder)

    def _clean(self, request: Request) -> Request:
        text = self._redactor.text
        return Request(
            request.method,
            text(request.path),
            tuple((name, text(value)) for name, value in request.query),
            request.headers,
            self._bytes(request.body),
        )

    def _cleaned(self, reply: Reply) -> Reply:
        from dataclasses import replace

        response = reply.response
        return replace(reply, response=Response(response.status, response.headers, self._bytes(response.body)))

    def _bytes(self, body: bytes) -> bytes:
        return self._redactor.text(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


__all__ = ["MANIFEST", "RecordingSender"]
