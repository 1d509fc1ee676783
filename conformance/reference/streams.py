"""What a stream says of a run, moment by moment: the differences between what the run is and what was said of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance.reference.runs import FINAL
from conformance.reference.steps import steps_of, words_of
from conformance.reference.store import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.reference.runs import Run
    from conformance.reference.store import Message

    Said = tuple[str, Any]

#: The last event, whose data alone is no JSON.
DONE: Final = ("done", "[DONE]")
#: Seconds after which a stream looks again where nothing is planned.
_PATIENCE: Final = 1.0
#: Characters of a call's arguments that come at once.
_PORTION: Final = 6


class Story:
    """Tells of one run from a moment on, until it rests or waits for outputs."""

    def __init__(self, run: Run, since: float, show: Callable[[float], dict[str, Any]]) -> None:
        """
        Begin to tell.

        Args:
            run: What is told of.
            since: The moment before the first one that is told, in Unix seconds.
            show: What the run looks like at a moment.
        """
        self.run, self._show = run, show
        self._told_until = since
        self._before: list[Said] = []
        self._status = run.status(since) if since >= run.created else ""
        self._steps = {step.id: step.status for step in steps_of(run, since)}
        self._text = run.text_at(since)
        message = answer_of(run, since)
        self._message = message.status if message else ""
        #: Whether nothing more will be said.
        self.is_over = False

    def begin_with(self, name: str, data: Any) -> None:
        """Tell something else first."""
        self._before.append((name, data))

    def due(self, now: float) -> Iterator[Said]:
        """What has happened since it was last asked, in order: the names of events, and their data."""
        yield from self._before
        self._before.clear()
        for moment in [each for each in self._moments() if self._told_until < each <= now]:
            if not self.is_over:
                yield from self._happening(moment)
        self._told_until = now

    def next(self, now: float) -> float:
        """The next moment at which something will have happened, unless somebody intervenes."""
        return next((each for each in self._moments() if each > now), now + _PATIENCE)

    def _moments(self) -> list[float]:
        run = self.run
        begun = [step.begun for step in steps_of(run, run.plan[-1].at)]
        return sorted({*(event.at for event in run.plan), *begun, *words_of(run)})

    def _happening(self, moment: float) -> Iterator[Said]:
        """What changes at a moment: first what ends, then the run, then what begins."""
        steps, message = steps_of(self.run, moment), answer_of(self.run, moment)
        status = self.run.status(moment)
        if message and self._message == "in_progress":
            yield from self._written(message)
            if message.status != "in_progress":
                yield f"thread.message.{message.status}", message.view()
        for step in steps:
            if step.id in self._steps and status == "requires_action":
                yield from _deltas_of(step.id, self.run.calls())
            if step.id in self._steps and step.status != self._steps[step.id]:
                yield f"thread.run.step.{step.status}", {**step.view(), "expires_at": self.run.expires_at}
        yield from self._moved(status, moment)
        for step in steps:
            if step.id not in self._steps:
                yield "thread.run.step.created", step.view()
                yield "thread.run.step.in_progress", step.view()
        if message and not self._message:
            yield "thread.message.created", message.view()
            yield "thread.message.in_progress", message.view()
        self._steps = {step.id: step.status for step in steps}
        self._message = message.status if message else ""

    def _moved(self, status: str, moment: float) -> Iterator[Said]:
        if not self._status:
            yield "thread.run.created", self._show(moment)
        if status != self._status:
            yield f"thread.run.{status}", self._show(moment)
            self._status, self.is_over = status, status in FINAL or status == "requires_action"

    def _written(self, message: Message) -> Iterator[Said]:
        if new := message.text[len(self._text) :]:
            annotations: dict[str, Any] = {} if self._text else {"annotations": []}
            self._text = message.text
            part = {"index": 0, "type": "text", "text": {"value": new, **annotations}}
            delta = {"id": message.id, "object": "thread.message.delta", "delta": {"content": [part]}}
            yield "thread.message.delta", delta


def _deltas_of(step_id: str, calls: list[dict[str, Any]]) -> Iterator[Said]:
    """The calls of a step, bit by bit."""
    for index, call in enumerate(calls):
        function = call["function"]
        first = {"index": index, **call, "function": {"name": function["name"], "arguments": "", "output": None}}
        yield _delta(step_id, first)
        text = function["arguments"]
        for start in range(0, len(text), _PORTION):
            more = {"arguments": text[start : start + _PORTION]}
            yield _delta(step_id, {"index": index, "type": "function", "function": more})


def _delta(step_id: str, call: Mapping[str, Any]) -> Said:
    details = {"type": "tool_calls", "tool_calls": [call]}
    delta = {"id": step_id, "object": "thread.run.step.delta", "delta": {"step_details": details}}
    return "thread.run.step.delta", delta


def framed(name: str, data: Any) -> bytes:
    """An event as it travels; its data is JSON on one line, or a text as it is."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n".encode()
