"""Limits on what runs at once, on the whole stack: what is over waits in order, and says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.doubles.scripted_models import Held, ScriptedModels, asks, finishes
from tests.live import Live, held, python, release, sleeping, until

NEXT = "a slot of team (0 before it)"


@asynccontextmanager
async def one_at_a_time(live: Live) -> AsyncIterator[None]:
    """While the block runs, one piece of the team's work may."""
    await _set(live, "limit", "1")
    await asyncio.sleep(1.1)  # So long a worker may go by what was.
    yield
    await _set(live, "limit")


async def _set(live: Live, *words: str) -> None:
    printed = await live.agentos("keys", *words, "--data-dir", str(live.services.data_dir))
    assert printed.code == 0, printed.stderr


async def waiting(live: Live, task_id: str) -> str:
    """What the first step of a task waits for, once it does."""
    task = await live.when(task_id, lambda task: bool(_waits_for(task)))
    assert task["sub_tasks"][0]["status"] == "queued"
    return str(_waits_for(task))


def _waits_for(task: dict[str, Any]) -> str | None:
    return str(task["sub_tasks"][0]["waits_for"] or "") or None


async def running(seconds: str) -> None:
    async def sleeps() -> bool:
        return bool(sleeping(seconds))

    await until(sleeps)


async def limits(live: Live) -> dict[str, tuple[int, int]]:
    """How many run and wait, by name."""
    items = (await live.http.get("/api/v1/limits")).raise_for_status().json()["items"]
    return {item["name"]: (item["running"], item["waiting"]) for item in items}


async def test_what_is_over_a_teams_limit_waits_in_order_says_so_and_survives_a_restart(
    two_workers: Live,
) -> None:
    steps = [held("a") for _ in range(4)]
    async with one_at_a_time(two_workers):
        tasks: list[str] = []
        for step, seconds in steps:
            tasks.append(await two_workers.submit(step))
            await (running(seconds) if len(tasks) == 1 else waiting(two_workers, tasks[-1]))
        assert await waiting(two_workers, tasks[2]) == "a slot of team (1 before it)"
        shown = await two_workers.agentos("show", tasks[1])
        assert f"waits for {NEXT}" in shown.stdout
        assert (await limits(two_workers))["team"] == (1, 3)
        assert "1 of 1" in (await two_workers.agentos("limits")).stdout
        metrics = (await two_workers.http.get("/metrics")).text
        assert 'agentos_limit_work{limit="team",state="waiting"}' in metrics

        # Who gives up its place keeps nobody waiting.
        assert await two_workers.post(tasks[1], "cancel") == 202
        await two_workers.ended(tasks[1])
        assert (await limits(two_workers))["team"] == (1, 2)

        parts = [part for part in ("worker", "worker-2", "api") if _has(two_workers, part)]
        for part, killed in [(part, two_workers.kill(part)) for part in parts]:
            await two_workers.recovered(part, killed)
        for (_, seconds), task_id in zip(steps[:1] + steps[2:], tasks[:1] + tasks[2:], strict=True):
            await running(seconds)
            await release(seconds)
            await two_workers.ended(task_id)
    first, cancelled, *others = [await two_workers.task(task_id) for task_id in tasks]
    assert first["sub_tasks"][0]["retry_count"] == 1  # It was lost with its worker.
    assert cancelled["status"] == "cancelled"
    assert [task["sub_tasks"][0]["retry_count"] for task in others] == [0, 0]
    assert set((await limits(two_workers)).values()) == {(0, 0)}


def _has(live: Live, part: str) -> bool:
    return part in json.loads((live.services.data_dir / "services.json").read_text())


async def test_the_more_urgent_go_first_and_a_held_step_costs_no_attempt(two_workers: Live) -> None:
    first, second, urgent = held("a"), held("a"), held("a")
    async with one_at_a_time(two_workers):
        running_task = await two_workers.submit(first[0])
        await running(first[1])
        later = await two_workers.submit(second[0])
        await waiting(two_workers, later)
        sooner = await two_workers.submit(urgent[0], priority=9)
        await waiting(two_workers, sooner)
        await release(first[1])
        await running(urgent[1])
        await release(urgent[1])
        await running(second[1])
        await release(second[1])
        for task_id in (running_task, later, sooner):
            await two_workers.ended(task_id)
    events = await two_workers.events_of(sooner)
    kinds = [kind for kind, _ in events]
    assert kinds.count("step.started") == 1
    assert {"step": "a", "reason": NEXT}.items() <= dict(
        events[kinds.index("step.held")][1]
    ).items()
    assert [log["attempt"] for log in await two_workers.log_of(sooner)] == [1]


async def test_a_model_that_is_limited_answers_one_turn_after_the_other(
    two_workers: Live, models: ScriptedModels
) -> None:
    first = Held(finishes())
    talks = models.conversation(first), models.conversation(finishes())
    one = await two_workers.submit_agent(talks[0].prompt())
    await first.begun.wait()
    other = await two_workers.submit_agent(talks[1].prompt())

    async def waits() -> bool:
        return (await limits(two_workers))["model:scripted"] == (1, 1)

    await until(waits)
    assert not talks[1].requests
    first.go_on.set()
    for task_id in (one, other):
        assert (await two_workers.ended(task_id))["status"] == "completed"
    held_events = [data for kind, data in await two_workers.events_of(other) if kind == "turn.held"]
    assert held_events[0]["reason"] == "a slot of model:scripted (0 before it)"


async def test_a_plan_does_not_wait_for_itself_where_one_may_run(
    two_workers: Live, models: ScriptedModels
) -> None:
    nodes = [
        {
            "id": name,
            "title": name,
            "description": name,
            "kind": "pipeline",
            "depends_on": [],
            "steps": [python("a", "print(1)")],
            "why": "it",
        }
        for name in ("one", "two")
    ]
    plan = ("make_plan", {"nodes": nodes, "reason": "two at once"})
    talk = models.conversation(asks(plan), finishes())
    async with one_at_a_time(two_workers):
        task = await two_workers.ended(await two_workers.submit_plan(talk.prompt()))
    assert task["status"] == "completed", task


async def test_calls_of_a_tool_keep_to_its_rate(two_workers: Live) -> None:
    printed = await two_workers.agentos("tools", "limit", "write_file", "--per-minute", "30")
    assert printed.code == 0, printed.stderr
    await asyncio.sleep(1.1)  # So long a worker may go by what was.
    note = {"id": "a", "tool": "write_file", "args": {"name": "a.txt", "text": "x"}}
    tasks = [await two_workers.submit(note) for _ in range(5)]
    ended = [await two_workers.ended(task_id) for task_id in tasks]
    assert {task["status"] for task in ended} == {"completed"}
    # Three at once after a pause, then one in two seconds.
    held_tasks = [task_id for task_id in tasks if await _was_held(two_workers, task_id)]
    assert len(held_tasks) >= 2
    await two_workers.agentos("tools", "limit", "write_file", "--per-minute", "0")


async def _was_held(live: Live, task_id: str) -> bool:
    return any(kind == "step.held" for kind, _ in await live.events_of(task_id))
