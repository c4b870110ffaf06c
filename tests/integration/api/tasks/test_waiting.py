"""All that waits for a person, whatever task, plan or agent asks for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from activities.store.reading import waiting as reading
from tests.integration.agent_stage import ObedientAgents, approval, submit
from tests.integration.api_stage import Stage
from tests.integration.plan_rows import a_node, a_plan
from tests.integration.resident_rows import new_agent, new_exchange
from tests.integration.waiting_rows import ask
from workflows.states import Status


async def _all(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = (await http.get("/approvals", params=params)).json()
        assert len(page["items"]) <= params.get("limit", 50)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def _of(stage: Stage, *tasks: object) -> list[dict[str, Any]]:
    wanted = {str(task) for task in tasks}
    return [item for item in await _all(stage.http) if item["task_id"] in wanted]


async def _count(http: httpx.AsyncClient) -> int:
    answer = (await http.get("/approvals/count")).json()
    assert answer["is_more"] is False
    return int(answer["count"])


async def test_calls_of_all_tasks_are_listed_together_the_oldest_first(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    tasks = [await submit(agents_stage, order) for order in ("ask a; question b", "quiz c")]
    for task_id in tasks:
        await agents_stage.until(task_id, "waiting")
    items = await _of(agents_stage, *tasks)
    own = [
        call
        for task_id in tasks
        for call in (await agents_stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]
    ]
    assert sorted(item["name"] for item in items) == ["1.1 a", "1.1 c", "1.2 b"]
    for item in items:
        [same] = [call for call in own if call["call_id"] == item["call_id"]]
        assert same.items() <= item.items()
        assert (item["task_type"], item["agent_id"], item["parent_id"]) == ("agent", None, None)
        assert item["task_name"] == (await agents_stage.task(item["task_id"]))["name"]
    quiz = next(item for item in items if item["name"] == "1.1 c")
    assert quiz["form"] == {"properties": {"count": {"type": "integer", "maximum": 10}}}
    pages = [item["call_id"] for item in await _all(agents_stage.http, limit=1)]
    assert pages == [item["call_id"] for item in await _all(agents_stage.http)]
    assert await _count(agents_stage.http) == len(pages)


async def test_what_is_decided_on_no_longer_waits(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "ask a", "finish x")
    await agents_stage.until(task_id, "waiting")
    [item] = await _of(agents_stage, task_id)
    before = await _count(agents_stage.http)
    path = f"/tasks/{task_id}/approvals/{item['call_id']}"
    assert (await agents_stage.http.post(path, json={"decision": "approve"})).is_success
    assert await _of(agents_stage, task_id) == []
    assert await _count(agents_stage.http) == before - 1


async def test_what_nobody_can_decide_on_any_more_does_not_wait(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    expired, cancelled = [await submit(agents_stage, "ask a") for _ in range(2)]
    for task_id in (expired, cancelled):
        await agents_stage.until(task_id, "waiting")
    await agents_stage.http.post(f"/tasks/{cancelled}/cancel")
    await agents_stage.until(cancelled, "cancelled")
    await agents_stage.execute(
        "UPDATE sub_tasks SET approval = approval || "
        "jsonb_build_object('expires_at', now() - interval '1 s') WHERE task_id = :id",
        id=UUID(expired),
    )
    assert await _of(agents_stage, expired, cancelled) == []


async def test_a_call_says_which_agent_that_stays_and_which_plan_it_is_for(
    agents_stage: Stage,
) -> None:
    database = agents_stage.database
    agent_id = await new_agent(database, name=f"clerk {uuid4()}")
    exchange = await new_exchange(database, agent_id, 1, "Book it.", status=Status.RUNNING)
    plan = await a_plan(database)
    await plan.call((a_node("clean"),), Status.RUNNING)
    await plan.node(a_node("clean"), 1, Status.RUNNING)
    child = plan.children["clean"]
    asked = {await ask(agents_stage, task, {"n": 1}) for task in (exchange, child)}
    items = {item["task_id"]: item for item in await _of(agents_stage, exchange, child)}
    assert {UUID(item["call_id"]) for item in items.values()} == asked
    whose = items[str(exchange)]
    assert whose["agent_id"] == str(agent_id)
    assert whose["agent_name"].startswith("clerk ")
    assert (whose["task_type"], whose["parent_id"]) == ("exchange", None)
    assert items[str(child)]["parent_id"] == str(plan.id)


async def test_a_plan_that_waits_for_its_nodes_to_be_approved_is_among_them(
    agents_stage: Stage,
) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call((a_node("clean"),), Status.WAITING, approval=approval("approval"))
    [item] = await _of(agents_stage, plan.id)
    assert (item["type"], item["task_type"]) == ("plan", "plan")
    assert [node["id"] for node in item["arguments"]["nodes"]] == ["clean"]


async def test_another_team_sees_nothing_of_it(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "ask a")
    await agents_stage.until(task_id, "waiting")
    other = await agents_stage.team()
    assert await _all(other) == []
    assert await _count(other) == 0


async def test_a_page_of_long_arguments_ends_early_and_leaves_nothing_out(
    agents_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_PAGE_BYTES", 3_000)
    agent_id = await new_agent(agents_stage.database)
    exchange = await new_exchange(agents_stage.database, agent_id, 1, "x", status=Status.RUNNING)
    made = [await ask(agents_stage, exchange, {"text": "y" * size}) for size in (900, 9_000, 900)]
    page = (await agents_stage.http.get("/approvals", params={"limit": 200})).json()
    assert page["next_cursor"] is not None
    found = [item for item in await _all(agents_stage.http) if item["task_id"] == str(exchange)]
    assert [UUID(item["call_id"]) for item in found] == made
    assert [len(item["arguments"]["text"]) for item in found] == [900, 9_000, 900]


async def test_a_cursor_of_another_list_is_refused(agents_stage: Stage) -> None:
    answer = await agents_stage.http.get("/approvals", params={"cursor": "nonsense"})
    assert answer.status_code == 422


@asynccontextmanager
async def _many(stage: Stage, count: int) -> AsyncIterator[httpx.AsyncClient]:
    """A team with so many calls that wait."""
    team = await stage.team()
    made = await team.post("/tasks", json={"type": "agent", "prompt": "finish x"})
    task_id = UUID(made.json()["task_id"])
    first = await ask(stage, task_id, {"n": 1})
    await stage.execute(
        """
        INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,
                               input_context, approval, retry_count, execution_order)
        SELECT gen_random_uuid(), team_id, task_id, name, task_type, status, dependencies,
               input_context, approval, 0, copy
        FROM sub_tasks, generate_series(1, :more) AS copy WHERE id = :first""",
        first=first,
        more=count - 1,
    )
    try:
        yield team
    finally:
        await stage.execute("DELETE FROM sub_tasks WHERE task_id = :id", id=task_id)


async def test_nobody_counts_further_than_a_thousand(agents_stage: Stage) -> None:
    async with _many(agents_stage, 1_001) as team:
        answer = (await team.get("/approvals/count")).json()
        assert answer == {"count": 1_000, "is_more": True}
