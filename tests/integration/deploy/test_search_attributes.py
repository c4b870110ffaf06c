"""Making the search attributes by which Temporal lists tasks."""

import asyncio

import pytest
from temporalio.client import Client

from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from deploy.search_attributes import are_known, register, register_where_it_is
from tests.integration.bare_namespaces import WAIT_SECONDS, bare_namespace


async def test_they_are_made_where_they_are_missing_and_a_repeat_changes_nothing(
    infrastructure: Services,
) -> None:
    bare = await bare_namespace(await Client.connect(infrastructure.temporal_address))
    assert not await are_known(bare)
    await register(bare)
    async with asyncio.timeout(WAIT_SECONDS):
        while not await are_known(bare):
            await asyncio.sleep(0.1)
    await register(bare)


async def test_the_embedded_stack_has_them(infrastructure: Services) -> None:
    assert await are_known(await Client.connect(infrastructure.temporal_address))


async def test_a_database_alone_can_be_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "")
    assert await register_where_it_is() == ""


async def test_a_temporal_that_cannot_be_reached_is_named_and_hinders_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (nobody,) = choose_ports([None])
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{nobody}")
    told = await register_where_it_is()
    assert "AgentOSName" in told
    assert "README" in told


async def test_those_of_the_temporal_that_the_environment_names_are_made(
    infrastructure: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = await bare_namespace(await Client.connect(infrastructure.temporal_address))
    monkeypatch.setenv("TEMPORAL_ADDRESS", infrastructure.temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", bare.namespace)
    assert await register_where_it_is() == ""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await are_known(bare):
            await asyncio.sleep(0.1)
