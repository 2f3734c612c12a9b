"""The whole service over each store."""

from collections.abc import AsyncGenerator

import pytest

from tests.integration.http.asking import MOST, SERVICE_KEY
from tests.integration.http.person import Person
from tests.scripted_agent import ScriptedAgent
from tests.serving import Served, served, settings_for


@pytest.fixture(scope="session", params=["memory", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Where the service keeps what it is told."""
    return "memory:" if request.param == "memory" else request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
async def service(
    store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Served]:
    """One service for many tests, which use users of their own."""
    blobs = {"url": f"file:{tmp_path_factory.mktemp('blobs')}", "max_bytes": MOST}
    settings = settings_for(store_url, service_keys=[SERVICE_KEY.hash], blobs=blobs)
    async with served(settings) as here:
        yield here


@pytest.fixture
def person(service: Served) -> Person:
    return Person(service)


@pytest.fixture(scope="session")
def agent() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture(scope="session")
async def scripted(store_url: str, agent: ScriptedAgent) -> AsyncGenerator[Served]:
    """The service with an agent that says what the test says."""
    async with served(settings_for(store_url), lambda c: c.agent.override(agent)) as here:
        yield here
