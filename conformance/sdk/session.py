"""A session that judges a client: the driver, and what is said of both."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from conformance import __version__
from conformance.reports.commands import Place
from conformance.sdk.conversation import Conversation
from conformance.sdk.driver import Driver
from conformance.sdk.general import General
from conformance.sdk.protocol import DriverBroke, Hello
from conformance.session import Session
from conformance.settings import BadSettings
from conformance.states.visit import NothingToMeasure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.requirements import Requirement
    from conformance.sdk.made import Made
    from conformance.settings import Settings

DRIVERS: Final = Path(__file__).parent / "drivers"
#: What runs a driver that comes with the suite, by the end of its name; Python is that of the session.
_RUNNERS: Final = {".py": sys.executable, ".cjs": "node", ".rb": "ruby"}


class ClientSession(Session):
    """What the plugin, the fixtures and the reports share where a client is judged; nothing is sent to any target."""

    def __init__(self, settings: Settings, start: Path) -> None:
        """
        Prepare a session.

        Args:
            settings: What was asked for; `sdk` is the name of a driver that comes with the suite, or a command.
            start: The folder that pytest was started in; drivers run there.

        Raises:
            BadSettings: there is no such driver.
        """
        super().__init__(settings, start)
        command = command_of(settings.sdk)
        self._driver = Driver(command, start, self.means.waits.budget("driver"))
        self._hello = Hello(settings.sdk)
        self._made: list[Made] = []
        self._general = General()

    @property
    def target(self) -> str:
        """The client in words, for people."""
        return self._hello.client

    def header(self) -> list[str]:
        """What the session believes, for the head of the terminal report."""
        return [f"conformance {__version__}: the client behind --runs-sdk={self.settings.sdk}", *super().header()[1:]]

    def capabilities(self) -> Iterator[str]:
        """Who is judged, and what the driver says is lacking."""
        yield f"conformance: {self.target}"
        yield from (f"conformance: lacks {name}: {why}" for name, why in sorted(self._hello.lacks.items()))

    def arrive(self, rows: Iterable[Requirement]) -> None:  # noqa: ARG002 - a driver says by itself what is lacking
        """
        Start the driver, and hear whom it drives.

        Raises:
            NothingToMeasure: it cannot be started, or does not speak the protocol.
        """
        try:
            self._hello = self._driver.hello()
        except DriverBroke as problem:
            raise NothingToMeasure(
                f"there is no client to judge behind --runs-sdk={self.settings.sdk}: {problem}"
            ) from None

    def conversation(self, row: Requirement) -> Conversation:
        """What a case about a requirement says to the client."""
        scope, command = self.client.scope_name, self.settings.sdk
        return Conversation(self._driver, self._hello, self.journal, scope, command, row.id, self._made, self._general)

    def cost(self) -> str:
        """What the client sent, for people."""
        return f"{len(self.journal)} requests by the client"

    def tokens(self) -> int:
        """Nothing: the runs are made up."""
        return 0

    def close(self, *, whole: bool) -> None:
        """End the driver, and the session."""
        self._driver.end()
        super().close(whole=whole)

    @property
    def place(self) -> Place:
        """Whose failures are told."""
        return Place(target=self.target, origin="http://127.0.0.1:PORT", role="client")


def command_of(sdk: str) -> list[str]:
    """
    The command that starts a driver.

    Args:
        sdk: The name of one that comes with the suite, or a command as for a shell.

    Raises:
        BadSettings: there is no such driver or program.
    """
    bundled = {path.stem.replace("_", "-"): path for path in DRIVERS.iterdir() if path.suffix in _RUNNERS}
    if path := bundled.get(sdk):
        command = [_RUNNERS[path.suffix], str(path)]
    else:
        try:
            command = shlex.split(sdk)
        except ValueError as problem:
            raise BadSettings(f"--runs-sdk={sdk} is no command: {problem}") from None
    if not command or shutil.which(command[0]) is None:
        names = ", ".join(sorted(bundled))
        missing = f"needs {command[0]}, which is not there" if sdk in bundled else "names no program"
        raise BadSettings(f"--runs-sdk={sdk} {missing}; drivers that come with the suite: {names}")
    return command
