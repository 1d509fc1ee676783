"""
What a test drives a served reference server by: faults to switch on, a journal to read, a clock to turn.

All of it lies below `/_conformance/`, beside the API and never in its way; `docs/serve.md` describes it.
"""

from conformance.reference.control.routes import PREFIX, Control

__all__ = ["PREFIX", "Control"]
