"""One case's conversation: what the server is to answer, the call that the driver makes, and what came of both."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from conformance.outcomes import NotClaimed, Untested, Violated, Violation
from conformance.sdk.bodies import RUN, THREAD
from conformance.sdk.general import ENDS, MOST, ONCE, SHOWN, SURVEYED, Called, again
from conformance.sdk.granting import granted
from conformance.sdk.made import Asked, Made
from conformance.sdk.protocol import EXPECTED, NEEDED, Answer, CallHangs
from conformance.sdk.server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.sdk.driver import Driver
    from conformance.sdk.general import General
    from conformance.sdk.protocol import Hello
    from conformance.sdk.script import Scripted
    from conformance.wire.exchange import Exchange, Request, Response
    from conformance.wire.journal import Journal

#: The key that every client is given; it opens nothing.
KEY: Final = "sk-of-the-conformance-suite"
#: Seconds that a client may take for one request, where a case is not about that.
PATIENCE: Final = 8.0
#: The requirement that something is sent at all, and the one that a client breaks which cannot be given a plain run.
_SENDS: Final = "SDK-REQ-001"
_PLAIN_ROW: Final = "SDK-RUN-001"


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
    #: When the call was over, in Unix seconds.
    ended: float
    #: The requirement that the case is about.
    row: str
    #: What is wrong with the call whatever the case is about, by the requirement.
    general: Mapping[str, Violation]
    #: Whether the error is one that the client has for a plain run as well.
    breaks_anyway: Callable[[Mapping[str, Any]], bool]

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
            Untested: the client has not even tried, or breaks on any run.
        """
        if self.row != _SENDS:
            self.need_sent()
        if not condition:
            if self.breaks_anyway(self.error):
                raise Untested(f"so does a plain run, which {_PLAIN_ROW} is about: {self.answer}")
            told = str(self.answer) if actual is None else str(actual)
            raise Violated(Violation(expected, told, tuple(self.requests[-SHOWN:]), calls=self.calls))

    def expect_in_general(self) -> None:
        """
        Nothing may be wrong with the call that the requirement says of every call.

        Raises:
            Violated: something is.
            Untested: the client has not even tried.
        """
        self.need_sent()
        if violation := self.general.get(self.row):
            raise Violated(violation)

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
    #: The command or name that stands behind `--runs-sdk`.
    sdk: str
    #: The requirement that the case is about.
    row: str
    #: All calls that were made in the session, in order.
    all_made: list[Made]
    #: What is seen of all calls of the session.
    general: General
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
            Untested: the client cannot make it, or did something else than the case is about.
            Violated: it never ends.
            DriverBroke: the driver did not keep to the protocol.
        """
        self._need(call, retries=retries, timeout=timeout)
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
        answer, hanging = Answer(), None
        try:
            answer = self.driver.ask(call, arguments, {"base_url": f"http://127.0.0.1:{server.port}{base}", **set_up})
        except CallHangs as problem:
            hanging = problem
        finally:
            seconds, ended = time.monotonic() - began, time.time()
            server.end()
            if other:
                other.end()
        client = {"base_url": f"http://127.0.0.1:PORT{base}", **set_up}
        shown = {"id": 1, "call": call, "arguments": arguments, "client": client}
        line, in_order = json.dumps(shown, ensure_ascii=False), sorted(kept, key=lambda each: each.at)
        if hanging:
            self._hangs(Called(call, retries, in_order, (line, again(self.sdk, self.row or SURVEYED, ENDS))), hanging)
        if answer.unsupported:
            told = f"{call} with {', '.join(arguments)}"
            raise _impossible(call if arguments.keys() <= NEEDED else "", answer.unsupported, told)
        calls = (line, self.again())
        made = Made(asked, f"127.0.0.1:{server.port}", self.row, in_order, asides, calls)
        self.all_made.append(made)
        found = self._judged(Called(call, retries, in_order, (line,)), arguments)
        return Seen(
            answer,
            in_order,
            seconds,
            strayed,
            server.longest_pause,
            calls,
            made,
            ended,
            self.row,
            found,
            self._breaks_anyway,
        )

    def again(self, *more: str) -> str:
        """The command that judges the client by the requirement, and by more of them where their cases are needed."""
        return again(self.sdk, self.row, *more)

    def _need(self, call: str, *, retries: int, timeout: float) -> None:
        """Go on only where the client can make such a call, and its calls come to an end."""
        if reason := self.hello.lacks.get(call):
            raise _impossible(call, reason)
        if retries:
            self.claims("retries")
        if timeout != PATIENCE:
            self.claims("timeouts")
        if self.driver.hopeless:
            raise Untested(f"several calls did not end, so that nothing more is asked, which {ENDS} is about")

    def _judged(self, called: Called, arguments: Mapping[str, Any]) -> Mapping[str, Violation]:
        """What is wrong with a call in general; what was sent too often shows nothing else."""
        if self.row != ONCE and called.is_one and len(called.requests) > 1 and not self._is_one(called.call, arguments):
            raise Untested(
                f"the client makes several requests of a {called.call} that is granted, which {ONCE} is about"
            )
        found = self.general.judge(called, self.sdk, self.row)
        for id in {ONCE, MOST} & found.keys() - {self.row}:
            raise Untested(f"{found[id].actual} instead of {found[id].expected}, which {id} is about")
        return found

    def _is_one(self, call: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a call that is granted is one request, which is tried once a session."""
        key = f"{call} is one request"
        if key not in self.general.kept:
            seen = replace(self, row=ONCE, _script=[granted(call)] * 2, _elsewhere=[]).call(call, **arguments)
            self.general.kept[key] = ONCE not in seen.general
            if violation := seen.general.get(ONCE):
                self.general.meet(ONCE, violation, self.row)
        return bool(self.general.kept[key])

    def _breaks_anyway(self, error: Mapping[str, Any]) -> bool:
        """Whether the client ends with the same error where it is given a plain run, so that no answer matters."""
        if error.get("kind") != "other" or self.row in {_SENDS, _PLAIN_ROW}:
            return False
        plainly = replace(self, row=_PLAIN_ROW, _script=[granted("retrieve_run")], _elsewhere=[])
        try:
            plain = plainly.call("retrieve_run", thread_id=THREAD, run_id=RUN).error
        except Untested:
            return False
        return (plain.get("kind"), plain.get("message")) == ("other", error.get("message"))

    def _hangs(self, called: Called, problem: CallHangs) -> NoReturn:
        """A client that was told to give up after some seconds does not, which is nobody's fault but its own."""
        if "timeouts" in self.hello.lacks:
            raise problem
        violation = called.violation("an end of the call", f"none within {problem.seconds:g} s")
        if self.row == ENDS:
            raise Violated(violation)
        self.general.meet(ENDS, violation, self.row)
        raise Untested(f"the call did not end within {problem.seconds:g} s, which {ENDS} is about")

    def _keep(self, request: Request, response: Response, at: float, seconds: float) -> Exchange:
        return self.journal.append(scope=self.scope, request=request, response=response, at=at, duration=seconds)


def _impossible(call: str, reason: str, what: str = "") -> Untested:
    told = f"the client has no {what or call}: {reason}"
    return Untested(told) if call in EXPECTED else NotClaimed(told)
