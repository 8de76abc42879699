"""Points are written fast, and as a model for each would write them."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from sensorcast_api.points import written
from sensorcast_common.clock import UtcDatetime, from_millis

LATEST = 4_102_444_800_000


class Point(BaseModel):
    ts: UtcDatetime
    value: float


@given(
    st.dictionaries(
        st.integers(min_value=946_684_800_000, max_value=LATEST),
        st.floats(allow_nan=False, allow_infinity=False),
        max_size=20,
    )
)
def test_points_are_written_as_a_model_writes_them(points: dict[int, float]) -> None:
    ts = sorted(points)
    expected = ",".join(Point(ts=from_millis(at), value=points[at]).model_dump_json() for at in ts)
    assert written(ts, [points[at] for at in ts]).decode() == expected
