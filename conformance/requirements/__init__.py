"""The catalogue of requirements: one TOML file an area, in `sdk/` those of clients, and its loader."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """How binding a requirement is."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Basis(StrEnum):
    """Why a requirement has its level; the sources themselves use no RFC 2119 words."""

    STATED = "stated"
    SCHEMA = "schema"
    DERIVED = "derived"
    OBSERVED = "observed"


class Reach(StrEnum):
    """How a requirement can be exercised on a black box."""

    ALWAYS = "always"
    STAGED = "staged"
    IF_SEEN = "if-seen"


class Side(StrEnum):
    """Who is judged; a session judges one side, and the requirements of the other are none of its business."""

    SERVER = "server"
    CLIENT = "client"


class State(StrEnum):
    """Whether the suite checks a row. A merged row is judged under the row that its reason names."""

    ACTIVE = "active"
    PLANNED = "planned"
    MERGED = "merged"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True)
class Area:
    """A chapter of the contract."""

    key: str
    name: str
    #: The capability without which the whole area is not applicable, or None.
    capability: str | None = None
    side: Side = Side.SERVER


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row of the catalogue. Its level is the first word of its title."""

    id: str
    title: str
    area: Area
    basis: Basis
    reach: Reach
    #: Why a user of the API cares, in one sentence.
    why: str
    sources: tuple[str, ...]
    state: State = State.ACTIVE
    #: Why the row is merged or excluded, and into which row.
    reason: str = ""

    @property
    def level(self) -> Level:
        """MUST, SHOULD or MAY."""
        return Level(self.title.split(" ", 1)[0])


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """A sentence of the sources that cannot be tested, paraphrased, and why not."""

    sentence: str
    source: str
    reason: str


_FOLDERS = {Side.SERVER: Path(__file__).parent, Side.CLIENT: Path(__file__).parent / "sdk"}


@cache
def catalogue(side: Side = Side.SERVER) -> Mapping[str, Requirement]:
    """Every requirement of a side by its id, in the order of the files."""
    rows: dict[str, Requirement] = {}
    for path in sorted(_FOLDERS[side].glob("[a-z]*.toml")):
        if path.stem != "excluded":
            for row in _read_area(path, side):
                if row.id in rows:
                    raise ValueError(f"{path.name}: {row.id} is already taken")
                rows[row.id] = row
    return rows


@cache
def both_catalogues() -> Mapping[str, Requirement]:
    """Every requirement of either side by its id."""
    return {id: row for side in Side for id, row in catalogue(side).items()}


@cache
def excluded_sentences(side: Side = Side.SERVER) -> tuple[Excluded, ...]:
    """The sentences of the sources that no row covers, each with the reason; they speak of servers only."""
    if side is Side.CLIENT:
        return ()
    data = _load(_FOLDERS[side] / "excluded.toml")
    return tuple(Excluded(**entry) for entry in data["sentence"])


def _read_area(path: Path, side: Side) -> list[Requirement]:
    data = _load(path)
    area = Area(**data.pop("area"), side=side)
    default = data.pop("state", State.ACTIVE)
    return [
        Requirement(
            id=key,
            area=area,
            title=row["title"],
            basis=Basis(row["basis"]),
            reach=Reach(row["reach"]),
            why=row["why"],
            sources=tuple(row["sources"]),
            state=State(row.get("state", default)),
            reason=row.get("reason", ""),
        )
        for key, row in data.items()
    ]


def _load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
