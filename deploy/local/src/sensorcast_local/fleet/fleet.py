"""The fleet: twelve trucks that step through time together and are sampled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from sensorcast_local.fleet.fault import USUAL, FailingCompressor, FaultTimes
from sensorcast_local.fleet.noise import Noise
from sensorcast_local.fleet.tour import Tour, Weather
from sensorcast_local.fleet.truck import STEP, Influence, Traits, TruckState, at_rest, step

WARM_UP: Final = 3 * 3600
"""Seconds that are simulated before the first sample, so that the trucks are in their cycles."""

UNITS: Final = {"temperature": "Cel", "humidity": "%RH", "door": "/", "voltage": "V"}
"""SenML units (RFC 8428) by metric; `/` is what it prescribes for a switch that is 0 or 1."""

FAILING: Final = 6
"""Which truck's compressor fails, counted from 0; the last one of a smaller fleet."""


def truck_name(number: int) -> str:
    """What a truck is called, by its number, from 0."""
    return f"truck-{number + 1:02d}"


class Sample(NamedTuple):
    """What one truck measured at one moment.

    Attributes:
        device: The truck.
        ts: Milliseconds since 1970 UTC.
        values: By metric, in the units of `UNITS`.
    """

    device: str
    ts: int
    values: dict[str, float]


@dataclass(slots=True)
class _Truck:
    device: str
    traits: Traits
    tour: Tour
    noise: Noise
    phase_ms: int
    fault: FailingCompressor | None
    state: TruckState


class Fleet:
    """Trucks at one moment of simulated time.

    The same seed, number of devices, `live_from` and start give the same samples, whether they are taken in one run
    or in several with `states` carried over.

    Args:
        seed: Everything random follows from it.
        devices: How many trucks.
        live_from: When the fleet first went live, s; the failure is timed by it.
        at: Where simulated time stands, s, a multiple of `STEP`.
        states: State of every truck by name at `at`; `None` starts at rest.
        fault_times: When the failing truck leaves its limit.

    Raises:
        ValueError: `devices`, `at` or `states` is wrong; the message says how.
    """

    def __init__(
        self,
        *,
        seed: int,
        devices: int,
        live_from: int,
        at: int,
        states: dict[str, TruckState] | None = None,
        fault_times: FaultTimes = USUAL,
    ) -> None:
        if not 1 <= devices <= 10_000:
            raise ValueError(f"devices: expected 1 to 10000, got {devices}")
        if at % STEP:
            raise ValueError(f"at: expected a multiple of {STEP} s, got {at}")
        self.seed = seed
        self._weather = Weather(seed=seed)
        self._trucks = [
            self._build_truck(number, seed=seed, devices=devices, live_from=live_from, times=fault_times)
            for number in range(devices)
        ]
        self.at = at
        if states is not None:
            if set(states) != set(self.devices):
                raise ValueError("states: these are not the trucks of this fleet")
            for truck in self._trucks:
                truck.state = states[truck.device]

    @property
    def devices(self) -> list[str]:
        """The trucks' names."""
        return [truck.device for truck in self._trucks]

    @property
    def states(self) -> dict[str, TruckState]:
        """State of every truck by name at `at`."""
        return {truck.device: truck.state for truck in self._trucks}

    def warm_up(self) -> None:
        """Bring the trucks into their cycles without moving `at`."""
        start = self.at
        for at in range(start - WARM_UP, start, STEP):
            self._advance(at)

    def run(self, *, until: int, every: int) -> Iterator[list[Sample]]:
        """Step until `at` reaches `until`, yielding a sample of all trucks, by time, every `every` seconds.

        Args:
            until: End of the run, s, exclusive.
            every: Distance between samples, s, a multiple of `STEP`.
        """
        while self.at + STEP <= until:
            at = self.at
            self._advance(at)
            self.at = at + STEP
            if at % every == 0:
                yield sorted((self._sample(truck, at) for truck in self._trucks), key=lambda sample: sample.ts)

    def _build_truck(self, number: int, *, seed: int, devices: int, live_from: int, times: FaultTimes) -> _Truck:
        device = truck_name(number)
        noise = Noise(seed=seed, name=device)
        traits = Traits(
            setpoint=noise.between(3.4, 4.6, -1),
            band=noise.between(0.45, 0.65, -2),
            offset=noise.between(-0.1, 0.1, -3),
        )
        fault = None
        if number == min(FAILING, devices - 1):
            fault = FailingCompressor(live_from=live_from, traits=traits, outside=self._weather.outside, times=times)
        tour = Tour(seed=seed, device=device)
        # Each truck reports at its own moment within the step; with the jitter it stays inside.
        phase_ms = int(noise.between(0, STEP * 1000 - 300, -4))
        return _Truck(device, traits, tour, noise, phase_ms, fault, at_rest(traits))

    def _advance(self, at: int) -> None:
        outside = self._weather.outside(at)
        for truck in self._trucks:
            truck.state = step(truck.state, truck.traits, _influence(truck, at, outside))

    def _sample(self, truck: _Truck, at: int) -> Sample:
        state, noise, counter = truck.state, truck.noise, at * 4
        door = _influence(truck, at, 0.0).door_open
        volts = (13.9 if truck.tour.driving(at) else 13.2) - (0.25 if state.cooling else 0.0)
        return Sample(
            device=truck.device,
            ts=at * 1000 + truck.phase_ms + int(200 * noise.uniform(counter)),
            values={
                "temperature": round(state.air + truck.traits.offset + 0.04 * noise.gaussian(counter + 1), 2),
                "humidity": round(min(100.0, max(0.0, state.humidity + 0.4 * noise.gaussian(counter + 2))), 1),
                "door": float(door),
                "voltage": round(volts + 0.03 * noise.gaussian(counter + 3), 2),
            },
        )


def _influence(truck: _Truck, at: int, outside: float) -> Influence:
    door_open, defrosting, cooling_left = truck.tour.door_open(at), truck.tour.defrosting(at), 1.0
    if truck.fault is not None:
        episode = truck.fault.episode_near(at)
        cooling_left = episode.cooling_left(at)
        if episode.begins <= at < episode.ends:
            # On the motorway: no stop, and the unit puts defrosting off while the box is too warm.
            door_open = defrosting = False
    return Influence(outside=outside, door_open=door_open, defrosting=defrosting, cooling_left=cooling_left)
