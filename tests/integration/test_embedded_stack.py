"""The embedded stack, started for real."""

import asyncpg
from temporalio.client import Client

from deploy.local.services import Services


async def test_the_three_services_answer(
    infrastructure: Services, database_url: str, bucket: str
) -> None:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()
    client = await Client.connect(infrastructure.temporal_address)
    assert await client.service_client.check_health()
    assert bucket.startswith("test-")
