"""Replay: what is played, how it is matched, what a miss says, and which sets are refused."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Fault, Untested
from conformance.redaction import Redactor
from conformance.replay.blocked import no_network
from conformance.replay.cassette import path_of
from conformance.replay.player import ReplaySender
from conformance.replay.provenance import BrokenSet, read_set
from conformance.replay.recorder import RecordingSender
from conformance.wire.exchange import Request, Response
from support.cassettes import CANCEL, CASE, JSON, PROVENANCE, RUN, SUBJECT, FakeTarget, record, replay, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "mine"


@pytest.fixture
def offline() -> Iterator[None]:
    with no_network():
        yield


@pytest.mark.usefixtures("offline")
def test_a_recording_replays_with_its_bodies_and_times(folder: Path) -> None:
    target = FakeTarget(status("in_progress"), Response(204, {"x-request-id": "req_9"}, b"\xff\x00\x80"))
    recorder = RecordingSender(target, folder, Redactor(), PROVENANCE)
    recorder.open(CASE)
    recorder.wait(2.5, CASE)
    live = [recorder.send(RUN, CASE), recorder.send(CANCEL, CASE)]
    recorder.close(CASE, complete=True)
    recorder.finish()

    player = replay(folder)
    begun = player.now(CASE)
    played = [player.send(RUN, CASE), player.send(CANCEL, CASE)]
    player.wait(3600, CASE)
    ended = player.now(CASE)
    player.close(CASE, complete=True)

    assert [(reply.at, reply.duration) for reply in played] == [(reply.at, reply.duration) for reply in live]
    assert [reply.response.body for reply in played] == [reply.response.body for reply in live]
    assert [reply.response.status for reply in played] == [200, 204]
    assert played[1].response.headers == {"x-request-id": "req_recorded"}
    assert begun == 1_763_683_200.125
    assert ended == played[1].at + 0.012
    assert read_set(folder) == PROVENANCE


def test_polling_replays_in_the_recorded_order(folder: Path) -> None:
    states = ["queued", "in_progress", "completed"]
    player = replay(
        record(folder, RUN, CANCEL, RUN, RUN, answers=[status(states[0]), status("-"), *map(status, states[1:])])
    )

    played = [player.send(RUN, CASE).response.json["status"] for _ in range(3)]

    assert played == states


def test_scopes_nest_each_on_a_cassette_of_its_own(folder: Path) -> None:
    target = FakeTarget(status("case"), status("subject"), status("case again"))
    recorder = RecordingSender(target, folder, Redactor(), PROVENANCE)
    for step in ("open case", "send case", "open subject", "send subject", "close subject", "send case", "close case"):
        _step(recorder, *step.split())
    recorder.finish()

    player = ReplaySender(folder)
    _step(player, "open", "subject")
    assert player.send(RUN, SUBJECT).response.json["status"] == "subject"
    _step(player, "close", "subject")
    _step(player, "open", "case")
    assert [player.send(RUN, CASE).response.json["status"] for _ in range(2)] == ["case", "case again"]
    _step(player, "close", "case")
    assert set(read_manifest(folder)) == {SUBJECT + ".json", path_of(folder, CASE).relative_to(folder).as_posix()}


def _step(sender: RecordingSender | ReplaySender, step: str, which: str) -> None:
    scope = CASE if which == "case" else SUBJECT
    if step == "open":
        sender.open(scope)
    elif step == "close":
        sender.close(scope, complete=True)
    else:
        sender.send(RUN, scope)


def read_manifest(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "manifest.json").read_text("utf-8")))


@pytest.mark.parametrize("scope", ["", "clean-up", "pre-flight", "races/test_cancel/test_a_race"])
def test_housekeeping_and_races_are_passed_on_but_not_recorded(folder: Path, scope: str) -> None:
    target = FakeTarget()
    recorder = RecordingSender(target, folder, Redactor(), PROVENANCE)
    recorder.open(scope)
    recorder.send(RUN, scope)
    recorder.close(scope, complete=True)

    assert not recorder.finish()
    assert target.heard == [f"open {scope}", f"close {scope} True"]
    assert not folder.parent.exists()


def test_json_bodies_match_as_json_and_others_as_bytes(folder: Path) -> None:
    garbage = Request("POST", "/v1/threads", body=b'{"broken": \xff')
    player = replay(record(folder, CANCEL, garbage, CANCEL))

    player.send(Request("POST", CANCEL.path, body=b'{"b":2,"a":1}'), CASE)
    player.send(garbage, CASE)
    with pytest.raises(Fault, match="another body: asked"):
        player.send(Request("POST", CANCEL.path, body=b'{"a": true, "b": 2}'), CASE)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            Request("DELETE", RUN.path),
            "closest is GET /v1/threads/thread_1/runs/run_1, which has another method: asked DELETE, recorded GET",
        ),
        (
            Request("GET", RUN.path + "0"),
            "another path: asked /v1/threads/thread_1/runs/run_10, recorded /v1/threads/thread_1/runs/run_1;",
        ),
        (Request("GET", RUN.path, (("limit", "2"),)), "another query: asked limit=2, recorded none;"),
        (Request("GET", RUN.path, body=b'{"x": 1}'), 'another body: asked {"x": 1}, recorded none;'),
        (RUN, "more often than the 1 times that it was recorded"),
    ],
    ids=["method", "path", "query", "body", "once more"],
)
def test_a_miss_names_the_closest_recording_and_the_difference(folder: Path, asked: Request, message: str) -> None:
    player = replay(record(folder, RUN, Request("POST", "/v1/threads", body=b'{"y": 2}')))
    if asked is RUN:
        player.send(RUN, CASE)

    with pytest.raises(Fault) as caught:
        player.send(asked, CASE)

    assert str(caught.value).startswith(f"{CASE} asks for {asked.method} {asked.path}")
    assert message in str(caught.value)


def test_a_miss_shows_long_bodies_where_they_differ(folder: Path) -> None:
    long = {"a": "x" * 5000, "b": "recorded"}
    player = replay(record(folder, Request("POST", "/v1/threads", body=json.dumps(long).encode())))

    with pytest.raises(Fault, match=r'asked \.\.\.x+", "b": "asked"}, recorded \.\.\.x+", "b": "recorded"}') as caught:
        player.send(Request("POST", "/v1/threads", body=json.dumps({**long, "b": "asked"}).encode()), CASE)

    assert len(str(caught.value)) < 400


def test_a_request_in_a_case_recorded_without_any_is_a_miss(folder: Path) -> None:
    player = replay(record(folder))

    with pytest.raises(Fault, match="recorded without any request"):
        player.send(RUN, CASE)


def test_what_is_left_unplayed_is_a_fault(folder: Path) -> None:
    player = replay(record(folder, RUN, CANCEL, RUN))
    player.send(RUN, CASE)

    with pytest.raises(Fault, match=r"test_a_case\[in_progress\] asked for less .* 2 left, first POST /v1/.*/cancel"):
        player.close(CASE, complete=True)


def test_a_case_that_broke_off_in_the_replay_leaves_no_second_fault(folder: Path) -> None:
    player = replay(record(folder, RUN))

    player.close(CASE, complete=False)


def test_what_was_never_recorded_is_untested(folder: Path) -> None:
    player = ReplaySender(record(folder, RUN))
    player.open(SUBJECT)

    with pytest.raises(Untested, match="subjects/completed was never recorded") as caught:
        player.send(RUN, SUBJECT)

    assert not caught.value.gates
    player.close(SUBJECT, complete=True)


@pytest.mark.parametrize("answer", [status("queued"), Fault("no answer")], ids=["broke off", "no answer"])
def test_what_broke_off_in_the_recording_is_untested(folder: Path, answer: Response | Fault) -> None:
    recorder = RecordingSender(FakeTarget(answer), folder, Redactor(), PROVENANCE)
    recorder.open(CASE)
    try:
        recorder.send(RUN, CASE)
    except Fault:
        recorder.close(CASE, complete=True)  # a case may catch it, and end as if nothing was
    else:
        recorder.close(CASE, complete=False)
    recorder.finish()
    player = replay(folder)

    with pytest.raises(Untested, match="broke off"):
        player.send(RUN, CASE)

    player.close(CASE, complete=True)


def _edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        told = json.loads((folder / name).read_text("utf-8"))
        change(told)
        (folder / name).write_text(json.dumps(told), "utf-8")

    return edit


def _truncate(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:20])


def _garble(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes().replace(b"200", b"201"))


CASSETTE = path_of(Path(), CASE).as_posix()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: folder.rename(folder.with_name("elsewhere")), "there is no cassette set .*mine"),
        (lambda folder: (folder / "provenance.json").unlink(), "mine is no cassette set: it has no provenance.json"),
        (lambda folder: (folder / "manifest.json").unlink(), "mine is no cassette set: it has no manifest.json"),
        (_truncate("provenance.json"), "provenance.json is truncated"),
        (lambda folder: (folder / "provenance.json").write_bytes(b"\xff{}"), "provenance.json is truncated or no JSON"),
        (lambda folder: (folder / "provenance.json").write_bytes(b"[]"), "truncated or no JSON object"),
        (_edit("provenance.json", lambda told: told.update(format=2)), "has format 2, and this suite reads 1"),
        (_edit("provenance.json", lambda told: told.pop("base_path")), "has no base_path"),
        (_edit("provenance.json", lambda told: told.update(mood="good")), "unreadable"),
        (_truncate("manifest.json"), "manifest.json is truncated"),
        (_truncate(CASSETTE), f"{CASSETTE} is not what was recorded"),
        (_garble(CASSETTE), f"{CASSETTE} is not what was recorded"),
        (lambda folder: (folder / CASSETTE).unlink(), f"{CASSETTE} is missing"),
    ],
    ids=[
        "no folder",
        "no provenance",
        "no manifest",
        "truncated provenance",
        "not UTF-8",
        "no object",
        "unknown format",
        "missing field",
        "unknown field",
        "truncated manifest",
        "truncated cassette",
        "cassette of the same size",
        "missing cassette",
    ],
)
def test_a_broken_set_is_one_sentence(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    record(folder, RUN)
    damage(folder)

    with pytest.raises(BrokenSet, match=message) as caught:
        read_set(folder)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"interactions": [{}]}', '{"interactions": []}', "\\xff"])
def test_a_damaged_cassette_is_one_sentence(folder: Path, text: str) -> None:
    path_of(record(folder, RUN), CASE).write_text(text, "utf-8")

    with pytest.raises(Fault, match=r"the cassette .* is damaged \(.*\); record the set anew"):
        replay(folder)


def test_the_network_is_out_of_reach_and_comes_back() -> None:
    before = vars(socket).copy(), dict(vars(socket.socket))

    with no_network(), socket.socket() as probe:
        for attempt in (
            lambda: probe.connect(("127.0.0.1", 9)),
            lambda: probe.connect_ex(("127.0.0.1", 9)),
            lambda: socket.create_connection(("127.0.0.1", 9)),
            lambda: socket.getaddrinfo("localhost", 80),
            lambda: socket.gethostbyname("localhost"),
        ):
            with pytest.raises(Fault, match="a replay never leaves this machine"):
                attempt()

    assert (vars(socket), dict(vars(socket.socket))) == before


def test_2500_requests_replay_quickly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {f"field_{number}": [None, "some text", number] for number in range(25)}
    answer = Response(200, JSON, json.dumps(fields, indent=2).encode())
    scopes = [f"cases/test_speed/test_case[{number}]" for number in range(250)]
    polls = [Request("GET", f"/v1/threads/thread_{number}/runs/run_{number % 3}", headers=JSON) for number in range(10)]
    recorder = RecordingSender(FakeTarget(*[answer] * 2500), folder, Redactor(), PROVENANCE)
    for scope in scopes:
        recorder.open(scope)
        for poll in polls:
            recorder.send(poll, scope)
        recorder.close(scope, complete=True)
    recorder.finish()
    replay(record(folder.with_name("warm"), RUN))

    begun = time.perf_counter()
    read_set(folder)
    checked = time.perf_counter()
    player = ReplaySender(folder)
    for scope in scopes:
        player.open(scope)
        for poll in polls:
            player.send(poll, scope)
        player.close(scope, complete=True)
    played = time.perf_counter()

    with capsys.disabled():
        print(f"\n250 cassettes checked in {1000 * (checked - begun):.0f} ms, ", end="")  # noqa: T201 - measured, not asserted
        print(f"2,500 requests replayed in {1000 * (played - checked):.0f} ms")  # noqa: T201
