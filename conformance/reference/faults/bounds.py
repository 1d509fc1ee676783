"""Limits of what a run may be created with: off by one, put right in silence, or counted in something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import invalid
from conformance.reference.faults.mishearing import crash, mishears

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.faults.mishearing import Said

_TOKENS = ("max_prompt_tokens", "max_completion_tokens")


def _refuses(name: str, wrong: Callable[[Any], bool]) -> Callable[[Said], None]:
    """Refuse a member with certain values."""

    def change(said: Said) -> None:
        if said.get(name) is not None and wrong(said[name]):
            raise invalid(name, "that is out of range.")

    return change


def _puts_right(name: str, right: Callable[[Any], Any]) -> Callable[[Said], None]:
    """Replace the value of a member."""

    def change(said: Said) -> None:
        if said.get(name) is not None:
            said[name] = right(said[name])

    return change


def _number(given: Any) -> bool:
    return isinstance(given, int | float)


mishears(
    "nineteen-tools",
    "Twenty tools are refused.",
    "CREATE-011",
    change=_refuses("tools", lambda given: len(given) == 20),
)
mishears(
    "drops-a-tool",
    "Of more than twenty tools the last ones are dropped.",
    "CREATE-011",
    change=_puts_right("tools", lambda given: given[:20] if isinstance(given, list) else given),
)
mishears(
    "ten-tools",
    "A run has ten tools, however many it was given.",
    "CREATE-011",
    change=_puts_right("tools", lambda given: given[:10] if isinstance(given, list) and len(given) <= 20 else given),
)
mishears(
    "one-tool-needs-no-array",
    "A tool that is in no array is taken for one that is.",
    "CREATE-011",
    change=_puts_right("tools", lambda given: [given] if isinstance(given, dict) else given),
)
mishears(
    "clamps-the-temperature",
    "A temperature that is out of range is put into it.",
    "CREATE-014",
    change=_puts_right("temperature", lambda given: min(max(given, 0), 2) if _number(given) else given),
)
mishears(
    "clamps-top-p",
    "A top_p that is out of range is put into it.",
    "CREATE-014",
    change=_puts_right("top_p", lambda given: min(max(given, 0), 1) if _number(given) else given),
)
mishears(
    "never-so-hot",
    "A temperature of 2 is refused.",
    "CREATE-014",
    change=_refuses("temperature", lambda given: given == 2),
)
mishears(
    "hot-at-most-one",
    "A temperature above 1 is shown as 1.",
    "CREATE-014",
    change=_puts_right("temperature", lambda given: 1 if _number(given) and 1 < given <= 2 else given),
)
mishears(
    "top-p-below-one",
    "A top_p of 1 is refused.",
    "CREATE-014",
    change=_refuses("top_p", lambda given: given == 1),
)
mishears(
    "zero-is-not-set",
    "A temperature of 0 is taken for none.",
    "CREATE-014",
    change=_puts_right("temperature", lambda given: given or 1),
)
mishears(
    "top-p-zero-is-not-set",
    "A top_p of 0 is taken for none.",
    "CREATE-014",
    change=_puts_right("top_p", lambda given: given or 1),
)
mishears(
    "ignores-a-temperature-in-words",
    "A temperature that is no number is ignored.",
    "CREATE-014",
    change=_puts_right("temperature", lambda given: given if _number(given) else 1),
)


def _over_256(said: Said) -> None:
    for name in _TOKENS:
        _refuses(name, lambda given: given <= 256)(said)


def _at_least(limit: int) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        for name in _TOKENS:
            _puts_right(name, lambda given: max(given, limit))(said)

    return change


def _small_limits_crash(said: Said) -> None:
    if any(isinstance(said.get(name), int) and said[name] < 256 for name in _TOKENS):
        raise crash()


mishears(
    "more-than-256",
    "Token limits of 256 are refused, as one document can be read.",
    "CREATE-015",
    change=_over_256,
    seen="a rendering of Portkey's specification",
)
mishears("at-least-300", "Token limits are raised to 300.", "CREATE-015", "CREATE-016", change=_at_least(300))
mishears("at-least-256", "Token limits are raised to 256.", "CREATE-016", change=_at_least(256))
mishears("small-limits-crash", "Token limits under 256 are a crash.", "CREATE-016", change=_small_limits_crash)
mishears(
    "no-prompt-limit",
    "The limit of prompt tokens is forgotten where the other one is set.",
    "CREATE-015",
    "CREATE-016",
    change=lambda said: said.update(max_prompt_tokens=None) if said.get("max_completion_tokens") else None,
)


def _least(least: int) -> Callable[[Any], Any]:
    """Raise the number of messages of a truncation strategy."""

    def right(given: Any) -> Any:
        number = given.get("last_messages") if isinstance(given, dict) else None
        return {**given, "last_messages": max(number, least)} if isinstance(number, int) else given

    return right


mishears(
    "more-than-one-message",
    "A truncation to one message is refused, as one document can be read.",
    "CREATE-017",
    change=_refuses("truncation_strategy", lambda given: isinstance(given, dict) and given.get("last_messages") == 1),
)
mishears(
    "two-messages",
    "A truncation is to two messages at least.",
    "CREATE-017",
    "CREATE-018",
    change=_puts_right("truncation_strategy", _least(2)),
)
mishears(
    "one-message-at-least",
    "A truncation to no message is one to the last one.",
    "CREATE-018",
    change=_puts_right("truncation_strategy", _least(1)),
)
mishears(
    "truncation-is-automatic",
    "A truncation strategy is ignored.",
    "CREATE-017",
    "CREATE-018",
    change=_puts_right("truncation_strategy", lambda _: {"type": "auto"}),
)
mishears(
    "odd-truncation-is-automatic",
    "A truncation strategy that does not exist is taken for the automatic one.",
    "CREATE-018",
    change=_puts_right(
        "truncation_strategy",
        lambda given: given if isinstance(given, dict) and given.get("type") != "conformance" else {"type": "auto"},
    ),
)
mishears(
    "truncates-by-default",
    "A run whose truncation nobody named looks at ten messages.",
    "CREATE-017",
    change=lambda said: said.update(
        truncation_strategy=said.get("truncation_strategy") or {"type": "last_messages", "last_messages": 10}
    ),
)
