"""The pure parts: verdicts, windows, attributes, envelopes and batches."""

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faststream_sqs import BatchFailures, Poison, Retryable
from faststream_sqs.attributes import encode_headers, with_reason
from faststream_sqs.backoff import Backoff
from faststream_sqs.batching import Outgoing, split
from faststream_sqs.engine.options import ConsumerOptions
from faststream_sqs.engine.window import Window
from faststream_sqs.sns import open_envelope
from faststream_sqs.verdict import MAX_REASON, DeadLetter, FailurePolicy, Retry


@given(attempt=st.integers(1, 200))
def test_backoff_doubles_up_to_its_cap_and_stays_in_the_upper_half(attempt: int) -> None:
    step = min(300.0, 2.0 * 2.0 ** (attempt - 1))
    assert step / 2 <= Backoff(base=2, cap=300).delay(attempt) <= step


@pytest.mark.parametrize(
    ("error", "after", "verdict"),
    [
        (Poison("bad"), None, DeadLetter("bad")),
        (KeyError("tenant"), None, DeadLetter("KeyError: 'tenant'")),
        (Poison("x" * 5000), None, DeadLetter("x" * MAX_REASON)),
        (Retryable("away", after=12.1), None, Retry(13)),
        (Retryable("away"), None, Retry(4)),
        (OSError("away"), None, Retry(50)),
        (OSError("away"), 7, Retry(7)),
        (RuntimeError("no luck"), None, Retry(4)),
        (None, None, Retry(4)),
        (RuntimeError("no luck"), 10**9, Retry(43_200)),
        (SystemExit(), None, Retry(0)),
    ],
)
def test_error_decides_what_becomes_of_its_message(
    error: BaseException | None, after: float | None, verdict: Retry | DeadLetter
) -> None:
    policy = FailurePolicy(
        backoff=Backoff(base=2, cap=4),
        poison_on=(KeyError,),
        retry_after=lambda e: 50 if isinstance(e, OSError) else None,
    )
    decided = policy.decide(error, receive_count=9, after=after)
    if verdict == Retry(4):  # drawn from the upper half of 4 s
        assert decided in (Retry(2), Retry(3), Retry(4))
    else:
        assert decided == verdict


async def test_window_asks_for_little_only_while_handlers_would_starve() -> None:
    window = Window(capacity=25, fill=1, chunk=10)
    assert await window.reserve() == 10
    window.arrived(reserved=10, arrived=10)
    window.started(5)
    assert await window.reserve() == 10  # 5 wait, yet a full poll has room
    window.arrived(reserved=10, arrived=10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await window.reserve()  # room for 5 only, while 15 wait
    window.started(15)
    assert await window.reserve() == 5
    assert window.free == 0


def test_capacity_is_what_is_handled_and_what_waits() -> None:
    assert ConsumerOptions(max_workers=3, prefetch=4).capacity == 7
    assert ConsumerOptions(max_workers=1).capacity == 11
    assert ConsumerOptions(batch=True, max_batch=500, max_workers=2).capacity == 1500


def test_batch_failures_name_at_least_one_message() -> None:
    with pytest.raises(ValueError, match="at least one"):
        BatchFailures({})


def test_dead_letter_of_ten_attributes_loses_none() -> None:
    original = {f"h{i}": {"DataType": "Number", "StringValue": str(i)} for i in range(9)}
    full = {**original, "raw": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    letter = with_reason(full, reason="bad\x00", source="q")  # type: ignore[arg-type]
    assert len(letter) == 10
    assert letter["dead-letter-reason"]["StringValue"] == "bad\ufffd"
    moved = json.loads(letter["moved-attributes"]["StringValue"])
    assert {*letter, *moved} - {"dead-letter-reason", "dead-letter-source", "moved-attributes"} == full.keys()
    assert base64.b64decode(moved["raw"]["BinaryValue"]) == b"\xff"


def test_absent_headers_are_left_out() -> None:
    assert encode_headers({"a": None, "b": 1}) == {"b": {"DataType": "String", "StringValue": "1"}}


@pytest.mark.parametrize("body", ["", "{", '{"Type": "Notification"}', '["Notification"]', '"Notification"', "plain"])
def test_what_is_no_notification_stays_as_it_is(body: str) -> None:
    assert open_envelope(body) is None


def test_notification_gives_its_message_and_attributes() -> None:
    attributes = {
        "kind": {"Type": "String", "Value": "x"},
        "raw": {"Type": "Binary", "Value": base64.b64encode(b"\xff").decode()},
    }
    envelope = open_envelope(
        json.dumps({"Type": "Notification", "Message": "hi", "TopicArn": "arn:t", "MessageAttributes": attributes})
    )
    assert envelope is not None
    assert envelope.body == "hi"
    assert envelope.headers == {"kind": "x", "raw": b"\xff"}


@given(sizes=st.lists(st.integers(1, 100), max_size=60))
def test_split_keeps_order_and_limits(sizes: list[int]) -> None:
    messages = [Outgoing(index=i, body="x" * size, attributes={}) for i, size in enumerate(sizes)]
    groups = list(split(messages, limit=100))
    assert [m.index for group in groups for m in group] == list(range(len(sizes)))
    assert all(len(group) <= 10 and sum(m.size for m in group) <= 100 for group in groups)
