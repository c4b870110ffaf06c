"""What the doctor finds of the keys with which API and workers encrypt."""

import asyncio
from pathlib import Path

from temporalio.client import Client

from activities.payloads import Codec
from deploy.doctor.payloads import check_payloads
from deploy.local.machine import Finding
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, api_stage

OURS, THEIRS = Codec([bytes(32)]), Codec([b"\1" * 32])


async def test_keys_that_others_used_and_we_have_not_are_seen_in_the_latest_task(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, codec=THEIRS) as stage:

        async def check(*key_ids: str) -> Finding:
            address = infrastructure.temporal_address
            return await check_payloads(key_ids, stage.task_queue, lambda: Client.connect(address))

        assert "must all have it" in (await check(OURS.key_id)).detail
        await stage.until(await stage.submit("print hello"), "completed")
        async with asyncio.timeout(WAIT_SECONDS):
            while "latest task" not in (await check(OURS.key_id)).detail:
                await asyncio.sleep(0.02)  # Temporal lists it a little later.
        seen = f"the API wrote with the key {THEIRS.key_id}, a worker wrote with the key"
        for key_ids, ok in (
            ([OURS.key_id], False),
            ([], False),
            ([OURS.key_id, THEIRS.key_id], True),
        ):
            found = await check(*key_ids)
            assert seen in found.detail
            assert found.ok == ok
