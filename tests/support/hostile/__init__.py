"""Targets that mean harm, in a few lines each, most of them in front of a server that is faithful otherwise."""

from __future__ import annotations

from support.hostile import answers, echoes, lies, streams, transport
from support.hostile.core import BEHAVIOURS, KEY, Behaviour, serving

__all__ = ["BEHAVIOURS", "KEY", "Behaviour", "answers", "echoes", "lies", "serving", "streams", "transport"]
