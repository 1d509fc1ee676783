"""Servers, gateways and SDKs that others wrote are judged as is written of them; collected only where it is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT
from tools.sdks.components import SDKS
from tools.targets.components import COMPONENTS

#: Seconds for one tool: installing a component, and a session against it.
SECONDS = 1800


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where components are installed: a folder that is named in the environment, or one for this session."""
    named = os.environ.get("RUNS_CONFORMANCE_KEPT")
    return Path(named) if named else tmp_path_factory.mktemp("kept")


def run(tool: str, *arguments: str) -> str:
    """What a tool prints; it must end with 0."""
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_target_is_as_written(name: str, kept: Path) -> None:
    printed = run("targets", f"--kept={kept}", name)

    if f"{name}: skipped" in printed:
        pytest.skip(printed.strip())


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_is_as_written(name: str, kept: Path) -> None:
    printed = run("sdks", f"--kept={kept}", name)

    if f"{name}: skipped" in printed:
        pytest.skip(printed.strip())


def test_the_tests_of_openai_python_pass_on_the_stateless_server(kept: Path) -> None:
    run("sdk_tests", f"--kept={kept}")
