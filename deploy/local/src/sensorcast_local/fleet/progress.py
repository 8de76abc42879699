"""Where the simulated fleet stands, kept in a file, so that the next start goes on from there."""

from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_local.fleet.fault import USUAL, FaultTimes
from sensorcast_local.fleet.fleet import Fleet
from sensorcast_local.fleet.truck import STEP, TruckState

VERSION: Final = 1


class ProgressError(Exception):
    """The file is not what this version wrote; the message says what to do."""


class Progress(BaseModel):
    """What a fleet needs to go on.

    Attributes:
        version: Of this file.
        seed: As in `Fleet`.
        devices: As in `Fleet`.
        live_from: As in `Fleet`, s since 1970 UTC.
        at: Simulated time, s since 1970 UTC: everything before it is sent and acknowledged.
        sent_to: Samples up to this time, ms since 1970 UTC, are sent and acknowledged too.
        states: State of every truck at `at`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=VERSION, le=VERSION)] = VERSION
    seed: int
    devices: int
    live_from: int
    at: int
    sent_to: int = 0
    states: dict[str, TruckState]

    @classmethod
    def of(cls, fleet: Fleet, *, live_from: int, sent_to: int) -> "Progress":
        """The progress of a running fleet."""
        return cls(
            seed=fleet.seed,
            devices=len(fleet.devices),
            live_from=live_from,
            at=fleet.at,
            sent_to=sent_to,
            states=fleet.states,
        )

    @classmethod
    def load(cls, path: Path) -> "Progress | None":
        """Read the file; `None` where there is none.

        Raises:
            ProgressError: It is there and cannot be read.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ProgressError(f"{path}: not a fleet's progress; remove it to start the fleet anew") from error

    def save(self, path: Path) -> None:
        """Write the file in one step, so that a crash leaves the old one or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(self.model_dump_json(), encoding="utf-8")
        draft.replace(path)


class Departure(NamedTuple):
    """How a fleet sets out.

    Attributes:
        fleet: Where it stands.
        live_from: When it first went live, s since 1970 UTC.
        sent_to: As in `Progress`.
    """

    fleet: Fleet
    live_from: int
    sent_to: int


def resume(
    progress: Progress | None,
    *,
    seed: int,
    devices: int,
    now: int,
    history: int,
    fault_times: FaultTimes = USUAL,
) -> Departure:
    """The fleet as it goes on, or a new one that begins `history` seconds ago.

    A fleet that paused for longer than `history` begins anew too, as the gap would not be filled.

    Args:
        progress: What the file said.
        seed: As in `Fleet`.
        devices: As in `Fleet`.
        now: Seconds since 1970 UTC.
        history: Seconds of readings to send before going live.
        fault_times: As in `Fleet`.
    """
    present = now - now % STEP
    start = present - history - history % STEP
    if progress is not None and (progress.seed, progress.devices) == (seed, devices) and start <= progress.at <= now:
        fleet = Fleet(
            seed=seed,
            devices=devices,
            live_from=progress.live_from,
            at=progress.at,
            states=dict(progress.states),
            fault_times=fault_times,
        )
        return Departure(fleet, progress.live_from, progress.sent_to)
    fleet = Fleet(seed=seed, devices=devices, live_from=present, at=start, fault_times=fault_times)
    fleet.warm_up()
    return Departure(fleet, present, 0)
