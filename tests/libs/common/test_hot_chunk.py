"""Chunks come back bit by bit, fit into one write unit, and merge to the same series however they were spread."""

import contextlib
import random
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.reading import Reading
from sensorcast_common.tables.hot_chunk import CHUNK_SPAN_MS, ITEM_BYTES, Chunk, merge, pack
from sensorcast_common.tables.hot_codec import ChunkSeries, decode, encode

T0 = 1_767_225_600_000

sensor_like = st.integers(-(10**7), 10**7).flatmap(lambda n: st.sampled_from([n / 10, n / 100, n / 1000, float(n)]))
any_finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
nasty = st.sampled_from([-0.0, 0.0, 5e-324, -5e-324, 1.7976931348623157e308, 2.0**53, 2.0**53 + 2, 0.1 + 0.2, 1e-12])
values = st.one_of(sensor_like, any_finite, nasty)

readings = st.builds(
    Reading,
    tenant=st.sampled_from(["acme", "beta"]),
    device=st.sampled_from(["truck-1", "truck-2"]),
    metric=st.sampled_from(["temperature", "humidity", "door"]),
    ts=st.integers(T0, T0 + 3 * CHUNK_SPAN_MS),
    value=values,
    unit=st.sampled_from(["Cel", "K"]),
    received_at=st.integers(T0, T0 + 4 * CHUNK_SPAN_MS),
)


def bits(column: Sequence[float]) -> list[bytes]:
    return [struct.pack(">d", value) for value in column]


def read_back(chunks: list[Chunk]) -> list[ChunkSeries]:
    return [series for chunk in chunks for series in decode(chunk.data)]


@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**13), values), min_size=1, max_size=40))
def test_every_float64_comes_back_bit_by_bit(rows: list[tuple[int, int, float]]) -> None:
    ts, received, column = zip(*sorted(rows), strict=True)
    (back,) = decode(encode([ChunkSeries("temperature", "Cel", ts, received, column)]))
    assert (back.metric, back.unit) == ("temperature", "Cel")
    assert tuple(back.ts) == ts
    assert tuple(back.received) == received
    assert bits(back.value) == bits(column)


@given(st.lists(readings, max_size=80))
def test_packed_readings_are_all_there_and_nothing_else(given_readings: list[Reading]) -> None:
    chunks = pack(given_readings)
    newest: dict[tuple[str, str, str, str, int], tuple[int, bytes]] = {}
    for r in given_readings:
        key, rank = (r.tenant, r.device, r.metric, r.unit, r.ts), (r.received_at, struct.pack(">d", r.value))
        newest[key] = max(newest.get(key, rank), rank)
    stored = {
        (chunk.tenant, chunk.device, one.metric, one.unit, ts): (received, struct.pack(">d", value))
        for chunk in chunks
        for one in decode(chunk.data)
        for ts, received, value in zip(one.ts, one.received, one.value, strict=True)
    }
    assert stored == newest
    assert sum(chunk.readings for chunk in chunks) == len(newest)


