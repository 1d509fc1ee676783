"""The bundled cassettes are exactly what the suite records from the reference server today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.data import folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran


def test_recording_the_reference_server_anew_changes_nothing(judge: Callable[..., Ran], tmp_path: Path) -> None:
    ran = judge("--target-url=reference", "--runs-record=./anew", "-q")
    assert ran.code == 0, ran.text

    bundled, anew = contents(folder("cassettes") / "reference"), contents(tmp_path / "anew")

    changed = sorted(name for name in bundled.keys() | anew.keys() if bundled.get(name) != anew.get(name))
    assert changed == [], "record the bundled set anew with tox -e record, and look at what changed"


def contents(top: Path) -> dict[str, bytes]:
    """Every file below a folder by its path there."""
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
