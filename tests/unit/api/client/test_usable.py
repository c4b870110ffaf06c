"""Where an asynchronous client can no longer be used, it says so."""

import asyncio
from pathlib import Path

import pytest

from api.client import ApiUnreachable, AsyncClient, ClientUnusable

NOWHERE = "http://127.0.0.1:1"


def test_a_closed_client_says_that_it_is(tmp_path: Path) -> None:
    async def program() -> None:
        async with AsyncClient(NOWHERE, patience_seconds=0) as client:
            pass
        calls = (
            client.tasks,
            lambda: client.submit_auto("x"),
            lambda: client.delete("x"),
            lambda: client.upload(b"x"),
            lambda: client.export("x", tmp_path / "x.zip"),
            lambda: anext(client.events("x")),
            client.overview.waiting,
        )
        for call in calls:
            with pytest.raises(ClientUnusable, match="it is closed; make another one"):
                await call()
        await client.close()

    asyncio.run(program())


def test_a_client_of_another_loop_says_that_it_is() -> None:
    """Its connections belong to the first, and are gone."""
    client = AsyncClient(NOWHERE, patience_seconds=0)
    with pytest.raises(ApiUnreachable):
        asyncio.run(client.tasks())
    with pytest.raises(ClientUnusable, match=r"make one in each `asyncio\.run`, or use `Client`"):
        asyncio.run(client.tasks())
    asyncio.run(client.close())
