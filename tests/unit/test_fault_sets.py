"""Which faults a change may affect, and which of them a session runs."""

from __future__ import annotations

import pytest

from conformance.reference.faults import FAULTS
from support import ROOT
from support.fault_sets import Affected, affected_by, affects_clients, changes_in, read_map, smallest
from support.mutation import function_of

BREAKS = {name: fault.breaks for name, fault in FAULTS.items()}
CASE = "test_rest.py::test_a_run_at_rest_stays_at_rest"


def changed(path: str, text: str) -> Affected:
    """What a change of the first line with a text affects."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return affected_by({path: {next(number for number, line in enumerate(lines, 1) if text in line)}})


def test_a_changed_fault_affects_itself() -> None:
    path = f"conformance/reference/faults/{FAULTS['comes-back'].kind}.py"

    affected = changed(path, "class ComesBack")

    assert (affected.everything, affected.faults, affected.rows) == (False, {"comes-back"}, set())
    assert affected.names(BREAKS, {}) == {"comes-back"}


def test_what_several_faults_use_affects_all_of_the_file() -> None:
    kind = FAULTS["comes-back"].kind

    affected = changed(f"conformance/reference/faults/{kind}.py", "import")

    assert affected.faults == {name for name, fault in FAULTS.items() if fault.kind == kind}


def test_a_changed_row_affects_the_faults_that_declare_it() -> None:
    affected = changed("conformance/requirements/life.toml", "[RUN-LIFE-004]")

    assert affected.rows == {"RUN-LIFE-004"}
    assert affected.names(BREAKS, {}) == {name for name, rows in BREAKS.items() if "RUN-LIFE-004" in rows}


def test_a_changed_case_affects_its_row_and_what_it_found() -> None:
    affected = changed("conformance/suite/test_rest.py", "def test_a_run_at_rest_stays_at_rest")

    assert (affected.cases, affected.rows) == ({CASE}, {"RUN-LIFE-004"})
    found = {"id-empty": [CASE], "slow": ["test_rest.py::test_another"]}
    assert "id-empty" in affected.names(BREAKS, found)
    assert "comes-back" in affected.names(BREAKS, found)
    assert "extra-member" not in affected.names(BREAKS, found)


def test_a_changed_invariant_affects_its_row() -> None:
    affected = changed("conformance/invariants/histories.py", "def final_states_are_final")

    assert affected.cases == {"test_invariants.py::test_every_message[final_states_are_final]"}
    assert (affected.everything, affected.rows) == (False, {"RUN-LIFE-004"})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("conformance/client.py", "class Client"),
        ("conformance/invariants/histories.py", "def changed("),
        ("conformance/invariants/evidence.py", "class Evidence"),
        ("conformance/reference/app.py", "class Reference"),
        ("conformance/suite/expectations.py", "def expect"),
        ("conformance/suite/conftest.py", "def run"),
    ],
)
def test_what_verdicts_depend_on_affects_everything(path: str, text: str) -> None:
    assert changed(path, text).names(BREAKS, {}) == set(BREAKS)


@pytest.mark.parametrize(
    "path", ["conformance/sdk/server.py", "conformance/reports/failure.py", "conformance/requirements/sdk/page.toml"]
)
def test_what_no_verdict_on_a_server_depends_on_affects_nothing(path: str) -> None:
    assert affected_by({path: {1}}) == Affected()


def test_the_lines_of_a_diff_are_read() -> None:
    diff = """\
--- a/conformance/suite/test_rest.py
+++ b/conformance/suite/test_rest.py
@@ -3 +3,2 @@ context
@@ -10,4 +11,0 @@
--- a/conformance/suite/test_gone.py
+++ /dev/null
@@ -1,9 +0,0 @@
--- /dev/null
+++ b/conformance/suite/test_new.py
@@ -0,0 +1,2 @@
"""

    changes = changes_in(diff)

    assert changes["conformance/suite/test_rest.py"] == {3, 4, 11.5}
    assert changes["conformance/suite/test_new.py"] == {1, 2}
    assert affected_by(changes).everything  # a file is gone


@pytest.mark.parametrize(
    "path",
    [
        "conformance/suite/test_rest.py",
        "conformance/invariants/histories.py",
        "conformance/reference/faults/life.py",
        "conformance/requirements/life.toml",
    ],
)
def test_what_was_deleted_as_a_whole_affects_everything(path: str) -> None:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    blank = next(number for number, line in enumerate(lines, 1) if number > 5 and not line)

    assert affected_by({path: {blank + 0.5}}).everything


def test_a_line_deleted_within_a_case_affects_the_case() -> None:
    path = "conformance/suite/test_rest.py"
    lines = (ROOT / path).read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines, 1) if "def test_a_run_at_rest_stays_at_rest" in line)

    affected = affected_by({path: {first + 1.5}})

    assert (affected.everything, affected.cases) == (False, {CASE})


def test_a_changed_class_affects_the_faults_that_inherit_from_it() -> None:
    affected = changed("conformance/reference/faults/pages.py", "class Paged")

    kinds = {FAULTS[name].kind for name in affected.faults}
    assert "cursors" in kinds
    assert len(affected.faults) > 10


@pytest.mark.parametrize(("file", "text"), [("registry.py", "def enter"), ("mishearing.py", "def said_in")])
def test_what_modules_of_faults_share_affects_their_faults(file: str, text: str) -> None:
    affected = changed(f"conformance/reference/faults/{file}", text)

    assert len({FAULTS[name].kind for name in affected.faults}) > 10


def test_a_change_of_the_judge_of_clients_affects_clients_alone() -> None:
    assert affects_clients({"conformance/sdk/server.py": {1}})
    assert affects_clients({"tests/support/clients/client.py": {1}})
    assert affects_clients({"conformance/client.py": {1}})
    assert not affects_clients({"docs/ci.md": {1}})
    assert affected_by({"tests/support/clients/client.py": {1}}) == Affected()


def test_a_file_that_is_gone_affects_everything() -> None:
    assert affected_by({"conformance/suite/test_gone.py": {1}}).everything


def test_the_smallest_set_breaks_every_row_once_at_least() -> None:
    breaks = {"one": {"A"}, "two": {"A", "B"}, "three": {"C"}, "none": set[str]()}

    assert smallest(breaks) == {"two", "three"}


def test_the_map_names_faults_and_cases_that_are_there() -> None:
    def is_there(case: str) -> bool:
        file, _, name = case.partition("::")
        function = name.partition("[")[0]
        return f"def {function}(" in (ROOT / "conformance" / "suite" / file).read_text("utf-8")

    found = read_map()
    remedy = "pytest tests/mutation/test_faults.py --all writes the map"
    assert found.keys() == FAULTS.keys(), remedy
    assert [case for cases in found.values() for case in cases if not is_there(case)] == [], remedy


@pytest.mark.parametrize(
    ("item", "function"),
    [
        ("suite/test_rest.py::test_a_run_at_rest_stays_at_rest[cancelled]", CASE),
        ("test_rest.py::test_a_run_at_rest_stays_at_rest", CASE),
        ("x/test_invariants.py::test_every_message[a]", "test_invariants.py::test_every_message[a]"),
        ("suite/test_x.py::test_y[a/b-c]", "test_x.py::test_y"),
    ],
)
def test_an_item_is_named_by_its_function(item: str, function: str) -> None:
    assert function_of(item) == function
