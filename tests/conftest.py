"""What many tests share: the true services, started once, and names of their own on them."""

import sys
import uuid
from collections.abc import AsyncIterator

import pytest
import structlog
from hypothesis import settings
from minio import Minio

from api import garbage_collector
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from tests.databases import empty_database, hurry, migrated_database
from tests.doubles.scripted_models import ScriptedModels, scripted_models

# The same examples in each run, so that it fails for what was changed, and not by chance. Others
# are looked for with --hypothesis-profile=search.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("steady")

# What goes on beside a test must not print into what the test reads.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))

# Then Temporal asks an agent to continue as new; by itself it does so after 4,096 events.
EVENTS_UNTIL_NEW = 100


def pytest_collection() -> None:
    """What is made until the tests begin stays, as what a server loads: to look through it for
    garbage is in vain. What tests make is looked through as seldom as there."""
    garbage_collector.pause()


def pytest_collection_finish() -> None:
    garbage_collector.resume()


@pytest.fixture(scope="session")
async def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """PostgreSQL, Temporal and an S3 store, on free ports, in a temporary folder."""
    data_dir = tmp_path_factory.mktemp("stack")
    settings = {"limit.historyCount.suggestContinueAsNew": EVENTS_UNTIL_NEW}
    options = StackOptions(data_dir, application=False, default_ports=False, temporal=settings)
    async with Stack(options) as services:
        await hurry(services)
        yield services


@pytest.fixture
async def database_url(infrastructure: Services) -> AsyncIterator[str]:
    """A database of this test's own, with nothing in its tables; a URL for SQLAlchemy."""
    async with migrated_database(infrastructure) as url:
        yield url


@pytest.fixture
async def empty_database_url(infrastructure: Services) -> AsyncIterator[str]:
    """The same, without any tables."""
    async with empty_database(infrastructure) as url:
        yield url


@pytest.fixture
def bucket(infrastructure: Services) -> str:
    """An empty bucket of this test's own."""
    store, name = infrastructure.s3, f"test-{uuid.uuid4().hex}"
    client = Minio(
        store.endpoint.removeprefix("http://"),
        access_key=store.access_key,
        secret_key=store.secret_key,
        secure=False,
    )
    client.make_bucket(bucket_name=name)
    return name


@pytest.fixture
def task_queue() -> str:
    """A task queue that no worker of another test polls."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
async def models() -> AsyncIterator[ScriptedModels]:
    """The server of models that ``agents_live`` asks; a test says what they answer."""
    async with scripted_models() as models:
        yield models
