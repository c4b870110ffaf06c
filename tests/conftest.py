"""What many tests share: the true services, started once, and names of their own on them."""

import json
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from minio import Minio

from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from tests.doubles.scripted_models import ScriptedModels, scripted_models
from tests.live import Live, live_stack

# Then Temporal asks an agent to continue as new; by itself it does so after 4,096 events.
EVENTS_UNTIL_NEW = 100


@pytest.fixture(scope="session")
async def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """PostgreSQL, Temporal and an S3 store, on free ports, in a temporary folder."""
    data_dir = tmp_path_factory.mktemp("stack")
    settings = {"limit.historyCount.suggestContinueAsNew": EVENTS_UNTIL_NEW}
    options = StackOptions(data_dir, application=False, default_ports=False, temporal=settings)
    async with Stack(options) as services:
        yield services


@pytest.fixture
async def database_url(infrastructure: Services) -> AsyncIterator[str]:
    """An empty database of this test's own; a URL for SQLAlchemy with asyncpg."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(infrastructure.database_url.replace("+asyncpg", ""))
    try:
        await admin.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        yield infrastructure.database_url.replace("/agentos?", f"/{name}?")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


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


@pytest.fixture(scope="session")
async def agents_live(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """The whole stack, with models ``first`` and ``second`` of a server of the user's own.

    A token costs a tenth of a cent.
    """
    price = {"input": 1_000, "output": 1_000}
    settings = {
        "OPENAI_BASE_URL": models.url,
        "OPENAI_API_KEY": "sk-only-for-tests",
        "AGENTOS_MODELS": "first,second",
        "AGENTOS_PRICES": json.dumps({"first": price, "second": price}),
    }
    async with live_stack(tmp_path_factory.mktemp("agents"), **settings) as live:
        yield live
