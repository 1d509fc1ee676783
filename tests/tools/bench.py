"""Speed, as ratios of things measured in one run: `tox -e bench`."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from conformance.replay.cassette import load
from conformance.replay.interactions import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

Request = tuple[str, str, bytes | None]
ROOT = Path(__file__).parents[2]
ROUNDS = 5
QUIET = ["-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider", "-q"]


def main() -> None:
    """Print the ratios, each with its goal, and the wall times that they come from."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "test_empty.py"
        empty.write_text(
            "import pytest\n@pytest.mark.parametrize('n', range(500))\ndef test_nothing(n): pass\n", "utf-8"
        )
        pairs = [(pytest_seconds("-q"), pytest_seconds(str(empty), *QUIET, "-c", os.devnull)) for _ in range(ROUNDS)]
        replay, nothing = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"replay of everything          {replay:6.2f} s")
        print(f"500 empty tests               {nothing:6.2f} s")
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"ratio                         {ratio:6.2f}    (goal: at most 3)")
        live(Path(folder))
        slow(Path(folder))


def live(folder: Path) -> None:
    """Judge a reference server on loopback, then send it the same requests from a bare loop."""
    with reference_server() as url:
        told, wall = pytest_output("-q", f"--target-url={url}")
        waits = re.search(r"(\d+) requests, .*\n(waits, .*); the session itself stood still for ([\d.]+) s", told)
        assert waits, told
        pytest_output("-q", f"--target-url={url}", f"--runs-record={folder / 'live'}")
        recorded = recorded_requests(folder / "live")
        requests = (recorded * 2)[: int(waits[1])]  # a few requests belong to no cassette
        bare = bare_seconds(url, requests)
        startup = pytest_seconds("-q", "--collect-only")
    idle = float(waits[3])
    net = wall - idle
    print(f"live run, all of it           {wall:6.2f} s    ({waits[2]}; side by side, held up by them for {idle} s)")
    print(f"live run, net of the waits    {net:6.2f} s    ({startup:.2f} s of it to start and collect)")
    print(f"bare loop, {len(requests):4} requests     {bare:6.2f} s")
    print(f"ratio                         {net / bare:6.2f}    (goal: at most 3)")


def slow(folder: Path) -> None:
    """Judge a server that answers in 100 ms and works 3 s on a run: as it comes, and one case after another."""
    with reference_server("--latency", "100", "--run-seconds", "3") as url:
        wall = pytest_output("-q", f"--target-url={url}", f"--runs-record={folder / 'slow'}")[1]
        chain, scope = longest_chain(folder / "slow")
        serial = pytest_output("-q", f"--target-url={url}", "--runs-max-concurrency=1")[1]
    print(f"slow target, side by side     {wall:6.2f} s")
    print(f"slow target, longest chain    {chain:6.2f} s    ({scope}; races, which are not recorded, left out)")
    print(f"ratio                         {wall / chain:6.2f}    (goal: at most 2)")
    print(f"slow target, one by one       {serial:6.2f} s")
    print(f"ratio                         {serial / wall:6.2f}    (goal: at least 5)")


def longest_chain(folder: Path) -> tuple[float, str]:
    """Seconds from the first request to the last answer of the scope that took longest, and its name."""
    spans = {}
    for path in folder.glob("*/**/*.json"):
        if interactions := json.loads(path.read_text("utf-8"))["interactions"]:
            last = interactions[-1]["response"]
            spans[path.relative_to(folder).with_suffix("").as_posix()] = last["offset"] + last["duration"]
    scope = max(spans, key=spans.__getitem__)
    return spans[scope], scope


def recorded_requests(folder: Path) -> list[Request]:
    """Every request of a cassette set: its method, its path with the query, its body."""
    return [
        (request.method, request.uri.removeprefix(HOST), request.body)
        for path in sorted(folder.glob("*/**/*.json"))
        for request in load(path).requests
    ]


def bare_seconds(url: str, requests: list[Request]) -> float:
    """How long a loop with one kept connection takes to send the requests."""
    origin = url.removesuffix("/v1")
    key = {"Authorization": "Bearer sk-reference", "OpenAI-Beta": "assistants=v2"}
    with httpx.Client() as client:
        client.get(url)
        started = time.monotonic()
        for method, target, body in requests:
            typed = {"Content-Type": "application/json"} if body else {}
            client.request(method, origin + target, headers={**key, **typed}, content=body or None)
        return time.monotonic() - started


@contextmanager
def reference_server(*options: str) -> Iterator[str]:
    """A reference server on an ephemeral loopback port."""
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found, "the reference server did not start"
            yield found[0]
        finally:
            server.terminate()


def pytest_seconds(*arguments: str) -> float:
    """Wall time of one pytest process."""
    return pytest_output(*arguments)[1]


def pytest_output(*arguments: str) -> tuple[str, float]:
    """What one pytest process printed, and its wall time."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": "sk-reference"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout, time.monotonic() - started


if __name__ == "__main__":
    main()
