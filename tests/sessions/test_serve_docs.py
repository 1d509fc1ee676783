"""What `docs/serve.md` tells an author of an SDK to run does what the page says."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

from conformance.reference.command import declare
from conformance.reference.control import routes, rules
from support import ROOT
from support.asgi_server import Served
from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs" / "serve.md").read_text("utf-8")
#: Stands for the client of whoever reads the page: it sends again what was refused as one too many.
CLIENT = """
class my_client:
    def __init__(self, url):
        self.url, self.headers = url, {"Authorization": "Bearer sk-reference", "OpenAI-Beta": "assistants=v2"}

    def create_thread(self):
        while httpx.post(f"{self.url}/threads", headers=self.headers).status_code == 429:
            pass
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which the command is installed."""
    program = tmp_path / "bin" / "runs-conformance"
    program.parent.mkdir()
    script = "import sys; from conformance.commands import main; sys.exit(main())"
    program.write_text(f"#!{sys.executable}\n{script}\n", "utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    with serving("--clock=turned") as url:
        yield url.replace("/v1", "/_conformance")


def ran(command: list[str], cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the shell needs curl")
@pytest.mark.parametrize("block", blocks("sh"), ids=lambda block: block.split("\n")[0][:60])
def test_the_shell_does_what_the_page_says(
    block: str, control: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    with urlopen(Request(f"{control}/reset", method="POST")):
        told = ran(["bash", "-euc", block], tmp_path, {**environment, "control": control, "url": "unset"})

    assert told.count("{") >= block.count("curl")
    assert '"error"' not in told


def test_the_fixture_for_pytest_works(tmp_path: Path, environment: dict[str, str]) -> None:
    [block] = blocks("python")
    (tmp_path / "test_client.py").write_text(f"{block}\n{CLIENT}", "utf-8")

    quiet = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider")
    told = ran([sys.executable, "-m", "pytest", "-q", *quiet], tmp_path, environment)

    assert "1 passed" in told


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_node_starts_it_and_reads_its_line(tmp_path: Path, environment: dict[str, str]) -> None:
    [block] = blocks("js")
    (tmp_path / "start.mjs").write_text(block, "utf-8")

    assert ran(["node", "start.mjs"], tmp_path, environment) == "ok\n"


def test_the_page_names_every_option_fault_member_and_route() -> None:
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    words = {word for each in re.findall(r"`([^`]+)`", prose) for word in re.findall(r"[\w/-]+", each)}
    declare(parser := argparse.ArgumentParser(add_help=False))

    assert set(re.findall(r"--[a-z-]+", parser.format_usage())) - words == set()
    members = {member for takes in rules.ON_THE_WAY.values() for member in takes}
    assert {*rules.ON_THE_WAY, *members, *rules._EVERY, *routes._FILTERS} - words == set()
    assert {name for _, name in routes._ROUTES} - {each.rpartition("/")[2] for each in words} == set()


def test_what_is_told_of_an_entry_is_on_the_page() -> None:
    served = Served()
    served.send("POST", "/v1/threads")

    [entry] = served.driven("GET", "journal")["data"]
    assert [name for name in entry if f"`{name}`" not in PAGE] == []
