"""`runs-conformance serve` as a process: its start, what it says, its streams and breakdowns on a wire, and its end."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from support import ROOT
from support.reference_caller import HEADERS, LONG
from support.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVE = "import sys; from conformance.commands import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with started("--clock=turned", "--seed=s") as (url, _):
        yield url


@pytest.fixture(autouse=True)
def anew(request: pytest.FixtureRequest) -> None:
    if "url" in request.fixturenames:
        driven(request.getfixturevalue("url"), "POST", "reset")


def driven(url: str, method: str, path: str, body: Any = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{url.removesuffix('/v1')}/_conformance/{path}", sent, method=method)) as answer:
        return json.load(answer)


def connected(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.split("/")[2], timeout=10)


def post(connection: http.client.HTTPConnection, path: str, body: Any) -> http.client.HTTPResponse:
    connection.request("POST", f"/v1{path}", json.dumps(body), HEADERS)
    return connection.getresponse()


@contextmanager
def streaming(url: str) -> Iterator[http.client.HTTPResponse]:
    """A stream that has begun, of a run that works long."""
    with closing(connected(url)) as connection:
        assistant = json.load(post(connection, "/assistants", {"model": "gpt-4o"}))["id"]
        thread = json.load(post(connection, "/threads", {"messages": [LONG]}))["id"]
        stream = post(connection, f"/threads/{thread}/runs", {"assistant_id": assistant, "stream": True})
        assert stream.readline() == b"event: thread.run.created\n"
        yield stream


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SERVE, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_serves_and_tells_where(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    command = [sys.executable, "-c", SERVE, "serve", "--port=0", f"--ready-file={file}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout
            found = re.fullmatch(r"reference server at (http://127\.0\.0\.1:\d+/v1)\n", server.stdout.readline())
            assert found
            told = json.loads(file.read_text("utf-8"))
            control = found[1].replace("/v1", "/_conformance")
            assert told == {"url": found[1], "control": control, "pid": server.pid}
            assert driven(found[1], "GET", "health")["status"] == "ok"
        finally:
            server.terminate()
        _, complaints = server.communicate(timeout=10)
    assert (server.returncode, complaints) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_it_stops_within_a_second_whoever_listens(sign: signal.Signals) -> None:
    with started("--run-seconds=60") as (url, server), streaming(url) as first, streaming(url) as second:
        half = socket.create_connection(("127.0.0.1", int(url.split(":")[2].partition("/")[0])))
        with closing(half), closing(connected(url)) as slow:
            half.sendall(b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{")
            driven(url, "POST", "faults", {"fault": "slow", "seconds": 60})
            slow.request("POST", "/v1/threads", "{}", HEADERS)
            time.sleep(0.1)
            asked = time.monotonic()
            server.send_signal(sign)
            code = server.wait(10)
        assert code == 0
        assert time.monotonic() - asked < 1 + delay()
        for stream in (first, second):
            with pytest.raises(http.client.IncompleteRead):
                stream.read()


def delay() -> float:
    """What a machine that has other things to do is granted: as often as a process that does nothing takes longer."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return 10 * (time.monotonic() - begun)


def test_a_signal_before_the_first_request_is_enough() -> None:
    with started() as (_, server):
        server.terminate()
        assert server.wait(10) == 0


def test_a_dropped_connection_and_a_cut_body_are_seen_on_the_wire(url: str) -> None:
    with closing(connected(url)) as connection:
        driven(url, "POST", "faults", {"fault": "drop"})
        with pytest.raises(http.client.RemoteDisconnected):
            post(connection, "/threads", {})
    with closing(connected(url)) as connection:
        driven(url, "POST", "faults", {"fault": "cut"})
        with pytest.raises(http.client.IncompleteRead):
            post(connection, "/threads", {}).read()
    with closing(connected(url)) as connection:
        assert post(connection, "/threads", {}).status == 200


def test_a_cut_stream_is_seen_on_the_wire(url: str) -> None:
    driven(url, "POST", "faults", {"fault": "cut", "events": 2, "operation": "create_run"})
    with streaming(url) as stream, pytest.raises(http.client.IncompleteRead) as broken:
        stream.read()

    assert broken.value.partial.count(b"\n\n") == 2


def test_a_stream_goes_on_when_the_clock_is_turned(url: str) -> None:
    driven(url, "POST", "clock", {"streams": "wait"})
    with streaming(url) as stream:
        driven(url, "POST", "clock", {"advance": 60})
        assert stream.read().endswith(b"data: [DONE]\n\n")


def test_many_streams_do_not_hold_up_who_asks(url: str) -> None:
    driven(url, "POST", "clock", {"streams": "wait"})
    streams = []
    for _ in range(30):
        held = streaming(url)
        held.__enter__()
        streams.append(held)
    with closing(connected(url)) as connection:
        begun = time.monotonic()
        for _ in range(20):
            assert post(connection, "/threads", {}).read()
        spent = time.monotonic() - begun
    for held in streams:
        held.__exit__(None, None, None)
    assert spent < 2 + delay()


def test_the_journal_tells_what_came_over_the_wire(url: str) -> None:
    with closing(connected(url)) as connection, suppress(http.client.HTTPException):
        post(connection, "/threads?x=%ff", {"metadata": 1}).read()

    [entry] = driven(url, "GET", "journal")["data"]
    assert entry["refused"]["param"] == "metadata"
    assert entry["query"] == [["x", "\ufffd"]]
    assert entry["headers"]["authorization"] == "Bearer [redacted]"


def test_beyond_this_machine_only_with_a_word_of_it() -> None:
    command = [sys.executable, "-m", "conformance.reference", "--port=0", "--host=0.0.0.0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout
        server.stdout.readline()
        server.terminate()
        _, complaints = server.communicate(timeout=10)
    assert complaints == (
        "0.0.0.0 is not this machine alone: whoever reaches it can use the server and /_conformance/.\n"
    )


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    for arguments, told in (
        (["--fault=nonsense"], "there is no fault nonsense"),
        (["--tick=1"], "--tick is for a clock that is turned"),
        (["--port=0", f"--ready-file={tmp_path / 'none' / 'x'}"], "cannot be written: No such file or directory"),
        (["--port=70000"], "cannot listen on 127.0.0.1:70000"),
    ):
        done = ran("serve", *arguments)
        assert done.returncode in {1, 2}
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_without_its_extra_it_says_which_one_is_missing() -> None:
    script = f"import sys; sys.modules['uvicorn'] = None; {SERVE.partition('; ')[2]}"
    command = [sys.executable, "-c", f"{script}", "serve", "--port=0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("serving needs the extra serve: pip install 'PATH[serve]'")
    assert done.stderr.count("\n") == 1


def test_the_help_of_other_commands_does_not_load_the_server() -> None:
    script = (
        "import sys; from conformance.commands import main\n"
        "try: main(['diff', '--help'])\n"
        "finally: assert 'conformance.reference' not in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
