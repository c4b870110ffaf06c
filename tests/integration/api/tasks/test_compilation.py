"""Tasks compiled over HTTP: from the rows of a run to a pipeline, or to what is in the way."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.agent_stage import submit, working_agents
from tests.integration.api_stage import Stage, pipeline


@pytest.fixture
def stage(agents_stage: Stage) -> Stage:
    return agents_stage


async def compiled(stage: Stage, task_id: str, **body: Any) -> dict[str, Any]:
    answer = await stage.http.post(f"/tasks/{task_id}/compile", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def run(stage: Stage, *orders: str) -> str:
    task_id = await submit(stage, *orders)
    async with working_agents(stage):
        await stage.ended(stage.http, task_id)
    return task_id


async def test_a_tool_that_is_gone_is_told_with_its_call(stage: Stage) -> None:
    task_id = await run(stage, "call mcp.gone.add", "finish Done.")
    answer = await compiled(stage, task_id)
    assert answer["pipeline"] is None
    [problem] = answer["problems"]
    assert problem["pointer"] == "/calls/1.1/tool"
    assert "there is no tool named 'mcp.gone.add'" in problem["message"]


async def test_a_call_that_its_tool_would_not_take_any_more_is_told(stage: Stage) -> None:
    task_id = await run(stage, "call write_file", "finish Done.")
    answer = await compiled(stage, task_id)
    assert [problem["pointer"] for problem in answer["problems"]] == ["/calls/1.1"]


async def test_a_task_that_has_not_ended_is_told(stage: Stage) -> None:
    task_id = await submit(stage, "call a", "finish Done.")
    answer = await compiled(stage, task_id)
    assert [problem["pointer"] for problem in answer["problems"]] == ["/status"]
    assert (answer["pipeline"], answer["inputs"], answer["steps"]) == (None, {}, [])


async def test_a_pipeline_is_told(stage: Stage) -> None:
    made = await stage.http.post("/tasks", json={"pipeline": pipeline("x")})
    answer = await compiled(stage, made.json()["task_id"])
    assert [problem["pointer"] for problem in answer["problems"]] == ["/type"]


async def test_what_is_not_in_the_way_cannot_be_accepted(stage: Stage) -> None:
    task_id = await run(stage, "call mcp.gone.add", "finish Done.")
    answer = await compiled(stage, task_id, accept=["/calls/8.1/arguments/x"])
    assert [problem["pointer"] for problem in answer["problems"]] == ["/calls/8.1/arguments/x"]


async def test_a_task_needs_no_body_to_be_compiled(stage: Stage) -> None:
    task_id = await submit(stage, "finish Done.")
    answer = await stage.http.post(f"/tasks/{task_id}/compile")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"accept": "all"}, "/accept"),
        ({"accept": [1]}, "/accept/0"),
        ({"accept": ["x" * 1_001]}, "/accept/0"),
        ({"accept": ["x"] * 1_001}, "/accept"),
        ({"check": True}, "/check"),
    ],
)
async def test_a_request_that_is_malformed_is_refused(
    stage: Stage, body: dict[str, Any], place: str
) -> None:
    answer = await stage.http.post(f"/tasks/{uuid4()}/compile", json=body)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert [error["pointer"] for error in answer.json()["errors"]] == [place]


async def test_a_task_that_nobody_knows_is_not_found(stage: Stage) -> None:
    answer = await stage.http.post(f"/tasks/{uuid4()}/compile")
    assert answer.status_code == httpx.codes.NOT_FOUND
