"""Cassette sets of a target that does not exist: recording one, and playing it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.redaction import Redactor
from conformance.replay.player import ReplaySender
from conformance.replay.provenance import Provenance
from conformance.replay.recorder import RecordingSender
from conformance.senders import Reply
from conformance.wire.exchange import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SECRET = 'sk-planted/Zu ß"rich+1'
CASE = "cases/test_cancel/test_a_case[in_progress]"
SUBJECT = "subjects/completed"
JSON = {"content-type": "application/json"}
RUN = Request("GET", "/v1/threads/thread_1/runs/run_1", headers={"accept": "application/json"})
CANCEL = Request("POST", "/v1/threads/thread_1/runs/run_1/cancel", headers=JSON, body=b'{"a": 1, "b": 2}')
PROVENANCE = Provenance(
    target="a fake",
    recorded_at="2026-11-21T00:00:00+00:00",
    suite_version="1.0",
    profile="openai",
    base_path="/v1",
    cancel_policy="documented",
    without=("auth",),
)


class FakeTarget:
    """Gives the answers in order; a second passes between two of them."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.clock = 1_763_683_200.125
        self.heard: list[str] = []

    def open(self, scope: str) -> None:
        self.heard.append(f"open {scope}")

    def close(self, scope: str, *, complete: bool) -> None:
        self.heard.append(f"close {scope} {complete}")

    def now(self, _scope: str) -> float:
        return self.clock

    def wait(self, seconds: float, *_scopes: str) -> None:
        self.clock += seconds

    def send(self, _request: Request, _scope: str, _gate: Callable[[], object] | None = None) -> Reply:
        at, self.clock = self.clock, self.clock + 1
        answer = self.answers.pop(0) if self.answers else Response(200, JSON, b"{}")
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer, round(at, 3), 0.012)


def status(value: str) -> Response:
    return Response(200, JSON, json.dumps({"id": "run_1", "status": value}, indent=2).encode())


def record(
    folder: Path,
    *requests: Request,
    answers: Sequence[Response | Exception] = (),
    secrets: Sequence[str] = (),
    complete: bool = True,
) -> Path:
    recorder = RecordingSender(FakeTarget(*answers), folder, Redactor(secrets), PROVENANCE)
    recorder.open(CASE)
    for request in requests:
        recorder.send(request, CASE)
    recorder.close(CASE, complete=complete)
    assert recorder.finish()
    return folder


def replay(folder: Path) -> ReplaySender:
    player = ReplaySender(folder)
    player.open(CASE)
    return player


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
