"""The SDKs: what is installed of each, and how its driver is started."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from targets import installing
from targets.components import Target
from targets.installing import Absent

from conformance.sdk.session import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from peers.running import Children


@dataclass(frozen=True)
class Sdk:
    """An SDK that others wrote."""

    name: str
    #: Name and version.
    what: str
    #: Installs it below a folder, and gives what a user would tell the suite.
    install: Callable[[Path, Children], Target]


def _python(name: str, pins: Sequence[str]) -> Callable[[Path, Children], Target]:
    def install(kept: Path, children: Children) -> Target:
        programs = installing.python(kept / name, pins, children)
        return Target(sdk=shlex.join([str(programs / "python"), str(DRIVERS / f"{name.replace('-', '_')}.py")]))

    return install


def _node(kept: Path, children: Children) -> Target:
    modules = installing.npm(kept / "openai-node", {"dependencies": {"openai": "7.57.0"}}, children)
    return Target(sdk="openai-node", env={"NODE_PATH": str(modules)})


def _ruby(kept: Path, children: Children) -> Target:  # noqa: ARG001 - gems are the system's
    ruby = shutil.which("ruby")
    if ruby is None:
        raise Absent("ruby is not present")
    if subprocess.run([ruby, "-e", "require 'openai'"], capture_output=True, check=False).returncode:
        raise Absent("the gem openai is not present")
    return Target(sdk="openai-ruby")


SDKS = {
    each.name: each
    for each in (
        Sdk("openai-python", "openai-python 3.54.0", _python("openai-python", ("openai==3.54.0", "httpx2==2.16.2"))),
        Sdk("openai-node", "openai-node 7.57.0", _node),
        Sdk(
            "azure-ai-agents",
            "azure-ai-agents 1.1.0",
            _python("azure-ai-agents", ("azure-ai-agents==1.1.0", "azure-core==1.41.0", "requests==2.34.2")),
        ),
        Sdk("openai-ruby", "openai-ruby", _ruby),
    )
}
