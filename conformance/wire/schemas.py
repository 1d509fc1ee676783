"""`schemas/`: JSON Schemas and an OpenAPI document, generated from the models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from conformance import __version__
from conformance.data import folder
from conformance.wire.models import ErrorBody, Run, RunPage
from conformance.wire.operations import OPERATIONS
from conformance.wire.requests import CreateRunRequest, ModifyRunRequest, SubmitToolOutputsRequest
from conformance.wire.steps import RunStep, RunStepPage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DOCUMENTS: Mapping[str, tuple[type[BaseModel], str]] = {
    "run.json": (Run, "A run"),
    "run-list.json": (RunPage, "A page of runs"),
    "run-step.json": (RunStep, "A step of a run"),
    "run-step-list.json": (RunStepPage, "A page of steps"),
    "error.json": (ErrorBody, "An error"),
}
#: What a success returns, by the shape that the operation says, and in words.
_RETURNED: Mapping[str, tuple[type[BaseModel], str]] = {
    "run": (Run, "The run"),
    "run_list": (RunPage, "The page"),
    "step": (RunStep, "The step"),
    "step_list": (RunStepPage, "The page"),
}
_BODIES: Mapping[str, tuple[type[BaseModel], bool]] = {
    "create_run": (CreateRunRequest, True),
    "modify_run": (ModifyRunRequest, True),
    "submit_tool_outputs": (SubmitToolOutputsRequest, True),
}
_SUMMARIES: Mapping[str, str] = {
    "create_run": "Create a run on a thread",
    "list_runs": "List the runs of a thread, page by page",
    "retrieve_run": "Read a run",
    "modify_run": "Replace the metadata of a run",
    "cancel_run": "Cancel a run that is in progress; the request has no body",
    "submit_tool_outputs": "Submit the outputs of all functions that a run waits for",
    "list_steps": "List the steps of a run, page by page",
    "retrieve_step": "Read a step of a run",
}
_REFUSALS: Mapping[str, str] = {
    "400": "The request is wrong, or the state of the run or thread does not permit it",
    "401": "The key is missing or not known",
    "404": "The thread, run or step does not exist",
}
_LINKED = ("retrieve_run", "modify_run", "cancel_run", "submit_tool_outputs", "list_steps")


def documents() -> dict[str, str]:
    """The text of every file, by its name."""
    texts = {name: schema_text(model, title) for name, (model, title) in _DOCUMENTS.items()}
    return {**texts, "openapi.yaml": _yaml(openapi())}


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the operations that are judged."""
    returned = [model for model, _ in _RETURNED.values()]
    models: tuple[type[BaseModel], ...] = (*returned, ErrorBody, *(model for model, _ in _BODIES.values()))
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for name in _SUMMARIES:
        operation = OPERATIONS[name]
        item = paths.setdefault(operation.path, {"parameters": _path_parameters(operation.path)})
        item[operation.method.lower()] = _operation(name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Runs of the OpenAI Assistants API, as this suite judges them",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://localhost:8000/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions["$defs"],
            "responses": {code: _refusal(text) for code, text in _REFUSALS.items()} | {"429": _too_many()},
        },
    }


def write(into: Path, texts: Mapping[str, str]) -> None:
    """Write documents into a folder, each by its name."""
    into.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (into / name).write_text(text, "utf-8", newline="\n")


def out_of_step(where: Path, texts: Mapping[str, str]) -> list[str]:
    """The names of the documents that are not as the models say."""
    return [
        name
        for name, text in texts.items()
        if not (where / name).is_file() or (where / name).read_text("utf-8") != text
    ]


def _operation(name: str) -> dict[str, Any]:
    operation = OPERATIONS[name]
    returned, description = _RETURNED[operation.returns]
    success: dict[str, Any] = {"description": description, "content": _content(returned.__name__)}
    if name == "create_run":
        success["links"] = _links()
    described: dict[str, Any] = {
        "operationId": name,
        "summary": _SUMMARIES[name],
        "parameters": [_beta(), *(_query_parameters() if operation.returns.endswith("_list") else [])],
        "responses": {
            "200": success,
            **{code: {"$ref": f"#/components/responses/{code}"} for code in (*_REFUSALS, "429")},
        },
    }
    if name in _BODIES:
        model, required = _BODIES[name]
        described["requestBody"] = {"required": required, "content": _content(model.__name__)}
    return described


def _links() -> dict[str, Any]:
    same_thread = {"thread_id": "$request.path.thread_id"}
    of_the_run = {**same_thread, "run_id": "$response.body#/id"}
    links = {name: {"operationId": name, "parameters": of_the_run} for name in _LINKED}
    return {**links, "list_runs": {"operationId": "list_runs", "parameters": same_thread}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in ("thread_id", "run_id", "step_id")
        if f"{{{name}}}" in path
    ]


def _query_parameters() -> list[dict[str, Any]]:
    schemas: dict[str, dict[str, Any]] = {
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        "order": {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
        "after": {"type": "string"},
        "before": {"type": "string"},
    }
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in schemas.items()]


def _beta() -> dict[str, Any]:
    return {
        "name": "OpenAI-Beta",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "const": "assistants=v2"},
    }


def _refusal(description: str) -> dict[str, Any]:
    return {"description": description, "content": _content("ErrorBody")}


def _too_many() -> dict[str, Any]:
    seconds = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}
    return {**_refusal("Too many requests"), "headers": {"Retry-After": seconds}}


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}


def schema_text(model: type[BaseModel], title: str, **more: Any) -> str:
    """The JSON Schema of a model, as a file."""
    return json.dumps({"$schema": _DIALECT, **more, **model.model_json_schema(), "title": title}, indent=2) + "\n"


def _yaml(value: Any) -> str:
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes what is shared in full, since a reader cannot follow anchors."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    text: str = yaml.dump(value, Dumper=Plain, sort_keys=False, width=110)
    return text


def main(documents: Callable[[], Mapping[str, str]], module: str) -> None:
    """Write documents, or with `--check` say which are out of step."""
    arguments = sys.argv[1:]
    where = Path(arguments[-1]) if arguments and arguments[-1] != "--check" else folder("schemas")
    if "--check" not in arguments:
        write(where, documents())
    elif stale := out_of_step(where, documents()):
        sys.exit(f"out of step with the models: {', '.join(stale)}; run python -m {module}")


if __name__ == "__main__":
    main(documents, "conformance.wire.schemas")
