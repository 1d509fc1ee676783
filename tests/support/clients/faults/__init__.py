"""What a client can do wrong: each fault is a part of the faithful client with another one in its place."""

import pkgutil
from importlib import import_module

from support.clients.faults.registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
