"""One session against a hostile target, as a user would run it: its end, its time, its memory, and what it leaves."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from support.hostile.core import KEY, SELECTIONS, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.hostile.core import Behaviour
    from support.sessions import ForkedSessions

#: How often as long as on an idle machine a session may take, which the tests share with others.
PATIENCE = 4
#: Budgets of the waits that let every session be a short one.
_WAITS = {
    "answer": 1.5,
    "appear": 0.2,
    "start": 0.5,
    "action": 0.8,
    "finish": 1,
    "stream": 1.5,
    "cancel": 0.6,
    "apart": 0.05,
    "work": 0.2,
    "throttled": 3,
    "afterlife": 0.1,
    "clean-up": 3,
}
_QUIET = ("no:schemathesis", "no:hypothesispytest", "no:anyio", "no:cacheprovider")
#: So many characters of the key in a row are too many.
_TELLING = 14


@dataclass(frozen=True)
class Trial:
    """What a session came to."""

    code: int | None
    seconds: float
    cpu_seconds: float
    megabytes: float
    text: str
    leaks: tuple[str, ...]
    strayed: tuple[bytes, ...]
    requests: int


def hold(behaviour: Behaviour, moment: str, folder: Path, sessions: ForkedSessions) -> Trial:
    """Run a session against a target that misbehaves so at that moment, from an empty folder."""
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "RUNS_"))}
    with serving(behaviour, moment) as (origin, server):
        arguments = [
            *(f"-p{plugin}" for plugin in _QUIET),
            f"--target-url={origin}/v1",
            *(f"--runs-wait={name}={seconds}" for name, seconds in _WAITS.items()),
            *("--junitxml=junit.xml", "--alluredir=allure", "-rA", "--showlocals", "--tb=long"),
            *("-m", SELECTIONS[moment]),
            *behaviour.options,
        ]
        limit = PATIENCE * behaviour.seconds
        ran = sessions.run_within(limit, folder, *arguments, environment={**kept, "OPENAI_API_KEY": KEY})
    (folder / "printed").write_text(ran.text, "utf-8", "surrogateescape")
    return Trial(
        code=None if ran.timed_out else ran.code,
        seconds=ran.seconds,
        cpu_seconds=ran.cpu_seconds,
        megabytes=ran.megabytes,
        text=ran.text,
        leaks=tuple(_leaks(folder)),
        strayed=tuple(server.strayed),
        requests=server.number() - 1,
    )


def _leaks(folder: Path) -> Iterator[str]:
    """The files that give the key away, with what stands around it."""
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        text = re.sub(r"\\\n *\\?", "", file.read_text("utf-8", "replace"))  # YAML folds long lines so
        if found := gives_away(text):
            yield f"{file.relative_to(folder)}: {found}"


def gives_away(text: str) -> str:
    """Where a text holds the key, or much of it, in any form; empty where it does not."""
    narrow = re.sub("[\0?\ufffd]", "", text)  # of what is wider than a byte
    for view in (narrow, _plain(narrow)):
        small = view.lower()
        for place in (*map(small.find, _SPOKEN), *map(view.find, _CODED)):
            if place >= 0:
                return repr(view[max(0, place - 120) : place + 60])
    return ""


def _plain(text: str) -> str:
    """The text without the escapes of URLs, JSON and HTML."""
    import html

    for _ in range(3):
        text = unquote(html.unescape(text))
        text = re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\+(?=[\"\\])", "", text)


def _windows(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _coded() -> Iterator[str]:
    yield KEY.encode().hex()[:28]
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield from _windows(encode(bytes(before) + KEY.encode()).decode()[4:-4], 20)


#: Parts of the key that nobody may show: as it is, and encoded. Looked for one by one, which is faster than at once.
_SPOKEN = tuple(_windows(KEY.replace("\\", "").lower(), _TELLING))
_CODED = tuple(dict.fromkeys(_coded()))
