"""Schemathesis finds nothing, neither with the document's examples nor with some of its own.

`make fuzz-api` runs it with many more, also in sequences of requests.
"""

from tests.services.api.fuzz import fuzz


async def test_schemathesis_finds_nothing() -> None:
    options = ["--phases", "examples,fuzzing", "--max-examples", "2", "--seed", "1", "--no-color"]
    assert await fuzz(options) == 0
