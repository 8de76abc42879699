"""Athena over the lake."""


def install() -> None:
    """Take over."""
