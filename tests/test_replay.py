"""Recording and replay: what is kept, how it is matched, and what a miss says."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from conformance.outcomes import Fault, Untested
from conformance.redaction import Redactor
from conformance.replay.blocked import no_network
from conformance.replay.cassette import path_of
from conformance.replay.player import ReplaySender
from conformance.replay.provenance import BrokenSet, Provenance, find_set, read_set
from conformance.replay.recorder import RecordingSender
from conformance.senders import Reply
from conformance.settings import BadSettings
from conformance.wire.exchange import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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

    def wait(self, seconds: float, _scope: str) -> None:
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


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
def test_a_diff_of_a_cassette_shows_a_field_a_line(tmp_path: Path, indent: int | None) -> None:
    bodies = [
        json.dumps({"id": "run_1", "status": state, "tools": []}, indent=indent) for state in ("failed", "expired")
    ]
    answers = [Response(200, JSON, body.encode()) for body in bodies]
    before, after = (
        path_of(record(tmp_path / str(number), RUN, answers=[answer]), CASE).read_text("ascii").splitlines()
        for number, answer in enumerate(answers)
    )

    changed = [line for line, other in zip(before, after, strict=True) if line != other]

    assert len(changed) == 1
    assert '\\"status\\": \\"failed\\"' in changed[0]


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


def _in_every_form(secret: str) -> Iterator[str]:
    yield from (
        secret,
        quote(secret),
        re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
        json.dumps(secret),
        json.dumps(json.dumps(secret)),
    )
    for before in ("", "u", "us", "usr"):
        yield base64.b64encode((before + secret).encode()).decode()
        yield base64.urlsafe_b64encode(f"{before}{secret}:after".encode()).decode()


def test_no_secret_is_in_any_file(folder: Path) -> None:
    forms = list(_in_every_form(SECRET))
    marks = "".join(f"<{form}>" for form in forms)
    body = json.dumps({"plain": marks, "nested": json.dumps({"again": SECRET})}).encode()
    headers = {
        "authorization": f"Bearer {SECRET}",
        "api-key": SECRET,
        "Content-Type": f"text/{SECRET}",
        "x-other": SECRET,
    }
    answer = Response(
        401,
        {
            "set-cookie": f"a={SECRET}",
            "location": f"/{quote(SECRET)}",
            "www-authenticate": SECRET,
            "x-request-id": SECRET,
        },
        body,
    )
    request = Request("POST", f"/v1/{quote(SECRET)}/x", ((SECRET, SECRET),), headers, body)
    binary = Request("POST", "/v1/binary", body=b"\xff\xfe" + marks.encode() + b"\x80")
    told = Provenance(**{**vars(PROVENANCE), "target": f"http://h/{SECRET}", "base_path": f"/{quote(SECRET)}"})
    recorder = RecordingSender(FakeTarget(answer, Response(200, {}, binary.body)), folder, Redactor([SECRET]), told)
    recorder.open(CASE)
    recorder.send(request, CASE)
    recorder.send(binary, CASE)
    recorder.close(CASE, complete=True)
    recorder.finish()

    written = files(folder)
    player = ReplaySender(folder, Redactor([SECRET]))
    player.open(CASE)
    replies = [player.send(request, CASE), player.send(binary, CASE)]
    player.close(CASE, complete=True)

    shown = b"".join([*written.values(), *(reply.response.body for reply in replies)])
    assert len(written) == 3
    for piece in (*forms, "planted", "c2stcGxhbnRlZ", "stcGxhbnRlZC", "rLXBsYW50ZWQ", "cookie", "api-key", "x-other"):
        assert piece.encode() not in shown, piece
    assert b"[redacted]" in shown
    assert replies[0].response.headers["location"] == "/[redacted]"


def test_short_secrets_are_no_secrets_and_no_secret_changes_nothing() -> None:
    text = "a run is a run"

    assert Redactor(["run"]).text(text) == text
    assert Redactor(["", "a"]).text(text) == text
    assert Redactor().body(b"\xff\x00") == b"\xff\x00"


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    assert Redactor(["sk-12", "sk-123456", "sk-\udcff12"]).text("sk-123456, sk-12, sk-\udcff12") == ", ".join(
        ["[redacted]"] * 3
    )


def test_only_steady_headers_are_kept(folder: Path) -> None:
    volatile = ("date", "server", "CF-Ray", "age", "via", "openai-processing-ms", "content-length", "content-encoding")
    answer = Response(
        200, {**dict.fromkeys(volatile, "x"), "X-Request-Id": "req_1", "openai-version": "2020-10-01"}, b"{}"
    )
    sent = {"accept": "a/b", "content-type": "c/d", "openai-beta": "assistants=v2", "user-agent": "x", "host": "y"}
    record(folder, Request("GET", "/v1/threads", headers=sent), answers=[answer])

    interaction = json.loads(path_of(folder, CASE).read_text("utf-8"))["interactions"][0]

    assert interaction["response"]["headers"] == {"openai-version": ["2020-10-01"], "x-request-id": ["req_recorded"]}
    assert set(interaction["request"]["headers"]) == {"accept", "content-type", "openai-beta"}


def test_recording_the_same_again_changes_no_byte(folder: Path, tmp_path: Path) -> None:
    assert files(record(folder, RUN, CANCEL)) == files(record(tmp_path / "again", RUN, CANCEL))


def test_a_session_that_dies_leaves_the_old_set_untouched(folder: Path) -> None:
    before = files(record(folder, RUN))
    dying = RecordingSender(FakeTarget(), folder, Redactor(), PROVENANCE)
    dying.open(SUBJECT)
    dying.send(CANCEL, SUBJECT)
    dying.close(SUBJECT, complete=True)
    dying.open(CASE)

    assert not dying.finish()
    assert files(folder) == before

    record(folder, CANCEL, RUN)  # what it left is in nobody's way
    assert files(folder) != before
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("suffix", ["", ".partial", ".replaced"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_set_is_never_recorded_over(folder: Path, suffix: str, kind: str) -> None:
    place = folder.with_name(folder.name + suffix)
    precious = place / "precious.json" if kind == "folder" else place
    precious.parent.mkdir(parents=True)
    precious.write_text("{}", "utf-8")

    with pytest.raises(BadSettings, match=r"exists and is no cassette set; nothing is recorded over it"):
        RecordingSender(FakeTarget(), folder, Redactor(), PROVENANCE)

    assert precious.is_file()


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


def test_what_cannot_be_written_is_a_fault_and_no_set(folder: Path) -> None:
    recorder = RecordingSender(FakeTarget(), folder, Redactor(), PROVENANCE)
    recorder.open(CASE)
    shutil.rmtree(folder.with_name("mine.partial"))
    folder.with_name("mine.partial").write_text("", "utf-8")  # as a full disk, or somebody else

    with pytest.raises(Fault, match="cannot be written"):
        recorder.close(CASE, complete=True)

    assert not recorder.finish()


def test_a_set_is_found_by_folder_and_by_name(folder: Path) -> None:
    record(folder, RUN)
    start = folder.parent.parent

    assert find_set(str(folder), Path("/")) == folder
    assert find_set("cassettes/mine", start=start) == folder
    assert find_set("mine", start=start) == folder
    with pytest.raises(BrokenSet, match="there is no cassette set nosuch"):
        find_set("nosuch", start=start)


def test_every_scope_has_a_file_name_of_its_own() -> None:
    names = [
        "test_a",
        "Test_a",
        "test-a",
        "test_a[x/y]",
        "test_a[x//y]",
        "test_a[X/Y]",
        "test_a[../x]",
        "..",
        "test_a.",
        "é",
    ]
    scopes = [f"cases/test_b/{name}" for name in [*names, "t" * 300, "t" * 301, "t" * 101, "t" * 100]]
    scopes += [f"subjects/{name}" for name in names]

    paths = [path_of(Path(), scope).as_posix() for scope in scopes]

    assert len({path.lower() for path in paths}) == len(scopes)
    assert all(len(part) <= 120 and part != ".." for path in paths for part in path.split("/"))
    assert all(path.isascii() and not set(path) & set('[]<>:"\\|?* ') for path in paths)
    assert path_of(Path(), "subjects/requires_action").as_posix() == "subjects/requires_action.json"
    assert path_of(Path(), CASE).name.startswith("test_a_case-in_progress-")


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
