"""What a session was asked to do: one typed object, made from the options and the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from conformance.outcomes import BadSettings
from conformance.profiles import load_profile
from conformance.requirements import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.profiles import Profile
    from conformance.requirements.contract import Contract

__all__ = ["BadSettings", "Secret", "Settings"]

#: Those that a target may lack without a word.
OPTIONAL = frozenset({"streaming", "steps", "create-thread-and-run"})
CAPABILITIES = ("auth", "retrieve", "list", "cancel", "streaming", "steps", "create-thread-and-run")
POLICIES = ("documented", "strict", "observed")


#: In seconds.
_LONGEST_WAIT = 86_400
#: Characters of a part of a host's name.
_LONGEST_LABEL = 63
#: Options that say nothing with an empty value.
_VALUED = (
    "runs_replay",
    "runs_record",
    "runs_api_key_env",
    "runs_profile",
    "runs_model",
    "runs_assistant",
    "runs_without",
    "runs_known_failures",
    "runs_report_dir",
    "runs_contract",
    "runs_sdk",
)
#: What says something of a server only.
_OF_SERVERS = (
    "runs_target_url",
    "runs_replay",
    "runs_record",
    "runs_fuzz",
    "runs_fault",
    "runs_plan",
    "runs_repeat",
)


#: What decides what is judged and how, and not what is written.
_JUDGING = (
    "runs_target_url",
    "runs_sdk",
    "runs_replay",
    "runs_fault",
    "runs_api_key_env",
    "runs_profile",
    "runs_model",
    "runs_assistant",
    "runs_max_runs",
    "runs_max_concurrency",
    "runs_cancel_policy",
    "runs_without",
    "runs_wait",
    "runs_known_failures",
    "runs_repeat",
    "runs_races",
    "runs_fuzz",
    "runs_seed",
    "runs_contract",
    "runs_gate",
)


class Secret(str):
    """A string that never shows itself in a representation."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[redacted]'"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One session: what is judged, how it is reached, and what counts."""

    kind: Literal["replay", "reference", "url", "sdk"]
    url: str = ""
    #: The driver of the client that is judged: a name or a command.
    sdk: str = ""
    replay: str = "reference"
    record: str | None = None
    profile: Profile
    key: Secret | None = None
    key_env: str = "OPENAI_API_KEY"
    model: str | None = None
    assistant: str | None = None
    max_runs: int | None = None
    #: Whether runs cost nothing and time can be turned, as on the embedded reference server.
    free: bool = False
    #: How many cases are carried out side by side.
    max_concurrency: int = 12
    gate: Literal["must", "should"] = "must"
    policy: str = "documented"
    #: The requirements that are judged, and at which level, where they are pinned.
    contract: Contract | None = None
    #: Capabilities that the user declares absent.
    without: frozenset[str] = frozenset()
    #: A file of known failures, other than the one of the usual name.
    known_failures: str | None = None
    update_known_failures: bool = False
    #: The folder that reports are written into.
    report_dir: str | None = None
    #: How often each case is carried out.
    repeat: int = 1
    #: Whether the target is only rehearsed for.
    plan: bool = False
    waits: Mapping[str, float] = field(default_factory=dict)
    fuzz: Literal["reads", "writes"] | None = None
    seed: int = 0
    #: What the embedded reference server does wrong on purpose.
    faults: tuple[str, ...] = ()
    #: The options that decide what is judged and how, as they were given; none of them holds a secret.
    given: tuple[str, ...] = ()

    @property
    def side(self) -> Side:
        """Who is judged."""
        return Side.CLIENT if self.kind == "sdk" else Side.SERVER

    @property
    def origin(self) -> str:
        """Scheme, host and port of the target."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def base_path(self) -> str:
        """The path of the target's URL."""
        return urlsplit(self.url).path.rstrip("/")

    @classmethod
    def read(cls, option: Callable[[str], Any], known_waits: Mapping[str, float]) -> Settings:
        """
        Make the settings from pytest's options.

        Args:
            option: Looks up an option by its destination, such as `runs_gate`.
            known_waits: The waits that may be set, by name.

        Raises:
            BadSettings: options contradict each other or have impossible values.
        """
        _agree(option)
        target = option("runs_target_url")
        kind = "sdk" if option("runs_sdk") else _kind(target)
        key_env = option("runs_api_key_env") or "OPENAI_API_KEY"
        if option("runs_api_key_env") and kind == "url" and not os.environ.get(key_env):
            raise BadSettings(f"--runs-api-key-env names {key_env}, which is not set")
        key = os.environ.get(key_env, "").strip() or None
        if key and not (key.isascii() and key.isprintable()):
            raise BadSettings(f"{key_env} holds characters that no header can carry")
        if option("runs_fuzz") and find_spec("schemathesis") is None:
            raise BadSettings("--runs-fuzz needs the extra fuzz: pip install 'PATH[fuzz]', with the path of a checkout")
        without = _without(option("runs_without"))
        if kind == "url" and key is None:
            without |= {"auth"}
        profile = load_profile(
            (kind != "sdk" and option("runs_profile")) or ("reference" if kind == "reference" else "openai")
        )
        without |= _known(profile.without, f"the profile {profile.name}")
        return cls(
            kind=kind,
            url="http://reference.invalid/v1" if kind == "reference" else target or "",
            sdk=option("runs_sdk") or "",
            replay=option("runs_replay") or "reference",
            record=option("runs_record"),
            profile=profile,
            key=Secret(key) if key and kind == "url" else None,
            key_env=key_env,
            model=option("runs_model") or profile.model,
            assistant=option("runs_assistant"),
            free=kind == "reference",
            max_runs=_at_least_one(option("runs_max_runs"), "--runs-max-runs"),
            max_concurrency=_at_least_one(option("runs_max_concurrency"), "--runs-max-concurrency") or 12,
            gate=option("runs_gate"),
            policy=option("runs_cancel_policy") or "documented",
            contract=_contract(option("runs_contract"), Side.CLIENT if kind == "sdk" else Side.SERVER),
            without=without,
            known_failures=option("runs_known_failures"),
            update_known_failures=bool(option("runs_update_known_failures")),
            report_dir=option("runs_report_dir"),
            repeat=_at_least_one(option("runs_repeat"), "--runs-repeat") or 1,
            plan=bool(option("runs_plan")),
            waits=_waits(option("runs_wait") or [], known_waits),
            fuzz=option("runs_fuzz"),
            seed=option("runs_seed") or 0,
            faults=tuple(option("runs_fault") or ()),
            given=tuple(_given(option)),
        )


