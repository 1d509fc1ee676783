"""What is pure in the comparison with real components, and the one of them that is on cassettes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from conformance.requirements import State, catalogue
from conformance.verdicts import Verdict
from tools.peers.running import Children
from tools.targets import expectation, page, session
from tools.targets.components import COMPONENTS, HERE, Target
from tools.targets.session import Measured

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = """\
# a component
exit = 1

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
    assert expectation.written([measured(), measured(CANCEL_033="untested")], WRITTEN) == WRITTEN


def test_what_changed_is_written_as_it_came_out() -> None:
    anew = expectation.written([measured(code=0, LIFE_004="warn", PAGE_001="pass", CANCEL_033="fail")], WRITTEN)

    told = tomllib.loads(anew)
    assert told == {"exit": 0, "warn": ["RUN-LIFE-004"], "fail": ["RUN-CANCEL-033"], "n/a": ["RUN-AUTH-001"]}
    assert '    # a cancelled run comes back\n    "RUN-LIFE-004",' in anew


def test_what_differs_between_sessions_is_chance_that_asks_for_a_reason() -> None:
    anew = expectation.written([measured(), measured(LIFE_004="pass")], WRITTEN)

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
