"""Where a cassette set comes from, and whether it is whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.data import folder as data_folder
from conformance.settings import BadSettings

PROVENANCE = "provenance.json"
MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was recorded, when, with which suite, and the settings that a replay must take over."""

    target: str
    recorded_at: str
    suite_version: str
    profile: str
    base_path: str
    cancel_policy: str
    without: tuple[str, ...] = ()
    model: str | None = None
    assistant: str | None = None
    authenticated: bool = True
    format: int = FORMAT

    def describe(self) -> str:
        """The provenance in a sentence."""
        return f"recorded {self.recorded_at} from {self.target}, with suite {self.suite_version}, profile {self.profile}"

    def write(self, folder: Path) -> None:
        """Write it into a set."""
        _write(folder / PROVENANCE, asdict(self))


def read_set(folder: Path) -> Provenance:
    """
    Read the provenance of a set, and see that every cassette of it is there and whole.

    Raises:
        BadSettings: it is no set, or a broken one.
    """
    told = _read(folder / PROVENANCE, folder)
    if told.get("format") != FORMAT:
        raise BadSettings(f"the cassette set {folder} has format {told.get('format')}; this suite reads {FORMAT}")
    manifest = _read(folder / MANIFEST, folder)
    for name, size in manifest.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise BadSettings(f"the cassette set {folder} is damaged: {name} is missing or truncated")
    try:
        return Provenance(**{**told, "without": tuple(told["without"])})
    except (KeyError, TypeError) as problem:
        raise BadSettings(f"the cassette set {folder} has an unreadable {PROVENANCE}: {problem}") from None


def write_manifest(folder: Path) -> None:
    """List every cassette of a set with its size in bytes."""
    cassettes = sorted(path for path in folder.rglob("*.json") if path.name not in {PROVENANCE, MANIFEST})
    _write(folder / MANIFEST, {path.relative_to(folder).as_posix(): path.stat().st_size for path in cassettes})


def find_set(name: str, start: Path) -> Path:
    """
    Find a set by folder or by name, below the given folder or among the bundled ones.

    Raises:
        BadSettings: there is none.
    """
    places = (start / name, start / "cassettes" / name, data_folder("cassettes") / name)
    for place in places:
        if (place / PROVENANCE).is_file():
            return place
    where = ", ".join(dict.fromkeys(str(place) for place in places))
    raise BadSettings(f"there is no cassette set {name}: no {PROVENANCE} in {where}")


def _read(path: Path, folder: Path) -> dict[str, object]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict):
        raise BadSettings(f"the cassette set {folder} is damaged: {path.name} is missing or unreadable")
    return told


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", "utf-8", newline="\n")
