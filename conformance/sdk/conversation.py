"""One case's conversation: what the server is to answer, the call that the driver makes, and what came of both."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import NotClaimed, Untested, Violated, Violation
from conformance.sdk.made import Asked, Made
from conformance.sdk.protocol import EXPECTED, NEEDED
from conformance.sdk.server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.sdk.driver import Driver
    from conformance.sdk.protocol import Answer, Hello
    from conformance.sdk.script import Scripted
    from conformance.wire.exchange import Exchange, Request, Response
    from conformance.wire.journal import Journal

#: The key that every client is given; it opens nothing.
KEY: Final = "sk-of-the-conformance-suite"
#: Seconds that a client may take for one request, where a case is not about that.
PATIENCE: Final = 8.0
#: The last requests of a call, which are enough to show what is wrong.
_SHOWN: Final = 8


@dataclass(frozen=True)
class Seen:
    """What one call came to on both sides: what the client sent, and what its user saw."""

    answer: Answer
    #: What was sent, in order, but for looks at something before it is changed.
    requests: Sequence[Exchange]
    #: From the call to its end, by the suite's clock.
    seconds: float
    #: What another server was sent, where the first one sent the client there.
    strayed: Sequence[Exchange]
    #: The longest that the client was left without anything once it had asked; on a busy machine more than was meant.
    longest_pause: float
    #: The line that the driver was given, and the command that repeats the case.
    calls: tuple[str, ...]
    #: What judges of what was sent look at.
    made: Made

    @property
    def error(self) -> Mapping[str, Any]:
        """The error that the user saw; empty where there was none."""
        return self.answer.error or {}

    @property
    def sent(self) -> Request:
        """
        The first request.

        Raises:
            Untested: there was none.
        """
        self.need_sent()
        return self.requests[0].request

    @property
    def result(self) -> Any:
        """
        What the call gave.

        Raises:
            Untested: it ended with an error.
        """
        if self.answer.error is not None:
            raise Untested(f"the call ended with an error, which other requirements are about: {self.answer}")
        return self.answer.result

    def expect(self, condition: object, expected: str, actual: object = None) -> None:
        """
        Something must hold; what was sent shows that it does not, unless it is told what does.

        Raises:
            Violated: it does not.
            Untested: it does because the client has not even tried.
        """
        if not self.requests and self.made.asides:
            self.need_sent()
        if not condition:
            told = str(self.answer) if actual is None else str(actual)
            raise Violated(Violation(expected, told, tuple(self.requests[-_SHOWN:]), calls=self.calls))
        self.need_sent()

    def need_sent(self) -> None:
        """
        Something must have been sent, without which nothing is measured.

        Raises:
            Untested: nothing was.
        """
        if not self.requests and self.made.asides:
            raise Untested(f"the client did nothing but read, which SDK-REQ-002 is about: {self.answer}")
        if not self.requests:
            raise Untested(f"the client sent nothing, which SDK-REQ-001 is about: {self.answer}")


@dataclass
class Conversation:
    """What a case says to a client and to the server that the client talks to."""

    driver: Driver
    hello: Hello
    journal: Journal
    scope: str
    #: The requirement that the case is about.
    row: str
    #: The command that starts the driver, as the user gave it.
    command: str
    #: All calls that were made in the session, in order.
    all_made: list[Made]
    #: Where another server listens during a call, if it was told what to answer.
    elsewhere: str = ""
    _elsewhere: list[Scripted] = field(default_factory=list)
    _script: list[Scripted] = field(default_factory=list)

    def answers(self, *replies: Scripted) -> None:
        """Say what the server answers during the next call, in order."""
        self._script = list(replies)

    def elsewhere_answers(self, *replies: Scripted) -> None:
        """Say what another server answers during the next call."""
        self._elsewhere = list(replies)

    def claims(self, feature: str) -> None:
        """
        Go on only where the client is not declared to lack a feature.

        Raises:
            NotClaimed: it is.
        """
        if reason := self.hello.lacks.get(feature):
            raise NotClaimed(f"the client has no {feature}: {reason}")

    def call(
        self, call: str, *, retries: int = 0, timeout: float = PATIENCE, base: str = "/v1", **arguments: Any
    ) -> Seen:
        """
        Have the client make a call.

        Args:
            call: Its name.
            retries: How often the client may ask again.
            timeout: The client's own, in seconds.
            base: The path of the base URL.
            arguments: Those of the call.

        Raises:
            Untested: the client cannot make it.
            DriverBroke: the driver did not keep to the protocol.
        """
        if reason := self.hello.lacks.get(call):
            raise _impossible(call, reason)
        if retries:
            self.claims("retries")
        if timeout != PATIENCE:
            self.claims("timeouts")
        kept: list[Exchange] = []
        asides: list[Exchange] = []
        strayed: list[Exchange] = []

        def keep(request: Request, response: Response, at: float, took: float, aside: bool) -> None:
            (asides if aside else kept).append(self._keep(request, response, at, took))

        asked = Asked(call, arguments, base)
        server = ScriptedServer(self._script, keep, aside=asked.aside)
        other = None
        if self._elsewhere:
            other = ScriptedServer(self._elsewhere, lambda *told: strayed.append(self._keep(*told[:-1])))
            self.elsewhere = f"http://localhost:{other.port}"  # another name, since a port is no other host to some
        began = time.monotonic()
        set_up = {"api_key": KEY, "timeout": timeout, "retries": retries}
        try:
            answer = self.driver.ask(call, arguments, {"base_url": f"http://127.0.0.1:{server.port}{base}", **set_up})
        finally:
            seconds = time.monotonic() - began
            server.end()
            if other:
                other.end()
        if answer.unsupported:
            told = f"{call} with {', '.join(arguments)}"
            raise _impossible(call if arguments.keys() <= NEEDED else "", answer.unsupported, told)
        client = {"base_url": f"http://127.0.0.1:PORT{base}", **set_up}
        line = {"id": 1, "call": call, "arguments": arguments, "client": client}
        calls = (json.dumps(line, ensure_ascii=False), self.again())
        made = Made(asked, f"127.0.0.1:{server.port}", self.row, sorted(kept, key=lambda each: each.at), asides, calls)
        self.all_made.append(made)
        return Seen(answer, made.requests, seconds, strayed, server.longest_pause, calls, made)

    def again(self, *more: str) -> str:
        """The command that judges the client by the requirement, and by more of them where their cases are needed."""
        selected = " or ".join(each for each in (self.row, *more) if each)
        return f"pytest --runs-sdk={shlex.quote(self.command)} -k {shlex.quote(selected)}"

    def _keep(self, request: Request, response: Response, at: float, seconds: float) -> Exchange:
        return self.journal.append(scope=self.scope, request=request, response=response, at=at, duration=seconds)


def _impossible(call: str, reason: str, what: str = "") -> Untested:
    told = f"the client has no {what or call}: {reason}"
    return Untested(told) if call in EXPECTED else NotClaimed(told)
