"""Which faults a mutation run carries out: all, a small set, those that were named, or those that a change affects."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import pytest

#: For each fault the cases and invariants that found it in the last run of all faults.
MAP = ROOT / "tests" / "mutation" / "killers.json"
_PACKAGE = "conformance/"
_FAULTS = "conformance/reference/faults/"
_CASES = "conformance/suite/test_"
_INVARIANTS = "conformance/invariants/"
_ROWS = re.compile(r"conformance/requirements/[a-z]+\.toml")
#: Parts of the package that a verdict about a server does not depend on.
_ELSEWHERE = ("conformance/sdk/", "conformance/reports/", "conformance/commands/", "conformance/requirements/sdk/")
#: What a verdict about a client depends on, beside what both sides share.
_CLIENTS = ("conformance/sdk/", "conformance/requirements/sdk/", "tests/support/clients/")


@dataclass
class Affected:
    """What a change affects."""

    #: Whether it may affect everything.
    everything: bool = False
    faults: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    #: Cases, each as its file and function, and invariants, as `support.mutation.function_of` gives them.
    cases: set[str] = field(default_factory=set)

    def names(self, breaks: Mapping[str, Collection[str]], killers: Mapping[str, Collection[str]]) -> set[str]:
        """
        The faults whose outcome may be another one.

        Args:
            breaks: For each fault the rows that it declares.
            killers: For each fault what found it, as `read_map` gives it.
        """
        if self.everything:
            return set(breaks)
        return {
            name
            for name, rows in breaks.items()
            if name in self.faults or not self.rows.isdisjoint(rows) or not self.cases.isdisjoint(killers.get(name, ()))
        }


def smallest(breaks: Mapping[str, Collection[str]]) -> set[str]:
    """A small set of faults that breaks every row which some fault breaks: greedily, the first of the largest."""
    missing = set[str]().union(*breaks.values())
    chosen = set[str]()
    while missing:
        best = max(breaks, key=lambda name: len(missing.intersection(breaks[name])))
        chosen.add(best)
        missing -= set(breaks[best])
    return chosen


def selected(config: pytest.Config, breaks: Mapping[str, Collection[str]]) -> set[str]:
    """The faults of this session: all with --all or where -k names some, those that a change affects, or few."""
    if config.option.all or config.option.keyword:
        return set(breaks)
    if config.option.changed is not None:
        return affected_by(changes_since(config.option.changed)).names(breaks, read_map())
    return smallest(breaks)


def read_map() -> Mapping[str, Collection[str]]:
    """For each fault what found it in the last run of all faults."""
    killers: dict[str, list[str]] = json.loads(MAP.read_text("utf-8"))
    return killers


def write_map(killers: Mapping[str, Iterable[str]]) -> None:
    """Keep what found each fault; another process never reads half of it."""
    text = json.dumps({name: sorted(found) for name, found in sorted(killers.items())}, indent=0)
    new = MAP.with_suffix(".new")
    new.write_text(text + "\n", "utf-8")
    new.replace(MAP)


def changes_since(revision: str) -> dict[str, set[float]]:
    """
    Read which lines differ from a revision.

    Returns:
        For each file the numbers of the lines that were added or changed. Where lines were deleted, the number lies
        between those of the lines around them, such as 7.5.
    """
    options = ("--unified=0", "--no-renames", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/")
    changes = changes_in(_git("diff", *options, revision, "--", _PACKAGE, _CLIENTS[-1]))
    for path in _git("ls-files", "--others", "--exclude-standard", "--", _PACKAGE, _CLIENTS[-1]).splitlines():
        changes[path] = {*range(1, len((ROOT / path).read_text("utf-8").splitlines()) + 1)}
    return changes


def changes_in(diff: str) -> dict[str, set[float]]:
    """The same out of the text of a diff without lines of context."""
    changes: dict[str, set[float]] = {}
    path = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif line.startswith("--- ") and line != "--- /dev/null":
            changes.setdefault(line.removeprefix("--- a/"), set())
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            changes.setdefault(path, set()).update(range(first, first + count) if count else {first + 0.5})
    return changes


def affects_clients(changes: Mapping[str, Collection[float]]) -> bool:
    """Whether changed lines may affect a verdict about a client."""
    return any(path.startswith(_CLIENTS) for path in changes) or affected_by(changes).everything


def affected_by(changes: Mapping[str, Collection[float]]) -> Affected:
    """What changed lines affect."""
    affected = Affected()
    for path, lines in changes.items():
        if path.startswith(_ELSEWHERE) or not path.startswith(_PACKAGE):
            continue
        if not (ROOT / path).is_file() or _is_deleted_between(path, lines):
            affected.everything = True
        elif path.startswith(_FAULTS):
            affected.faults |= _faults_in(path, lines)
        elif path.startswith(_CASES) and path != _CASES + "invariants.py":
            affected.cases |= {f"{path.rpartition('/')[2]}::{name}" for name in _cases_in(path, lines)}
        elif path.startswith(_INVARIANTS):
            changed = _changed_statements(path, lines)
            names = {each.name for each in changed if isinstance(each, ast.FunctionDef) and _is_invariant(each)}
            affected.cases |= {f"test_invariants.py::test_every_message[{name}]" for name in names}
            affected.everything |= len(names) < len(changed)  # what several invariants use, perhaps in other files
        elif _ROWS.fullmatch(path):
            affected.rows |= _rows_in(path, lines)
        else:
            affected.everything = True
    affected.rows |= {row for case in affected.cases for row in _rows_of(case)}
    return affected


def _is_deleted_between(path: str, lines: Collection[float]) -> bool:
    """Whether something was deleted that may have been a whole case, invariant, fault or row."""
    gaps = [line for line in lines if line % 1]
    if not gaps or not path.endswith(".py"):
        return bool(gaps)
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return any(not any(_first_line(each) < gap < (each.end_lineno or 0) for each in body) for gap in gaps)


def _faults_in(path: str, lines: Collection[float]) -> set[str]:
    from conformance.reference.faults import FAULTS

    kind = path.rpartition("/")[2].removesuffix(".py")
    if kind in {"registry", "__init__"}:
        return set(FAULTS)
    kinds = _users_of(kind)
    of_file = {name for name, fault in FAULTS.items() if fault.kind == kind}
    of_users = {name for name, fault in FAULTS.items() if fault.kind in kinds}
    found = set[str]()
    for statement in _changed_statements(path, lines):
        named = {name for name in of_file if name in _names_in(statement)} | _heirs_of(kind, statement)
        if not named:
            return of_users  # what all of them may use
        found |= named
    return found


def _heirs_of(kind: str, statement: ast.stmt) -> set[str]:
    """The faults whose behaviour inherits from a class."""
    from conformance.reference.faults import FAULTS

    def inherits(base: type) -> bool:
        return base.__name__ == getattr(statement, "name", "") and base.__module__.endswith(f".faults.{kind}")

    if not isinstance(statement, ast.ClassDef):
        return set()
    return {name for name, fault in FAULTS.items() if any(map(inherits, fault.behaviour.__mro__))}


def _users_of(kind: str) -> set[str]:
    """A module of faults, and all that import from it, directly or not."""
    files = (ROOT / _FAULTS).glob("*.py")
    imported = {
        file.stem: set(
            re.findall(r"^from conformance\.reference\.faults\.(\w+)", file.read_text("utf-8"), re.MULTILINE)
        )
        for file in files
    }
    users = {kind}
    while more := {stem for stem, names in imported.items() if names & users} - users:
        users |= more
    return users


def _names_in(statement: ast.stmt) -> Iterator[str]:
    """What a fault that a statement defines may be called."""
    from conformance.reference.faults.registry import name_of

    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        yield name_of(statement.name)
        yield statement.name.replace("_", "-")
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _cases_in(path: str, lines: Collection[float]) -> set[str]:
    """The cases that were changed; all of the file where something was that they use."""
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    every = {each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}
    changed = {str(getattr(each, "name", "")) for each in _changed_statements(path, lines)}
    return every if changed - every else changed


def _is_invariant(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Call) and ast.unparse(each.func) == "invariant" for each in function.decorator_list)


def _changed_statements(path: str, lines: Collection[float]) -> list[ast.stmt]:
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return [each for each in body if any(_first_line(each) <= line <= (each.end_lineno or 0) for line in lines)]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[Any] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _rows_in(path: str, lines: Collection[float]) -> set[str]:
    """The rows whose tables were changed."""
    rows, row = set[str](), ""
    for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1):
        if table := re.fullmatch(r"\[(RUN-[A-Z]+-\d+)\]", line):
            row = table[1]
        if number in lines and row:
            rows.add(row)
    return rows


def _rows_of(case: str) -> set[str]:
    """The rows of a case or an invariant, by its declaration."""
    from conformance.invariants import invariants

    name = case.partition("[")[2].removesuffix("]")
    if name:
        return {each.requirement for each in invariants() if each.name == name}
    file, _, function = case.partition("::")
    body = ast.parse((ROOT / "conformance" / "suite" / file).read_text("utf-8")).body
    marks = [mark for each in body if getattr(each, "name", "") == function for mark in each.decorator_list]  # type: ignore[attr-defined]
    return {node.value for mark in marks for node in ast.walk(mark) if _is_row(node)}


def _is_row(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("RUN-")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
