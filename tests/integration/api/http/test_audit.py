"""The audit log: what people do is written down once, and listed to their team."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client

from activities.store import audit, keys
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.reading.audit import AuditFilter, list_entries
from api.tasks import control
from api.tasks.temporal import TemporalPort
from deploy.local.tcp_ports import choose_ports
from tests.actors import SOMEBODY
from tests.integration.agent_stage import ObedientAgents, submit
from tests.integration.api.http.test_mcp_servers import body, register
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos
from tests.integration.residents import Residents
from workflows.errors import TemporaryFailure
from workflows.states import AgentState


@dataclass(frozen=True, slots=True)
class Act:
    """One request that is taken, the deed that it makes, and to what."""

    method: str
    path: str
    action: str
    target: str
    json: Any = None


_NO_TASKS = {"filter": {"text": "no such words anywhere"}, "note": "Tidying"}
Prepare = Callable[[Stage], Awaitable[Act]]


async def _running(stage: Stage) -> str:
    task_id = await submit(stage, "wait a", "finish x")
    await stage.until(task_id, "running")
    return task_id


async def _cancel(stage: Stage) -> Act:
    task_id = await _running(stage)
    return Act("POST", f"/tasks/{task_id}/cancel", "task.cancelled", task_id)


async def _pause(stage: Stage) -> Act:
    task_id = await _running(stage)
    return Act("POST", f"/tasks/{task_id}/pause", "task.paused", task_id)


async def _resume(stage: Stage) -> Act:
    task_id = await _running(stage)
    await stage.http.post(f"/tasks/{task_id}/pause")
    return Act("POST", f"/tasks/{task_id}/resume", "task.resumed", task_id)


async def _retry(stage: Stage) -> Act:
    task_id = await submit(stage, "finish x")
    await stage.until(task_id, "completed")
    return Act("POST", f"/tasks/{task_id}/retry", "task.retried", task_id, {"from": "start"})


async def _tell(stage: Stage) -> Act:
    task_id = await _running(stage)
    return Act("POST", f"/tasks/{task_id}/messages", "task.told", task_id, {"content": "And Q2."})


async def _decide(stage: Stage) -> Act:
    task_id = await submit(stage, "ask a", "finish x")
    await stage.until(task_id, "waiting")
    said = {"decision": "approve", "note": "It is fine."}
    return Act("POST", f"/tasks/{task_id}/approvals/1.1", "call.approved", task_id, said)


async def _register(stage: Stage) -> Act:
    name = f"s{uuid4().hex[:8]}"
    made = body(name=name)
    return Act("POST", "/tools/register", "mcp_server.registered", f"mcp.{name}", made)


async def _change(stage: Stage) -> Act:
    said = {"is_active": True}
    return Act("PATCH", "/tools/write_file", "tool.enabled", "write_file", said)


async def _letter(stage: Stage) -> dict[str, Any]:
    """An agent whose model cannot be asked leaves a dead letter."""
    task_id = await submit(stage, "call a", limits={"turns": 1})
    await stage.until(task_id, "failed", "blocked")
    page = await stage.http.get("/dead-letters", params={"task_id": task_id})
    [letter] = page.json()["items"]
    return dict(letter)


async def _requeue(stage: Stage) -> Act:
    letter = (await _letter(stage))["id"]
    said = {"note": "Once more"}
    path = f"/dead-letters/{letter}/requeue"
    return Act("POST", path, "dead_letter.requeued", letter, said)


async def _discard(stage: Stage) -> Act:
    letter = (await _letter(stage))["id"]
    path = f"/dead-letters/{letter}/discard"
    return Act("POST", path, "dead_letter.discarded", letter, {"note": "Old"})


async def _requeue_many(stage: Stage) -> Act:
    said = {"filter": {"fingerprint": "none"}, "note": "Mended"}
    return Act("POST", "/dead-letters/requeue", "bulk.started", "", said)


async def _discard_many(stage: Stage) -> Act:
    said = {"filter": {"fingerprint": "none"}, "note": "Old"}
    return Act("POST", "/dead-letters/discard", "bulk.started", "", said)


async def _cancel_many(stage: Stage) -> Act:
    return Act("POST", "/tasks/cancel", "bulk.started", "", _NO_TASKS)


async def _retry_many(stage: Stage) -> Act:
    return Act("POST", "/tasks/retry", "bulk.started", "", _NO_TASKS)


async def _delete_many(stage: Stage) -> Act:
    return Act("POST", "/tasks/delete", "bulk.started", "", _NO_TASKS)


async def _abort(stage: Stage) -> Act:
    letter = await _letter(stage)
    said = {"filter": {"task_id": letter["task_id"]}, "rate": 1}
    bulk_id = (await stage.http.post("/dead-letters/requeue", json=said)).json()["id"]
    return Act("POST", f"/bulk/{bulk_id}/abort", "bulk.aborted", bulk_id, {"note": "Wrong"})


async def _remove(stage: Stage) -> Act:
    name = f"s{uuid4().hex[:8]}"
    await register(stage.http, name=name)
    return Act("DELETE", f"/tools/mcp.{name}", "mcp_server.removed", f"mcp.{name}")


async def _delete(stage: Stage) -> Act:
    task_id = await submit(stage, "finish x")
    await stage.until(task_id, "completed")
    return Act("DELETE", f"/tasks/{task_id}", "task.deleted", task_id)


async def _clear(stage: Stage) -> Act:
    return Act("POST", "/cache/clear", "cache.cleared", "skill none", {"skill": "none"})


async def _open(stage: Stage) -> Act:
    said = {"note": "It moves house", "seconds": 60.0}
    return Act("POST", "/breakers/tool:write_file/open", "breaker.opened", "tool:write_file", said)


async def _close(stage: Stage) -> Act:
    said = {"note": "It is back"}
    return Act("POST", "/breakers/tool:write_file/close", "breaker.closed", "tool:write_file", said)


_HOOK = "https://receiver.invalid/"


async def _hook(stage: Stage) -> str:
    made = await stage.http.post("/webhooks", json={"url": _HOOK})
    return str(made.json()["id"])


async def _create_hook(stage: Stage) -> Act:
    return Act("POST", "/webhooks", "webhook.created", "", {"url": _HOOK})


async def _change_hook(stage: Stage) -> Act:
    hook = await _hook(stage)
    said = {"is_active": False}
    return Act("PATCH", f"/webhooks/{hook}", "webhook.changed", hook, said)


async def _delete_hook(stage: Stage) -> Act:
    hook = await _hook(stage)
    return Act("DELETE", f"/webhooks/{hook}", "webhook.deleted", hook)


async def _make_secret(stage: Stage) -> Act:
    return Act("POST", "/webhooks/secret", "webhook.secret_set", "callbacks")


async def _resend(stage: Stage) -> Act:
    hook = await _hook(stage)
    task_id = await submit(stage, "finish x")
    await stage.until(task_id, "completed")
    page = await stage.http.get("/webhooks/deliveries", params={"webhook_id": hook})
    delivery = page.json()["items"][0]["id"]
    path = f"/webhooks/deliveries/{delivery}/resend"
    return Act("POST", path, "webhook.resent", delivery)


def _schedule_body() -> dict[str, Any]:
    task = {"type": "agent", "prompt": "finish x"}
    return {"name": f"audited-{uuid4()}", "cron": "0 0 1 1 *", "task": task}


async def _schedule(stage: Stage) -> str:
    made = await stage.http.post("/schedules", json=_schedule_body())
    return str(made.json()["id"])


async def _create_schedule(stage: Stage) -> Act:
    return Act("POST", "/schedules", "schedule.created", "", _schedule_body())


async def _change_schedule(stage: Stage) -> Act:
    key = await _schedule(stage)
    return Act("PATCH", f"/schedules/{key}", "schedule.paused", key, {"paused": True})


async def _run_schedule(stage: Stage) -> Act:
    key = await _schedule(stage)
    return Act("POST", f"/schedules/{key}/run", "schedule.ran", key)


async def _delete_schedule(stage: Stage) -> Act:
    key = await _schedule(stage)
    return Act("DELETE", f"/schedules/{key}", "schedule.deleted", key)


async def _agent(stage: Stage) -> str:
    made = await stage.http.post("/agents", json={"name": f"audited {uuid4()}"})
    assert made.is_success, made.text
    return str(made.json()["id"])


async def _create_agent(stage: Stage) -> Act:
    return Act("POST", "/agents", "agent.created", "", {"name": f"audited {uuid4()}"})


async def _change_agent(stage: Stage) -> Act:
    key = await _agent(stage)
    said = {"limits": {"turns": 7}}
    return Act("PATCH", f"/agents/{key}", "agent.changed", key, said)


async def _note(stage: Stage) -> Act:
    key = await _agent(stage)
    said = {"text": "Tea."}
    return Act("POST", f"/agents/{key}/notes", "agent.noted", key, said)


async def _delete_note(stage: Stage) -> Act:
    key = await _agent(stage)
    made = await stage.http.post(f"/agents/{key}/notes", json={"text": "Tea."})
    path = f"/agents/{key}/notes/{made.json()['id']}"
    return Act("DELETE", path, "agent.note_deleted", key)


async def _pause_agent(stage: Stage) -> Act:
    key = await _agent(stage)
    return Act("POST", f"/agents/{key}/pause", "agent.paused", key)


async def _resume_agent(stage: Stage) -> Act:
    key = await _agent(stage)
    await stage.http.post(f"/agents/{key}/pause")
    return Act("POST", f"/agents/{key}/resume", "agent.resumed", key)


async def _restart_agent(stage: Stage) -> Act:
    residents = Residents(stage, stage.http)
    key = await residents.in_state(AgentState.ERROR)
    return Act("POST", f"/agents/{key}/restart", "agent.restarted", key, {"skip": True})


async def _interrupt_agent(stage: Stage) -> Act:
    residents = Residents(stage, stage.http)
    key = await residents.in_state(AgentState.RUNNING)
    return Act("POST", f"/agents/{key}/interrupt", "agent.interrupted", key)


async def _terminate_agent(stage: Stage) -> Act:
    key = await _agent(stage)
    return Act("POST", f"/agents/{key}/terminate", "agent.terminated", key)


async def _delete_agent(stage: Stage) -> Act:
    key = await _agent(stage)
    await stage.http.post(f"/agents/{key}/terminate")
    return Act("DELETE", f"/agents/{key}", "agent.deleted", key)


async def _withdraw(stage: Stage) -> Act:
    key = await _agent(stage)
    sent = await stage.http.post(f"/agents/{key}/messages", json={"content": "Oh"})
    path = f"/agents/{key}/messages/{sent.json()['id']}"
    return Act("DELETE", path, "message.withdrawn", key)


async def _set_reminder(stage: Stage) -> Act:
    key = await _agent(stage)
    said = {"text": "water", "every": "1h"}
    return Act("POST", f"/agents/{key}/reminders", "reminder.created", "", said)


async def _cancel_reminder(stage: Stage) -> Act:
    key = await _agent(stage)
    said = {"text": "water", "after": "1h"}
    reminder = (await stage.http.post(f"/agents/{key}/reminders", json=said)).json()["id"]
    path = f"/agents/{key}/reminders/{reminder}"
    return Act("DELETE", path, "reminder.cancelled", reminder)


async def _set_template(stage: Stage) -> Act:
    said = {"profile": {"role": "a clerk"}}
    return Act("PUT", "/agent-templates/clerk", "agent_template.set", "clerk", said)


async def _delete_template(stage: Stage) -> Act:
    await stage.http.put("/agent-templates/old", json={})
    return Act("DELETE", "/agent-templates/old", "agent_template.deleted", "old")


async def _group(stage: Stage, *members: str) -> str:
    body = {"name": f"audited {uuid4()}", "members": members}
    made = await stage.http.post("/groups", json=body)
    assert made.is_success, made.text
    return str(made.json()["id"])


async def _create_group(stage: Stage) -> Act:
    return Act("POST", "/groups", "group.created", "", {"name": f"audited {uuid4()}"})


async def _change_group(stage: Stage) -> Act:
    key = await _group(stage)
    return Act("PATCH", f"/groups/{key}", "group.changed", key, {"mode": "moderated"})


async def _delete_group(stage: Stage) -> Act:
    key = await _group(stage)
    return Act("DELETE", f"/groups/{key}", "group.deleted", key)


async def _add_member(stage: Stage) -> Act:
    key, agent = await _group(stage), await _agent(stage)
    said = {"members": [agent]}
    return Act("POST", f"/groups/{key}/members", "group.members_added", key, said)


async def _remove_member(stage: Stage) -> Act:
    agent = await _agent(stage)
    key = await _group(stage, agent)
    path = f"/groups/{key}/members?member={agent}"
    return Act("DELETE", path, "group.members_removed", key)


async def _create_key(stage: Stage) -> Act:
    return Act("POST", "/keys", "key.created", "", {"name": "laptop"})


async def _revoke_key(stage: Stage) -> Act:
    key = (await stage.http.post("/keys", json={"name": "laptop"})).json()["id"]
    return Act("DELETE", f"/keys/{key}", "key.revoked", key)


async def _delete_file(stage: Stage) -> Act:
    file = (await stage.http.post("/files", files={"file": ("a.txt", b"audited")})).json()["id"]
    return Act("DELETE", f"/files/{file}", "file.deleted", file)


# Whoever adds a route that is not GET enters it here, or below with a reason.
ACTS: Mapping[tuple[str, str], Prepare] = {
    ("POST", "/api/v1/tasks/{task_id}/cancel"): _cancel,
    ("POST", "/api/v1/tasks/{task_id}/pause"): _pause,
    ("POST", "/api/v1/tasks/{task_id}/resume"): _resume,
    ("POST", "/api/v1/tasks/{task_id}/retry"): _retry,
    ("POST", "/api/v1/tasks/{task_id}/messages"): _tell,
    ("POST", "/api/v1/tasks/{task_id}/approvals/{call_id}"): _decide,
    ("POST", "/api/v1/dead-letters/{letter_id}/requeue"): _requeue,
    ("POST", "/api/v1/dead-letters/{letter_id}/discard"): _discard,
    ("POST", "/api/v1/dead-letters/requeue"): _requeue_many,
    ("POST", "/api/v1/dead-letters/discard"): _discard_many,
    ("POST", "/api/v1/bulk/{bulk_id}/abort"): _abort,
    ("POST", "/api/v1/tasks/cancel"): _cancel_many,
    ("POST", "/api/v1/tasks/retry"): _retry_many,
    ("POST", "/api/v1/tasks/delete"): _delete_many,
    ("POST", "/api/v1/tools/register"): _register,
    ("PATCH", "/api/v1/tools/{name}"): _change,
    ("DELETE", "/api/v1/tools/{name}"): _remove,
    ("DELETE", "/api/v1/tasks/{task_id}"): _delete,
    ("DELETE", "/api/v1/files/{file_id}"): _delete_file,
    ("POST", "/api/v1/cache/clear"): _clear,
    ("POST", "/api/v1/breakers/{name}/open"): _open,
    ("POST", "/api/v1/breakers/{name}/close"): _close,
    ("POST", "/api/v1/webhooks"): _create_hook,
    ("POST", "/api/v1/webhooks/secret"): _make_secret,
    ("PATCH", "/api/v1/webhooks/{webhook_id}"): _change_hook,
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): _delete_hook,
    ("POST", "/api/v1/webhooks/deliveries/{delivery_id}/resend"): _resend,
    ("POST", "/api/v1/schedules"): _create_schedule,
    ("PATCH", "/api/v1/schedules/{schedule_id}"): _change_schedule,
    ("POST", "/api/v1/schedules/{schedule_id}/run"): _run_schedule,
    ("DELETE", "/api/v1/schedules/{schedule_id}"): _delete_schedule,
    ("POST", "/api/v1/agents"): _create_agent,
    ("PATCH", "/api/v1/agents/{agent_id}"): _change_agent,
    ("DELETE", "/api/v1/agents/{agent_id}"): _delete_agent,
    ("POST", "/api/v1/agents/{agent_id}/notes"): _note,
    ("DELETE", "/api/v1/agents/{agent_id}/notes/{note_id}"): _delete_note,
    ("POST", "/api/v1/agents/{agent_id}/pause"): _pause_agent,
    ("POST", "/api/v1/agents/{agent_id}/resume"): _resume_agent,
    ("POST", "/api/v1/agents/{agent_id}/restart"): _restart_agent,
    ("POST", "/api/v1/agents/{agent_id}/interrupt"): _interrupt_agent,
    ("POST", "/api/v1/agents/{agent_id}/terminate"): _terminate_agent,
    ("DELETE", "/api/v1/agents/{agent_id}/messages/{message_id}"): _withdraw,
    ("POST", "/api/v1/agents/{agent_id}/reminders"): _set_reminder,
    ("DELETE", "/api/v1/agents/{agent_id}/reminders/{reminder_id}"): _cancel_reminder,
    ("PUT", "/api/v1/agent-templates/{name}"): _set_template,
    ("DELETE", "/api/v1/agent-templates/{name}"): _delete_template,
    ("POST", "/api/v1/groups"): _create_group,
    ("PATCH", "/api/v1/groups/{group_id}"): _change_group,
    ("DELETE", "/api/v1/groups/{group_id}"): _delete_group,
    ("POST", "/api/v1/groups/{group_id}/members"): _add_member,
    ("DELETE", "/api/v1/groups/{group_id}/members"): _remove_member,
    ("POST", "/api/v1/keys"): _create_key,
    ("DELETE", "/api/v1/keys/{key_id}"): _revoke_key,
}
SILENT: Mapping[tuple[str, str], str] = {
    ("POST", "/api/v1/tasks"): "a task is listed itself, with all that was submitted",
    ("POST", "/api/v1/tasks/{task_id}/rerun"): "as above",
    ("POST", "/api/v1/agents/{agent_id}/messages"): "a message is listed itself, with who wrote it",
    ("POST", "/api/v1/groups/{group_id}/messages"): "as above",
    ("POST", "/api/v1/files"): "a file does nothing until a task names it",
    ("POST", "/api/v1/tasks/{task_id}/compile"): "it changes nothing",
    ("POST", "/api/v1/mcp-servers/{name}/check"): "it asks a server, as each connection to it does",
    ("POST", "/api/v1/tasks/check"): "as above",
    ("POST", "/api/v1/schedules/check"): "as above",
    ("POST", "/codec/decode"): "it changes nothing",
    ("POST", "/codec/encode"): "it changes nothing",
}


async def entries(http: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await http.get("/audit", params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_every_route_that_changes_something_writes_a_deed_or_has_a_reason_not_to(
    stage: Stage,
) -> None:
    paths = (await stage.http.get("/openapi.json")).json()["paths"]
    found = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if method not in ("get", "head")
    }
    assert found == ACTS.keys() | SILENT.keys()
    assert not ACTS.keys() & SILENT.keys()


@pytest.mark.parametrize("route", ACTS, ids=" ".join)
async def test_what_a_person_does_is_written_down_once(
    agents_stage: Stage, working: ObedientAgents, route: tuple[str, str]
) -> None:
    act = await ACTS[route](agents_stage)
    before = {entry["id"] for entry in await entries(agents_stage.http)}
    answer = await agents_stage.http.request(act.method, act.path, json=act.json, timeout=30)
    assert answer.is_success, answer.text
    [entry] = [e for e in await entries(agents_stage.http) if e["id"] not in before]
    assert (entry["actor"], entry["action"]) == ("local user", act.action)
    assert entry["target"] == act.target or answer.json()["id"]
    assert entry["note"] == (act.json or {}).get("note", "")
    assert abs(datetime.fromisoformat(entry["created_at"]) - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize("prepare", [_cancel, _pause, _decide], ids=lambda each: each.__name__)
async def test_what_is_asked_for_again_is_no_second_deed(
    agents_stage: Stage, working: ObedientAgents, prepare: Prepare
) -> None:
    act = await prepare(agents_stage)
    for _ in range(2):
        answer = await agents_stage.http.request(act.method, act.path, json=act.json)
        assert answer.is_success, answer.text
    assert len(await entries(agents_stage.http, target=act.target)) == 1


async def test_what_is_refused_is_not_written_down(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    ended = await submit(agents_stage, "finish x")
    await agents_stage.until(ended, "completed")
    running = await _running(agents_stage)
    decided = await _decide(agents_stage)
    await agents_stage.http.post(decided.path, json=decided.json)
    before = await entries(agents_stage.http)
    for method, path, json in (
        ("POST", f"/tasks/{ended}/cancel", None),
        ("POST", f"/tasks/{ended}/pause", None),
        ("POST", f"/tasks/{running}/resume", None),
        ("POST", f"/tasks/{running}/retry", None),
        ("POST", f"/tasks/{ended}/retry", {"inputs": {"unknown": "file:x"}}),
        ("POST", decided.path, {"decision": "deny"}),
        ("PATCH", "/tools/unknown", {"is_active": True}),
        ("DELETE", "/tools/mcp.unknown", None),
        ("POST", "/tools/register", body("--no-such-flag", name="broken")),
    ):
        answer = await agents_stage.http.request(method, path, json=json, timeout=30)
        assert 400 <= answer.status_code < 500, (path, answer.text)
    await agents_stage.http.patch("/tools/write_file", json={})
    other = await agents_stage.team()
    assert (await other.post(f"/tasks/{running}/cancel")).status_code == 404
    assert await entries(agents_stage.http) == before


async def test_a_cancellation_that_temporal_did_not_hear_is_not_written_down(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await _running(agents_stage)
    [port] = choose_ports([None])
    away = TemporalPort(await Client.connect(f"127.0.0.1:{port}", lazy=True), "none")
    services = replace(agents_stage.services, temporal=away)
    with pytest.raises(TemporaryFailure):
        await control.cancel(services, SOMEBODY, UUID(task_id))
    assert await entries(agents_stage.http, target=task_id) == []
    await agents_stage.http.post(f"/tasks/{task_id}/cancel")
    assert len(await entries(agents_stage.http, target=task_id)) == 1


async def test_a_task_that_nothing_runs_is_cancelled_with_a_deed(agents_stage: Stage) -> None:
    task_id = await submit(agents_stage, "finish x")
    gone = replace(agents_stage.services, temporal=_Nowhere())
    await control.cancel(gone, SOMEBODY, UUID(task_id))
    assert (await agents_stage.task(task_id))["status"] == "cancelled"
    [entry] = await entries(agents_stage.http, target=task_id)
    assert (entry["actor"], entry["action"]) == ("somebody", "task.cancelled")


class _Nowhere(TemporalPort):
    """A Temporal that runs nothing."""

    def __init__(self) -> None:
        pass

    async def find(self, *_: object, **__: object) -> None:
        return None


async def test_both_changes_of_a_tool_are_deeds(stage: Stage) -> None:
    team = await stage.team()
    change = {"is_active": False, "permission_level": "ask"}
    assert (await team.patch("/tools/read_file", json=change)).is_success
    [permission, disabled] = await entries(team, target="read_file")
    found = {each["action"]: each["details"] for each in (permission, disabled)}
    assert found == {"tool.disabled": {}, "tool.permission_set": {"permission_level": "ask"}}


async def test_an_entry_names_the_key_that_was_used_and_is_seen_by_its_team_alone(
    stage: Stage,
) -> None:
    team, other = await stage.team(), await stage.team()
    await team.patch("/tools/read_file", json={"is_active": False})
    [entry] = await entries(team, actor="test")
    assert entry["actor"].startswith("test (ak_")
    assert await entries(team, actor=entry["actor"]) == [entry]
    assert await entries(other, actor="test") == []


# Lists.


async def write(database: Database, *deeds: Deed, actor: Actor = SOMEBODY) -> None:
    for deed in deeds:
        await audit.record(database, actor, deed)


DEEDS = (
    Deed("task.cancelled", "0c9b12aa", "Too slow"),
    Deed("task.retried", "0c9b12bb", "50% of it was missing"),
    Deed("tasks.swept", "0c9b12cc"),
    Deed("tool.disabled", "read_file"),
    Deed("tool.enabled", "readXfile"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [0, 1, 2, 3, 4]),
        (AuditFilter(actions=["task.retried"]), [1]),
        (AuditFilter(actions=["task"]), [0, 1]),
        (AuditFilter(actions=["task", "tool.enabled"]), [0, 1, 4]),
        (AuditFilter(actions=["task.retr"]), []),
        (AuditFilter(target="0c9b12"), [0, 1, 2]),
        (AuditFilter(target="read_file"), [3]),
        (AuditFilter(text="too SLOW"), [0]),
        (AuditFilter(text="50%"), [1]),
        (AuditFilter(text="0%o"), []),
        (AuditFilter(actor="somebody"), [0, 1, 2, 3, 4]),
        (AuditFilter(actor="some"), []),
        (AuditFilter(created_after=datetime(2100, 1, 1, tzinfo=UTC)), []),
        (AuditFilter(created_before=datetime(2100, 1, 1, tzinfo=UTC)), [0, 1, 2, 3, 4]),
        (AuditFilter(actions=["tool"], target="read_file"), [3]),
    ],
    ids=str,
)
async def test_entries_are_found_by_who_what_whereto_why_and_when(
    database: Database, wanted: AuditFilter, found: list[int]
) -> None:
    await write(database, *DEEDS)
    listed, following = await list_entries(database, SOMEBODY.team_id, wanted, None, 10)
    assert following is None
    assert [entry.target for entry in listed] == [DEEDS[n].target for n in reversed(found)]


async def test_pages_of_entries_neither_repeat_nor_hide_any(stage: Stage) -> None:
    team_id = await keys.create_team(stage.database, f"team-{uuid4()}")
    key = await keys.create_key(stage.database, team_id, "pages")
    deeds = [Deed("task.retried", str(number)) for number in range(5)]
    await write(stage.database, *deeds, actor=Actor(team_id, "x"))
    headers = {"Authorization": f"Bearer {key.secret}"}
    seen, cursor = [], dict[str, str]()
    while True:
        query = {"limit": "2", "action": "task", **cursor}
        page = (await stage.http.get("/audit", params=query, headers=headers)).json()
        seen += [entry["target"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("query", ["actor=", "action=", "created_after=12", "who=me", "cursor=x"])
async def test_a_filter_that_means_nothing_is_refused(stage: Stage, query: str) -> None:
    assert (await stage.http.get(f"/audit?{query}")).status_code == 422


async def test_the_command_prints_entries_and_takes_the_same_filters(stage: Stage) -> None:
    name = f"mcp.{uuid4().hex}"
    deeds = Deed("mcp_server.removed", name, "Nobody uses it"), Deed("tool.enabled", name)
    await write(stage.database, *deeds)
    words = ("audit", "--target", name, "--since", "1h")
    table = await agentos(stage.url, *words, "--action", "mcp_server", "--text", "nobody")
    assert table.code == 0, table.stderr
    assert [line.split()[1:] for line in table.stdout.splitlines()[1:]] == [
        ["somebody", "mcp_server.removed", name, "Nobody", "uses", "it"]
    ]
    printed = await agentos(stage.url, *words, "-o", "json", "--limit", "1", "--actor", "somebody")
    assert '"tool.enabled"' in printed.stdout
    assert '"items"' in printed.stdout
    mistyped = await agentos(stage.url, *words, "--action", "tsk")
    assert "Did you mean task?" in mistyped.stderr
    none = await agentos(stage.url, *words, "--until", "30m")
    assert none.stdout == ""
    assert "othing" in none.stderr
    wrong = await agentos(stage.url, "audit", "--since", "yesterday")
    assert wrong.code == 2
    assert "is no time" in wrong.stderr
