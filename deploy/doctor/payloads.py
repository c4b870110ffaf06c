"""Whether those who share a Temporal can read each other: which keys encrypt what it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.payloads import key_id_of
from deploy.doctor.temporal_words import Connect, connected
from deploy.local.machine import Finding
from workflows.errors import AgentOSError

NAME = "payloads"
_PLAIN = "Temporal keeps them in plain; AGENTOS_CODEC_KEY would encrypt them"
_REMEDY = (
    "Give API, workers and this command the same keys in AGENTOS_CODEC_KEY, and restart what runs."
)


@dataclass(frozen=True, slots=True)
class KeysSeen:
    """The ids of the keys in a history. None is plain; ``worker`` is "" before it did anything."""

    api: str | None
    worker: str | None = ""


async def check_payloads(key_ids: Sequence[str], task_queue: str, connect: Connect) -> Finding:
    """Compare the keys of this process with those of the latest task: API and worker need not run
    on this machine, and what they wrote last tells which keys they have."""
    try:
        latest = await _latest(await connected(connect), task_queue)
        return finding(key_ids, await seen_in(latest) if latest else None)
    except (AgentOSError, RPCError):
        return finding(key_ids, None)  # The check of Temporal itself says why.


def finding(key_ids: Sequence[str], seen: KeysSeen | None) -> Finding:
    """``key_ids`` are those of this process; with the first it would encrypt."""
    own = f"encrypted with the key {key_ids[0]}" if key_ids else _PLAIN
    if seen is None:
        advice = "; API and workers must all have it" if key_ids else ""
        return Finding(NAME, True, own + advice)
    told = f"{own}. In the latest task {_told('the API', seen.api)}"
    if seen.worker != "":
        told += f", {_told('a worker', seen.worker)}"
    readable = {None, "", *key_ids}
    return Finding(NAME, {seen.api, seen.worker} <= readable, told, _REMEDY)


def _told(who: str, key_id: str | None) -> str:
    return f"{who} wrote " + ("in plain" if key_id is None else f"with the key {key_id[:12]}")


async def _latest(client: Client, task_queue: str) -> WorkflowHandle[object, object] | None:
    query = f"TaskQueue = '{task_queue}'"
    async for execution in client.list_workflows(query, limit=1):
        return client.get_workflow_handle(execution.id, run_id=execution.run_id)
    return None


async def seen_in(task: WorkflowHandle[object, object]) -> KeysSeen:
    """What the API wrote when it started a task, and the first that a worker wrote of it."""
    api: str | None = None
    async for event in task.fetch_history_events():
        started = event.workflow_execution_started_event_attributes
        if started.HasField("input"):
            api = _key_id(started.input)
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.HasField("input"):
            return KeysSeen(api, _key_id(scheduled.input))
        result = event.marker_recorded_event_attributes.details.get("result")
        if result is not None and result.payloads:
            return KeysSeen(api, _key_id(result))
    return KeysSeen(api)


def _key_id(written: Payloads) -> str | None:
    return key_id_of(written.payloads[0]) if written.payloads else None
