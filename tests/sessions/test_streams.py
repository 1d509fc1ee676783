"""Streams: read piece by piece, cut off where they must be, recorded, replayed, and judged."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from conformance.client import Client
from conformance.dialect import Dialect
from conformance.invariants import invariants
from conformance.invariants.evidence import Evidence
from conformance.invariants.heard import Heard
from conformance.outcomes import Fault
from conformance.redaction import Redactor
from conformance.reference import Reference
from conformance.reference.runs import Pace
from conformance.replay.player import ReplaySender
from conformance.replay.provenance import Provenance
from conformance.replay.recorder import RecordingSender
from conformance.senders import InProcessSender
from conformance.sockets import HttpSender
from conformance.wire.events import read
from conformance.wire.exchange import LEFT
from conformance.wire.journal import Journal
from support.servers import heard, listening, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conformance.senders import Sender
    from support.sessions import Ran

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
ASKED = {"assistant_id": "asst_1", "stream": True}
PROVENANCE = Provenance(
    target="a test",
    recorded_at="2026-11-21T00:00:00+00:00",
    suite_version="1.0",
    profile="openai",
    base_path="/v1",
    cancel_policy="documented",
    without=(),
)
DIALECT = Dialect(key="sk-reference", headers={"openai-beta": "assistants=v2"})


def client_of(sender: Sender) -> Client:
    return Client(sender, Journal(), dialect=DIALECT)


def events(*pieces: bytes) -> list[tuple[str, str, float]]:
    found = read([(piece, float(place)) for place, piece in enumerate(pieces, 1)])
    return [(event.name, event.data, event.at) for event in found]


def test_an_event_is_there_with_the_piece_that_completes_it() -> None:
    assert events(b"event: a\nda", b"ta: 1\n", b"\nevent: b\ndata: 2\n\n") == [("a", "1", 3.0), ("b", "2", 3.0)]


def test_characters_and_line_ends_may_be_torn_apart() -> None:
    whole = "event: a\r\ndata: \u00e9\u4e16\U0001f600\r\n\r\nevent: done\r\ndata: [DONE]\r\n\r\n".encode()

    assert events(*(bytes([byte]) for byte in whole))[0][:2] == ("a", "\u00e9\u4e16\U0001f600")


def test_only_line_ends_of_the_standard_end_lines() -> None:
    assert events("event: a\ndata: one\u2028line\x0b\n\n".encode())[0][1] == "one\u2028line\x0b"


@pytest.mark.parametrize("text", [b": comment\n\n", b"retry: 10\n\n", b"data: cut", b"", b"\xef\xbb\xbf"])
def test_what_is_no_event_is_none(text: bytes) -> None:
    assert [event for event in events(text) if event[1]] == []


@pytest.fixture
def reference() -> Iterator[Client]:
    client = client_of(InProcessSender(Reference()))
    with client.scope("cases/one"):
        yield client


def started(client: Client, message: str = "Say hello.", **fields: Any) -> tuple[str, dict[str, Any]]:
    assistant = client.call("create_assistant", json={"model": "gpt-4o-mini", "instructions": "x"}).json["id"]
    messages = [{"role": "user", "content": message}]
    thread = client.call("create_thread", json={"messages": messages}).json["id"]
    return thread, {"assistant_id": assistant, "stream": True, **fields}


def test_a_stream_is_an_exchange_once_it_is_over(reference: Client) -> None:
    thread, body = started(reference)

    stream = reference.listen("create_run", thread_id=thread, json=body, seconds=60)
    first = next(iter(stream))
    before = len(reference.journal)
    reply = stream.finish()

    assert (first.name, before, len(reference.journal)) == ("thread.run.created", 2, 3)
    assert reply.events[-1].data == "[DONE]"
    assert [event.at for event in reply.events] == sorted(event.at for event in reply.events)
    assert reply.duration == pytest.approx(0.82)
    assert str(reply) == f"#3 POST run 200 with {len(reply.events)} events, the last done"


def test_who_leaves_has_heard_so_far(reference: Client) -> None:
    thread, body = started(reference)

    with reference.listen("create_run", thread_id=thread, json=body, seconds=60) as stream:
        stream.until(lambda event: event.name == "thread.run.in_progress")

    reply = stream.finish()
    assert reply.response.cut == LEFT
    assert [event.name for event in reply.events] == [
        f"thread.run.{name}" for name in ("created", "queued", "in_progress")
    ]


def test_others_are_heard_meanwhile(reference: Client) -> None:
    thread, body = started(reference, "Count from 1 to 4000.")

    with reference.listen("create_run", thread_id=thread, json=body, seconds=60) as stream:
        run = stream.until(lambda event: event.name == "thread.message.delta")
        assert run
        id = stream.events[0].value["id"]
        cancel = reference.call("cancel_run", thread_id=thread, run_id=id)

    assert [each.number for each in reference.journal] == [1, 2, 3, 4]
    assert cancel.number == 4


class Kept:
    """A stream that may not let anybody go."""

    def __init__(self, problem: Fault | None = None) -> None:
        self.problem, self.left = problem, False

    def leave(self) -> None:
        if self.problem:
            raise self.problem
        self.left = True


def test_a_stream_that_cannot_be_left_holds_nobody_up(reference: Client) -> None:
    stuck, other = Kept(Fault("no way out")), Kept()

    with reference.scope("cases/mine"):
        for stream in (stuck, other):
            reference.keep(stream)  # type: ignore[arg-type]

    assert other.left


def test_a_refusal_is_no_stream(reference: Client) -> None:
    thread, body = started(reference, assistant_id="asst_none")

    stream = reference.listen("create_run", thread_id=thread, json=body, seconds=60)

    assert stream.reply
    assert stream.reply.status == 404
    assert list(stream) == []


def talking(*pieces: bytes, pause: float = 0.0, stay: float = 0.0) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        if heard(connection):
            connection.sendall(HEAD)
            for piece in pieces:
                time.sleep(pause)
                connection.sendall(piece)
            time.sleep(stay)
            connection.shutdown(socket.SHUT_WR)
            silent(connection)

    return talk


LAST = b"event: done\ndata: [DONE]\n\n"


def over_a_socket(talk: Callable[[socket.socket], object], seconds: float) -> Any:
    with listening(talk) as origin:
        sender = HttpSender(origin)
        try:
            return client_of(sender).listen("create_run", thread_id="t", json=ASKED, seconds=seconds).finish()
        finally:
            sender.end()


def test_pieces_come_at_their_time() -> None:
    reply = over_a_socket(talking(b"event: a\ndata: 1\n\n", LAST, pause=0.2), 10)

    assert reply.response.cut == ""
    assert reply.events[1].at - reply.events[0].at == pytest.approx(0.2, abs=0.15)


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (talking(b"event: a\ndata: 1\n\n", stay=60), "it was not over after 0.5 s"),
        (talking(*[b"x"] * 2000, pause=0.05), "it was not over after 0.5 s"),
        (talking(*[b"data: " + b"x" * 100_000 + b"\n\n"] * 100), "it is over 8388608 bytes"),
    ],
    ids=["silence", "drops", "a flood"],
)
def test_a_stream_without_an_end_is_cut_off(talk: Callable[[socket.socket], None], told: str) -> None:
    began = time.monotonic()

    reply = over_a_socket(talk, 0.5 if "0.5" in told else 30)

    assert reply.response.cut == told
    assert time.monotonic() - began < 30


def test_nobody_waits_long_for_what_comes_after_the_end() -> None:
    began = time.monotonic()

    reply = over_a_socket(talking(LAST, stay=60), 100)

    assert reply.events[-1].name == "done"
    assert time.monotonic() - began < 30


def test_a_stream_that_breaks_is_judged_as_far_as_it_came() -> None:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(HEAD.replace(b"connection: close", b"transfer-encoding: chunked"))
        connection.sendall(b"12\r\nevent: a\ndata: 1\n\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    reply = over_a_socket(talk, 10)

    assert "the connection broke" in reply.response.cut
    assert [event.name for event in reply.events] == ["a"]


def test_a_stream_that_breaks_after_its_last_event_is_known_to_have_broken() -> None:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(HEAD.replace(b"connection: close", b"transfer-encoding: chunked"))
        connection.sendall(b"%x\r\n%b\r\n" % (len(LAST), LAST))
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    reply = over_a_socket(talk, 10)

    assert reply.events[-1].name == "done"
    assert "the connection broke" in reply.response.cut
    assert not Heard(reply).cut
    assert "the connection broke" in Heard(reply).torn


def test_a_recorded_stream_comes_piece_by_piece_again(tmp_path: Path) -> None:
    recorder = RecordingSender(InProcessSender(Reference()), tmp_path / "set", Redactor(), PROVENANCE)

    def story(client: Client) -> list[Any]:
        with client.scope("cases/one"):
            thread, body = started(client, "Count from 1 to 4000.")
            with client.listen("create_run", thread_id=thread, json=body, seconds=60) as stream:
                stream.until(lambda event: event.name == "thread.run.in_progress")
                now = client.now()
                client.call("cancel_run", thread_id=thread, run_id=stream.events[0].value["id"])
                rest = [(event.name, event.data, event.at) for event in stream]
        return [now, rest, *((str(each), each.at, each.duration, each.response.body) for each in client.journal)]

    lived = story(client_of(recorder))
    assert recorder.finish()

    assert story(client_of(ReplaySender(tmp_path / "set"))) == lived


def test_what_a_broken_stream_says_is_kept_without_the_key(tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(HEAD.replace(b"connection: close", b"transfer-encoding: chunked"))
        connection.sendall(b"Bearer sk-planted-in-a-chunk\r\n")
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    with listening(talk) as origin:
        inner = HttpSender(origin)
        recorder = RecordingSender(inner, tmp_path / "set", Redactor(["sk-planted-in-a-chunk"]), PROVENANCE)
        client = client_of(recorder)
        with client.scope("cases/one"):
            reply = client.listen("create_run", thread_id="t", json=ASKED, seconds=5).finish()
        inner.end()

    assert reply.response.cut
    assert recorder.finish()
    kept = "".join(each.read_text() for each in (tmp_path / "set").rglob("*.json"))
    assert '"cut"' in kept
    assert "sk-planted" not in kept


@pytest.mark.parametrize("text", [b"retry: 3000\n\n", b"id: 7\n\n: ping\n\n", b"event: ping\n\n", b"data:\n\n"])
def test_what_has_no_data_is_no_event(text: bytes) -> None:
    assert events(text + b"event: a\ndata: 1\n\n") == [("a", "1", 1.0)]


def test_the_server_tells_of_runs_in_their_time(reference_url: str) -> None:
    sender = HttpSender(reference_url.removesuffix("/v1"))
    client = client_of(sender)
    thread, body = started(client)

    reply = client.listen("create_run", thread_id=thread, json=body, seconds=60).finish()
    sender.end()

    assert reply.events[0].at < 0.3
    assert reply.events[-1].at > 0.7
    assert len({event.at for event in reply.events}) > 5


def test_who_goes_away_leaves_the_run_alone(reference_url: str) -> None:
    sender = HttpSender(reference_url.removesuffix("/v1"))
    client = client_of(sender)
    thread, body = started(client)
    with client.listen("create_run", thread_id=thread, json=body, seconds=60) as stream:
        id = next(iter(stream)).value["id"]
    time.sleep(1.0)

    read = client.call("retrieve_run", thread_id=thread, run_id=id)
    sender.end()

    assert read.json["status"] == "completed"


@pytest.mark.parametrize("model", ["reference-failing", "reference-stalling"])
def test_whatever_becomes_of_a_run_is_told_to_its_end(model: str) -> None:
    client = client_of(InProcessSender(Reference()))
    thread, body = started(client, model=model)

    client.listen("create_run", thread_id=thread, json=body, seconds=1000).finish()

    broken = {
        each.requirement: judged.violations
        for each in invariants()
        if (judged := each.judge(Evidence(client.journal))).violations
    }
    assert {id for id in broken if "STREAM" in id} == set()


def test_a_server_without_streams_is_not_judged_for_them(judge: Callable[..., Ran]) -> None:
    def deaf(connection: socket.socket) -> None:
        """Answers as the reference server does, but knows no `stream`."""
        reference = served
        while request := heard(connection):
            head, _, body = request.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            method, target, _ = lines[0].split()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            while len(body) < int(headers.get("content-length", 0)):
                body += connection.recv(65536)
            asked = json.loads(body) if body else None
            if isinstance(asked, dict):
                body = json.dumps({name: value for name, value in asked.items() if name != "stream"}).encode()
            path, _, query = target.partition("?")
            pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
            answer = reference.handle(method, path, pairs, headers, body)
            told = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            length = f"content-length: {len(answer.body)}\r\n\r\n"
            connection.sendall(f"HTTP/1.1 {answer.status} So\r\n{told}{length}".encode() + answer.body)

    from conformance.reference.clock import SystemClock

    pace = Pace(start=0.1, think=0.1, ask=0.1, long=2.0, limit=0.2, cancel=0.1)
    served = Reference(clock=SystemClock(), keys=["sk-deaf"], pace=pace)
    with listening(deaf) as origin:
        ran = judge(f"--target-url={origin}/v1", "-rs", "-m", "stream", OPENAI_API_KEY="sk-deaf")

    assert ran.code == 11, ran.text
    assert "the target answers with JSON where a stream is asked for" in ran.text
    assert "STREAM   Streaming MUST          .        .        .        .        6" in ran.text
