"""``agentos webhooks``, and ``agentos submit --callback``, against the true API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.services import Services
from tests.doubles.webhook_receiver import Receiver, webhook_receiver
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline
from tests.integration.cli_runs import agentos


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


async def test_a_webhook_is_made_listed_switched_and_deleted(stage: Stage) -> None:
    words = ("webhooks", "create", "https://receiver.example/hook", "--event", "task.failed")
    made = json.loads((await agentos(stage.url, *words, "-o", "json")).stdout)
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["task.failed"]
    listed = await agentos(stage.url, "webhooks", "ls")
    assert made["id"] in listed.stdout
    assert made["secret"] not in listed.stdout
    off = await agentos(stage.url, "webhooks", "disable", made["id"], "-o", "json")
    assert json.loads(off.stdout)["is_active"] is False
    assert "on" in (await agentos(stage.url, "webhooks", "enable", made["id"])).stdout
    gone = await agentos(stage.url, "webhooks", "delete", made["id"])
    assert gone.stdout == f"{made['id']}\n"
    assert (await agentos(stage.url, "webhooks", "delete", made["id"])).code == 5


async def test_a_url_that_may_not_be_called_is_told_with_the_setting_for_it(stage: Stage) -> None:
    printed = await agentos(stage.url, "webhooks", "create", "http://receiver.example/")
    assert printed.code == 2
    assert "AGENTOS_WEBHOOK_PRIVATE_HOSTS" in printed.stderr


async def test_a_callback_is_submitted_listed_and_resent(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(pipeline("print 1")))
    async with webhook_receiver() as receiver:
        words = ("submit", "pipeline", str(file), "--callback", receiver.url())
        refused = await agentos(stage.url, *words)
        assert refused.code == 2
        assert "agentos webhooks secret" in refused.stderr
        secret = (await agentos(stage.url, "webhooks", "secret")).stdout.strip()
        assert (await agentos(stage.url, *words)).code == 0
        [got] = await receiver.once(1)
        task_id = got.verified(secret)["data"]["task"]["task_id"]
        await _delivered(stage, receiver, task_id)
        found = await agentos(stage.url, "webhooks", "deliveries", "--task", task_id)
        assert all(word in found.stdout for word in ("delivered", "callback", receiver.url()[:22]))
        assert (await agentos(stage.url, "webhooks", "resend", got.id)).stdout == f"{got.id}\n"
        await receiver.once(2)


async def _delivered(stage: Stage, receiver: Receiver, task_id: str) -> None:
    words = ("webhooks", "deliveries", "--task", task_id, "--state", "delivered", "-o", "json")
    async with asyncio.timeout(WAIT_SECONDS):
        while not json.loads((await agentos(stage.url, *words)).stdout)["items"]:
            await asyncio.sleep(0.05)
