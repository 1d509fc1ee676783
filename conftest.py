"""What only the checkout needs: nothing more than the plugin, where the package is not installed."""

from __future__ import annotations

from importlib.metadata import entry_points

#: The entry point registers the plugin once the package is installed; it must not be registered twice.
_INSTALLED = any(point.name == "runs_conformance" for point in entry_points(group="pytest11"))

pytest_plugins = [] if _INSTALLED else ["conformance.plugin"]
