"""Whose change a command makes."""

import getpass


def account_name() -> str | None:
    """The name of the account that runs this, where it has one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
