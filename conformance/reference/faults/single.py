"""One operation alone: the same mistake in each of them, while all others are right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import enter
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.reference.calls import Answer, Call
    from conformance.reference.runs import Run

#: The operations on runs, in words.
OPERATIONS = {
    "create_run": "the create",
    "retrieve_run": "the retrieve",
    "list_runs": "the list",
    "modify_run": "the modify",
    "cancel_run": "the cancel",
    "submit_tool_outputs": "the submit",
}
_OK = 200


def _let_in(operation: str) -> type[Operations]:
    class LetIn(Operations):
        def admit(self, headers: Mapping[str, str], asked: str) -> None:
            if asked != operation:
                super().admit(headers, asked)

    return LetIn


def _answered(operation: str, change: Callable[[Answer], Answer]) -> type[Operations]:
    class Answered(Operations):
        def sent(self, answer: Answer, call: Call) -> Answer:
            answer = super().sent(answer, call)
            return change(answer) if call.operation == operation and answer.status == _OK else answer

    return Answered


def _shown(operation: str, change: Callable[[dict[str, Any]], object]) -> type[Operations]:
    class Shown(Operations):
        def shown(self, run: Run, call: Call) -> dict[str, Any]:
            told = super().shown(run, call)
            if call.operation == operation:
                change(told)
            return told

    return Shown


def _now_and_then(operation: str, change: Callable[[Answer], Answer]) -> type[Operations]:
    class NowAndThen(Operations):
        _answers = 0

        def sent(self, answer: Answer, call: Call) -> Answer:
            answer = super().sent(answer, call)
            if call.operation != operation or answer.status != _OK:
                return answer
            self._answers += 1
            return answer if self._answers % 4 else change(answer)

    return NowAndThen


def _created(answer: Answer) -> Answer:
    return replace(answer, status=201)


def _plain(answer: Answer) -> Answer:
    if answer.frames is not None:  # which has faults of its own
        return answer
    return replace(answer, headers={**answer.headers, "content-type": "text/plain"})


def _cut(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[:-2])


#: Where an operation has requirements of its own.
_ITS_OWN = {
    "create-run-of-another-thread": ("SCHEMA-007", "STREAM-016"),
    "create-run-other-instructions": ("INV-029", "CREATE-007", "CREATE-008", "STREAM-016"),
    "retrieve-run-of-another-thread": ("SCHEMA-007", "STREAM-016"),
    "retrieve-run-other-instructions": ("INV-029", "INV-033", "CANCEL-029", "STREAM-016", "STREAM-025"),
    "retrieve-run-without-metadata": ("SCHEMA-035", "STREAM-025"),
    "list-runs-of-another-thread": ("PAGE-003",),
    "list-runs-other-instructions": ("INV-029", "INV-033", "CANCEL-029"),
    "cancel-run-created": ("ERR-012", "CANCEL-001"),
    "cancel-run-cut": ("HDR-003", "CANCEL-001"),
    "cancel-run-now-and-then": ("ERR-012", "CANCEL-001"),
    "cancel-run-of-another-thread": ("CANCEL-002",),
    "cancel-run-other-instructions": ("CANCEL-029",),
    "submit-tool-outputs-of-another-thread": ("SCHEMA-007", "STREAM-016"),
    "submit-tool-outputs-other-instructions": ("INV-029", "STREAM-016"),
}
_SEEN = {"create-run-created": "openai-responses 0.13.1"}


def _alone(operation: str, kind: str, does: str, breaks: tuple[str, ...], behaviour: type[Operations]) -> None:
    name = f"{operation.replace('_', '-')}-{kind}"
    enter(name, does, _ITS_OWN.get(name, breaks), behaviour, seen=_SEEN.get(name, ""))


for _id, _words in OPERATIONS.items():
    _whose = _words.capitalize()
    _alone(_id, "without-key", f"{_whose} asks for no key.", ("AUTH-002", "AUTH-003"), _let_in(_id))
    _alone(_id, "created", f"{_whose} is answered 201.", ("ERR-012",), _answered(_id, _created))
    _alone(_id, "plain-text", f"{_whose} is answered in plain text.", ("HDR-003",), _answered(_id, _plain))
    _alone(_id, "cut", f"The reply to {_words} breaks off.", ("HDR-003",), _answered(_id, _cut))
    _alone(
        _id,
        "now-and-then",
        f"One in four times {_words} is answered 201.",
        ("ERR-012",),
        _now_and_then(_id, _created),
    )
    _alone(
        _id,
        "without-metadata",
        f"{_whose} shows no metadata.",
        ("SCHEMA-035",),
        _shown(_id, lambda told: told.pop("metadata")),
    )
    _alone(
        _id,
        "of-another-thread",
        f"{_whose} names another thread.",
        ("SCHEMA-007",),
        _shown(_id, lambda told: told.update(thread_id="thread_of_another")),
    )
    _alone(
        _id,
        "other-instructions",
        f"{_whose} shows other instructions.",
        ("INV-029",),
        _shown(_id, lambda told: told.update(instructions="Be silly.")),
    )
