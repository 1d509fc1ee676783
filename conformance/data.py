"""Where `cassettes/` and `schemas/` are, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """
    Locate a folder of package data.

    Args:
        name: `cassettes` or `schemas`.

    Returns:
        The folder inside the installed package, or the one at the top of the checkout.
    """
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
