"""Allure results: what `--alluredir` is given for a session of the suite."""
