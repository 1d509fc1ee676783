"""Recording: what is kept, under which names, and what never is."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from conformance.outcomes import Fault
from conformance.redaction import Redactor
from conformance.replay.cassette import path_of
from conformance.replay.player import ReplaySender
from conformance.replay.provenance import BrokenSet, Provenance, find_set
from conformance.replay.recorder import RecordingSender
from conformance.settings import BadSettings
from conformance.wire.exchange import Request, Response
from support.cassettes import CANCEL, CASE, JSON, PROVENANCE, RUN, SECRET, SUBJECT, FakeTarget, files, record

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "mine"


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
