"""What a person tells the agent of a task over HTTP: written once, or refused with what to do."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.event_stream import events_in
from tests.integration.agent_stage import ObedientAgents, submit
from tests.integration.api_stage import Stage
from tests.integration.plan_rows import a_plan


async def tell(stage: Stage, task_id: object, text: str, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/tasks/{task_id}/messages"
    return await stage.http.post(path, json={"content": text}, headers=headers)


async def unread(stage: Stage, task_id: str) -> list[str]:
    page = (await stage.http.get(f"/tasks/{task_id}/messages/unread")).json()
    assert page["next_cursor"] is None
    return [item["content"] for item in page["items"]]


async def running(stage: Stage) -> str:
    task_id = await submit(stage, "wait a", "finish x")
    await stage.until(task_id, "running")
    return task_id


async def events(stage: Stage, task_id: str, kind: str) -> list[dict[str, Any]]:
    async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
        return [event.data async for event in events_in(response) if event.type == kind]


async def test_a_repeat_under_the_same_key_changes_nothing(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, key = await running(agents_stage), uuid4().hex
    answers = await asyncio.gather(*(tell(agents_stage, task_id, "And Q2.", key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["number"] for answer in answers} == {1}
    assert answers[0].json()["from_name"] == "local user"
    other = await tell(agents_stage, task_id, "And Q3.", key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")
    assert (await tell(agents_stage, task_id, "And Q2.")).json()["number"] == 2
    assert await unread(agents_stage, task_id) == ["And Q2.", "And Q2."]
    working.released.set()
    await agents_stage.until(task_id, "completed")
    told = await events(agents_stage, task_id, "message.told")
    assert [(each["number"], each["from"], each["content"]) for each in told] == [
        (1, "local user", "And Q2."),
        (2, "local user", "And Q2."),
    ]


async def test_a_task_that_has_ended_is_told_nothing_but_repeats(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, key = await running(agents_stage), uuid4().hex
    first = await tell(agents_stage, task_id, "And Q2.", key)
    working.released.set()
    await agents_stage.until(task_id, "completed")
    assert (await tell(agents_stage, task_id, "And Q2.", key)).json() == first.json()
    refused = await tell(agents_stage, task_id, "And Q3.")
    assert (refused.status_code, refused.json()["code"]) == (409, "nobody-listens")
    assert "it has ended (completed)" in refused.json()["detail"]


async def test_what_has_no_agent_is_refused_with_what_to_do(agents_stage: Stage) -> None:
    pipeline = await agents_stage.submit("print x")
    plan = (await a_plan(agents_stage.database)).id
    for task_id, reason in (
        (pipeline, "it is a pipeline, which has no agent"),
        (plan, f"`agentos plan {plan}`"),
    ):
        refused = await tell(agents_stage, task_id, "And Q2.")
        assert (refused.status_code, refused.json()["code"]) == (409, "nobody-listens")
        assert reason in refused.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [{}, {"content": ""}, {"content": " \n"}, {"content": "x" * 20_001}, {"content": "a\0b"}],
    ids=["nothing", "empty", "blank", "long", "NUL"],
)
async def test_a_message_that_says_nothing_or_too_much_is_refused(
    agents_stage: Stage, body: dict[str, str]
) -> None:
    answer = await agents_stage.http.post(f"/tasks/{uuid4()}/messages", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_an_agent_that_was_told_enough_is_told_no_more(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await running(agents_stage)
    for _ in range(5):
        assert (await tell(agents_stage, task_id, "x" * 20_000)).is_success
    refused = await tell(agents_stage, task_id, "x")
    assert (refused.status_code, refused.json()["code"]) == (409, "told-too-much")
    working.released.set()
    await agents_stage.until(task_id, "completed")
