"""How fast the reference server answers an SDK's tests, as ratios to mocks in one run: `tox -e bench-serve`."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tools.peers.running import ROOT, Children, ToolError
from tools.targets import installing, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = "reference, stateless"
PRISM, STEADY = "@stoplight/prism-cli", "@stdy/cli"
VERSIONS = {PRISM: "5.16.0", STEADY: "0.22.2"}
DOCUMENT = str(ROOT / "schemas" / "openapi.yaml")
ROUNDS, CALLS = 5, 200
HEADERS = {"Authorization": "Bearer sk-reference", "OpenAI-Beta": "assistants=v2"}
RUN = "/threads/thread_id/runs/run_id"
#: What the generated tests of SDKs send: any ids, one call after another.
REQUESTS = (
    ("POST", "/threads/thread_id/runs", {"assistant_id": "assistant_id", "model": "gpt-4o", "metadata": {"k": "v"}}),
    ("GET", RUN, None),
    ("GET", "/threads/thread_id/runs?limit=20&order=desc", None),
    ("POST", f"{RUN}/cancel", None),
    ("POST", RUN, {"metadata": {"k": "v"}}),
)


def main() -> None:
    """Print how long a thousand calls take, and the ratios to ours."""
    parser = argparse.ArgumentParser(prog="tox -e bench-serve --", description=__doc__)
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where to install (default: thrown away)")
    asked = parser.parse_args()
    children = Children()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as held:
        held.callback(children.end)
        folder = Path(name)
        kept = asked.kept.resolve() if asked.kept else folder / "kept"
        urls = {
            OURS: held.enter_context(_reference(folder / "stateless", children, "--stateless")),
            "the same, no control": held.enter_context(
                _reference(folder / "plain", children, "--stateless", "--no-control")
            ),
        }
        for told, mock in (("Prism 5.16.0", _prism), ("Steady 0.22.2", _steady)):
            try:
                urls[told] = held.enter_context(mock(folder, kept, children))
            except (installing.Absent, ToolError) as problem:
                print(f"{told}: not measured, {problem}")
        _compare(urls)
    _start()


def _compare(urls: dict[str, str]) -> None:
    """Call them in turns, so that what else the machine does falls on all of them."""
    for url in urls.values():
        _seconds(url)
    rounds = [{name: _seconds(url) for name, url in urls.items()} for _ in range(ROUNDS)]
    for name in urls:
        total = sum(each[name] for each in rounds)
        ratio = statistics.median(each[OURS] / each[name] for each in rounds)
        goal = "    (goal: at most 1)" if name[0].isupper() else ""
        print(f"{name:24} {ROUNDS * CALLS} calls {total:6.2f} s    ours / this {ratio:5.2f}{goal}")


def _seconds(url: str) -> float:
    with httpx.Client(headers=HEADERS, timeout=30) as client:
        client.get(url + RUN)
        started = time.monotonic()
        for number in range(CALLS):
            method, path, body = REQUESTS[number % len(REQUESTS)]
            reply = client.request(method, url + path, json=body) if body else client.request(method, url + path)
            assert reply.status_code == 200, (url, method, path, reply.text)
        return time.monotonic() - started


def _start() -> None:
    """Time from the start of the process to the ready line."""
    pairs = [(_ready_seconds(), _nothing_seconds()) for _ in range(ROUNDS)]
    ready, nothing = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"start, to the ready line {ready:6.2f} s    (goal: below 1)")
    print(f"python -c pass           {nothing:6.2f} s    ratio {ready / nothing:5.1f}")


def _ready_seconds() -> float:
    started = time.monotonic()
    command = [sys.executable, "-m", "conformance.reference", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as server:
        assert server.stdout
        server.stdout.readline()
        seconds = time.monotonic() - started
        server.terminate()
    return seconds


def _nothing_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - started


@contextmanager
def _reference(folder: Path, children: Children, *options: str) -> Iterator[str]:
    folder.mkdir()
    command = [sys.executable, "-m", "conformance.reference", "--port=0", *options]
    with servers.telling(command, r"(http://\S+)", folder, children, PYTHONPATH=str(ROOT)) as url:
        yield url


@contextmanager
def _prism(folder: Path, kept: Path, children: Children) -> Iterator[str]:
    modules = installing.npm(kept / "prism", {"dependencies": {PRISM: VERSIONS[PRISM]}}, children)
    (folder / "prism").mkdir()
    command = [str(modules / ".bin" / "prism"), "mock", DOCUMENT, "--host=127.0.0.1", "--port=0"]
    with servers.telling(command, r"listening on (http://127\.0\.0\.1:\d+)", folder / "prism", children) as url:
        yield url


@contextmanager
def _steady(folder: Path, kept: Path, children: Children) -> Iterator[str]:
    modules = installing.npm(kept / "steady", {"dependencies": {STEADY: VERSIONS[STEADY]}}, children)
    (folder / "steady").mkdir()
    port = servers.free_port()
    command = [str(modules / ".bin" / "steady"), "--quiet", "--host=127.0.0.1", f"--port={port}", DOCUMENT]
    with servers.answering(command, port, folder / "steady", children) as url:
        yield url


if __name__ == "__main__":
    main()
