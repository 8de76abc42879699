"""The API's ports in memory, and a world of two tenants that is made of them."""

from tests.services.api.fakes.forecasts import FakeForecasts
from tests.services.api.fakes.serving import BriefHub, served
from tests.services.api.fakes.times import DAY, NOW
from tests.services.api.fakes.world import World

__all__ = ["DAY", "NOW", "BriefHub", "FakeForecasts", "World", "served"]
