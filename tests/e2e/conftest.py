"""Everything that `sensorcast up` runs, without its simulated fleet: what a test sends is all there is."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.e2e.everything import Everything

from sensorcast_local import mosquitto
from sensorcast_local.publisher import Publisher


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    """A running `sensorcast up --no-fleet`."""
    if mosquitto.find() is None:
        pytest.skip(str(mosquitto.MosquittoMissing()))
    with Everything(folder=tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture
async def publisher(everything: Everything) -> AsyncIterator[Publisher]:
    """A device's connection to the broker."""
    async with Publisher(everything.running.broker, in_flight=16) as connected:
        yield connected
