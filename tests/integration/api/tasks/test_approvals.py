"""Calls that wait for a person, and what is told of a conversation afterwards."""

import asyncio
import json
import time
from dataclasses import replace
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import pytest
from temporalio.client import Client

from activities.store import approvals as store
from activities.store import events
from api.tasks import approvals
from api.tasks.sweeper import Sweeper
from api.tasks.temporal import TemporalPort
from api.wire.requests import ApprovalRequest
from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from tests.actors import SOMEBODY
from tests.event_stream import events_in
from tests.integration.agent_stage import (
    ObedientAgents,
    submit,
    working_agents,
)
from tests.integration.api_stage import WAIT_SECONDS, Stage
from tests.pressure import allowed
from workflows.events import LlmDelta


async def _asked(stage: Stage, *orders: str) -> tuple[str, list[dict[str, Any]]]:
    """A task that waits, and what it waits for."""
    task_id = await submit(stage, *orders)
    await stage.until(task_id, "waiting")
    return task_id, (await stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]


async def _decide(stage: Stage, task_id: str, call: str, **word: Any) -> httpx.Response:
    return await stage.http.post(f"/tasks/{task_id}/approvals/{call}", json=word)


# Decisions.


async def test_waiting_calls_are_listed_with_their_arguments(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, items = await _asked(agents_stage, "ask a; call b; question c")
    assert [item["name"] for item in items] == ["1.1 a", "1.3 c"]
    assert items[0]["tool"] == "a"
    assert items[0]["arguments"] == {"order": "ask"}
    assert (items[0]["kind"], items[0]["decision"]) == ("approval", None)
    assert (items[1]["kind"], items[1]["question"]) == ("answer", "Which?")
    steps = {step["name"]: step for step in (await agents_stage.task(task_id))["sub_tasks"]}
    assert steps["1.1 a"]["status"] == "waiting"
    assert steps["1.1 a"]["approval"]["kind"] == "approval"
    assert steps["1.2 b"]["approval"] is None


@pytest.mark.parametrize("by", ["name", "number", "call_id"])
async def test_an_approved_call_is_made(
    agents_stage: Stage, working: ObedientAgents, by: str
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    named = "1.1" if by == "number" else item[by]
    answer = await _decide(agents_stage, task_id, named, decision="approve", note="go on")
    assert answer.status_code == 202
    assert answer.json()["decision"] == "approve"
    task = await agents_stage.until(task_id, "completed")
    assert working.verdicts == {"1.1 a": "approved"}
    [step] = task["sub_tasks"]
    assert step["approval"]["note"] == "go on"
    assert step["approval"]["decided_at"] is not None
    told = [e for e in await _events(agents_stage, task_id) if e.type == "approval.decided"]
    assert [(e.data["call_id"], e.data["decision"], e.data["note"]) for e in told] == [
        (item["call_id"], "approve", "go on")
    ]


async def test_a_denied_call_is_told_so(agents_stage: Stage, working: ObedientAgents) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    assert (await _decide(agents_stage, task_id, item["name"], decision="deny")).is_success
    await agents_stage.until(task_id, "completed")
    assert working.verdicts == {"1.1 a": "denied"}


async def test_a_decision_may_be_repeated_and_not_changed(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    word = {"decision": "approve", "note": "go on"}
    for _ in range(2):
        assert (await _decide(agents_stage, task_id, item["name"], **word)).status_code == 202
    await agents_stage.until(task_id, "completed")
    assert (await _decide(agents_stage, task_id, item["name"], **word)).status_code == 202
    for other in ({"decision": "deny"}, {"decision": "approve", "note": "stop"}):
        answer = await _decide(agents_stage, task_id, item["name"], **other)
        assert answer.status_code == 409
        assert answer.json()["code"] == "approval-conflict"
    told = [e for e in await _events(agents_stage, task_id) if e.type == "approval.decided"]
    assert len(told) == 1


async def test_one_of_many_concurrent_decisions_counts(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    answers = await asyncio.gather(
        *(
            _decide(agents_stage, task_id, item["name"], decision=word)
            for word in ("approve", "deny") * 8
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] * 8 + [409] * 8
    await agents_stage.until(task_id, "completed")
    told = [e for e in await _events(agents_stage, task_id) if e.type == "approval.decided"]
    assert len(told) == 1


async def _asks(stage: Stage, task_id: str, question: str) -> dict[str, Any]:
    """What a call asks, once it is this."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            items = (await stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]
            if items and items[0]["question"].startswith(question):
                return dict(items[0])
            await asyncio.sleep(0.02)


async def test_an_answer_that_is_sent_again_does_not_answer_the_next_question(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "quiz a", "finish x")
    first = await _asks(agents_stage, task_id, "How many?")
    word = {"decision": "approve", "note": "3", "ask_id": first["ask_id"]}
    assert (await _decide(agents_stage, task_id, first["name"], **word)).status_code == 202
    second = await _asks(agents_stage, task_id, "How often?")
    assert second["call_id"] == first["call_id"]
    again = await _decide(agents_stage, task_id, first["name"], **word)
    assert again.status_code == 409
    assert "not what it asks now" in again.json()["detail"]
    unsaid = await _decide(agents_stage, task_id, first["name"], decision="approve", note="3")
    assert unsaid.status_code == 409
    assert "ask_id" in unsaid.json()["detail"]
    assert (await _asks(agents_stage, task_id, "How often?"))["decision"] is None
    word = {"decision": "approve", "note": "7", "ask_id": second["ask_id"]}
    for _ in range(2):
        assert (await _decide(agents_stage, task_id, first["name"], **word)).status_code == 202
    await agents_stage.until(task_id, "completed")
    assert working.answers == {"1.1 a": "7"}


async def test_an_answer_to_something_that_was_never_asked_is_refused(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    for order in ("ask a", "question a", "quiz a"):
        task_id, [item] = await _asked(agents_stage, order)
        word = {"decision": "approve", "note": "3", "ask_id": str(UUID(int=1))}
        answer = await _decide(agents_stage, task_id, item["name"], **word)
        assert answer.status_code == 409


async def test_a_decision_is_not_written_down_for_what_is_asked_meanwhile(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "quiz a", "finish x")
    database = agents_stage.database
    call = await store.find_asked(database, UUID(task_id), item["name"])
    assert call is not None
    earlier = replace(call, approval=call.approval.model_copy(update={"id": UUID(int=1)}))
    assert not await store.decide(database, SOMEBODY, earlier, "approve", "3")
    assert await store.decide(database, SOMEBODY, call, "approve", "3")


async def test_an_answer_that_does_not_fit_the_form_is_refused_at_once(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "quiz a", "finish x")
    asked = await _asks(agents_stage, task_id, "How many?")
    assert asked["form"] == {"properties": {"count": {"type": "integer", "maximum": 10}}}
    for note, reason in (("three", "whole number"), ("11", "at most 10")):
        word = {"decision": "approve", "note": note, "ask_id": asked["ask_id"]}
        answer = await _decide(agents_stage, task_id, asked["name"], **word)
        assert answer.status_code == 422, note
        [problem] = answer.json()["errors"]
        assert problem["pointer"] == "/note"
        assert reason in problem["message"]
    assert (await _asks(agents_stage, task_id, "How many?"))["ask_id"] == asked["ask_id"]


async def test_more_calls_than_a_page_holds_can_all_be_seen_and_decided(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, _ = await _asked(agents_stage, "; ".join(["ask a"] * 5))
    names: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        answer = await agents_stage.http.get(f"/tasks/{task_id}/approvals", params=params)
        page = answer.json()
        assert len(page["items"]) <= 2
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert names == [f"1.{number} a" for number in range(1, 6)]


async def test_a_question_needs_an_answer(agents_stage: Stage, working: ObedientAgents) -> None:
    task_id, [item] = await _asked(agents_stage, "question a", "finish x")
    for note in (None, "", "  "):
        answer = await _decide(agents_stage, task_id, item["name"], decision="approve", note=note)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/note"
    answer = await _decide(
        agents_stage, task_id, item["name"], decision="approve", note="The first."
    )
    assert answer.status_code == 202
    await agents_stage.until(task_id, "completed")


async def test_a_question_may_be_refused_without_a_word(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "question a", "finish x")
    assert (await _decide(agents_stage, task_id, item["name"], decision="deny")).is_success
    await agents_stage.until(task_id, "completed")


@pytest.mark.parametrize("call", [str(UUID(int=1)), "1.2 b", "9.1 x", "%20"])
async def test_a_call_that_asks_for_nothing_cannot_be_decided(
    agents_stage: Stage, working: ObedientAgents, call: str
) -> None:
    task_id, _ = await _asked(agents_stage, "ask a; call b")
    assert (await _decide(agents_stage, task_id, call, decision="deny")).status_code == 404


@pytest.mark.parametrize("call", ["%00", "x" * 301])
async def test_an_impossible_name_of_a_call_is_refused(agents_stage: Stage, call: str) -> None:
    task_id = await submit(agents_stage, "finish x")
    assert (await _decide(agents_stage, task_id, call, decision="deny")).status_code == 422


@pytest.mark.parametrize(
    "word",
    [
        *({}, {"decision": "maybe"}, {"decision": "approve", "note": 3}),
        *({"decision": "deny", "x": 1}, {"decision": "deny", "ask_id": "x"}),
    ],
)
async def test_a_malformed_decision_is_refused(
    agents_stage: Stage, working: ObedientAgents, word: dict[str, Any]
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a")
    assert (await _decide(agents_stage, task_id, item["name"], **word)).status_code == 422
    long = {"decision": "deny", "note": "x" * 20_001}
    assert (await _decide(agents_stage, task_id, item["name"], **long)).status_code == 422
    nul = {"decision": "deny", "note": "a\0b"}
    assert (await _decide(agents_stage, task_id, item["name"], **nul)).status_code == 422


async def test_an_approval_of_another_team_is_not_found(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a")
    other = await agents_stage.team()
    path = f"/tasks/{task_id}/approvals/{item['call_id']}"
    assert (await other.post(path, json={"decision": "approve"})).status_code == 404
    assert (await other.get(f"/tasks/{task_id}/approvals")).status_code == 404
    own = await agents_stage.http.get(f"/tasks/{task_id}/approvals")
    assert own.json()["items"][0]["decision"] is None


async def test_a_call_of_a_cancelled_task_can_no_longer_be_decided_on(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a")
    await agents_stage.http.post(f"/tasks/{task_id}/cancel")
    await agents_stage.until(task_id, "cancelled")
    answer = await _decide(agents_stage, task_id, item["name"], decision="approve")
    assert answer.status_code == 409
    assert "cancelled" in answer.json()["detail"]
    assert (await agents_stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"] == []


async def test_an_expired_approval_cannot_be_decided(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a")
    past = json.dumps({"expires_at": "2020-01-01T00:00:00Z"})
    await agents_stage.execute(
        "UPDATE sub_tasks SET approval = approval || CAST(:past AS jsonb) WHERE id = :id",
        past=past,
        id=UUID(item["call_id"]),
    )
    answer = await _decide(agents_stage, task_id, item["name"], decision="approve")
    assert answer.status_code == 409
    assert "in time" in answer.json()["detail"]


async def test_a_decision_that_the_agent_did_not_hear_is_told_again(
    agents_stage: Stage, infrastructure: Services, working: ObedientAgents
) -> None:
    task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    [port] = choose_ports([None])
    away = TemporalPort(await Client.connect(f"127.0.0.1:{port}", lazy=True), "none")
    services = replace(agents_stage.services, temporal=away)
    word = ApprovalRequest(decision="approve")
    call = await approvals.decide(services, SOMEBODY, UUID(task_id), item["name"], word)
    assert call.approval.decision == "approve"
    assert (await agents_stage.task(task_id))["status"] == "waiting"
    sweeper = Sweeper(agents_stage.services)
    await sweeper.sweep()
    assert (await agents_stage.task(task_id))["status"] == "waiting"  # It may still be on its way.
    await agents_stage.execute(
        "UPDATE sub_tasks SET approval = approval || "
        "jsonb_build_object('decided_at', now() - interval '4 s') WHERE id = :id",
        id=UUID(item["call_id"]),
    )
    await sweeper.sweep()
    await agents_stage.until(task_id, "completed")
    assert working.verdicts == {"1.1 a": "approved"}


async def test_a_decision_is_told_again_only_now_and_then(agents_stage: Stage) -> None:
    async with working_agents(agents_stage):
        task_id, [item] = await _asked(agents_stage, "ask a", "finish x")
    await _decide(agents_stage, task_id, item["name"], decision="approve")
    await agents_stage.execute(
        "UPDATE sub_tasks SET approval = approval || "
        "jsonb_build_object('decided_at', now() - interval '4 s') WHERE id = :id",
        id=UUID(item["call_id"]),
    )
    sweeper = Sweeper(agents_stage.services)
    for _ in range(4):
        await sweeper.sweep()
    history = await agents_stage.temporal.get_workflow_handle(f"task-{task_id}").fetch_history()
    signals = [
        e for e in history.events if e.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 2
    async with working_agents(agents_stage):
        await agents_stage.until(task_id, "completed")


# What was said.


async def test_messages_come_in_pages_with_what_was_said_and_used(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a; call b", "finish Done.")
    await agents_stage.until(task_id, "completed")
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await agents_stage.http.get(f"/tasks/{task_id}/messages", params=params)).json()
        assert len(page["items"]) <= 2
        items += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    roles = ["system", "assistant", "tool", "tool", "assistant", "tool"]
    assert [item["role"] for item in items] == roles
    assert [item["seq"] for item in items] == [1, 2, 3, 4, 5, 6]
    said = items[1]
    assert [request["name"] for request in said["requests"]] == ["a", "b"]
    assert said["requests"][0]["arguments"] == '{"a": 1}'
    assert said["model"] == "obedient"
    assert said["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": 0.5,
        "first_token_ms": 3,
        "duration_ms": 20,
    }
    assert items[2]["request_id"] == said["requests"][0]["id"]
    steps = (await agents_stage.task(task_id))["sub_tasks"]
    assert [item["sub_task_id"] for item in items[2:4]] == [step["id"] for step in steps]
    assert items[2]["usage"] is None


async def test_a_page_of_messages_ends_before_it_is_too_large(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "finish Done.")
    await agents_stage.until(task_id, "completed")
    await agents_stage.execute(
        "UPDATE messages SET content = repeat('x', 5000000) WHERE task_id = :id AND seq <= 2",
        id=UUID(task_id),
    )
    page = (await agents_stage.http.get(f"/tasks/{task_id}/messages")).json()
    assert ([item["seq"] for item in page["items"]], page["next_cursor"]) == ([1], "1")
    rest = await agents_stage.http.get(f"/tasks/{task_id}/messages", params={"cursor": "1"})
    assert [item["seq"] for item in rest.json()["items"]] == [2, 3, 4, 5]


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 10, "1.0", "٣"])
async def test_a_cursor_of_no_page_of_messages_is_refused(
    agents_stage: Stage, working: ObedientAgents, cursor: str
) -> None:
    task_id = await submit(agents_stage, "finish x")
    answer = await agents_stage.http.get(f"/tasks/{task_id}/messages", params={"cursor": cursor})
    assert answer.status_code == 422


async def test_the_trace_shows_turns_answers_calls_and_attempts(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a; call b", "call c", "finish x")
    await agents_stage.until(task_id, "completed")
    span = (await agents_stage.http.get(f"/tasks/{task_id}/trace")).json()
    assert [turn["name"] for turn in span["children"]] == ["turn 1", "turn 2", "turn 3"]
    first = span["children"][0]
    assert [(child["kind"], child["name"]) for child in first["children"]] == [
        ("llm", "obedient, 15 tokens"),
        ("tool", "1.1 a"),
        ("tool", "1.2 b"),
    ]
    assert first["children"][0]["duration_ms"] == 20
    [attempt] = first["children"][1]["children"]
    assert attempt["kind"] == "attempt"
    assert first["status"] == "completed"
    assert first["start"] <= first["children"][1]["start"] <= first["end"]


async def test_the_trace_of_a_turn_under_way_has_no_end(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, _ = await _asked(agents_stage, "call a; ask b")
    [turn] = (await agents_stage.http.get(f"/tasks/{task_id}/trace")).json()["children"]
    assert (turn["status"], turn["end"], turn["duration_ms"]) == ("running", None, None)


# As it happens.


async def test_fifty_viewers_hear_the_model_at_once(agents_stage: Stage) -> None:
    task_id = await submit(agents_stage, "finish x")
    words = [f"word{number} " for number in range(20)]
    ready = asyncio.Semaphore(0)

    async def listen() -> list[tuple[str, float]]:
        heard = []
        path = f"/tasks/{task_id}/events"
        async with agents_stage.http.stream("GET", path) as response:
            async for event in events_in(response):
                if event.type == "task.status":
                    ready.release()
                if event.type == "llm.delta":
                    heard.append((event.data["text"], time.monotonic()))
                if len(heard) == len(words):
                    break
        return heard

    async with asyncio.timeout(WAIT_SECONDS):
        viewers = [asyncio.create_task(listen()) for _ in range(50)]
        for _ in viewers:
            await ready.acquire()
        spoken = []
        for word in words:
            async with agents_stage.database.writing() as connection:
                await events.append(connection, UUID(task_id), [LlmDelta(turn=1, text=word)])
            spoken.append(time.monotonic())
            await asyncio.sleep(0.02)
        heard = await asyncio.gather(*viewers)
    for one in heard:
        assert [text for text, _ in one] == words
    # Of its words the quickest: for the others the machine may have had no time.
    delays = (
        median(one[number][1] - spoken[number] for one in heard) for number in range(len(words))
    )
    assert min(delays) < allowed(0.5)


async def _events(stage: Stage, task_id: str) -> list[Any]:
    async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
        return [event async for event in events_in(response)]
