"""One cassette a scope, in vcrpy's own class, which is imported at the first one since it brings every HTTP library."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Fault
from conformance.replay import serializer
from conformance.replay.matching import same_request

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_NAME = 100
_PLAIN_NAME = re.compile(rf"[a-z0-9_]{{1,{_LONGEST_NAME}}}")


def path_of(folder: Path, scope: str) -> Path:
    """Where the cassette of a scope lies: readable, stable, and one path a scope on every file system."""
    *parents, name = (_safe(part) for part in scope.split("/", 2))
    return folder.joinpath(*parents, f"{name}.json")


def blank(path: Path, scope: str, start: float) -> Any:
    """A cassette for recording a scope that began at `start`, in Unix seconds."""
    from vcr.cassette import Cassette  # type: ignore[import-untyped]
    from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

    cassette = Cassette(path=path, serializer=serializer, record_mode=RecordMode.ALL, match_on=(same_request,))
    cassette.get_metadata("scope", scope)
    cassette.get_metadata("start", start)
    return cassette


def save(cassette: Any, *, complete: bool) -> None:
    """Write a recorded cassette, also one without interactions; `complete` is False if its scope broke off."""
    cassette.get_metadata("complete", complete)
    cassette._save(force=True)  # noqa: SLF001 - vcrpy saves in no public way but within its patching


def load(path: Path) -> Any:
    """
    Load a cassette for playing.

    Raises:
        Fault: the file is no cassette of a scope.
    """
    from vcr.cassette import Cassette
    from vcr.record_mode import RecordMode

    try:
        cassette = Cassette.load(
            path=path, serializer=serializer, record_mode=RecordMode.NONE, match_on=(same_request,)
        )
        complete, start = cassette.get_metadata("complete", None), cassette.get_metadata("start", None)
    except Exception as problem:  # noqa: BLE001 - what a damaged file makes vcrpy raise is anybody's guess
        raise Fault(f"the cassette {path} is damaged ({type(problem).__name__}); record the set anew") from None
    if not isinstance(complete, bool) or not isinstance(start, float | int):
        raise Fault(f"the cassette {path} is damaged (its metadata); record the set anew")
    return cassette


def unplayed(cassette: Any) -> list[Any]:
    """The recorded requests that were not asked for yet, in order."""
    return [request for index, request in enumerate(cassette.requests) if not cassette.play_counts[index]]


def _safe(part: str) -> str:
    """A part of a scope's name as a file name; only one that says less than the part carries a hash, after a hyphen."""
    if _PLAIN_NAME.fullmatch(part):
        return part
    words = re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-")[:_LONGEST_NAME]
    return f"{words}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"
