"""Conformance suite for the Runs part of the OpenAI Assistants API."""

__version__ = "0.1.0"
