"""What a component is installed into: a folder of its own, kept from run to run as long as its pins are the same."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from tools.peers.running import Children, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS = 900
#: Written last, with the pins: a folder without it, or with others, is made anew.
_PINS = "pins.json"


class Absent(Exception):
    """Why a component cannot be run on this machine; no finding, and no failure."""


def python(folder: Path, pins: Sequence[str], children: Children) -> Path:
    """
    Give the folder of programs of an environment that has these packages.

    Args:
        folder: Where the environment is, or is made.
        pins: Requirements for pip.
        children: Who runs pip.
    """
    programs = folder / "bin"
    if _is_kept(folder, pins):
        return programs
    _run([sys.executable, "-m", "venv", str(folder)], folder, children)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run([str(programs / "python"), *install, *pins], folder, children)
    _keep(folder, pins)
    return programs


def npm(folder: Path, package: dict[str, Any], children: Children) -> Path:
    """
    Give the folder of modules of a package, installed without running scripts of its own or of what it depends on.

    Args:
        folder: Where it is, or is installed.
        package: What stands in package.json.
        children: Who runs npm.

    Raises:
        Absent: there is no npm.
    """
    program = shutil.which("npm")
    if program is None or not shutil.which("node"):
        raise Absent("node and npm are not present")
    modules = folder / "node_modules"
    if _is_kept(folder, package):
        return modules
    (folder / "package.json").write_text(json.dumps({"private": True, **package}), "utf-8")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _run([program, "install", f"--prefix={folder}", *quiet], folder, children)
    _keep(folder, package)
    return modules


def _is_kept(folder: Path, pins: object) -> bool:
    """Whether it was installed with just these pins; if not, it is an empty folder now."""
    told = folder / _PINS
    if told.is_file() and told.read_text("utf-8") == json.dumps(pins):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return False


def _keep(folder: Path, pins: object) -> None:
    (folder / _PINS).write_text(json.dumps(pins), "utf-8")


def _run(command: Sequence[str], folder: Path, children: Children) -> None:
    log = folder.with_name(f"{folder.name}.log")
    if children.run(command, log=log, cwd=folder, seconds=_SECONDS).code:
        raise ToolError(f"could not be installed: {log.read_text('utf-8', errors='replace').strip()[-300:]}")
