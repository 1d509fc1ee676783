"""Profiles: the dialects that the suite brings, and files of the user's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.profiles import load_profile, names
from conformance.requirements import catalogue
from conformance.settings import CAPABILITIES, BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("name", names())
def test_a_profile_of_the_suite_speaks_of_what_there_is(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert set(profile.rows) <= set(catalogue())
    assert profile.without <= set(CAPABILITIES)


def test_a_file_extends_a_profile(file: Callable[[str], str]) -> None:
    path = file("""
        name = "mine"
        extends = "azure"
        [query]
        tenant = "7"
        [headers]
        x-team = "ours"
        [rows]
        RUN-LIFE-012 = { level = "MAY", reason = "our threads take several runs" }
    """)

    profile = load_profile(path)

    assert profile.key_header == ("api-key", "{key}")
    assert dict(profile.query) == {"api-version": "2024-05-01-preview", "tenant": "7"}
    assert dict(profile.headers) == {"OpenAI-Beta": "", "x-team": "ours"}
    assert profile.rows["RUN-LIFE-012"]["level"] == "MAY"
    assert profile.rows["RUN-ERR-010"]["level"] == "SHOULD"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends = 'openai'", "name: field required"),
        ("name = 'x'\nextends = 'nowhere'", "there is no profile 'nowhere'; it is one of azure, litellm, openai"),
        ("name = 'x'\nheader = {}", "header: extra inputs are not permitted"),
        ("name = 'x'\nsynchronous = 'yes'", "synchronous: input should be a valid boolean"),
        ("name = 'x'\n[rows]\nRUN-1 = { level = 'MUST', reason = 'r' }", "rows.RUN-1"),
        ("name = 'x'\n[rows]\nRUN-LIFE-012 = { level = 'NEVER', reason = 'r' }", "input should be 'must', 'should'"),
        ("name = 'x'\n[auth]\nvalue = 'Bearer'", "auth.value: string should match pattern"),
        ("name = 'x'\n[headers]\na = '{env:NOT_SET_ANYWHERE}'", "needs the environment variable NOT_SET_ANYWHERE"),
        ("name =", "cannot be read as TOML"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(file: Callable[[str], str], text: str, message: str) -> None:
    with pytest.raises(BadSettings) as problem:
        load_profile(file(text))

    assert message in str(problem.value)


def test_a_profile_does_not_extend_itself(file: Callable[[str], str], tmp_path: Path) -> None:
    path = file(f"name = 'x'\nextends = {json.dumps(str(tmp_path / 'mine.toml'))}")

    with pytest.raises(BadSettings, match="extends itself"):
        load_profile(path)


def test_the_command_line_outdoes_the_environment_and_that_the_project(judge: Judge, tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\nextends = "reference"\n', "utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.runs-conformance]\nprofile = "./first.toml"\n', "utf-8")
    asked = ("--target-url=reference", "-k", "RUN-CANCEL-011")

    by_project = judge(*asked)
    by_environment = judge(*asked, RUNS_CONFORMANCE_PROFILE="./second.toml")
    by_option = judge(*asked, "--runs-profile=./third.toml", RUNS_CONFORMANCE_PROFILE="./second.toml")

    assert "(profile first)" in by_project.text, by_project.text
    assert "(profile second)" in by_environment.text
    assert "(profile third)" in by_option.text


def test_a_project_that_sets_what_there_is_not_is_told(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.runs-conformance]\nprofil = "azure"\n', "utf-8")

    ran = judge("--target-url=reference")

    assert ran.code == 4
    assert "knows no profil; it knows api-key-env, profile" in ran.text


def test_what_a_profile_takes_from_the_environment_is_secret(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("""
name = "mine"
extends = "reference"
[headers]
x-upstream-key = "{env:UPSTREAM_KEY}"
""")

    ran = judge(
        "--target-url=reference",
        "--runs-profile=./mine.toml",
        "--runs-fault=cancels-the-finished",
        "--runs-record=mine",
        *("-m", "cancel or auth"),
        UPSTREAM_KEY="sk-upstream-1234",
    )

    assert ran.code == 1
    assert "sk-upstream-1234" not in ran.text
    assert not [path for path in (tmp_path / "cassettes").rglob("*.json") if "sk-upstream-1234" in path.read_text()]


def test_where_a_create_awaits_the_end_nothing_is_cancelled(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nextends = "reference"\nsynchronous = true\n', "utf-8")

    ran = judge("--target-url=reference", "--runs-profile=./mine.toml", "-k", "test_a_run_in_progress_is_cancelled")

    assert "RUN-CANCEL-001" not in ran.text.partition("untested:")[2]
    assert "(1 n/a; 1 of " in ran.text, ran.text
