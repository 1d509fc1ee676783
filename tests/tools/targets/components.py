"""The components: what is installed of each, and how it is started."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.peers.running import KEY, ROOT, Children
from tools.targets import installing, mock, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

HERE = ROOT / "tests" / "tools" / "targets"
PROFILES = HERE / "profiles"


@dataclass(frozen=True)
class Place:
    """Where a component may leave something: installations that are kept, and files that are not."""

    kept: Path
    scratch: Path
    children: Children


@dataclass(frozen=True)
class Target:
    """What a user would tell the suite."""

    url: str = ""
    key: str = ""
    profile: str = "openai"
    #: What the profile takes from the environment.
    env: Mapping[str, str] = field(default_factory=dict)
    #: A cassette set, instead of a URL.
    replay: str = ""
    #: The command of a driver, where a client is judged.
    sdk: str = ""
    more: Sequence[str] = ()

    @property
    def options(self) -> list[str]:
        """The options of pytest that say so."""
        if self.sdk:
            return [f"--runs-sdk={self.sdk}"]
        if self.replay:
            return [f"--runs-replay={self.replay}"]
        return [f"--target-url={self.url}", f"--runs-profile={self.profile}", *self.more]


@dataclass(frozen=True)
class Component:
    """Something that others wrote, and that speaks the API."""

    name: str
    #: Name, version, and how it is run.
    what: str
    serve: Callable[[Place], AbstractContextManager[Target]]


@contextmanager
def _reference(place: Place) -> Iterator[Target]:
    with servers.reference(place.scratch, place.children) as url:
        yield Target(url, KEY, str(PROFILES / "reference.toml"))


# With each what shapes its answers; pillow is what fakeai needs and does not ask for.
_FAKEAI = ("fakeai==0.3.2", "pillow==13.0.0", "fastapi==0.165.0", "starlette==1.10.0", "Hypercorn==0.18.0")


@contextmanager
def _fakeai(place: Place, **settings: str) -> Iterator[str]:
    programs = installing.python(place.kept / "fakeai", _FAKEAI, place.children)
    port = servers.free_port()
    command = [str(programs / "fakeai"), "server", "--host", "127.0.0.1", "--port", str(port)]
    with servers.answering(command, port, place.scratch, place.children, **settings) as origin:
        yield f"{origin}/v1"


@contextmanager
def _fakeai_open(place: Place) -> Iterator[Target]:
    with _fakeai(place) as url:
        yield Target(url)


@contextmanager
def _fakeai_locked(place: Place) -> Iterator[Target]:
    key = "sk-fakeai-test"
    settings = {"FAKEAI_AUTH__REQUIRE_API_KEY": "true", "FAKEAI_AUTH__API_KEYS": f'["{key}"]'}
    with _fakeai(place, **settings) as url:
        yield Target(url, key)


@contextmanager
def _fakeai_recorded(_: Place) -> Iterator[Target]:
    yield Target(replay="fakeai")


_RESPONSES = ("openai-responses==0.13.1", "openai==2.54.0", "httpx==0.28.1", "respx==0.22.0", "pydantic==2.14.3")


@contextmanager
def _openai_responses(place: Place) -> Iterator[Target]:
    programs = installing.python(place.kept / "openai-responses", _RESPONSES, place.children)
    command = [str(programs / "python"), str(HERE / "bridge.py")]
    with servers.telling(command, r"bridge at (\S+)", place.scratch, place.children) as url:
        yield Target(url)


@contextmanager
def _portkey(place: Place) -> Iterator[Target]:
    # With the hono server that it asks for, every success of the upstream becomes a 500.
    package = {"dependencies": {"@portkey-ai/gateway": "1.15.2"}, "overrides": {"@hono/node-server": "1.13.5"}}
    modules = installing.npm(place.kept / "portkey", package, place.children)
    gateway, port = modules / "@portkey-ai" / "gateway" / "build" / "start-server.js", servers.free_port()
    command = ["node", "--require", str(HERE / "loopback.cjs"), str(gateway), "--headless", f"--port={port}"]
    behind = place.scratch / "behind"
    behind.mkdir()
    with (
        servers.reference(behind, place.children) as upstream,
        servers.answering(command, port, place.scratch, place.children) as origin,
    ):
        yield Target(f"{origin}/v1", KEY, str(PROFILES / "portkey.toml"), {"UPSTREAM": upstream})


_LITELLM = ("litellm[proxy]==1.106.2",)


@contextmanager
def _litellm(place: Place) -> Iterator[Target]:
    programs = installing.python(place.kept / "litellm", _LITELLM, place.children)
    port, key, behind = servers.free_port(), "sk-litellm-test", place.scratch / "behind"
    command = [str(programs / "litellm"), "--host=127.0.0.1", f"--port={port}", "--telemetry=False"]
    behind.mkdir()
    with servers.reference(behind, place.children) as upstream:
        settings = {"OPENAI_API_BASE": upstream, "LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with servers.answering(command, port, place.scratch, place.children, **settings) as origin:
            yield Target(f"{origin}/openai", key, str(PROFILES / "litellm.toml"))


@contextmanager
def _prism(place: Place) -> Iterator[Target]:
    with _mock(place, str(ROOT / "schemas" / "openapi.yaml")) as origin:
        yield Target(origin, "sk-prism")


@contextmanager
def _prism_with_threads(place: Place) -> Iterator[Target]:
    document = place.scratch / "openapi.json"
    document.write_text(mock.document(), "utf-8")
    with _mock(place, str(document)) as origin:
        # Of a path that is no UTF-8 it dies, and of a body that is no JSON it falls silent.
        yield Target(origin, "sk-prism", more=("-k", "not RUN-ERR-006 and not RUN-ERR-007"))


@contextmanager
def _mock(place: Place, document: str) -> Iterator[str]:
    modules = installing.npm(place.kept / "prism", {"dependencies": {"@stoplight/prism-cli": "5.16.0"}}, place.children)
    command = [str(modules / ".bin" / "prism"), "mock", document, "--host=127.0.0.1", "--port=0"]
    pattern = r"listening on (http://127\.0\.0\.1:\d+)"
    with servers.telling(command, pattern, place.scratch, place.children) as origin:
        yield origin


COMPONENTS = {
    each.name: each
    for each in (
        Component("reference", "the reference server, to compare with", _reference),
        Component("fakeai", "fakeai 0.3.2, without authentication", _fakeai_open),
        Component("fakeai-key", "fakeai 0.3.2, with a key", _fakeai_locked),
        Component("fakeai-recorded", "fakeai 0.3.2, the part in cassettes/fakeai", _fakeai_recorded),
        Component("openai-responses", "openai-responses 0.13.1, behind a bridge", _openai_responses),
        Component("portkey", "Portkey's gateway 1.15.2, before the reference server", _portkey),
        Component("litellm", "LiteLLM's proxy 1.106.2, before the reference server", _litellm),
        Component("prism", "Prism 5.16.0, a mock of schemas/openapi.yaml", _prism),
        Component("prism-threads", "Prism 5.16.0, the same with threads", _prism_with_threads),
    )
}
