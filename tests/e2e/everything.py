"""`sensorcast up` as a person runs it, in a process of its own."""

import os
import signal
from pathlib import Path

from tests.servers.athena import ask
from tests.servers.aws import AwsAccount, DeployedStack
from tests.servers.process import ServerProcess

from sensorcast_common.names import Names
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_local.command import Command, free_port
from sensorcast_local.running import Running
from sensorcast_local.up.programs import entry_point

PROC = Path("/proc")


class Everything(ServerProcess):
    """All services, the emulator and the broker.

    Args:
        folder: Where it keeps its state.
        arguments: Further options of `up`.
    """

    def __init__(self, *, folder: Path, arguments: tuple[str, ...] = ("--no-fleet",)) -> None:
        self.data_dir = folder / "data"
        self.emulator_port = free_port()
        argv = [entry_point("sensorcast"), "up", "--data-dir", str(self.data_dir), "--port", str(free_port())]
        argv += ["--emulator-port", str(self.emulator_port), "--mqtt-port", str(free_port()), *arguments]
        super().__init__(
            name="sensorcast up",
            command=Command(argv=tuple(argv)),
            ready=lambda: "everything runs" in self.log.read_text(errors="replace"),
            log=folder / "up.log",
        )

    @property
    def running(self) -> Running:
        """What it tells the other commands."""
        running = Running.find(self.data_dir)
        assert running is not None, "up does not run"
        return running

    @property
    def stack(self) -> DeployedStack:
        """Its AWS resources."""
        running = self.running
        account = AwsAccount(
            endpoint_url=running.endpoint_url,
            account_id=running.account,
            access_key=running.account,
            secret_key="emulator",
            region=running.region,
        )
        lake = f"arn:aws:s3tables:{running.region}:{running.account}:bucket/{Names().table_bucket}"
        return DeployedStack(account=account, names=Names(), outputs={"LakeArn": lake})

    @property
    def api_key(self) -> str:
        """The key that it made."""
        return (self.data_dir / "api-key").read_text().strip()

    def child(self, name: str) -> int | None:
        """Process id of a program that it runs; `None` while there is none."""
        children = (PROC / str(self.pid) / "task" / str(self.pid) / "children").read_text().split()
        for child in children:
            try:
                command = (PROC / child / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if name in command:
                return int(child)
        return None

    def kill_child(self, name: str) -> int:
        """Kill a program as a power cut would; returns its process id."""
        pid = self.child(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    async def lake(self, device: str) -> tuple[int, int]:
        """Rows of a device in the lake, and how many of them are different."""
        sql = "SELECT count(*), count(DISTINCT (metric, ts, value)) FROM readings WHERE device = ?"
        ((rows, different),) = await ask(self.stack, sql, [f"'{device}'"])
        return int(rows or 0), int(different or 0)

    async def lake_values(self, device: str, metric: str) -> list[tuple[int, float]]:
        """All rows of a series in the lake, by time, ms."""
        sql = (
            "SELECT CAST(to_unixtime(ts) * 1000 AS BIGINT), value FROM readings "
            "WHERE device = ? AND metric = ? ORDER BY ts"
        )
        rows = await ask(self.stack, sql, [f"'{device}'", f"'{metric}'"])
        return [(int(ts or 0), float(value or "nan")) for ts, value in rows]

    async def hot_values(self, device: str, metric: str, *, end: int) -> list[tuple[int, float]]:
        """All readings of a series in the hot store, by time, ms."""
        async with self.stack.aws.client("dynamodb") as dynamodb:
            found = await HotStore(dynamodb, self.stack.names).read("demo", device, start=0, end=end)
        series = found.get(metric)
        return [] if series is None else list(zip(series.ts, series.value, strict=True))
