"""Every example of a request in the OpenAPI document is one that the API takes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.http.document.shapes import calls_of
from deploy.local.services import Services
from tests.folders import PROJECT
from tests.integration.agent_stage import MODELS
from tests.integration.api.possessions import possessions_of
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.unit.api.http.described import the_document

# In examples as they stand; each test has its own.
FILE = "5b0c2f3e-7a61-4d0a-8f0e-0d5a3c1b2e44"
AGENT = "3d6f0a92-8b1c-4f7e-a5d2-6c0e9b8a7f31"
OTHER_AGENT = "4e7a1b03-9c2d-4a8f-b6e3-7d1f0c9b8a42"
# What is well formed may fit no longer, or not yet: nobody asks, and no such server is allowed.
FITS_NO_MORE = {403, 404, 409, 424, 503}
NOT_HERE = "mcp-not-allowed"


@pytest.fixture(scope="module")
async def stage(infrastructure: Services) -> AsyncIterator[Stage]:
    """With our own skills, which examples name."""
    async with api_stage(
        infrastructure, PROJECT / "skills", models=MODELS, keys_required=True
    ) as stage:
        yield stage


def examples() -> list[tuple[str, str, str, str, Any]]:
    """Those after which there is nothing left to send others to come last."""
    found = [
        (method, path, kind, name, example["value"])
        for path, method, call in calls_of(the_document())
        for kind, media in call.get("requestBody", {}).get("content", {}).items()
        for name, example in media["examples"].items()
        if not path.startswith("/codec")  # It has a key of its own.
    ]
    return sorted(found, key=lambda each: each[1].endswith(("/terminate", "/delete")))


async def failed_task(team: httpx.AsyncClient, letter: str) -> str:
    """The task of a dead letter, which can be retried."""
    return str((await team.get(f"/dead-letters/{letter}")).json()["task_id"])


async def with_input(team: httpx.AsyncClient, file: str) -> str:
    """A task that has an input, which can be another."""
    [step] = pipeline("x")["steps"]
    reads = {"name": "x", "inputs": ["data"], "steps": [{**step, "args": ["${inputs.data}"]}]}
    inputs = {"data": f"file:{file}"}
    sent = await team.post("/tasks", json={"inputs": inputs, "pipeline": reads})
    assert sent.is_success, sent.text
    return str(sent.json()["task_id"])


async def test_no_example_is_refused_for_what_it_says(stage: Stage) -> None:
    team = await stage.team()
    mine = await possessions_of(stage, team)
    other = (await team.post("/agents", json={"name": "Other"})).json()["id"]
    own = {FILE: mine["file"], AGENT: mine["agent"], OTHER_AGENT: other, '"count"': '"a"'}
    mine["task"] = await failed_task(team, mine["letter"])
    data_task = await with_input(team, mine["file"])
    refused = []
    for method, path, kind, name, value in examples():
        text = json.dumps(value)
        for known, here in own.items():
            text = text.replace(known, here)
        task = data_task if path.endswith("/rerun") else mine["task"]
        ids = {**mine, "task": task}
        place = path.format(**{f"{key}_id": each for key, each in ids.items()}, name="write_file")
        if path.endswith("/tasks") and "pipeline" not in value:
            # No worker here runs such tasks: it is only asked whether they would be accepted.
            sent = await team.post("/tasks/check", content=text, headers={"Content-Type": kind})
            assert sent.json()["valid"], (name, sent.text)
            continue
        if kind == "multipart/form-data":
            sent = await team.post(stage.url + place, files={"file": ("a.csv", value["file"])})
        else:
            headers = {"Content-Type": kind}
            sent = await team.request(method, stage.url + place, content=text, headers=headers)
        is_fine = sent.is_success or sent.status_code in FITS_NO_MORE or NOT_HERE in sent.text
        if not is_fine:
            refused.append((method, path, name, sent.text))
    assert refused == [], "\n".join(map(str, refused))


# Calls that are about something that has to be made before, whatever they say of it.
ABOUT_SOMETHING = {"addGroupMembers"}


async def test_the_first_example_of_a_call_can_be_sent_as_it_stands(stage: Stage) -> None:
    team = await stage.team()
    mine = await possessions_of(stage, team)
    mine["task"] = await failed_task(team, mine["letter"])
    refused = []
    for path, method, call in calls_of(the_document()):
        media = call.get("requestBody", {}).get("content", {}).get("application/json")
        name = call["operationId"]
        if media is None or path.startswith("/codec") or name in ABOUT_SOMETHING:
            continue
        example = next(iter(media["examples"].values()))["value"]
        place = path.format(**{f"{key}_id": each for key, each in mine.items()}, name="write_file")
        sent = await team.request(method, stage.url + place, json=example)
        if sent.status_code == 422 and NOT_HERE not in sent.text:
            refused.append((method, path, sent.text))
    assert refused == [], "\n".join(map(str, refused))
