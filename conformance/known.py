"""Known failures: what a target's owner has accepted for now, each with a reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from conformance.requirements import State, catalogue
from conformance.settings import BadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The file that is read where none is named.
DEFAULT_NAME = "known-failures.toml"


@dataclass(frozen=True)
class Acceptance:
    """Why a requirement may stay broken, and until when."""

    reason: str
    until: date | None

    def counts(self, today: date) -> bool:
        """Whether it still holds."""
        return self.until is None or today <= self.until


def read_known(path: Path) -> Mapping[str, Acceptance]:
    """
    Read a file of known failures, an entry each: `RUN-X-001 = { reason = "...", until = "2027-01-31" }`.

    Raises:
        BadSettings: it is not there, no TOML, or an entry is wrong.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadSettings(f"there is no file of known failures at {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadSettings(f"{path} cannot be read as TOML: {problem}") from None
    return {id: _acceptance(path, id, entry) for id, entry in entries.items()}


def _acceptance(path: Path, id: str, entry: Any) -> Acceptance:
    if (row := catalogue().get(id)) is None:
        raise BadSettings(f"{path}: there is no requirement {id}")
    if row.state is not State.ACTIVE:
        why = f" ({row.reason})" if row.reason else ""
        raise BadSettings(f"{path}: {id} is stale, since nothing matches it: the row is {row.state}{why}; delete {id}")
    if not isinstance(entry, dict) or set(entry) - {"reason", "until"}:
        raise BadSettings(f'{path}: {id} should be {{ reason = "...", until = "2027-01-31" }}, the date optional')
    if not isinstance(reason := entry.get("reason"), str) or not reason.strip(" ."):
        raise BadSettings(f"{path}: {id} needs a reason")
    try:
        return Acceptance(reason, _date(entry.get("until")))
    except ValueError:
        raise BadSettings(f"{path}: the until of {id} is no date like 2027-01-31") from None


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))
