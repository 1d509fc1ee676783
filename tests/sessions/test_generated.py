"""Generated requests: the same ones for the same seed, and none that a target would have to act on unasked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.states.generated import DRAWS, FUZZED, draws

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

PRINT_DRAWS = """
from conformance.states.generated import draws
for seed in (7, 8):
    print([(each.query, each.ids) for each in draws("list_runs", seed=seed)])
"""


def drawn_elsewhere() -> list[str]:
    """What a process of its own draws for each of two seeds; hypothesis also looks at which modules are loaded."""
    command = [sys.executable, "-c", PRINT_DRAWS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_seed_draws_the_same_requests_in_every_session() -> None:
    seven, eight = drawn_elsewhere()

    assert [seven, eight] == drawn_elsewhere()
    assert seven != eight


@pytest.mark.parametrize("operation", FUZZED)
def test_every_operation_has_its_share(operation: str) -> None:
    drawn = draws(operation, seed=0)

    assert len(drawn) >= DRAWS // 2
    assert {request.operation for request in drawn} == {operation}


@pytest.mark.parametrize(
    "selection",
    [("-k", "not test_sequences"), pytest.param((), marks=pytest.mark.exhaustive)],
    ids=["without sequences", "all"],
)
def test_the_reference_server_withstands_generated_writes(
    judge: Callable[..., Ran], tmp_path: Path, selection: tuple[str, ...]
) -> None:
    ran = judge("--target-url=reference", "--runs-fuzz=writes", "--runs-gate=should", "--runs-seed=3", *selection)

    assert ran.code == 0, ran.text
    assert "test_fuzzing" in ran.text
    assert list(tmp_path.iterdir()) == []
