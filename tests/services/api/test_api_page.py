"""The commands in docs/api.md work as they stand."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from tests.services.api.fakes import World, served

from sensorcast_api.services import Limits
from sensorcast_common.tables.api_keys import Role

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_every_command_is_answered() -> None:
    world = World(limits=Limits(heartbeat_seconds=0.2))
    await world.fill("demo")
    await world.services.subscriptions.confirm(["dt/demo/truck-7/readings", "alerts/demo/truck-7"])
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("curl ")]
    assert len(commands) >= 10
    async with served(world) as address:
        environment = {"API": address, "KEY": world.keys.make("demo", Role.ADMIN)}

        async def run(command: str) -> tuple[str, str]:
            process = await asyncio.create_subprocess_shell(
                command + " -w '\nstatus %{http_code}'", env=environment, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            return command, out.decode()

        answers = await asyncio.gather(*map(run, commands))
    for command, answer in answers:
        assert re.search(r"status 20[01]$", answer), (command, answer)
        if "/v1/events" in command:
            assert "event: watching" in answer
