"""Refusals, in the envelope of the real service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusal(Exception):
    """A request is refused."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.param, self.code, self.kind = message, status, param, code, kind
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The error body; all four members are always there."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def not_found(what: str, id: str) -> Refusal:
    """An id that names nothing."""
    return Refusal(f"No {what} found with id '{id}'.", status=404)


def invalid(param: str, problem: str, code: str = "invalid_value") -> Refusal:
    """A parameter with an impossible value."""
    return Refusal(f"Invalid '{param}': {problem}", param=param, code=code)


def missing(param: str) -> Refusal:
    """A parameter that should be there."""
    return Refusal(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
