"""The simulated fleet behaves like trucks, and the same seed gives the same fleet."""

from collections import defaultdict
from itertools import pairwise

import pytest

from sensorcast_local.fleet.fault import LIMIT, FaultTimes
from sensorcast_local.fleet.fleet import FAILING, Fleet, Sample
from sensorcast_local.fleet.progress import Progress, resume
from sensorcast_local.fleet.tour import DAY

LIVE_FROM = 1_764_000_000 // DAY * DAY + 10 * 3600
HISTORY = 6 * 3600
FAILING_TRUCK = f"truck-{FAILING + 1:02d}"


def run(*, seed: int = 7, live_from: int = LIVE_FROM, until: int = LIVE_FROM + 3600) -> dict[str, list[Sample]]:
    fleet = Fleet(seed=seed, devices=12, live_from=live_from, at=live_from - HISTORY)
    fleet.warm_up()
    series: defaultdict[str, list[Sample]] = defaultdict(list)
    for samples in fleet.run(until=until, every=60):
        for sample in samples:
            series[sample.device].append(sample)
    return dict(series)


def temperatures(samples: list[Sample]) -> list[float]:
    return [sample.values["temperature"] for sample in samples]


def test_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    assert run(until=LIVE_FROM - HISTORY + 1800) == run(until=LIVE_FROM - HISTORY + 1800)
    assert run(until=LIVE_FROM - HISTORY + 1800) != run(seed=8, until=LIVE_FROM - HISTORY + 1800)


def test_healthy_trucks_cycle_around_their_setpoint_and_stay_inside_the_limits() -> None:
    series = run()
    assert len(series) == 12
    for device, samples in series.items():
        if device == FAILING_TRUCK:
            continue
        measured = temperatures(samples)
        middle = sum(measured) / len(measured)
        crossings = sum(1 for before, after in pairwise(measured) if before <= middle < after)
        assert min(measured) > 2.0, device
        assert max(measured) < LIMIT - 0.5, device
        assert crossings > 20, f"{device}: the compressor does not cycle"


@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_failing_truck_drifts_over_the_limit_half_an_hour_after_going_live(hour: int) -> None:
    live_from = LIVE_FROM // DAY * DAY + hour * 3600
    samples = run(live_from=live_from, until=live_from + 3600)[FAILING_TRUCK]
    before = [sample for sample in samples if sample.ts < live_from * 1000]
    breach = next(sample.ts for sample in samples if sample.values["temperature"] > LIMIT)
    assert 15 * 60 < breach / 1000 - live_from < FaultTimes().breach_after + 8 * 60
    assert max(temperatures(before)) < LIMIT
    drift = temperatures(before)[-20:]
    assert drift[-1] - drift[0] > 0.3, "the history must end with the drift on its way"


def test_the_failure_can_be_had_sooner_and_shorter() -> None:
    times = FaultTimes(breach_after=10 * 60, right_again_after=5 * 60)
    fleet = Fleet(seed=7, devices=1, live_from=LIVE_FROM, at=LIVE_FROM - HISTORY, fault_times=times)
    fleet.warm_up()
    samples = [sample for (sample,) in fleet.run(until=LIVE_FROM + 3600, every=60)]
    warm = [(sample.ts / 1000 - LIVE_FROM) / 60 for sample in samples if sample.values["temperature"] > LIMIT]
    assert 5 < warm[0] < 18
    assert warm[-1] < 30
    with pytest.raises(ValueError, match="at most 180 minutes together"):
        FaultTimes(breach_after=100 * 60, right_again_after=81 * 60)


def test_failed_compressor_is_put_right_again() -> None:
    samples = run(until=LIVE_FROM + 4 * 3600)[FAILING_TRUCK]
    assert max(temperatures(samples)) > LIMIT
    assert max(temperatures(samples)[-30:]) < LIMIT - 1


def test_samples_are_in_order_and_carry_milliseconds() -> None:
    for samples in run(until=LIVE_FROM - HISTORY + 3600).values():
        times = [sample.ts for sample in samples]
        assert times == sorted(set(times))
        assert len({ts % 1000 for ts in times}) > 10
        assert {sample.values["door"] for sample in samples} <= {0.0, 1.0}
        assert all(0 <= sample.values["humidity"] <= 100 for sample in samples)


def test_carried_over_states_go_on_exactly_where_they_were() -> None:
    start, middle, end = LIVE_FROM, LIVE_FROM + 600, LIVE_FROM + 1200
    whole = Fleet(seed=7, devices=3, live_from=start, at=start)
    at_once = list(whole.run(until=end, every=10))
    first = Fleet(seed=7, devices=3, live_from=start, at=start)
    parts = list(first.run(until=middle, every=10))
    kept = Progress.model_validate_json(Progress.of(first, live_from=start, sent_to=0).model_dump_json())
    second = resume(kept, seed=7, devices=3, now=end, history=3600)
    parts += second.fleet.run(until=end, every=10)
    assert parts == at_once


def test_pause_longer_than_the_history_begins_anew() -> None:
    fleet = Fleet(seed=7, devices=3, live_from=LIVE_FROM, at=LIVE_FROM)
    kept = Progress.of(fleet, live_from=LIVE_FROM, sent_to=0)
    soon = resume(kept, seed=7, devices=3, now=LIVE_FROM + 3000, history=3600)
    assert (soon.fleet.at, soon.live_from) == (LIVE_FROM, LIVE_FROM)
    late = resume(kept, seed=7, devices=3, now=LIVE_FROM + 7200, history=3600)
    assert (late.fleet.at, late.live_from) == (LIVE_FROM + 3600, LIVE_FROM + 7200)
    other = resume(kept, seed=8, devices=3, now=LIVE_FROM + 3000, history=3600)
    assert other.live_from == LIVE_FROM + 3000


def test_fleet_refuses_states_of_other_trucks() -> None:
    states = Fleet(seed=7, devices=3, live_from=0, at=0).states
    with pytest.raises(ValueError, match="states"):
        Fleet(seed=7, devices=4, live_from=0, at=0, states=states)
