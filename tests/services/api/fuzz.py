"""Schemathesis against a world in memory behind a real server: `python -m tests.services.api.fuzz [OPTIONS OF st run]`.

The key is an admin's, so that every operation is reached. Streams end at once, since nobody waits for their end.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.services.api.fakes import BriefHub, served
from tests.services.api.fakes.access import FakeIdempotency
from tests.services.api.test_history import HistoryWorld

from sensorcast_common.tables.api_keys import Role
from sensorcast_common.tables.idempotency import Claim, Stage

TENANT = "demo"


class Forgetful(FakeIdempotency):
    """Every write is new, since the document's example of a key would else hide all writes but the first."""

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        self.items[name] = Claim(stage=Stage.RUNNING, fingerprint=fingerprint)
        return Claim(stage=Stage.NEW, fingerprint=fingerprint)


async def fuzz(options: Sequence[str]) -> int:
    """Serve a world and run Schemathesis; returns its exit code."""
    world = HistoryWorld(idempotency=Forgetful())
    world.use(BriefHub())
    await world.fill(TENANT)
    await world.services.subscriptions.confirm([f"dt/{TENANT}/+/readings", f"alerts/{TENANT}/+"])
    key = world.keys.make(TENANT, Role.ADMIN)
    async with served(world) as address:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("st")),
            "--config-file",
            str(Path(__file__).with_name("schemathesis.toml")),
            "run",
            f"{address}/openapi.json",
            "--header",
            f"Authorization: Bearer {key}",
            *options,
        )
        return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(fuzz(sys.argv[1:])))
