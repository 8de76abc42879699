"""Numbers as devices send them, checked."""

from decimal import Decimal
from math import isfinite

from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown


def finite(field: str, sent: object) -> float:
    """A float64 from a JSON or CBOR number; booleans and numbers in quotes are not numbers.

    Raises:
        PayloadRejected: `not_a_number` or `not_finite` (also for what no float64 can hold).
    """
    kind = type(sent)
    if kind is not float and kind is not int and kind is not Decimal:
        raise PayloadRejected(Reason.NOT_A_NUMBER, f"{field}: {shown(sent)} is not a number")
    try:
        value = float(sent)  # type: ignore[arg-type]  # the exact types are checked above
    except (OverflowError, ValueError) as error:
        raise PayloadRejected(Reason.NOT_FINITE, f"{field}: {shown(sent)} does not fit a float64") from error
    if not isfinite(value):
        raise PayloadRejected(Reason.NOT_FINITE, f"{field}: {shown(sent)} is not finite")
    return value
