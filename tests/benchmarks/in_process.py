"""The API within the process that measures: what of a call is not HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from temporalio.client import Client

from activities.payloads import data_converter
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.tools.registry import Registry
from api.app import create_app
from api.services import ApiOptions, Services
from api.tasks.temporal import TemporalPort
from tests.benchmarks.stage import Stage

# Of the stage's worker.
TASK_QUEUE = "agentos"


@asynccontextmanager
async def api_in_process(
    stage: Stage, database: Database, task_queue: str = TASK_QUEUE
) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to an API that has this database. What it does by itself, on the side, it does not."""
    s3 = stage.services.s3
    temporal = await Client.connect(
        stage.services.temporal_address, data_converter=data_converter(None)
    )
    app = create_app(
        Services(
            database=database,
            blobs=Blobs(S3Options(s3.endpoint, s3.bucket, s3.access_key, s3.secret_key)),
            temporal=TemporalPort(temporal, task_queue),
            catalogue=Catalogue(()),
            tools=Registry(),
            options=ApiOptions(open_loopback=True),
        )
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
