"""The document in the dialect that Dredd can check bodies by: Swagger 2, with fewer words than OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

#: Words of JSON Schema that Swagger 2 does not have, and those that only describe.
_UNKNOWN = frozenset({"propertyNames", "discriminator", "title", "description", "default"})
_PARAMETERS = ("type", "enum", "minimum", "maximum", "minLength")


def convert(document: dict[str, Any], examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """
    Convert an OpenAPI 3.1 document down, as far as it goes.

    Args:
        document: The document.
        examples: By operation, the values of path parameters and, as `body`, the body of the request.
    """
    paths: dict[str, dict[str, Any]] = {}
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        paths[path] = {
            method: _operation(described, shared, examples[described["operationId"]], document)
            for method, described in item.items()
            if method != "parameters"
        }
    json = ["application/json"]
    info = {"title": document["info"]["title"], "version": document["info"]["version"]}
    return {"swagger": "2.0", "info": info, "consumes": json, "produces": json, "paths": paths}


def schema(described: Any, document: dict[str, Any]) -> Any:
    """
    Convert a schema, with what it refers to written out.

    Null becomes an extension that Dredd reads; a choice between several shapes cannot be said and becomes anything.
    """
    if not isinstance(described, dict):
        return described
    if reference := described.get("$ref"):
        return schema(_resolved(reference, document), document)
    if choices := described.get("anyOf"):
        only, *more = [each for each in choices if each != {"type": "null"}]
        return {} if more else _nullable(schema(only, document))
    if "oneOf" in described:
        return {}
    kept = {name: value for name, value in described.items() if name not in _UNKNOWN}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "enum" in kept:
        kept.setdefault("type", "string")
    for inner in ("items", "additionalProperties"):
        if inner in kept:
            kept[inner] = schema(kept[inner], document)
    if "properties" in kept:
        kept["properties"] = {name: schema(value, document) for name, value in kept["properties"].items()}
    return kept


def _nullable(converted: dict[str, Any]) -> dict[str, Any]:
    return {**converted, "x-nullable": True} if converted else {}


def _resolved(reference: str, document: dict[str, Any]) -> Any:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _operation(
    described: dict[str, Any], shared: list[dict[str, Any]], example: dict[str, Any], document: dict[str, Any]
) -> dict[str, Any]:
    parameters = [_parameter(each, example) for each in (*shared, *described.get("parameters", []))]
    if body := described.get("requestBody"):
        wanted = schema(body["content"]["application/json"]["schema"], document)
        parameters.append(
            {"name": "body", "in": "body", "required": True, "schema": {**wanted, "example": example["body"]}}
        )
    responses: dict[str, Any] = {}
    for status, response in described["responses"].items():
        told = _resolved(response["$ref"], document) if "$ref" in response else response
        wanted = schema(told["content"]["application/json"]["schema"], document)
        responses[status] = {"description": told["description"], "schema": wanted}
    return {"operationId": described["operationId"], "parameters": parameters, "responses": responses}


def _parameter(described: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    wanted = schema(described["schema"], {})
    kept = {name: wanted[name] for name in _PARAMETERS if name in wanted}
    told = {"name": described["name"], "in": described["in"], "required": described["required"], **kept}
    return {**told, "x-example": example[told["name"]]} if told["name"] in example else told
