"""Settings that a run is created with: lost, mangled, taken from elsewhere, or mixed with those of the assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.mishearing import mishears, said_in, with_body
from conformance.reference.faults.registry import fault, shows
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said
    from conformance.reference.runs import Run


def _each(right: Callable[[str], str]) -> Callable[[Said], None]:
    """Replace keys and values of metadata that are texts."""

    def change(said: Said) -> None:
        if isinstance(given := said.get("metadata"), dict) and all(isinstance(each, str) for each in given.values()):
            said["metadata"] = {right(key): right(value) for key, value in given.items()}

    return change


def _values(right: Callable[[str], str]) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        if isinstance(given := said.get("metadata"), dict):
            texts = {key: right(each) if isinstance(each, str) else each for key, each in given.items()}
            said["metadata"] = texts

    return change


def _keys(right: Callable[[str], str]) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        if isinstance(given := said.get("metadata"), dict):
            said["metadata"] = {right(key): value for key, value in given.items()}

    return change


def _strip(said: Said) -> None:
    if isinstance(given := said.get("metadata"), dict) and len(given) <= 16 and all(map(_fits, given.items())):
        del said["metadata"]


def _fits(pair: tuple[str, Any]) -> bool:
    key, value = pair
    return len(key) <= 64 and isinstance(value, str) and len(value) <= 512


def _without_empty(said: Said) -> None:
    if isinstance(given := said.get("metadata"), dict):
        said["metadata"] = {key: value for key, value in given.items() if value != ""}


def _narrow(text: str) -> str:
    return "".join(char if ord(char) < 0x10000 else "?" for char in text)


mishears(
    "strips-metadata",
    "Metadata of a create is stripped from the request on its way.",
    "CREATE-012",
    "CREATE-013",
    change=_strip,
    seen="LiteLLM",
)
mishears("lowers-keys", "The keys of metadata are put in lower case.", "CREATE-012", change=_keys(str.lower))
mishears(
    "keys-without-spaces",
    "Spaces in the keys of metadata are replaced.",
    "CREATE-012",
    "CREATE-013",
    change=_keys(lambda key: key.replace(" ", "_")),
)
mishears(
    "mangles-metadata",
    "Metadata is UTF-8, and read as if it were Latin-1.",
    "CREATE-012",
    "CREATE-013",
    change=_values(lambda text: text.encode().decode("latin-1")[:512]),
)
mishears(
    "narrow-characters",
    "Characters of metadata beyond 16 bits are lost.",
    "CREATE-012",
    change=_values(_narrow),
)
mishears(
    "only-ascii",
    "Characters of metadata beyond ASCII are lost.",
    "CREATE-012",
    "CREATE-013",
    change=_values(lambda text: text.encode("ascii", "replace").decode()),
)
mishears("trims-metadata", "Spaces around the values of metadata are trimmed.", "CREATE-012", change=_values(str.strip))
mishears("drops-the-empty", "Empty values of metadata are dropped.", "CREATE-012", change=_without_empty)
mishears(
    "escapes-metadata",
    "Metadata is made safe for a web page.",
    "CREATE-012",
    change=_values(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
)
mishears(
    "joins-lines",
    "Lines in the values of metadata are joined.",
    "CREATE-012",
    change=_values(lambda text: text.replace("\n", " ")),
)
mishears(
    "numbers-in-metadata",
    "Values of metadata that look like numbers are written as such.",
    "CREATE-012",
    change=_values(lambda text: str(int(text)) if text.isascii() and text.isdigit() else text),
)
mishears(
    "signs-metadata",
    "A pair of the server's own is added to the metadata of every run.",
    "CREATE-012",
    change=lambda said: (
        said.update(metadata={**(said.get("metadata") or {}), "via": "gateway"})
        if isinstance(said.get("metadata", {}), dict | None) and len(said.get("metadata") or {}) < 16
        else None
    ),
)
shows(
    "lists-without-metadata",
    "Runs are listed without their metadata.",
    "CREATE-012",
    "INV-029",
    "INV-033",
    "CANCEL-029",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "list_runs" else None,
)
shows(
    "reads-without-metadata",
    "Runs are read without their metadata.",
    "CREATE-012",
    "THREADRUN-004",
    "INV-029",
    "INV-033",
    "CANCEL-029",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "retrieve_run" else None,
)
shows(
    "echoes-nothing",
    "The reply to a create shows no metadata, which is there later.",
    "CREATE-012",
    "CREATE-013",
    "INV-029",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "create_run" else None,
)


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


def _formless(said: Said) -> None:
    if isinstance(said.get("response_format"), dict) and said["response_format"].get("type", "").startswith("json"):
        said["response_format"] = "auto"


def _schemaless(said: Said) -> None:
    wanted = said.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        wanted["json_schema"].pop("schema", None)


mishears("searches-as-ever", "The options of file search are dropped.", "CREATE-010", change=_without_options)
mishears(
    "describes-nothing", "The descriptions of functions are dropped.", "CREATE-010", "CREATE-011", change=_undescribed
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
