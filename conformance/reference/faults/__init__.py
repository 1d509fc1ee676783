"""
The bestiary: wrong implementations of the API, each a few lines on top of the faithful server.

A fault names the requirements that it breaks by their ids alone, so that the server still knows nothing of the judge.
Whatever module lies here is part of it.
"""

import pkgutil
from importlib import import_module

from conformance.reference.faults.registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
