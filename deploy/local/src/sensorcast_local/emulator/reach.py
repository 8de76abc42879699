"""The one way into MiniStack's modules, which have no types and are private."""

from importlib import import_module
from typing import Any


def ministack(module: str) -> Any:
    """The module `ministack.{module}`, imported when first asked for.

    It may be asked for only after `configure_ministack`. What is reached through it is MiniStack's own business and
    unchecked by types; the tests of each completion check it instead.
    """
    return import_module(f"ministack.{module}")
