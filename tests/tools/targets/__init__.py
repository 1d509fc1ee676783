"""Real components, judged as a user would, and compared in full with what is written of them: `tox -e targets`."""
