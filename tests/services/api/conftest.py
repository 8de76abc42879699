"""Fixtures of the API's tests."""

import pytest
from tests.services.api.fakes import World


@pytest.fixture
def world() -> World:
    """Two tenants in memory."""
    return World()
