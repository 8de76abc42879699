"""What is to be revised survives the alerter that noticed it; the earliest mark of a series stands."""

from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in

from sensorcast_common.late_mark import LateMark
from sensorcast_common.names import Names
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.late_marks import LateMarksTable

SERIES = SeriesKey("acme", "truck-1", "temperature")
NOW = 4_102_444_800_000  # 2100-01-01, so that nothing expires


async def test_the_earliest_mark_stands_until_whoever_set_it_is_done(any_account: AwsAccount) -> None:
    first, later = LateMark(SERIES, 1_000, -9.25, "Cel"), LateMark(SERIES, 2_000, 9.5, "Cel")
    async with table_in(any_account, Names().table_deliveries) as client:
        table = LateMarksTable(client, Names())
        await table.note(later, now=NOW)
        await table.note(first, now=NOW + 1)
        await table.note(later, now=NOW + 2)
        assert await table.left(before=NOW + 1) == []
        assert await table.left(before=NOW + 2) == [first]
        await table.done(SERIES, ts=later.ts)
        assert await table.left(before=NOW + 2) == [first]
        await table.done(SERIES, ts=first.ts)
        assert await table.left(before=NOW + 9) == []
        await table.note(later, now=NOW + 3)
        assert await table.left(before=NOW + 9) == [later]
