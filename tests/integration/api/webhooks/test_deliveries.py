"""What webhooks and callbacks are sent, over true HTTP to a receiver that does as it likes."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import WebhookVerificationError

from deploy.local.services import Services
from tests.doubles.webhook_receiver import Receiver, webhook_receiver
from tests.integration.api_stage import (
    LOOPBACK_WEBHOOKS,
    WAIT_SECONDS,
    Stage,
    api_stage,
    pipeline,
)

QUICK = replace(LOOPBACK_WEBHOOKS, poll_seconds=0.1)


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own: its team has no tasks but those of these tests."""
    async with api_stage(infrastructure, skills_folder, webhooks=QUICK) as stage:
        yield stage


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def hooked(stage: Stage, receiver: Receiver) -> AsyncIterator[dict[str, Any]]:
    """A webhook of the default team, for this test."""
    made = await hook(stage, receiver)
    yield made
    await stage.http.delete(f"/webhooks/{made['id']}")


async def hook(stage: Stage, receiver: Receiver, **more: object) -> dict[str, Any]:
    answer = await stage.http.post("/webhooks", json={"url": receiver.url(), **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def deliveries(stage: Stage, **query: str) -> list[dict[str, Any]]:
    answer = await stage.http.get("/webhooks/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def settled(stage: Stage, state: str, **query: str) -> dict[str, Any]:
    """The one delivery, once it is in this state."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            [found] = await deliveries(stage, **query) or [{"state": None}]
            if found["state"] == state:
                return found
            await asyncio.sleep(0.05)


async def test_a_webhook_is_told_of_the_end_of_a_task_with_a_signature_that_holds(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    task_id = await stage.submit("print hello")
    [got] = await receiver.once(1)
    said = got.verified(hooked["secret"])
    assert said["type"] == "task.completed"
    task = said["data"]["task"]
    assert (task["task_id"], task["status"]) == (task_id, "completed")
    shown = await stage.task(task_id)
    assert task == shown
    assert got.headers["content-type"] == "application/json"
    delivery = await settled(stage, "delivered", task_id=task_id)
    assert (delivery["id"], delivery["webhook_id"]) == (got.id, hooked["id"])
    assert delivery["attempts"][0]["status"] == 204
    with pytest.raises(WebhookVerificationError):
        got.verified("whsec_" + "A" * 32)


async def test_a_receiver_that_answers_500_gets_each_notice_later_unchanged_and_once_more_signed(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    receiver.answer = lambda got: 500 if len(receiver.received) <= 6 else 204
    ids = {await stage.submit("print 1"), await stage.submit("fail")}
    async with asyncio.timeout(WAIT_SECONDS):
        while len({got.id for got in receiver.received[6:]}) < 2:
            await asyncio.sleep(0.02)
    told = {got.id: got for got in receiver.received[6:]}.values()
    assert {got.verified(hooked["secret"])["data"]["task"]["task_id"] for got in told} == ids
    for each in {got.id for got in receiver.received}:
        assert len({got.body for got in receiver.received if got.id == each}) == 1
    found = [await settled(stage, "delivered", task_id=task_id) for task_id in ids]
    assert all(attempt["status"] in (500, 204) for each in found for attempt in each["attempts"])
    assert any(
        attempt["error"] == "it answered 500 Internal Server Error" and attempt["answer"] == "well"
        for each in found
        for attempt in each["attempts"]
    )


async def test_a_callback_is_told_what_it_asked_for_and_signed_with_the_secret_of_the_team(
    stage: Stage, receiver: Receiver
) -> None:
    secret = (await stage.http.post("/webhooks/secret")).json()["secret"]
    callbacks = [
        {"url": receiver.url("/all"), "events": ["task.started", "task.failed"]},
        {"url": receiver.url("/end")},
    ]
    task_id = await stage.submit("retry\nprint 1", "fail", callbacks=callbacks)
    got = await receiver.once(3)
    told = [(each.path, each.verified(secret)["type"]) for each in got]
    assert sorted(told) == [
        ("/all", "task.failed"),
        ("/all", "task.started"),
        ("/end", "task.failed"),
    ]
    await stage.http.post(f"/tasks/{task_id}/retry")
    await receiver.once(6)
    assert {each.verified(secret)["data"]["run"] for each in got[3:]} == {2}
    await asyncio.sleep(0.5)  # Nothing else comes.
    assert len(receiver.received) == 6


async def test_one_that_is_not_asked_about_hears_nothing_and_others_teams_neither(
    stage: Stage, receiver: Receiver
) -> None:
    made = await hook(stage, receiver, events=["task.cancelled"])
    team = await stage.team()
    await stage.ended(
        team, (await team.post("/tasks", json={"pipeline": pipeline("fail")})).json()["task_id"]
    )
    await stage.until(await stage.submit("fail"), "failed")
    waiting = await stage.submit("wait")
    await stage.http.post(f"/tasks/{waiting}/cancel")
    [got] = await receiver.once(1)
    assert got.verified(made["secret"])["data"]["task"]["task_id"] == waiting
    assert len(receiver.received) == 1
    await stage.http.delete(f"/webhooks/{made['id']}")


async def test_a_receiver_that_is_gone_is_switched_off_and_gets_what_it_missed_when_enabled(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    receiver.answer = lambda got: 410
    task_id = await stage.submit("print 1")
    delivery = await settled(stage, "failed", task_id=task_id)
    assert delivery["reason"] == "The webhook was switched off."
    off = (await stage.http.get(f"/webhooks/{hooked['id']}")).json()
    assert off["is_active"] is False
    assert "410" in off["disabled_reason"]
    answer = await stage.http.post(f"/webhooks/deliveries/{delivery['id']}/resend")
    assert answer.status_code == 409
    await stage.until(await stage.submit("print 2"), "completed")  # Of this it hears nothing.
    receiver.answer = lambda got: 204
    on = await stage.http.patch(f"/webhooks/{hooked['id']}", json={"is_active": True})
    assert (on.json()["is_active"], on.json()["disabled_reason"]) == (True, None)
    await settled(stage, "delivered", task_id=task_id)
    assert {got.id for got in receiver.received} == {delivery["id"]}
    async with stage.database.reading(fresh=True) as connection:
        deeds = await connection.scalars(
            text("SELECT action FROM audit_log WHERE target = :id ORDER BY created_at"),
            {"id": hooked["id"]},
        )
    assert list(deeds) == ["webhook.created", "webhook.switched_off", "webhook.changed"]


async def test_the_dead_letter_of_a_webhook_that_was_switched_off_enables_it_and_runs_no_task(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    receiver.answer = lambda got: 410
    task_id = await stage.submit("fail")
    await settled(stage, "failed", task_id=task_id)

    async def letters(**query: str) -> dict[str, dict[str, Any]]:
        query |= {"task_id": task_id}
        found = (await stage.http.get("/dead-letters", params=query)).json()["items"]
        return {each["sub_task"]: each for each in found}

    part = f"webhook:{hooked['id']}"
    letter = (await letters())[part]
    assert letter["error"]["code"] == "webhook-switched-off"
    assert "410" in letter["error"]["message"]
    path = f"/dead-letters/{letter['id']}/requeue"
    foreseen = await stage.http.post(path, json={"dry_run": True})
    assert (foreseen.status_code, foreseen.json()["count"]) == (200, 0)
    for more in ({"from": "a"}, {"inputs": {"data": "file:x"}}, {"cache": False}):
        for dry_run in (True, False):
            refused = await stage.http.post(path, json={**more, "dry_run": dry_run})
            assert (refused.status_code, "of a webhook" in refused.text) == (422, True)
            assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(more))}"
    # That of the task's step is another letter, and leaves this one open.
    await stage.http.post(f"/tasks/{task_id}/retry")
    await stage.until(task_id, "failed")
    assert part in await letters()
    receiver.answer = lambda got: 204
    for _ in range(2):  # The same again changes nothing.
        requeued = await stage.http.post(path, json={"note": "It is well."})
        assert requeued.status_code == 202, requeued.text
    assert (await letters(state="requeued"))[part]["note"] == "It is well."
    assert (await stage.http.get(f"/webhooks/{hooked['id']}")).json()["is_active"] is True
    assert (await stage.task(task_id))["run"] == 2
    missed = await settled(stage, "delivered", task_id=task_id)
    assert {got.id for got in receiver.received} == {missed["id"]}


async def test_a_bulk_run_switches_webhooks_on_and_does_not_take_that_for_tasks_that_got_further(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    team = stage.http
    await stage.execute("DELETE FROM dead_letters")  # Those of other tests.
    receiver.answer = lambda got: 410
    body = {"pipeline": pipeline("fail")}
    ids = [(await team.post("/tasks", json=body)).json()["task_id"] for _ in range(3)]
    for task_id in ids:
        await stage.ended(team, task_id)

    async def letters() -> list[str]:
        found = (await team.get("/dead-letters")).json()["items"]
        return [each["sub_task"] for each in found]

    part = f"webhook:{hooked['id']}"
    async with asyncio.timeout(WAIT_SECONDS):
        while part not in await letters():
            await asyncio.sleep(0.05)
    # The oldest, so that it is dealt with before any task.
    await stage.execute(
        "UPDATE dead_letters SET created_at = now() - interval '1 hour' WHERE part = :part",
        part=part,
    )
    receiver.answer = lambda got: 204
    wanted = {"all": True, "canary": 1, "rate": 6_000}
    foreseen = (await team.post("/dead-letters/requeue", json={**wanted, "dry_run": True})).json()
    assert (foreseen["count"], foreseen["foreseen"]) == (4, 3)
    run = (await team.post("/dead-letters/requeue", json=wanted)).json()
    async with asyncio.timeout(WAIT_SECONDS):
        while (run := (await team.get(f"/bulk/{run['id']}")).json())["state"] == "running":
            await asyncio.sleep(0.05)
    assert (run["state"], run["counts"]["left"]) == ("stopped", 2)
    assert (run["counts"]["completed"], run["counts"]["failed_alike"]) == (1, 1)
    assert (await team.get(f"/webhooks/{hooked['id']}")).json()["is_active"] is True
    assert part not in await letters()


async def test_what_was_delivered_is_sent_again_on_demand_as_it_was(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    task_id = await stage.submit("print 1")
    delivery = await settled(stage, "delivered", task_id=task_id)
    await stage.execute("UPDATE tasks SET priority = 1 WHERE id = :id", id=UUID(task_id))
    answer = await stage.http.post(f"/webhooks/deliveries/{delivery['id']}/resend")
    assert answer.status_code == 202
    first, second = await receiver.once(2)
    assert (first.id, first.body) == (second.id, second.body)
    shown = (await stage.http.get(f"/webhooks/deliveries/{delivery['id']}")).json()
    assert shown["body"].encode() == first.body
    assert second.verified(hooked["secret"])


async def test_a_redirect_is_not_followed(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    async with webhook_receiver() as other:
        receiver.answer = lambda got: f"307 Elsewhere\r\nLocation: {other.url()}\r\n"
        task_id = await stage.submit("print 1")
        await receiver.once(2)
        found = await deliveries(stage, task_id=task_id)
        assert "redirects are not followed" in found[0]["attempts"][0]["error"]
        assert other.received == []


async def test_retry_after_is_waited_for(
    stage: Stage, receiver: Receiver, hooked: dict[str, Any]
) -> None:
    receiver.answer = lambda got: (
        "503 Busy\r\nRetry-After: 2\r\n" if len(receiver.received) == 1 else 204
    )
    await stage.submit("print 1")
    first, second = await receiver.once(2)
    assert second.at - first.at >= 1.9  # Pauses of their own are half a second at most.


# On an API of their own.


async def test_a_receiver_that_hangs_holds_up_no_other(
    infrastructure: Services, skills_folder: Path, receiver: Receiver
) -> None:
    options = replace(QUICK, at_once=6, each_at_once=2, timeout_seconds=60.0)
    async with (
        webhook_receiver() as other,
        api_stage(infrastructure, skills_folder, webhooks=options) as stage,
    ):
        receiver.answer = lambda got: None
        await hook(stage, receiver)
        made = await hook(stage, other)
        tasks = {await stage.submit("print 1") for _ in range(12)}
        got = await other.once(12)
        told = {each.verified(made["secret"])["data"]["task"]["task_id"] for each in got}
        assert told == tasks
        assert receiver.most_at_once <= 2


async def test_an_endpoint_that_keeps_failing_is_given_up_and_switched_off(
    infrastructure: Services, skills_folder: Path, receiver: Receiver
) -> None:
    options = replace(QUICK, retry_seconds=1.0, off_seconds=0.5)
    async with api_stage(infrastructure, skills_folder, webhooks=options) as stage:
        await stage.http.post("/webhooks/secret")
        receiver.answer = lambda got: 500
        made = await hook(stage, receiver)
        callbacks = [{"url": receiver.url("/callback")}]
        task_id = await stage.submit("print 1", callbacks=callbacks)
        async with asyncio.timeout(WAIT_SECONDS):
            while (off := (await stage.http.get(f"/webhooks/{made['id']}")).json())["is_active"]:
                await stage.submit("print 1")
                await asyncio.sleep(0.3)
            while {each["state"] for each in await deliveries(stage, task_id=task_id)} != {
                "failed"
            }:
                await asyncio.sleep(0.05)
        assert off["disabled_reason"].startswith("it answered 500")
        assert off["failing_since"]
        found = {each["webhook_id"]: each for each in await deliveries(stage, task_id=task_id)}
        assert found[None]["reason"] == (
            "It was tried for 1 s. Last: it answered 500 Internal Server Error"
        )
        assert found[None]["attempts"]


async def test_two_apis_send_each_notice_once(
    infrastructure: Services, skills_folder: Path, receiver: Receiver
) -> None:
    async with api_stage(infrastructure, skills_folder) as stage:
        from api.webhooks.sender import Sender

        await hook(stage, receiver)
        second = asyncio.create_task(Sender(stage.services).run())
        for _ in range(20):
            await stage.submit("print 1")
        await receiver.once(20)
        await asyncio.sleep(0.5)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert len({got.id for got in receiver.received}) == len(receiver.received) == 20


async def test_a_secret_whose_key_is_lost_is_told_and_sends_nothing(
    infrastructure: Services, skills_folder: Path, receiver: Receiver
) -> None:
    async with api_stage(infrastructure, skills_folder) as stage:
        made = await hook(stage, receiver)
        await stage.execute("UPDATE webhooks SET sealed = 'x'")
        task_id = await stage.submit("print 1")
        async with asyncio.timeout(WAIT_SECONDS):
            while (
                not (found := await deliveries(stage, webhook_id=made["id"]))
                or not found[0]["attempts"]
            ):
                await asyncio.sleep(0.05)
        assert found[0]["task_id"] == task_id
        assert "AGENTOS_SECRETS_KEY" in found[0]["attempts"][0]["error"]
        assert receiver.received == []


async def test_a_large_task_is_told_with_what_fits_and_says_what_is_left_out(
    infrastructure: Services, skills_folder: Path, receiver: Receiver
) -> None:
    async with api_stage(infrastructure, skills_folder) as stage:
        made = await hook(stage, receiver)
        long = "\n".join("print " + "x" * 1_000 for _ in range(150))
        task_id = await stage.submit(long, long)
        [got] = await receiver.once(1)
        said = got.verified(made["secret"])
        assert len(got.body) <= 256 * 1024
        assert said["data"]["omitted"] == ["sub_tasks", "definition"]
        assert said["data"]["task"]["task_id"] == task_id
        assert json.loads(got.body)["data"]["task"]["definition"] is None


async def test_without_a_key_to_seal_secrets_there_are_no_webhooks(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, box=None) as stage:
        body = {"url": "https://receiver.example/hook"}
        for answer in (
            await stage.http.post("/webhooks", json=body),
            await stage.http.post("/webhooks/secret"),
        ):
            assert answer.status_code == 409
            assert "AGENTOS_SECRETS_KEY" in answer.json()["detail"]
