"""PUBACKs keep the order of receipt, and what is in flight is counted until then."""

from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.mqtt.inflight import InFlight, Ticket


@given(st.permutations(range(6)))
def test_acknowledged_in_the_order_of_receipt(settled: list[int]) -> None:
    sent: list[int] = []
    in_flight = InFlight(sent.extend)
    tickets = [Ticket([2 * n + 1, 2 * n + 2], count=2, size=10) for n in range(6)]
    for ticket in tickets:
        in_flight.received(count=2, size=10)
        in_flight.hand_out(ticket)
    done: set[int] = set()
    for at in settled:
        in_flight.settle(tickets[at])
        done.add(at)
        head = next((n for n in range(6) if n not in done), 6)
        assert sent == list(range(1, 2 * head + 1))
        assert (in_flight.messages, in_flight.size) == (2 * (6 - head), 10 * (6 - head))


def test_settling_twice_acknowledges_once() -> None:
    sent: list[int] = []
    in_flight = InFlight(sent.extend)
    ticket = Ticket([7], count=1, size=3)
    in_flight.received(count=1, size=3)
    in_flight.hand_out(ticket)
    in_flight.settle(ticket)
    in_flight.settle(ticket)
    assert (sent, in_flight.messages) == ([7], 0)
