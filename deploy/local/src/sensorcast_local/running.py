"""What a running `sensorcast up` tells the other commands: where its broker, its API and its endpoint are."""

import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from sensorcast_local.broker import Broker

DATA_DIR: Final = Path(".sensorcast")
"""Where `up` keeps everything, relative to the folder it is started in."""


class Running(BaseModel):
    """A running `up`.

    Attributes:
        pid: Its process id.
        broker: The broker that ingest reads from.
        tenant: Whose devices the simulated ones are.
        api_url: Address of the API.
        endpoint_url: Address of the AWS emulator.
        account: AWS account id in the emulator.
        region: AWS Region in the emulator.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    pid: int
    broker: Broker
    tenant: str
    api_url: str
    endpoint_url: str
    account: str
    region: str

    @staticmethod
    def file(data_dir: Path) -> Path:
        """Where it is written."""
        return data_dir / "up.json"

    def save(self, data_dir: Path) -> None:
        """Write it in one step, for its owner only, as a broker's address may hold a password."""
        path = self.file(data_dir)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=2))
        draft.replace(path)

    @classmethod
    def find(cls, data_dir: Path) -> "Running | None":
        """The `up` that runs with this data folder; `None` if there is none."""
        try:
            running = cls.model_validate_json(cls.file(data_dir).read_bytes())
            os.kill(running.pid, 0)
        except (OSError, ValidationError):
            return None
        return running
