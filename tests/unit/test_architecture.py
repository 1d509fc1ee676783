"""The house as `docs/architecture.md` draws it: who may import whom, and what must stay in step."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import conformance
from conformance.invariants import invariants
from conformance.requirements import Side, State, catalogue

PACKAGE = Path(conformance.__file__).parent
#: What each part may import besides itself.
ALLOWED: dict[str, set[str]] = {
    "requirements": set(),
    "wire": {"data"},
    "invariants": {"wire", "requirements", "outcomes"},
    "streams": {"wire"},
    "senders": {"wire", "streams"},
    "bounds": set(),
    "sockets": {"bounds", "senders", "streams", "wire", "outcomes"},
    "patience": {"wire"},
    "dialect": {"wire", "outcomes"},
    "watch": set(),
    "live": set(),
    "signals": set(),
    "attended": {"live", "signals"},
    "client": {"watch", "senders", "streams", "dialect", "wire", "outcomes", "patience"},
    "replay": {"senders", "streams", "wire", "outcomes", "redaction", "settings", "data"},
    "states": {"client", "dialect", "streams", "wire", "outcomes", "data"},
    "search": {"states", "client", "wire", "outcomes", "invariants"},
    "cases": {"states", "client", "outcomes"},
    "suite": {
        "states",
        "search",
        "wire",
        "requirements",
        "outcomes",
        "client",
        "dialect",
        "invariants",
        "session",
        "patience",
    },
    "sdk": {
        "wire",
        "requirements",
        "outcomes",
        "reports",
        "settings",
        "states",
        "session",
        "suite",
    },
    "verdicts": {"requirements", "outcomes"},
    "reports": {"verdicts", "requirements", "outcomes", "wire", "redaction"},
    "commands": {"reports", "outcomes", "reference"},
    "settings": {"outcomes", "profiles", "requirements"},
    "profiles": {"outcomes"},
    "outcomes": {"wire"},
    "redaction": set(),
    "data": set(),
    "options": set(),
    "known": {"requirements", "settings", "verdicts"},
    "docket": {"known", "outcomes", "redaction", "requirements", "settings", "verdicts"},
    "reference": set(),
}


def modules(part: str) -> list[Path]:
    single = PACKAGE / f"{part}.py"
    return [single] if single.is_file() else sorted((PACKAGE / part).rglob("*.py"))


@cache
def imports(path: Path) -> frozenset[str]:
    """The parts of this package that a module imports."""
    tree = ast.parse(path.read_text("utf-8"))
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    mine = [name.split(".") for name in (*named, *plain) if name.split(".")[0] == "conformance"]
    return frozenset(parts[1] if len(parts) > 1 else "" for parts in mine)


@pytest.mark.parametrize("part", ALLOWED)
def test_nothing_imports_upward(part: str) -> None:
    upward = {
        path.relative_to(PACKAGE).as_posix(): sorted(found)
        for path in modules(part)
        if (found := imports(path) - ALLOWED[part] - {part, ""})
    }

    assert upward == {}


def test_every_part_has_its_place() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert parts - set(ALLOWED) == {
        *("__init__", "targets", "session", "account", "items", "collected", "reported", "plugin")
    }


def test_the_judge_knows_nothing_of_the_reference_server() -> None:
    knowing = {path.name for path in PACKAGE.rglob("*.py") if "reference" in imports(path)} - {
        path.name for path in modules("reference")
    }

    assert knowing == {"targets.py", "serve.py"}  # of which the second only starts it


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("httpx", "sockets.py"),
        ("vcr", "cassette.py"),
        ("allure", "writer.py"),
        ("allure_commons", "writer.py"),
        ("jinja2", "page.py"),
        ("uvicorn", "server.py"),
    ],
    ids=str,
)
def test_a_library_is_known_in_one_place(library: str, home: str) -> None:
    knowing = {
        path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == library for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == library)
    }

    assert knowing <= {home, "interactions.py"} if library == "vcr" else knowing == {home}


def test_what_draws_is_loaded_only_to_draw() -> None:
    drawing = {"hypothesis", "schemathesis", "conformance.search.machine"}
    at_start = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if drawing & loaded_by(path)}

    assert at_start == {"search/machine.py"}


def loaded_by(path: Path) -> set[str]:
    """The modules that a module imports when it is imported itself, and the packages that these are in."""
    found = set[str]()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, node.module.split(".")[0]}
    return found


@pytest.mark.parametrize("side", Side)
def test_every_active_requirement_is_checked(side: Side) -> None:
    checked = {invariant.requirement for invariant in invariants()} if side is Side.SERVER else set[str]()
    for path in (PACKAGE / ("suite" if side is Side.SERVER else "sdk/suite")).glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "requirement":
                checked |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}

    active = {id for id, row in catalogue(side).items() if row.state is State.ACTIVE}
    assert active - checked == set()
    assert checked - active == set()
