"""What the pages show of the terminal is what the terminal shows; only numbers may have changed since."""

from __future__ import annotations

import re
import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from support import ROOT
from support.servers import serving
from tools.documentation.pages import DOCS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sessions import Ran

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: A session, with its arguments.
SESSION = re.compile(r"(?:.*&& )?(?:\.venv/bin/)?pytest((?: -.*)?)$")
#: The server that the pages judge: the reference server, with a fault.
SERVER, FAULT = "http://localhost:8000/v1", "--fault=comes-back"


def transcripts() -> Iterator[object]:
    """Each session that takes no longer than a test may, with what the page says it prints; a quiet one repeats it."""
    seen = set()
    for path in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
        for block in BLOCK.findall(path.read_text("utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, told = part.partition("\n")
                found = SESSION.match(command)
                if told.strip() and found and is_quick(found[1]):
                    session = found[1].removesuffix(" -q")
                    marks = [pytest.mark.exhaustive] if session in seen else []
                    seen.add(session)
                    yield pytest.param(found[1], told, id=f"{path.name}:{found[1].strip() or 'pytest'}", marks=marks)


def is_quick(arguments: str) -> bool:
    """Whether a session sends nothing to a socket, or little to the server of the pages."""
    return "://" not in arguments or bool(re.search(rf"{SERVER} (-k \S+|--runs-plan)$", arguments))


def said(line: str) -> str:
    """A line without its numbers, its padding and its width."""
    return re.sub(r"\d+", "0", re.sub(r"\W*[=_]{2,}\W*", "", " ".join(line.split())))


@pytest.mark.parametrize(("arguments", "told"), list(transcripts()))
def test_the_terminal_says_so(arguments: str, told: str, judge: Callable[..., Ran]) -> None:
    asked = SERVER in arguments and "--runs-plan" not in arguments
    with serving(FAULT) if asked else nullcontext(SERVER) as url:
        chosen = shlex.split(arguments.replace(SERVER, url)) or ["--runs-replay=reference"]
        text = judge(*chosen, OPENAI_API_KEY="sk-reference").text.replace(url, SERVER)
    printed = iter([said(line) for line in text.splitlines()])

    for line in told.splitlines():
        if line.strip() != "...":
            beginning, dots, _ = said(line).partition("...")
            matching = (each.startswith(beginning) if dots else each == beginning for each in printed)
            assert any(matching), f"the terminal does not say, or not in this order: {line}\n{text}"


def test_there_are_transcripts_to_compare() -> None:
    assert len(list(transcripts())) >= 5
