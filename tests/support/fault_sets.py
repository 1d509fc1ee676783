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
        The faults that may come to something else.

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
    """Keep what found each fault."""
    text = json.dumps({name: sorted(found) for name, found in sorted(killers.items())}, indent=0)
    MAP.write_text(text + "\n", "utf-8")


def changes_since(revision: str) -> dict[str, set[int]]:
    """The files that differ from a revision, each with the numbers of the lines that were added or changed."""
    changes: dict[str, set[int]] = {}
    path = ""
    for line in _git("diff", "--unified=0", "--no-renames", revision, "--", _PACKAGE).splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif line.startswith("--- ") and line != "--- /dev/null":
            changes.setdefault(line.removeprefix("--- a/"), set())
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            changes.setdefault(path, set()).update(range(first, first + max(count, 1)))
    for path in _git("ls-files", "--others", "--exclude-standard", "--", _PACKAGE).splitlines():
        changes[path] = set(range(1, len((ROOT / path).read_text("utf-8").splitlines()) + 1))
    return changes


def affected_by(changes: Mapping[str, Collection[int]]) -> Affected:
    """What changed lines affect."""
    affected = Affected()
    for path, lines in changes.items():
        if not (ROOT / path).is_file():
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
        elif path.startswith(_PACKAGE) and not path.startswith(_ELSEWHERE):
            affected.everything = True
    affected.rows |= {row for case in affected.cases for row in _rows_of(case)}
    return affected


def _faults_in(path: str, lines: Collection[int]) -> set[str]:
    from conformance.reference.faults import FAULTS

    kind = path.rpartition("/")[2].removesuffix(".py")
    of_file = {name for name, fault in FAULTS.items() if fault.kind == kind}
    found = set[str]()
    for statement in _changed_statements(path, lines):
        named = {name for name in of_file if name in _names_in(statement)}
        if not named:
            return of_file  # what all of them may use
        found |= named
    return found


def _names_in(statement: ast.stmt) -> Iterator[str]:
    """What a fault that a statement defines may be called."""
    from conformance.reference.faults.registry import name_of

    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        yield name_of(statement.name)
        yield statement.name.replace("_", "-")
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _cases_in(path: str, lines: Collection[int]) -> set[str]:
    """The cases that were changed; all of the file where something was that they use."""
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    every = {each.name for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}
    changed = {str(getattr(each, "name", "")) for each in _changed_statements(path, lines)}
    return every if changed - every else changed


def _is_invariant(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Call) and ast.unparse(each.func) == "invariant" for each in function.decorator_list)


def _changed_statements(path: str, lines: Collection[int]) -> list[ast.stmt]:
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return [each for each in body if any(_first_line(each) <= line <= (each.end_lineno or 0) for line in lines)]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[Any] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _rows_in(path: str, lines: Collection[int]) -> set[str]:
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
