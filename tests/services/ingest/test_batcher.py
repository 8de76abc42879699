"""Readings travel together until they fill a message or have waited for long enough."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.reading import Reading
from sensorcast_ingest.batcher import MAX_READINGS, Batcher
from sensorcast_ingest.encode import encode
from sensorcast_ingest.receipt import Receipt


def readings(count: int, *, devices: int = 7) -> list[Reading]:
    return [
        Reading("acme", f"truck-{n % devices}", "temperature", 10**12 + n * 977, (n * 7919 % 10_007) / 7, "Cel", 10**12)
        for n in range(count)
    ]


def unused() -> Receipt:
    return Receipt(lambda: None)


def test_first_reading_starts_the_linger() -> None:
    batcher = Batcher(target_bytes=65_024, linger=0.1)
    assert batcher.closes_at is None
    assert batcher.add(readings(1), unused(), now=5.0) == []
    assert batcher.add(readings(1), unused(), now=5.09) == []
    assert batcher.closes_at == 5.1
    assert batcher.due(now=5.09) is None
    draft = batcher.due(now=5.1)
    assert draft is not None
    assert len(draft.readings) == 2
    assert batcher.closes_at is None
    assert batcher.flush() is None


@given(st.lists(st.integers(min_value=0, max_value=3000), max_size=8), st.integers(min_value=1024, max_value=30_000))
def test_no_reading_is_lost_and_order_is_kept(sizes: list[int], target: int) -> None:
    batcher = Batcher(target_bytes=target, linger=1.0)
    everything = readings(sum(sizes))
    out: list[Reading] = []
    at = 0
    for size in sizes:
        for draft in batcher.add(everything[at : at + size], unused(), now=0.0):
            assert len(draft.readings) <= MAX_READINGS
            out += draft.readings
        at += size
    rest = batcher.flush()
    assert out + (rest.readings if rest else []) == everything


def test_receipt_is_released_only_with_its_last_batch() -> None:
    done: list[str] = []
    batcher = Batcher(target_bytes=16_000, linger=1.0)
    receipt = Receipt(lambda: done.append("acknowledged"))
    drafts = batcher.add(readings(2500), receipt, now=0.0)
    receipt.release()
    rest = batcher.flush()
    assert rest is not None
    assert len(drafts) >= 2
    for draft in [*drafts, rest]:
        assert done == []
        for each in draft.receipts:
            each.release()
    assert done == ["acknowledged"]


def test_batches_learn_to_fill_the_message() -> None:
    target = 65_024
    batcher = Batcher(target_bytes=target, linger=1.0)
    sizes: list[int] = []
    noise = random.Random(1)
    for _ in range(30):
        noisy = [each._replace(value=noise.random(), ts=each.ts + noise.randrange(10**6)) for each in readings(3000)]
        for draft in batcher.add(noisy, unused(), now=0.0):
            for part in encode(draft.readings, created_at=1, limit=target, new_id=lambda: "id"):
                batcher.learn(readings=part.readings, size=len(part.text))
                sizes.append(len(part.text))
    assert max(sizes) <= target
    assert sum(sizes[-3:]) / 3 > 0.8 * target


def test_text_that_would_be_too_long_is_split() -> None:
    everything = readings(5000)
    parts = encode(everything, created_at=1, limit=10_000, new_id=lambda: "id")
    assert len(parts) > 1
    assert all(len(part.text) <= 10_000 for part in parts)
    back = [each for part in parts for each in ReadingBatch.decode(Envelope.parse(part.text)).readings]
    assert back == everything


def test_small_batches_do_not_spoil_the_guess() -> None:
    batcher = Batcher(target_bytes=65_024, linger=1.0)
    for _ in range(50):
        batcher.learn(readings=8000, size=8000 * 6)
    learned = batcher.capacity
    for _ in range(50):
        batcher.learn(readings=1, size=350)
    assert batcher.capacity > 0.8 * learned
