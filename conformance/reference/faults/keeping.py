"""Settings that a run is created with: lost, taken from elsewhere, or mixed with those of the assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.mishearing import mishears, said_in, with_body
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said
    from conformance.reference.runs import Run


class Inherits(Operations):
    """A server that takes from the assistant what it should not, or does not take what it should."""

    def create_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        id = body.get("assistant_id")
        if isinstance(id, str) and id in self._store.assistants:
            self.inherit(body, self._store.assistants[id])
            call = with_body(call, body)
        return super().create_run(call)

    def inherit(self, body: Said, assistant: Said) -> None:
        """Change what was said in place."""
        raise NotImplementedError


@fault("CREATE-012")
class LendsItsMetadata(Inherits):
    """A run without metadata has its assistant's."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if "metadata" not in body:
            body["metadata"] = assistant["metadata"]


@fault("CREATE-007", "CREATE-030")
class InstructsNobody(Inherits):
    """A run without instructions does not have its assistant's."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if assistant["instructions"] and not body.get("instructions") and "additional_instructions" not in body:
            body["instructions"] = "You are a helpful assistant."


@fault("CREATE-007", "CREATE-008")
class InstructsTwice(Inherits):
    """The instructions of a run are added to those of its assistant."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if isinstance(own := body.get("instructions"), str) and assistant["instructions"]:
            body["instructions"] = f"{assistant['instructions']}\n{own}"


@fault("CREATE-010")
class AddsTools(Inherits):
    """The tools of a run are added to those of its assistant."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if isinstance(own := body.get("tools"), list):
            body["tools"] = [*assistant["tools"], *own]


@fault("CREATE-010")
class KeepsItsTools(Inherits):
    """The tools of a run are ignored where its assistant has some."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if assistant["tools"]:
            body.pop("tools", None)


@fault("CREATE-010")
class TakesNoToolsForNothing(Inherits):
    """A run that is given no tools at all has those of its assistant."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if body.get("tools") == []:
            del body["tools"]


@fault("CREATE-010")
class LendsNoTools(Inherits):
    """A run without tools does not have its assistant's."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if assistant["tools"] and not body.get("tools"):
            body["tools"] = []


@fault("CREATE-006")
class HasItsOwnModel(Inherits):
    """A run that names no model has the server's, and not the assistant's."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if body.get("model") is None:
            body["model"] = "some-default"


@fault("CREATE-006")
class IgnoresTheModel(Inherits):
    """A model that the server does not know is replaced by the assistant's."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if not str(body.get("model", "reference-")).startswith("reference-"):
            body["model"] = assistant["model"]


@fault()
class KnowsItsModels(Inherits):
    """A model that the server does not know is refused, as it may be."""

    def inherit(self, body: Said, assistant: Said) -> None:
        if not str(body.get("model") or "reference-").startswith("reference-"):
            raise Refusal("There is no such model.", param="model", code="model_not_found")


@fault("INV-029")
class FollowsTheAssistant(Operations):
    """A run without instructions of its own shows those that its assistant has today."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        assistant = self._store.assistants.get(run.assistant_id)
        if assistant and told["instructions"] == "Answer in two words.":
            told["instructions"] = assistant["instructions"]
        return told


mishears(
    "ignores-instructions",
    "The instructions of a run are ignored where they are short.",
    "CREATE-007",
    "CREATE-008",
    change=lambda said: said.pop("instructions", None) if len(str(said.get("instructions") or "")) > 1 else None,
)
mishears(
    "plain-instructions",
    "Characters of instructions beyond ASCII are lost.",
    "CREATE-007",
    change=lambda said: (
        said.update(instructions=said["instructions"].encode("ascii", "replace").decode())
        if isinstance(said.get("instructions"), str)
        else None
    ),
)


def _without_options(said: Said) -> None:
    for tool in said.get("tools") or () if isinstance(said.get("tools"), list) else ():
        if tool.get("type") == "file_search":
            tool.pop("file_search", None)


def _undescribed(said: Said) -> None:
    for tool in said.get("tools") or () if isinstance(said.get("tools"), list) else ():
        if tool.get("type") == "function":
            tool["function"].pop("description", None)


def _without_parameters(said: Said) -> None:
    for tool in said.get("tools") or () if isinstance(said.get("tools"), list) else ():
        if tool.get("type") == "function":
            tool["function"].pop("parameters", None)


def _formless(said: Said) -> None:
    if isinstance(said.get("response_format"), dict) and said["response_format"].get("type", "").startswith("json"):
        said["response_format"] = "auto"


def _schemaless(said: Said) -> None:
    wanted = said.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        wanted["json_schema"].pop("schema", None)


mishears("searches-as-ever", "The options of file search are dropped.", "CREATE-010", change=_without_options)
mishears("describes-nothing", "The descriptions of functions are dropped.", "CREATE-010", change=_undescribed)
mishears(
    "takes-no-parameters",
    "The parameters of functions are dropped.",
    "CREATE-010",
    change=_without_parameters,
)
mishears("formless", "A response format of JSON is ignored.", "CREATE-025", change=_formless)
mishears("schemaless", "The schema of a response format is dropped.", "CREATE-025", change=_schemaless)
mishears(
    "text-by-default",
    "A run whose response format nobody named answers in text.",
    "CREATE-025",
    change=lambda said: said.update(response_format=said.get("response_format") or {"type": "text"}),
)
mishears(
    "none-is-automatic",
    "A response format of none is taken for auto.",
    "CREATE-026",
    change=lambda said: said.update(response_format="auto") if said.get("response_format") == "none" else None,
    seen="Portkey's specification",
)
mishears(
    "odd-formats-are-automatic",
    "A response format that does not exist is taken for auto.",
    "CREATE-026",
    change=lambda said: (
        said.update(response_format="auto")
        if isinstance(given := said.get("response_format"), dict) and given.get("type") == "conformance"
        else None
    ),
)
mishears(
    "one-at-a-time",
    "Functions are not called in parallel unless somebody says so.",
    "CREATE-024",
    change=lambda said: said.setdefault("parallel_tool_calls", False),
)