@given(st.lists(readings, max_size=60), st.randoms(use_true_random=False), st.integers(1, 5))
def test_merging_does_not_depend_on_how_readings_were_spread(
    given_readings: list[Reading], rng: random.Random, parts: int
) -> None:
    own = [reading for reading in given_readings if reading.device == "truck-1" and reading.tenant == "acme"]
    spread: list[list[Reading]] = [[] for _ in range(parts)]
    for reading in own + own[: len(own) // 2]:  # half of them arrive twice
        rng.choice(spread).append(reading)
    rng.shuffle(spread)
    together = merge(read_back(pack(own)), start=0, end=10**13)
    apart = merge([series for part in spread for series in read_back(pack(part))], start=0, end=10**13)
    assert repr(together) == repr(apart)  # tells -0.0 from 0.0


def test_a_chunk_spans_less_than_five_minutes() -> None:
    chunks = pack([Reading("acme", "t", "temperature", T0 + i * 10_000, i / 8, "Cel", T0) for i in range(61)])
    spans = [(min(s.ts), max(s.ts)) for chunk in chunks for s in decode(chunk.data)]
    assert spans == [(T0, T0 + 290_000), (T0 + 300_000, T0 + 590_000), (T0 + 600_000, T0 + 600_000)]
    assert [chunk.first_ts for chunk in chunks] == [first for first, _ in spans]


def test_a_chunk_stays_within_one_write_unit_and_is_filled() -> None:
    rng = random.Random(7)
    noisy = [
        Reading("acme", "truck-1", metric, T0 + i * 100 + rng.randrange(90), rng.gauss(4, 1), "Cel", T0 + i * 100 + 95)
        for i in range(2_000)
        for metric in ("temperature", "humidity")
    ]
    chunks = pack(noisy)
    assert all(chunk.item_bytes <= ITEM_BYTES for chunk in chunks)
    assert sum(chunk.item_bytes for chunk in chunks) / len(chunks) > 0.9 * ITEM_BYTES


def test_the_longest_names_still_fit_with_one_reading() -> None:
    (chunk,) = pack([Reading("t" * 64, "d" * 64, "m" * 64, T0, 0.1 + 0.2, "u" * 20, T0 + 123)])
    assert chunk.item_bytes <= ITEM_BYTES


def test_metrics_of_one_message_share_their_times() -> None:
    def size(metrics: int) -> int:
        rows = [
            Reading("acme", "t", f"m{m}", T0 + i * 10_000 + (i * 37) % 11, 1.0, "Cel", T0 + i * 10_000 + (i * 53) % 97)
            for i in range(6)
            for m in range(metrics)
        ]
        return len(pack(rows)[0].data)

    assert size(4) - size(1) < 3 * 14


def test_equal_content_has_an_equal_key_and_other_content_another() -> None:
    rows = [Reading("acme", "t", "temperature", T0 + i, float(i), "Cel", T0) for i in range(3)]
    (one,) = pack(rows)
    (again,) = pack(reversed(rows))
    (other,) = pack([*rows[:2], rows[2]._replace(value=9.0)])
    assert (one.pk, one.sk) == (again.pk, again.sk) == ("acme#t", one.sk)
    assert one.sk.startswith(f"{T0}#")
    assert other.sk != one.sk


def test_keys_sort_by_time_and_a_time_out_of_range_is_named() -> None:
    early = pack([Reading("acme", "t", "m", 946_684_800_000, 1.0, "Cel", T0)])[0]
    late = pack([Reading("acme", "t", "m", T0, 1.0, "Cel", T0)])[0]
    assert early.sk < late.sk
    with pytest.raises(ValueError, match="ts: -1 "):
        _ = pack([Reading("acme", "t", "m", -1, 1.0, "Cel", T0)])[0].sk


def test_the_value_received_last_wins() -> None:
    first = Reading("acme", "t", "m", T0, 1.0, "Cel", T0 + 5)
    corrected = first._replace(value=2.0, received_at=T0 + 6)
    for order in ([first, corrected], [corrected, first]):
        assert merge(read_back(pack(order)), start=0, end=10**13)["m"].value == [2.0]
        assert merge([s for r in order for s in read_back(pack([r]))], start=0, end=10**13)["m"].value == [2.0]


def test_a_series_that_changes_its_unit_reads_in_the_newest() -> None:
    kelvin = [Reading("acme", "t", "m", T0 + i, 280.0 + i, "K", T0) for i in range(3)]
    celsius = [Reading("acme", "t", "m", T0 + 10 + i, 7.0 + i, "Cel", T0) for i in range(2)]
    series = merge(read_back(pack(kelvin + celsius)), start=0, end=10**13)["m"]
    assert (series.unit, series.value, series.other_units) == ("Cel", [7.0, 8.0], 3)


def test_a_range_is_cut_and_metrics_are_chosen() -> None:
    rows = [Reading("acme", "t", m, T0 + i, float(i), "Cel", T0) for i in range(10) for m in ("a", "b")]
    found = merge(read_back(pack(rows)), start=T0 + 3, end=T0 + 5, metrics={"a"})
    assert list(found) == ["a"]
    assert found["a"].ts == [T0 + 3, T0 + 4]
    assert merge(read_back(pack(rows)), start=T0 + 20, end=T0 + 30) == {}


@pytest.mark.parametrize("data", [b"", b"\x02abc", b"\x81\xff\xff", b"\x01", b"\x01\x00\x01\xff\xff\xff\x7f"])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^chunk: "):
        decode(data)


@given(st.binary(max_size=60))
def test_damaged_bytes_give_a_value_error_or_series(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(b"\x01" + data)


def test_four_metrics_every_ten_seconds_pack_five_minutes_into_one_item() -> None:
    rng = random.Random(3)
    rows = [
        Reading(
            "acme",
            "truck-001",
            metric,
            T0 + i * 10_000 + rng.randrange(50),
            round(rng.gauss(4, 0.5), 2),
            unit,
            T0 + i * 10_000 + 80,
        )
        for i in range(29)
        for metric, unit in (("temperature", "Cel"), ("humidity", "%RH"), ("battery", "%EL"), ("door", "/"))
    ]
    assert len(pack(rows)) == 1
