"""SDKs that others wrote, judged as a user would, and compared in full with what is written of them: `tox -e sdks`."""
