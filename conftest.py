"""What only the checkout needs: the plugin, where no entry point of an installed package brings it."""

from importlib.metadata import entry_points

# Named only then: pytest refuses the name in a conftest.py that it meets after its start, and a second registration.
if not any(point.name == "runs_conformance" for point in entry_points(group="pytest11")):
    pytest_plugins = ["conformance.plugin"]