def _given(option: Callable[[str], Any]) -> Iterator[str]:
    """The options that decide what is judged and how; the empty ones say nothing."""
    for destination in _JUDGING:
        value = option(destination)
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield f"--{_shown(destination)}={each}"
    for name, expression in (("-k", option("keyword")), ("-m", option("markexpr"))):
        yield from (name, expression) if expression else ()


def _agree(option: Callable[[str], Any]) -> None:
    """See whether the options contradict each other."""
    for name in _VALUED:
        if option(name) is not None and not option(name).strip():
            raise BadSettings(f"--{_shown(name)} is empty; give it a value, or leave it out")
    target, replay, record = option("runs_target_url"), option("runs_replay"), option("runs_record")
    if option("runs_sdk") and (given := [name for name in _OF_SERVERS if option(name)]):
        raise BadSettings(f"--runs-sdk judges a client, and --{_shown(given[0])} is about a server; name one of them")
    if target and replay:
        raise BadSettings("--target-url and --runs-replay are two targets; name one of them")
    if record and not target:
        raise BadSettings("--runs-record needs a --target-url to record from")
    if option("runs_fault") and target != "reference":
        raise BadSettings("--runs-fault needs --target-url=reference, the only server that can be told to be wrong")
    if (option("runs_repeat") or 1) > 1 and (record or not target):
        raise BadSettings("--runs-repeat needs a live target, and is not recorded: a recording is always the same")
    if option("runs_plan") and target in {None, "reference"}:
        raise BadSettings("--runs-plan needs a --target-url to plan for; nothing else costs anything")


def _shown(destination: str) -> str:
    """An option as it is written, by its destination."""
    name = destination.replace("_", "-")
    return "target-url" if name == "runs-target-url" else name


def _kind(target: str | None) -> Literal["replay", "reference", "url"]:
    if target is None:
        return "replay"
    if target == "reference":
        return "reference"
    if not target:
        raise BadSettings("--target-url is empty; name a URL, or the word reference")
    _check_url(target)
    return "url"


def _check_url(target: str) -> None:
    if not target.isascii() or not target.isprintable() or " " in target:
        raise BadSettings(f"--target-url={target!a} holds characters that no URL has; percent-encode them")
    try:
        parts = urlsplit(target)
        _ = parts.port
    except ValueError as problem:
        raise BadSettings(f"--target-url={target} is no URL: {problem}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSettings(f"--target-url={target} is no http(s) URL (and not the word reference)")
    labels = parts.hostname.removesuffix(".").split(".")
    if ":" not in parts.hostname and not all(1 <= len(label) <= _LONGEST_LABEL for label in labels):
        raise BadSettings(f"--target-url={target} names no host: its parts have 1 to {_LONGEST_LABEL} characters")
    if parts.username or parts.password:
        raise BadSettings("--target-url must not carry a key; put it into an environment variable")
    if parts.query or parts.fragment:
        raise BadSettings("--target-url must be a base URL, without a query or fragment")


def _contract(name: str | None, side: Side) -> Contract | None:
    if name is None:
        return None
    from conformance.requirements.contract import FOLDERS, NoContract, contract

    try:
        return contract(name.strip(), FOLDERS[side])
    except NoContract as problem:
        raise BadSettings(f"--runs-contract: {problem}") from None


def _without(value: str | None) -> frozenset[str]:
    return _known(frozenset(name.strip() for name in (value or "").split(",") if name.strip()), "--runs-without")


def _known(capabilities: frozenset[str], where: str) -> frozenset[str]:
    if unknown := sorted(capabilities - set(CAPABILITIES)):
        raise BadSettings(f"{where} knows no {', '.join(unknown)}; it knows {', '.join(CAPABILITIES)}")
    return capabilities


def _at_least_one(value: int | None, option: str) -> int | None:
    if value is not None and value < 1:
        raise BadSettings(f"{option} must be at least 1")
    return value


def _waits(pairs: list[str], known: Mapping[str, float]) -> dict[str, float]:
    budgets: dict[str, float] = {}
    for pair in pairs:
        name, _, seconds = pair.partition("=")
        try:
            budgets[name] = float(seconds)
        except ValueError:
            raise BadSettings(f"--runs-wait={pair} is not of the form NAME=SECONDS") from None
        if name not in known or not 0 <= budgets[name] <= _LONGEST_WAIT:
            raise BadSettings(f"--runs-wait={pair}: the waits are {', '.join(known)}, from 0 to {_LONGEST_WAIT} s")
    return budgets
