"""What a run is told besides, and the functions that it calls: messages and words lost, choices not heeded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.faults.mishearing import mishears
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said
    from conformance.reference.runs import Run

_MORE = "additional_instructions"
_MESSAGES = "additional_messages"


def _messages(right: Callable[[list[Said]], list[Said]]) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        if isinstance(given := said.get(_MESSAGES), list):
            said[_MESSAGES] = right(given)

    return change


mishears(
    "no-more-words", "Additional instructions are ignored.", "CREATE-008", change=lambda said: said.pop(_MORE, None)
)
mishears(
    "other-words",
    "Additional instructions take the place of the others.",
    "CREATE-008",
    change=lambda said: said.update(instructions=said.pop(_MORE)) if said.get(_MORE) else None,
)
mishears(
    "words-twice",
    "Additional instructions are added twice.",
    "CREATE-008",
    change=lambda said: said.update({_MORE: f"{said[_MORE]}\n{said[_MORE]}"}) if said.get(_MORE) else None,
)


@fault("CREATE-008")
class WordsFirst(Operations):
    """Additional instructions go before the others."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        run = self._thread(call).runs[told["id"]]
        parts = (run.settings["instructions"] or "").split("\n\n")
        run.settings = {**run.settings, "instructions": "\n\n".join(reversed(parts)) if any(parts) else None}
        return self.shown(run, call)


mishears(
    "messages-lost", "Additional messages are ignored.", "CREATE-009", change=lambda said: said.pop(_MESSAGES, None)
)
mishears(
    "messages-reversed",
    "Additional messages are added last one first.",
    "CREATE-009",
    change=_messages(lambda all_: all_[::-1]),
)
mishears(
    "only-the-first",
    "Only the first additional message is added.",
    "CREATE-009",
    change=_messages(lambda all_: all_[:1]),
)
mishears(
    "only-the-last",
    "Only the last additional message is added.",
    "CREATE-009",
    change=_messages(lambda all_: all_[-1:]),
)
mishears(
    "messages-twice", "Additional messages are added twice.", "CREATE-009", change=_messages(lambda all_: all_ * 2)
)
mishears(
    "all-are-users",
    "Additional messages are all the user's.",
    "CREATE-009",
    change=_messages(lambda all_: [{**each, "role": "user"} for each in all_]),
)
mishears(
    "messages-unlabelled",
    "Additional messages lose their metadata.",
    "CREATE-009",
    change=_messages(lambda all_: [{**each, "metadata": None} for each in all_]),
)


@fault("CREATE-009", "STREAM-025")
class SpeaksAfterwards(Operations):
    """Additional messages are on the thread, after the answer."""

    _late = 3600.0

    def create_run(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        before = len(thread.written)
        told = super().create_run(call)
        thread.written[before:] = [
            replace(message, created=message.created + self._late) for message in thread.written[before:]
        ]
        return told


@fault("CREATE-009")
class AddsThemOnceItIsDone(Operations):
    """Additional messages are on the thread once the run has come to rest."""

    def create_run(self, call: Call) -> dict[str, Any]:
        before = len(self._thread(call).written)
        told = super().create_run(call)
        self._before = {**getattr(self, "_before", {}), told["thread_id"]: before}
        return told

    def list_messages(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        kept = thread.written
        if thread.active(call.now) and thread.id in getattr(self, "_before", {}):
            thread.written = kept[: self._before[thread.id]]
        try:
            return super().list_messages(call)
        finally:
            thread.written = kept


@fault("CREATE-009")
class AddsThemBeforeAll(Operations):
    """Additional messages go before those that the thread has already."""

    def create_run(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        before = len(thread.written)
        told = super().create_run(call)
        thread.written[before:] = [
            replace(message, created=thread.created - 10 + place / 1000)
            for place, message in enumerate(thread.written[before:])
        ]
        return told


def _chosen(word: str, instead: Any) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        if said.get("tool_choice") == word:
            said["tool_choice"] = instead

    return change


mishears(
    "calls-anyway", "A tool choice of none is taken for required.", "CREATE-019", change=_chosen("none", "required")
)
mishears(
    "calls-if-it-likes",
    "A tool choice of required is taken for auto.",
    "CREATE-020",
    change=_chosen("required", "auto"),
)
mishears(
    "calls-nothing", "A tool choice of required is taken for none.", "CREATE-020", change=_chosen("required", "none")
)


def _first_one(said: Said) -> None:
    choice, tools = said.get("tool_choice"), said.get("tools")
    if isinstance(choice, dict) and isinstance(tools, list) and len(tools) > 1 and "name" in choice.get("function", {}):
        said["tool_choice"] = "required"


def _any_of(said: Said) -> None:
    choice, tools = said.get("tool_choice"), said.get("tools")
    if isinstance(choice, dict) and isinstance(tools, list):
        names = [tool.get("function", {}).get("name") for tool in tools]
        if (choice.get("function") or {}).get("name") not in names:
            said["tool_choice"] = "auto"


mishears(
    "calls-the-first",
    "Of several functions the first one is called, whichever was named.",
    "CREATE-021",
    change=_first_one,
)
mishears(
    "chooses-for-itself",
    "A tool choice that names no function of the run is taken for auto.",
    "CREATE-022",
    change=_any_of,
)
mishears(
    "chooses-by-the-beginning",
    "A function is found by the beginning of its name.",
    "CREATE-022",
    change=lambda said: (
        _complete(said["tool_choice"], said["tools"])
        if isinstance(said.get("tool_choice"), dict) and isinstance(said.get("tools"), list)
        else None
    ),
)
mishears(
    "odd-words-are-automatic",
    "A tool choice that is no known word is taken for auto.",
    "CREATE-022",
    change=_chosen("conformance", "auto"),
)


def _complete(choice: Said, tools: list[Said]) -> None:
    begun = (choice.get("function") or {}).get("name")
    for tool in tools:
        name = tool.get("function", {}).get("name", "")
        if begun and name.startswith(begun):
            choice["function"] = {"name": name}


@fault("CREATE-023")
class CallsBothAtOnce(Operations):
    """A run with two functions calls both at once, whatever was said of that."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        functions = [tool["function"] for tool in told["tools"] if tool["type"] == "function"]
        if told["required_action"] and told["tool_choice"] == "required" and len(functions) > 1:
            made = told["required_action"]["submit_tool_outputs"]["tool_calls"]
            both = [
                {**made[0], "id": f"{made[0]['id']}{n}", "function": {**made[0]["function"], "name": each["name"]}}
                for n, each in enumerate(functions)
            ]
            told["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": both}}
        return told


@fault("CREATE-023")
class CallsTheSameTwice(Operations):
    """A run that may call one function at a time calls the same one twice at once."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["required_action"] and not told["parallel_tool_calls"]:
            (made,) = told["required_action"]["submit_tool_outputs"]["tool_calls"]
            both = [made, {**made, "id": f"{made['id']}2"}]
            told["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": both}}
        return told
