"""State that survives a kill.

MiniStack 1.4.21 saves what it holds in memory only when it is stopped in good order, a stack that was being made at
that moment stays "in progress" for ever, and outside of us-east-1 tables that were loaded refuse new partition keys.
Here everything is also saved every so often, all services as of one moment, so that a kill loses seconds and leaves
nothing half made; a stack that was interrupted can be deployed again, and loaded tables grow as new ones do. The
objects of S3 are on disk already and the lake's newest metadata is among them, so a committed snapshot is never lost.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sensorcast_local.emulator.reach import ministack

BUSY_SHARE = 20
"""Saving may take one part in so many of the time."""

INTERRUPTED = {
    "CREATE": "CREATE_FAILED",
    "DELETE": "DELETE_FAILED",
    "ROLLBACK": "ROLLBACK_FAILED",
    "UPDATE": "UPDATE_ROLLBACK_COMPLETE",
}
"""What a stack counts as when this was in progress; from each of them it can be deployed again."""


def install() -> None:
    """End what was in progress when stacks are loaded; to be called before MiniStack's services are imported."""
    persistence = ministack("core.persistence")
    load = persistence.load_state

    def load_state(service: str) -> object:
        state = load(service)
        if service == "cloudformation" and state:
            _fail_interrupted(state)
        if service == "dynamodb" and state:
            _let_partitions_grow(state)
        return state

    persistence.load_state = load_state


def _fail_interrupted(state: Mapping[str, Any]) -> None:
    for stack in state["stacks"]._data.values():
        if stack["StackStatus"].endswith("_IN_PROGRESS"):
            stack["StackStatus"] = INTERRUPTED[stack["StackStatus"].split("_")[0]]
            stack["StackStatusReason"] = "the emulator was stopped meanwhile"


def _let_partitions_grow(state: Mapping[str, Any]) -> None:
    """Make loaded tables take new partition keys, as new tables do; MiniStack does it in its default region only."""
    for table in state["tables"]._data.values():
        table["items"] = defaultdict(dict, table["items"])


async def save_forever(*, every: float) -> None:
    """Save all state every `every` seconds, or less often when there is much of it."""
    pause = every
    while True:
        await asyncio.sleep(pause)
        started = time.monotonic()
        await save()
        pause = max(every, BUSY_SHARE * (time.monotonic() - started))


async def save() -> bool:
    """Save all state now; False when a stack is in progress, as it would be saved half made.

    The copy is made at once, so that it is consistent; a thread writes it.
    """
    stacks = ministack("services.cloudformation")._stacks.all_values()
    if any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks):
        return False
    states = {name: get_state() for name, get_state in ministack("app")._build_persistence_save_dict().items()}
    await asyncio.to_thread(_write, states)
    return True


def _write(states: Mapping[str, Mapping[str, Any]]) -> None:
    save_state = ministack("core.persistence").save_state
    for service, state in states.items():
        save_state(service, state)
