"""
Contracts: which requirements a release judged, and at which level, so that a pipeline can pin them.

`python -m conformance.requirements.contract 2026.1` writes the catalogue of today as a contract, and with `--sdk` that
of clients, whose contracts are in `contracts/sdk` and count by themselves. The newest contract
follows the catalogue until a release is made with it; from then on it never changes, and the next one is written.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.requirements import Level, Side, State, catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent / "contracts"
#: Where the contracts of each side are.
FOLDERS = {Side.SERVER: FOLDER, Side.CLIENT: FOLDER / "sdk"}
_NAME = re.compile(r"(\d{4})\.([1-9]\d*)")
_HEAD = """\
# The requirements that a session is held to with --runs-contract={name}, and their levels.
# Written by python -m conformance.requirements.contract {options}{name}; nobody edits it.
# Once a release was made with it, `released` is true, and it never changes again.
released = false

"""


class NoContract(Exception):
    """There is no such contract, or it cannot be written; the message says why, in a sentence."""


@dataclass(frozen=True)
class Contract:
    """A frozen set of requirements."""

    #: Year and number, such as 2026.1.
    name: str
    levels: Mapping[str, Level]
    #: Whether a release was made with it, so that it may not change any more.
    released: bool

    def __contains__(self, id: object) -> bool:
        return id in self.levels


def names(folder: Path = FOLDER) -> list[str]:
    """The contracts that there are, the oldest first."""
    found = [path.stem for path in folder.glob("*.toml") if _NAME.fullmatch(path.stem)]
    return sorted(found, key=_order)


def contract(name: str, folder: Path = FOLDER) -> Contract:
    """
    A contract by its name.

    Raises:
        NoContract: there is none of this name.
    """
    if name not in (known := names(folder)):
        raise NoContract(f"there is no contract {name!a}; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}")
    data = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
    levels = {id: Level(level) for id, level in data["levels"].items()}
    return Contract(name, levels, data["released"])


def today(side: Side = Side.SERVER) -> Mapping[str, Level]:
    """What a contract that is written today holds: each row of a side that is judged, and its level."""
    return {id: row.level for id, row in catalogue(side).items() if row.state is State.ACTIVE}


def write(name: str, folder: Path = FOLDER, side: Side = Side.SERVER) -> Path:
    """
    Write the catalogue of today, of a side, as a contract.

    Raises:
        NoContract: the name is none, there are newer ones, or a release was made with it.
    """
    if not _NAME.fullmatch(name):
        raise NoContract(f"{name!a} names no contract; they are called by year and number, such as 2026.1")
    known = names(folder)
    if name in known and contract(name, folder).released:
        raise NoContract(f"a release was made with {name}, so it never changes; write the next one")
    if known and _order(name) < _order(known[-1]):
        raise NoContract(f"{known[-1]} is newer than {name}; write that one, or the next")
    file = folder / f"{name}.toml"
    rows = "".join(f'{id} = "{level}"\n' for id, level in today(side).items())
    options = "--sdk " if side is Side.CLIENT else ""
    file.write_text(f"{_HEAD.format(name=name, options=options)}[levels]\n{rows}", "utf-8")
    return file


def _order(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def main(arguments: list[str]) -> int:
    """Write the contract that is named."""
    side = Side.CLIENT if "--sdk" in arguments else Side.SERVER
    try:
        (name,) = (each for each in arguments if each != "--sdk")
        file = write(name, FOLDERS[side], side)
    except ValueError:
        print("usage: python -m conformance.requirements.contract [--sdk] YEAR.NUMBER", file=sys.stderr)  # noqa: T201
        return 2
    except NoContract as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - it is a command
        return 1
    print(f"wrote {file.name}: {len(contract(name, FOLDERS[side]).levels)} requirements")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
