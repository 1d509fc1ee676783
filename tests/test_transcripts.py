"""What the pages show of the terminal is what the terminal shows; only numbers may have changed since."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from documentation.pages import DOCS

from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Sessions that need nothing but the suite itself.
OFFLINE = re.compile(r"(?:.*&& )?(?:\.venv/bin/)?pytest((?: --target-url=reference| --runs-replay=\w+)?(?: -.*)?)$")


def transcripts() -> Iterator[object]:
    """Each command that can be given here, with what the page says it prints."""
    for path in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
        for block in BLOCK.findall(path.read_text("utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, told = part.partition("\n")
                found = OFFLINE.match(command)
                if told.strip() and found and "://" not in command:
                    yield pytest.param(found[1], told, id=f"{path.name}:{found[1].strip() or 'pytest'}")


def said(line: str) -> str:
    """A line without its numbers, its padding and its width."""
    return re.sub(r"\d+", "0", re.sub(r"\W*[=_]{2,}\W*", "", " ".join(line.split())))


@pytest.mark.parametrize(("arguments", "told"), list(transcripts()))
def test_the_terminal_says_so(arguments: str, told: str, judge: Callable[..., Ran]) -> None:
    printed = iter(
        said(line) for line in judge(*(shlex.split(arguments) or ["--runs-replay=reference"])).text.splitlines()
    )

    for line in told.splitlines():
        if line.strip() != "...":
            beginning, dots, _ = said(line).partition("...")
            matching = (each.startswith(beginning) if dots else each == beginning for each in printed)
            assert any(matching), f"the terminal does not say, or not in this order: {line}"


def test_there_are_transcripts_to_compare() -> None:
    assert len(list(transcripts())) >= 4
