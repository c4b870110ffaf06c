"""Whatever is sent to it, the API answers as its OpenAPI document says, and never with a crash."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from activities.payloads import Codec
from activities.tools.mcp.policy import McpPolicy
from api.wire.responses.base import API
from deploy.local.services import Services
from tests.integration.agent_stage import MODELS
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.integration.residents import Residents

# The same cases in each run: another seed looks for others.
SEED = "2026"

# Every way to be wrong, one at a time. Two calls have so much in their bodies that it is hundreds.
_SYSTEMATIC = [
    *("--phases", "coverage", "--exclude-tag", "codec"),
    *("--exclude-operation-id", "submitTask"),
    *("--exclude-operation-id", "registerTools"),
]
# What is well formed may mean nothing here: the cursor of no page, the name of no step.
_CONFIGURATION = """
[checks]
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx",
]
positive_data_acceptance.expected-statuses = [
    "2xx", "400", "403", "404", "409", "416", "422", "424",
]
"""
# The schema of an event says what its line `data` is in JSON, where schemathesis looks for a text;
# so an event that there is must not be found at random.
_RANDOM = [
    *("--phases", "fuzzing", "--max-examples", "6", "--exclude-tag", "codec"),
    *("--exclude-operation-id", "streamTaskEvents"),
]
# It has a key of its own.
_CODEC = ["--phases", "coverage,fuzzing", "--max-examples", "20", "--include-tag", "codec"]
# Nodes of plans, and new definitions of pipelines.
_TASKS_WITHIN = (
    ("ApprovalRequest", "nodes"),
    ("RetryRequest", "pipeline"),
    ("RequeueRequest", "pipeline"),
    ("BulkRequeueRequest", "pipeline"),
)
# The events of a task end with it; those of what stays do not.
_ENDLESS = ("/agents/events", "/agents/{agent_id}/events", "/groups/{group_id}/events")
_TOKEN = "a token that is long enough"


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(
        infrastructure,
        skills_folder,
        models=MODELS,
        servers=McpPolicy(),  # What is made up must not be run.
        keys_required=True,
        codec=Codec([bytes(32)]),
        codec_token=SecretStr(_TOKEN),
    ) as stage:
        yield stage


@pytest.mark.timeout(400)  # It takes some 20 seconds while nothing else runs.
@pytest.mark.parametrize(
    "cases", [_SYSTEMATIC, _RANDOM, _CODEC], ids=["systematic", "random", "codec"]
)
async def test_the_api_does_what_its_document_says_whatever_it_is_sent(
    stage: Stage, tmp_path: Path, cases: list[str]
) -> None:
    team = await stage.team()
    key = f"Bearer {_TOKEN}" if cases is _CODEC else team.headers["Authorization"]
    document = tmp_path / "openapi.json"
    described = await _document(stage, team)
    if cases is _SYSTEMATIC:
        # They are as much as the body of a task, which is left out as well.
        for request, field in _TASKS_WITHIN:
            del described["components"]["schemas"][request]["properties"][field]
        # So is that of a schedule.
        schemas = described["components"]["schemas"]
        task = {"pipeline": pipeline("print x")}
        schemas["ScheduleRequest"]["properties"]["task"] = {"enum": [task]}
        schemas["ScheduleChange"]["properties"]["task"] = {"enum": [task, None]}
    document.write_text(json.dumps(described))
    (tmp_path / "schemathesis.toml").write_text(_CONFIGURATION)
    fuzzing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
        *("--url", stage.url, "-H", f"Authorization: {key}"),
        *("--checks", "all", "--continue-on-failure", "--request-timeout", "60"),
        *("--seed", SEED, "--generation-deterministic", "--suppress-health-check", "all"),
        *("--no-color", "--warnings", "off", *cases),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await fuzzing.communicate()
    assert fuzzing.returncode == 0, printed.decode()


async def _document(stage: Stage, team: httpx.AsyncClient) -> dict[str, Any]:
    """The API's own, with ids that exist, and without the answers that may be anything."""
    answer = await team.post("/tasks", json={"pipeline": pipeline("file a.png picture")})
    task_id = answer.json()["task_id"]
    await stage.ended(team, task_id)
    [artifact] = (await team.get(f"/tasks/{task_id}/artifacts")).json()["items"]
    file = (await team.post("/files", files={"file": ("a.txt", b"some text")})).json()
    body = {"name": "known", "cron": "0 0 * * *", "task": {"pipeline": pipeline("print x")}}
    schedule = (await team.post("/schedules", json=body)).json()
    residents = Residents(stage, team)
    agent = await residents.create(name="known")
    message = await residents.send(agent)
    wanted = {"text": "water", "after": "1h"}
    reminder = (await team.post(f"/agents/{agent}/reminders", json=wanted)).json()
    known = {
        "agent_id": agent,
        "message_id": message["id"],
        "reminder_id": reminder["id"],
        "task_id": task_id,
        "file_id": file["id"],
        "artifact_id": artifact["id"],
        "schedule_id": schedule["id"],
    }
    known["letter_id"] = await _letter(stage, team)
    bulk = await team.post("/dead-letters/requeue", json={"filter": {"text": "none"}})
    known["bulk_id"] = bulk.json()["id"]
    document: dict[str, Any] = (await team.get("/openapi.json")).json()
    for path in _ENDLESS:
        del document["paths"][f"{API}{path}"]
    for call in (call for calls in document["paths"].values() for call in calls.values()):
        del call["responses"]["default"]
        for parameter in call.get("parameters", ()):
            if example := known.get(parameter["name"]):
                parameter["schema"]["enum"] = [example]
            if parameter["name"] == "wait":
                parameter["schema"]["enum"] = [0]  # Nobody answers here.
    return document


async def _letter(stage: Stage, team: httpx.AsyncClient) -> str:
    """The id of a dead letter."""
    answer = await team.post("/tasks", json={"pipeline": pipeline("fail")})
    await stage.ended(team, answer.json()["task_id"])
    return str((await team.get("/dead-letters")).json()["items"][0]["id"])
