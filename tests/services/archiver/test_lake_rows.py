"""Rows, receipts and suspects: the pure part of the lake's exactly-once."""

import math
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.archiver.samples import T0, marked, reading

from sensorcast_archiver.lake.dedupe import present, repeats
from sensorcast_archiver.lake.receipt import Receipt, Span, inside, receipt_of, recorded
from sensorcast_archiver.lake.rows import DAY_MS, Rows
from sensorcast_common.reading import Reading, TsSource

some_readings = st.lists(
    st.builds(
        Reading,
        tenant=st.sampled_from(["a", "b"]),
        device=st.sampled_from(["d1", "d2"]),
        metric=st.sampled_from(["m1", "m2"]),
        ts=st.integers(T0, T0 + 20),
        value=st.sampled_from([0.0, -0.0, 1.5]),
        unit=st.sampled_from(["Cel", "K"]),
        received_at=st.integers(T0, T0 + 20),
        ts_source=st.sampled_from(TsSource),
        redelivered=st.booleans(),
    ),
    max_size=30,
)


def as_tuples(rows: Rows) -> list[tuple[str, str, str, int, str, str, int, bool, bool]]:
    return [
        (*rows.series[i][:3], int(ts), float(v).hex(), rows.series[i].unit, int(got), bool(server), bool(again))
        for i, ts, v, got, server, again in zip(
            rows.index, rows.ts, rows.value, rows.received_at, rows.from_server, rows.redelivered, strict=True
        )
    ]


def expected(r: Reading) -> tuple[str, str, str, int, str, str, int, bool, bool]:
    server = r.ts_source is TsSource.SERVER
    return (r.tenant, r.device, r.metric, r.ts, r.value.hex(), r.unit, r.received_at, server, r.redelivered)


@given(st.lists(some_readings, max_size=4))
def test_joining_keeps_every_row_and_sorts_as_the_table(parts: list[list[Reading]]) -> None:
    joined = Rows.joined([Rows.of(part) for part in parts])
    assert sorted(as_tuples(joined)) == sorted(expected(one) for part in parts for one in part)
    keys = [row[:4] for row in as_tuples(joined)]
    assert keys == sorted(keys)


@given(some_readings)
def test_rows_come_back_as_the_readings_they_were(readings: list[Reading]) -> None:
    assert repr(list(Rows.of(readings).readings())) == repr(readings)


def test_rows_fall_into_their_own_utc_days() -> None:
    rows = Rows.joined([Rows.of([reading(-0.001), reading(0), reading(86_399), reading(86_400)])])
    days = rows.by_day()
    assert [(day * DAY_MS - T0, len(part)) for day, part in days] == [(-DAY_MS, 1), (0, 2), (DAY_MS, 1)]


def test_a_receipt_comes_back() -> None:
    rows = Rows.of([reading(1), *marked([reading(5), reading(9, metric="humidity"), reading(3, device="b")])])
    ids = [str(uuid.uuid4()) for _ in range(50)]
    receipt = receipt_of(ids, rows)
    back = Receipt.parse(receipt.text())
    assert back == receipt
    assert recorded([*ids, str(uuid.uuid4())], [back]) == set(ids)
    assert back.redelivered == (
        Span("acme", "b", T0 + 3000, T0 + 3000),
        Span("acme", "truck-1", T0 + 5000, T0 + 9000),
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"v":2,"ids":"","redelivered":[]}', '{"v":1,"ids":"§","redelivered":[]}']
)
def test_a_receipt_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^receipt of a snapshot: "):
        Receipt.parse(text)


def test_a_span_covers_its_device_and_both_ends() -> None:
    receipt = Receipt(b"", (Span("acme", "truck-1", T0 + 1000, T0 + 2000),))
    rows = Rows.of(
        [reading(0.999), reading(1), reading(2, metric="humidity"), reading(2.001), reading(1.5, device="truck-2")]
    )
    assert inside(rows, [receipt]).tolist() == [False, True, True, False, False]


def test_of_equal_rows_the_unmarked_one_stays() -> None:
    original = reading(1)
    rows = Rows.joined([Rows.of(marked([original, original])), Rows.of([original, reading(2)])])
    dropped = repeats(rows, rows.redelivered)
    assert as_tuples(rows.take(~dropped)) == [expected(original), expected(reading(2))]


def test_of_equal_marked_rows_the_first_stays() -> None:
    rows = Rows.joined([Rows.of(marked([reading(1)])), Rows.of(marked([reading(1)]))])
    assert repeats(rows, rows.redelivered).tolist() == [False, True]


def test_unmarked_rows_are_never_compared_with_each_other() -> None:
    rows = Rows.joined([Rows.of([reading(1), reading(1)]), Rows.of(marked([reading(9)]))])
    assert not repeats(rows, rows.redelivered).any()


@pytest.mark.parametrize(
    "other", [reading(1, 4.1), reading(1, unit="K"), reading(1.001), reading(1, metric="x"), reading(1, tenant="x")]
)
def test_another_value_unit_time_or_series_is_another_reading(other: Reading) -> None:
    rows = Rows.joined([Rows.of([other]), Rows.of(marked([reading(1)]))])
    assert not repeats(rows, rows.redelivered).any()
    stored = {Rows.of([other]).key(0)}
    assert not present(rows, rows.redelivered, stored).any()


def test_minus_zero_is_not_zero() -> None:
    rows = Rows.of([reading(1, -0.0)])
    assert math.copysign(1, rows.value[0]) == -1
    assert not present(rows, np.array([True]), {Rows.of([reading(1, 0.0)]).key(0)}).any()


def test_suspects_found_in_the_lake_are_dropped_and_others_stay() -> None:
    rows = Rows.of([reading(1), *marked([reading(1), reading(2)])])
    stored = {Rows.of([reading(1)]).key(0)}
    assert present(rows, rows.redelivered, stored).tolist() == [False, True, False]
