"""What is pure in the comparison with real components, and the one of them that is on cassettes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from conformance.requirements import Side, State, catalogue
from conformance.verdicts import Verdict
from tools.peers.running import Children
from tools.targets import expectation, fingerprint, page, session
from tools.targets.comparing import compare, parser
from tools.targets.components import COMPONENTS, HERE, Component, Target
from tools.targets.fingerprint import stale
from tools.targets.installing import Absent
from tools.targets.session import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conformance.requirements import Requirement
    from tools.targets.components import Place

    Judged = Callable[..., str]

WRITTEN = """\
# a component
exit = 1
fingerprint = "0123456789ab"

fail = [
    # a cancelled run comes back
    "RUN-LIFE-004",
    "RUN-PAGE-001",
]

"n/a" = [
    "RUN-AUTH-001",
]

[[either]]
reason = "a race"
verdicts = ["pass", "untested"]
requirements = [
    "RUN-CANCEL-033",
]
"""


ROWS = catalogue()
CASES = [("RUN-LIFE-004", "test_a"), ("RUN-LIFE-004", "test_b[1]")]


def measured(code: int = 1, **changed: str | None) -> Measured:
    """What is written above, but for what is told here."""
    verdicts = {**expectation.read(WRITTEN).verdicts}
    for name, verdict in changed.items():
        id = f"RUN-{name.replace('_', '-')}"
        verdicts.pop(id)
        if verdict:
            verdicts[id] = Verdict(verdict)
    return Measured(code, verdicts)


def changes(**changed: str | None) -> list[str]:
    return list(expectation.changes(expectation.read(WRITTEN), measured(**changed)))


def written(*sessions: Measured) -> str:
    return expectation.written(sessions, WRITTEN, "0123456789ab")


def test_what_is_as_written_is_no_change() -> None:
    assert changes() == []


@pytest.mark.parametrize(
    ("name", "verdict", "line"),
    [
        ("LIFE_004", "pass", "RUN-LIFE-004: expected fail, got pass"),
        ("LIFE_004", "warn", "RUN-LIFE-004: expected fail, got warn"),
        ("LIFE_004", None, "RUN-LIFE-004: expected fail, got nothing"),
        ("LIFE_003", "fail", "RUN-LIFE-003: expected pass, got fail"),
        ("LIFE_003", "untested", "RUN-LIFE-003: expected pass, got untested"),
        ("LIFE_003", None, "RUN-LIFE-003: expected pass, got nothing"),
        ("AUTH_001", "pass", "RUN-AUTH-001: expected n/a, got pass"),
        ("CANCEL_033", "warn", "RUN-CANCEL-033: expected pass or untested, got warn"),
    ],
)
def test_a_change_in_either_direction_is_told(name: str, verdict: str | None, line: str) -> None:
    assert changes(**{name: verdict}) == [line]


def test_chance_is_no_change() -> None:
    assert changes(CANCEL_033="untested") == changes(CANCEL_033="pass") == []


def test_another_exit_code_is_a_change() -> None:
    told = expectation.changes(expectation.read(WRITTEN), measured(code=10))

    assert list(told) == ["exit code: expected 1, got 10"]


def test_where_nothing_is_measured_nothing_is_expected() -> None:
    expected = expectation.read("exit = 11\nnothing-measured = true\n")

    assert list(expectation.changes(expected, Measured(11, {}))) == []
    told = list(expectation.changes(expected, Measured(11, {"RUN-LIFE-004": Verdict.PASS})))
    assert told == ["RUN-LIFE-004: expected nothing, got pass"]


def test_the_same_is_written_the_same_with_its_comments() -> None:
    assert written(measured(), measured(CANCEL_033="untested")) == WRITTEN


def test_what_changed_is_written_as_it_came_out() -> None:
    anew = written(measured(code=0, LIFE_004="warn", PAGE_001="pass", CANCEL_033="fail"))

    told = tomllib.loads(anew)
    assert told.pop("fingerprint") == "0123456789ab"
    assert told == {"exit": 0, "warn": ["RUN-LIFE-004"], "fail": ["RUN-CANCEL-033"], "n/a": ["RUN-AUTH-001"]}
    assert '    # a cancelled run comes back\n    "RUN-LIFE-004",' in anew


def test_what_differs_between_sessions_is_chance_that_asks_for_a_reason() -> None:
    anew = written(measured(), measured(LIFE_004="pass"))

    assert {"reason": "TODO: say why", "verdicts": ["fail", "pass"], "requirements": ["RUN-LIFE-004"]} in tomllib.loads(
        anew
    )["either"]


def test_a_report_is_read_by_the_rule_of_the_suite() -> None:
    case = '<testcase><properties><property name="requirement" value="{}"/><property name="verdict" value="{}"/>'
    rows = [("RUN-LIFE-004", "pass"), ("RUN-LIFE-004", "fail"), ("RUN-PAGE-001", "untested"), ("RUN-PAGE-001", "pass")]
    text = "".join(f"{case.format(*row)}</properties></testcase>" for row in rows)

    assert session.verdicts(f"<testsuites>{text}<testcase/></testsuites>") == {
        "RUN-LIFE-004": Verdict.FAIL,
        "RUN-PAGE-001": Verdict.PASS,
    }


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_is_written_names_each_requirement_once_and_each_chance_with_its_reason(name: str) -> None:
    told = tomllib.loads((HERE / "expected" / f"{name}.toml").read_text("utf-8"))
    either = told.pop("either", [])
    listed = [
        id
        for group in (*told.values(), *(each["requirements"] for each in either))
        if isinstance(group, list)
        for id in group
    ]

    assert len(listed) == len(set(listed))
    assert all(catalogue()[id].state is State.ACTIVE for id in listed)
    assert all(each["reason"] and "TODO" not in each["reason"] for each in either)


def test_each_expectation_was_written_for_the_requirements_and_cases_of_today() -> None:
    assert not (told := stale(HERE / "expected", "tox -e targets --")), told


def test_a_stale_expectation_is_named_with_the_command_that_writes_it(tmp_path: Path) -> None:
    for name, text in {
        "current": f'fingerprint = "{fingerprint.fingerprint()}"',
        "other": 'fingerprint = "0123456789ab"',
        "without": "exit = 1",
    }.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")

    told = stale(tmp_path, "tox -e targets --")

    assert f"{tmp_path / 'other.toml'}\n" in told
    assert f"{tmp_path / 'without.toml'}\n" in told
    assert "current" not in told
    assert told.endswith("tox -e targets -- --write other without")


def test_the_expectation_of_a_component_that_cannot_be_installed_stays_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)  # a handler would stay after the test

    def serve(_: Place) -> NoReturn:
        raise Absent("node and npm are not present")

    components = {"gateway": Component("gateway", "a gateway", serve)}
    (tmp_path / "gateway.toml").write_text(WRITTEN, "utf-8")

    as_written = compare(components, parser("targets", "component", components).parse_args(["--write"]), tmp_path)

    assert not as_written
    assert (tmp_path / "gateway.toml").read_text("utf-8") == WRITTEN
    told = capsys.readouterr().out
    assert told == "gateway: skipped, node and npm are not present; its expectation is not written\n"
    assert "--write gateway" in stale(tmp_path, "tox -e targets --")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Computes the fingerprint of a suite with these requirements and cases."""

    def compute(rows: Mapping[str, Requirement], cases: list[tuple[str, str]]) -> str:
        monkeypatch.setattr(fingerprint, "catalogue", lambda _: rows)
        monkeypatch.setattr(fingerprint, "cases", lambda _: cases)
        return fingerprint.fingerprint.__wrapped__(Side.SERVER)

    return compute


