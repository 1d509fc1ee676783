"""Profiles: the dialects of the protocol, one TOML file each, and the user's own."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from conformance.outcomes import BadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent
#: A text may take what is secret or the user's own from the environment: "{env:NAME}".
_FROM_ENVIRONMENT = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")

_Text = Annotated[str, StringConstraints(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Auth(_Strict):
    header: _Text = "Authorization"
    value: Annotated[str, StringConstraints(pattern=r"\{key\}")] = "Bearer {key}"


class _Row(_Strict):
    level: Literal["MUST", "SHOULD", "MAY", "off"]
    reason: _Text


class _File(_Strict):
    """What a profile's file may say."""

    name: _Text
    extends: _Text | None = None
    synchronous: bool = False
    without: list[_Text] = []
    model: _Text | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    auth: _Auth = _Auth()
    create: dict[str, Any] = {}
    states: dict[str, dict[str, Any]] = {}
    rows: dict[Annotated[str, StringConstraints(pattern=r"^RUN-[A-Z]+-\d{3}$")], _Row] = {}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A dialect of the protocol."""

    name: str
    headers: Mapping[str, str]
    #: Parameters that every request carries.
    query: tuple[tuple[str, str], ...]
    #: The header that carries the key, and a template of its value.
    key_header: tuple[str, str]
    #: Level by requirement id, or "off", each with a reason.
    rows: Mapping[str, Mapping[str, str]]
    #: Fields to create a run with, by the state that they lead to.
    states: Mapping[str, Mapping[str, Any]]
    #: Fields that every run is created with.
    create: Mapping[str, Any]
    model: str | None
    #: Capabilities that the dialect does not have.
    without: frozenset[str]
    #: Whether a create answers only once the run has ended, so that none can be cancelled.
    synchronous: bool
    #: Values that were taken from the environment, and that nobody shall see.
    secrets: tuple[str, ...]


def load_profile(name: str) -> Profile:
    """
    Read a profile and what it extends.

    Args:
        name: One of those that the suite brings, or the path of a file: with a slash, or ending in `.toml`.

    Raises:
        BadSettings: there is none of that name, it is no profile, or it names a variable that is not set.
    """
    told = _merged(name, ())
    secrets: list[str] = []
    return Profile(
        name=told.name,
        headers={header: _filled(value, name, secrets) for header, value in told.headers.items()},
        query=tuple((parameter, _filled(value, name, secrets)) for parameter, value in told.query.items()),
        key_header=(told.auth.header, told.auth.value),
        rows={id: row.model_dump() for id, row in told.rows.items()},
        states=told.states,
        create=told.create,
        model=told.model,
        without=frozenset(told.without),
        synchronous=told.synchronous,
        secrets=tuple(secrets),
    )


def names() -> list[str]:
    """The profiles that the suite brings."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def _merged(name: str, below: tuple[str, ...]) -> _File:
    if name in below:
        raise BadSettings(f"the profile {name} extends itself, by way of {' and '.join(below)}")
    data = _read(name)
    told = _validated(name, data)
    if told.extends is None:
        return told
    base = _merged(told.extends, (*below, name)).model_dump(exclude_unset=True)
    for key, value in data.items():
        base[key] = {**base.get(key, {}), **value} if isinstance(value, dict) else value
    return _validated(name, base)


def _read(name: str) -> dict[str, Any]:
    path = Path(name) if "/" in name or name.endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadSettings(f"there is no profile {name!r}; it is one of {', '.join(names())}, or a file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadSettings(f"the profile {name} cannot be read as TOML: {problem}") from None


def _validated(name: str, data: dict[str, Any]) -> _File:
    try:
        return _File.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"the profile {name}: {where}: {first['msg'].lower()}") from None


def _filled(value: str, name: str, secrets: list[str]) -> str:
    """The text with what it takes from the environment."""

    def look_up(found: re.Match[str]) -> str:
        if not (taken := os.environ.get(found[1], "")):
            raise BadSettings(f"the profile {name} needs the environment variable {found[1]}, which is not set")
        secrets.append(taken)
        return taken

    return _FROM_ENVIRONMENT.sub(look_up, value)
