"""Where a cassette set comes from, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from conformance.data import folder as data_folder
from conformance.settings import BadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.redaction import Redactor

PROVENANCE = "provenance.json"
MANIFEST = "manifest.json"
FORMAT = 1

_TEXTS = ("target", "recorded_at", "suite_version", "profile", "base_path", "cancel_policy")


class BrokenSet(BadSettings):
    """There is no such cassette set, or not all of it; the message says in a sentence what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was recorded, when, with which suite, and the settings that a replay must take over."""

    target: str
    #: An ISO 8601 date and time.
    recorded_at: str
    suite_version: str
    profile: str
    base_path: str
    cancel_policy: str
    without: tuple[str, ...] = ()
    target_version: str | None = None
    model: str | None = None
    assistant: str | None = None
    max_runs: int | None = None
    #: Whether runs cost nothing and time could be turned.
    free: bool = False
    authenticated: bool = True
    note: str = ""
    format: int = FORMAT

    def describe(self) -> str:
        """The provenance in a sentence."""
        target = f"{self.target} {self.target_version}" if self.target_version else self.target
        told = f"recorded {self.recorded_at} from {target}, with suite {self.suite_version}, profile {self.profile}"
        return f"{told}; {self.note}" if self.note else told

    def write(self, folder: Path, redactor: Redactor) -> None:
        """Write it into a set."""
        _write(folder / PROVENANCE, redactor.text(_json(asdict(self))))


def read_set(folder: Path) -> Provenance:
    """
    Read the provenance of a set, and see that every cassette of it is there and whole.

    Raises:
        BrokenSet: it is no set, or a damaged one.
    """
    if not folder.is_dir():
        raise BrokenSet(f"there is no cassette set {folder}")
    told = _read(folder, PROVENANCE)
    if told.get("format") != FORMAT:
        raise BrokenSet(f"the cassette set {folder} has format {told.get('format')}, and this suite reads {FORMAT}")
    provenance = _typed(folder, told)
    for name, recorded in _read(folder, MANIFEST).items():
        try:
            found = _digest(folder / name)
        except OSError:
            raise BrokenSet(f"the cassette set {folder} is damaged: {name} is missing") from None
        if found != recorded:
            raise BrokenSet(f"the cassette set {folder} is damaged: {name} is not what was recorded")
    return provenance


def write_manifest(folder: Path) -> None:
    """List every cassette of a set with what its bytes come to."""
    cassettes = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/**/*.json")}
    _write(folder / MANIFEST, _json({name: _digest(cassettes[name]) for name in sorted(cassettes)}))


def find_set(name_or_folder: str | Path, start: Path) -> Path:
    """
    Find a set by folder, by name in the `cassettes` folder of `start`, or by name among the bundled ones.

    Raises:
        BrokenSet: there is none.
    """
    places = (start / name_or_folder, start / "cassettes" / name_or_folder, data_folder("cassettes") / name_or_folder)
    for place in places:
        if (place / PROVENANCE).is_file():
            return place
    where = ", ".join(dict.fromkeys(str(place) for place in places))
    raise BrokenSet(f"there is no cassette set {name_or_folder}: no {PROVENANCE} in {where}")


def _typed(folder: Path, told: dict[str, Any]) -> Provenance:
    for name in _TEXTS:
        if not isinstance(told.get(name), str):
            raise BrokenSet(f"the cassette set {folder} is damaged: its {PROVENANCE} has no {name}")
    try:
        return Provenance(**{**told, "without": tuple(told["without"])})
    except (KeyError, TypeError) as problem:
        raise BrokenSet(f"the cassette set {folder} is damaged: its {PROVENANCE} is unreadable ({problem})") from None


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        told = json.loads((folder / name).read_text("utf-8"))
    except OSError:
        raise BrokenSet(f"the folder {folder} is no cassette set: it has no {name}") from None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise BrokenSet(f"the cassette set {folder} is damaged: its {name} is truncated or no JSON object")
    return told


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
