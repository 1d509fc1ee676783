"""
The reference server: a faithful implementation of the Runs API, and the suite's default target.

It shares no code with the judge, so that one can be wrong without the other. Where documents and the recorded traffic
of the real service disagree, it answers as the service did.
"""

from conformance.reference.app import DEFAULT_KEY, Reference
from conformance.reference.calls import Answer
from conformance.reference.clock import Clock, ScopedClock, SystemClock
from conformance.reference.runs import Pace

__all__ = ["DEFAULT_KEY", "Answer", "Clock", "Pace", "Reference", "ScopedClock", "SystemClock"]
