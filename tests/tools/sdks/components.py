"""The SDKs: what is installed of each, and how its driver is started."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.sdk.session import DRIVERS
from tools.targets import installing
from tools.targets.components import Component, Target
from tools.targets.installing import Absent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.targets.components import Place


#: What is written of each.
EXPECTED = Path(__file__).parent / "expected"


def _sdk(name: str, what: str, install: Callable[[Place], Target]) -> Component:
    """An SDK that others wrote; nothing is served, since its driver is started by the session that judges it."""
    return Component(name, what, lambda place: nullcontext(install(place)))


def _python(name: str, pins: Sequence[str]) -> Callable[[Place], Target]:
    def install(place: Place) -> Target:
        programs = installing.python(place.kept / name, pins, place.children)
        return Target(sdk=shlex.join([str(programs / "python"), str(DRIVERS / f"{name.replace('-', '_')}.py")]))

    return install


def _node(place: Place) -> Target:
    modules = installing.npm(place.kept / "openai-node", {"dependencies": {"openai": "7.57.0"}}, place.children)
    return Target(sdk="openai-node", env={"NODE_PATH": str(modules)})


def _ruby(place: Place) -> Target:  # noqa: ARG001 - gems are the system's
    ruby = shutil.which("ruby")
    if ruby is None:
        raise Absent("ruby is not present")
    if subprocess.run([ruby, "-e", "require 'openai'"], capture_output=True, check=False).returncode:
        raise Absent("the gem openai is not present")
    return Target(sdk="openai-ruby")


SDKS = {
    each.name: each
    for each in (
        _sdk("openai-python", "openai-python 3.54.0", _python("openai-python", ("openai==3.54.0", "httpx2==2.16.2"))),
        _sdk("openai-node", "openai-node 7.57.0", _node),
        _sdk(
            "azure-ai-agents",
            "azure-ai-agents 1.1.0",
            _python("azure-ai-agents", ("azure-ai-agents==1.1.0", "azure-core==1.41.0", "requests==2.34.2")),
        ),
        _sdk("openai-ruby", "openai-ruby", _ruby),
    )
}