@pytest.mark.parametrize(
    "cases",
    [
        [*CASES, ("RUN-LIFE-003", "test_c")],
        CASES[:1],
        [CASES[0], ("RUN-LIFE-004", "test_b[2]")],
        [CASES[0], ("RUN-LIFE-003", "test_b[1]")],
    ],
    ids=["added", "removed", "renamed", "of another requirement"],
)
def test_a_change_of_the_cases_changes_the_fingerprint(cases: list[tuple[str, str]], judged: Judged) -> None:
    assert judged(ROWS, cases) != judged(ROWS, CASES)


@pytest.mark.parametrize(
    "changed",
    [{"title": "SHOULD do so"}, {"state": State.MERGED}, {"id": "RUN-LIFE-099"}],
    ids=["another level", "another state", "another id"],
)
def test_a_change_of_the_requirements_changes_the_fingerprint(changed: dict[str, Any], judged: Judged) -> None:
    row = replace(ROWS["RUN-LIFE-004"], **changed)
    others = {id: each for id, each in ROWS.items() if id != "RUN-LIFE-004"}

    assert judged({**others, row.id: row}, CASES) != judged(ROWS, CASES)


def test_another_title_or_order_does_not_change_the_fingerprint(judged: Judged) -> None:
    told = {id: replace(row, title=f"{row.level} be told in other words") for id, row in reversed(ROWS.items())}

    assert judged(told, CASES[::-1]) == judged(ROWS, CASES)


def test_the_page_has_the_table_of_what_is_written() -> None:
    text = page.PAGE.read_text("utf-8")

    assert text == page.written(text)
    assert all(component.what in text for component in COMPONENTS.values())


def test_the_bundled_recording_of_a_target_that_does_not_conform_replays_in_full(tmp_path: Path) -> None:
    children = Children()
    expected = expectation.read((HERE / "expected" / "fakeai-recorded.toml").read_text("utf-8"))

    told = session.judge(Target(replay="fakeai"), tmp_path, children)

    assert told.code == 1
    assert list(expectation.changes(expected, told)) == []
