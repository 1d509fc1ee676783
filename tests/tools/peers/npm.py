"""Programs from npm, pinned, in a folder that is thrown away."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tools.peers.running import Children, ToolError

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 300


def installed(package: str, version: str, program: str, folder: Path, children: Children) -> Path:
    """
    Install a package, without running scripts of its own or of what it depends on.

    Args:
        package: Its name.
        version: Exactly which.
        program: The name of the program that is wanted from it.
        folder: Where to.
        children: Who runs npm.

    Raises:
        ToolError: there is no npm, or it could not install the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ToolError("npm is not present")
    folder.mkdir()
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    command = [npm, "install", f"--prefix={folder}", *quiet, f"{package}@{version}"]
    done = children.run(command, log=folder / "npm.log", cwd=folder, seconds=_SECONDS)
    found = folder / "node_modules" / ".bin" / program
    if done.code or not found.exists():
        raise ToolError(f"npm could not install {package}@{version}")
    return found
