"""A client of the AgentOS API, typed with the API's own schemas."""

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from pydantic import BaseModel

from api.addresses import DEFAULT_URL
from api.client import task_events, transfer
from api.client.agent_memory import AgentMemory
from api.client.agent_streams import AgentStreams
from api.client.agents import Agents
from api.client.following import follow
from api.client.groups import Groups
from api.client.many_tasks import ManyTasks
from api.client.overview import Overview
from api.client.reminders import Reminders
from api.client.task_events import TaskEvent
from api.client.transfer import Download
from api.client.transport import Answer, Params, Transport, check_header
from api.client.uploads import Uploads
from api.wire.bulk import AbortRequest, BulkDiscardRequest, BulkRequeueRequest
from api.wire.requests import (
    ApprovalRequest,
    BreakerDecision,
    ClearRequest,
    CompileRequest,
    DiscardRequest,
    RequeueRequest,
    RetryRequest,
    ToolChange,
    ToolRegistration,
    WebhookChange,
    WebhookRequest,
)
from api.wire.responses.approvals import AskedCall
from api.wire.responses.audit import AuditEntry
from api.wire.responses.breakers import Breaker
from api.wire.responses.bulk import BulkForesight, BulkRun
from api.wire.responses.cache import Cleared, KeptResult
from api.wire.responses.comparison import Comparison
from api.wire.responses.compilation import Compilation
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup, Foresight
from api.wire.responses.files import Artifact, File, TaskInputs
from api.wire.responses.history import Attempt, Message, Span
from api.wire.responses.housekeeping import HousekeepingView
from api.wire.responses.limits import LimitList
from api.wire.responses.pages import Page
from api.wire.responses.plans import PlanOfTask
from api.wire.responses.schedules import RunAsked, Schedule, ScheduleSummary
from api.wire.responses.skills import Skill, SkillList
from api.wire.responses.tasks import Accepted, Changed, Task, TaskSummary
from api.wire.responses.tools import RegisteredServer, Tool
from api.wire.responses.usage import TeamUsage
from api.wire.responses.webhooks import (
    CallbackSecret,
    Delivery,
    DeliveryDetails,
    NewWebhook,
    Webhook,
)
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest
from workflows.definitions.task_request import TaskRequest

# A server may have to be fetched before it starts. This is longer than it may take.
REGISTRATION_TIMEOUT_SECONDS = 1_900.0


class Client:
    """``async with Client(url, api_key) as client: ...``

    Every call raises ``ApiProblem`` when the API says no, ``ApiUnreachable`` when no answer comes
    and ``NotTheApi`` when something else answers.
    """

    def __init__(self, url: str = DEFAULT_URL, api_key: str | None = None) -> None:
        self._transport = Transport(url, api_key)
        self.agents = Agents(self._transport)
        self.reminders = Reminders(self._transport)
        self.memory = AgentMemory(self._transport)
        self.groups = Groups(self._transport)
        self.agent_events = AgentStreams(self._transport)
        self.uploads = Uploads(self._transport)
        self.many_tasks = ManyTasks(self._transport)
        self.overview = Overview(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.close()

    async def submit(self, request: TaskRequest, *, idempotency_key: str | None = None) -> Accepted:
        """Hand in a task. An answer that is lost on the way makes no second task."""
        check_header("idempotency key", idempotency_key or "")
        return await self._transport.call(
            "POST",
            "/tasks",
            Accepted,
            body=_json(request),
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
            repeatable=True,
        )

    async def tasks(self, params: Params | None = None) -> Page[TaskSummary]:
        """A page of tasks, the newest first. ``params`` are the query of ``GET /tasks``."""
        return await self._get("/tasks", Page[TaskSummary], params)

    async def task(self, task_id: str) -> Task:
        return await self._get(f"/tasks/{task_id}", Task)

    async def plan(self, task_id: str) -> PlanOfTask:
        """The nodes of a plan, with their states."""
        return await self._get(f"/tasks/{task_id}/plan", PlanOfTask)

    async def cancel(self, task_id: str) -> Changed:
        return await self._change(task_id, "cancel")

    async def delete(self, task_id: str) -> None:
        """Delete a task that has ended, with everything that is its own."""
        await self._transport.delete(f"/tasks/{quote(task_id, safe='')}")

    async def housekeeping(self) -> HousekeepingView:
        """How long things are kept, and what was removed."""
        return await self._get("/housekeeping", HousekeepingView)

    async def pause(self, task_id: str) -> Changed:
        return await self._change(task_id, "pause")

    async def resume(self, task_id: str) -> Changed:
        return await self._change(task_id, "resume")

    async def retry(self, task_id: str, request: RetryRequest) -> Changed:
        path = f"/tasks/{task_id}/retry"
        # Not repeatable: it might have begun, and ended, before it was asked for again.
        return await self._transport.call("POST", path, Changed, body=_json(request))

    async def foresee_retry(self, task_id: str, request: RetryRequest) -> Foresight:
        """What a retry would do."""
        return await self._foresee(f"/tasks/{task_id}/retry", request)

    async def compile(self, task_id: str, request: CompileRequest) -> Compilation:
        """What the agent of a task did, as a pipeline."""
        path = f"/tasks/{task_id}/compile"
        return await self._transport.call(
            "POST", path, Compilation, body=_json(request), repeatable=True
        )

    async def attempts(self, task_id: str, params: Params | None = None) -> Page[Attempt]:
        """A page of the log: every attempt at a step, the oldest first, with what it printed."""
        return await self._get(f"/tasks/{task_id}/logs", Page[Attempt], params)

    async def trace(self, task_id: str) -> Span:
        return await self._get(f"/tasks/{task_id}/trace", Span)

    async def messages(self, task_id: str, params: Params | None = None) -> Page[Message]:
        """A page of an agent's conversation, from its beginning."""
        return await self._get(f"/tasks/{task_id}/messages", Page[Message], params)

    async def approvals(self, task_id: str, params: Params | None = None) -> Page[AskedCall]:
        """A page of the calls of an agent that wait for a person."""
        return await self._get(f"/tasks/{task_id}/approvals", Page[AskedCall], params)

    async def decide(self, task_id: str, call: str, request: ApprovalRequest) -> AskedCall:
        """Decide on a call, given by its id or its name."""
        path = f"/tasks/{task_id}/approvals/{quote(call, safe='')}"
        return await self._transport.call(
            "POST", path, AskedCall, body=_json(request), repeatable=True
        )

    async def artifacts(self, task_id: str, params: Params | None = None) -> Page[Artifact]:
        path = f"/tasks/{task_id}/artifacts"
        return await self._get(path, Page[Artifact], params)

    async def inputs(self, task_id: str) -> TaskInputs:
        """What a task was given, with the names of the files."""
        return await self._get(f"/tasks/{task_id}/inputs", TaskInputs)

    async def compare(self, task_id: str, other_id: str | None = None) -> Comparison:
        """A task beside another, or beside the last one of its name that was completed before."""
        params = {"with": other_id} if other_id else None
        return await self._get(f"/tasks/{task_id}/comparison", Comparison, params)

    async def export(self, task_id: str, target: Path) -> int:
        """Write all that is known of a task to a zip, and give its size. Raises ``FileUnwritable``
        and ``DownloadDamaged`` too."""
        path = f"/tasks/{quote(task_id, safe='')}/export"
        return await transfer.download_whole(self._transport, path, target)

    async def events(
        self, task_id: str, *, on_lost: Callable[[str], None] = lambda reason: None
    ) -> AsyncGenerator[TaskEvent, None]:
        """All that happened to a task and happens, until its end.

        A lost connection is reopened without a gap; ``on_lost`` is called with the reason.
        """
        path = f"/tasks/{task_id}/events"
        received = follow(self._transport, path, is_last=task_events.says_it_ended, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := TaskEvent.read(item)) is not None:
                    yield event

    async def audit(self, params: Params | None = None) -> Page[AuditEntry]:
        """A page of what people did, the newest first. ``params``: the query of ``GET /audit``."""
        return await self._get("/audit", Page[AuditEntry], params)

    async def requeue_many(self, request: BulkRequeueRequest) -> BulkRun:
        """Start a bulk run. One that is started twice finds the letters dealt with."""
        return await self._transport.call(
            "POST", "/dead-letters/requeue", BulkRun, body=_json(request)
        )

    async def discard_many(self, request: BulkDiscardRequest) -> BulkRun:
        return await self._transport.call(
            "POST", "/dead-letters/discard", BulkRun, body=_json(request)
        )

    async def foresee_many(self, request: BulkRequeueRequest | BulkDiscardRequest) -> BulkForesight:
        """What a bulk run would do."""
        action = "requeue" if isinstance(request, BulkRequeueRequest) else "discard"
        body = _json(request.model_copy(update={"dry_run": True}))
        path = f"/dead-letters/{action}"
        return await self._transport.call("POST", path, BulkForesight, body=body, repeatable=True)

    async def bulk_runs(self, params: Params | None = None) -> Page[BulkRun]:
        """A page of bulk runs, the newest first."""
        return await self._get("/bulk", Page[BulkRun], params)

    async def bulk_run(self, bulk_id: str) -> BulkRun:
        return await self._get(f"/bulk/{quote(bulk_id, safe='')}", BulkRun)

    async def abort_bulk(self, bulk_id: str, request: AbortRequest) -> BulkRun:
        path = f"/bulk/{quote(bulk_id, safe='')}/abort"
        return await self._transport.call(
            "POST", path, BulkRun, body=_json(request), repeatable=True
        )

    async def schedules(self, params: Params | None = None) -> Page[ScheduleSummary]:
        """A page of schedules, the newest first. ``params`` are the query of ``GET /schedules``."""
        return await self._get("/schedules", Page[ScheduleSummary], params)

    async def schedule(self, schedule_id: str) -> Schedule:
        return await self._get(f"/schedules/{schedule_id}", Schedule)

    async def create_schedule(self, request: ScheduleRequest) -> Schedule:
        # Not repeatable: a second one of the name is refused.
        return await self._transport.call("POST", "/schedules", Schedule, body=_json(request))

    async def change_schedule(self, schedule_id: str, change: ScheduleChange) -> Schedule:
        path = f"/schedules/{schedule_id}"
        return await self._transport.call(
            "PATCH", path, Schedule, body=_json(change), repeatable=True
        )

    async def run_schedule(self, schedule_id: str) -> RunAsked:
        # Not repeatable: each is another run.
        return await self._transport.call("POST", f"/schedules/{schedule_id}/run", RunAsked)

    async def delete_schedule(self, schedule_id: str) -> None:
        await self._transport.delete(f"/schedules/{schedule_id}")

    async def usage(self) -> TeamUsage:
        """What the team's agents used of models by day."""
        return await self._get("/usage", TeamUsage)

    async def upload(self, path: Path) -> File:
        """Send a file from disk. Raises ``FileUnreadable`` too."""
        return await transfer.upload(self._transport, path, File)

    async def describe_artifact(self, artifact_id: str) -> Download:
        """What ``download`` needs to know of an artifact."""
        path = f"/artifacts/{quote(artifact_id, safe='')}"
        return Download.described_by(artifact_id, await self._transport.head(path))

    async def download(self, wanted: Download, folder: Path) -> Path:
        """Fetch an artifact into a folder, whole and verified, under its name.

        Raises ``ArtifactNameRefused``, ``FileUnwritable`` and ``DownloadDamaged`` too.
        """
        return await transfer.download(self._transport, wanted, folder)

    async def tools(self, params: Params | None = None) -> Page[Tool]:
        """A page of tools, by name."""
        return await self._get("/tools", Page[Tool], params)

    async def register_tools(self, request: ToolRegistration) -> RegisteredServer:
        """Register an MCP server, which is started for it: that may take a minute."""
        return await self._transport.call(
            "POST",
            "/tools/register",
            RegisteredServer,
            body=_json(request),
            timeout_seconds=REGISTRATION_TIMEOUT_SECONDS,
        )

    async def remove_tools(self, name: str) -> None:
        """Remove an MCP server, ``mcp.<name>``, with its tools."""
        await self._transport.delete(f"/tools/{quote(name, safe='')}")

    async def change_tool(self, name: str, change: ToolChange) -> Tool:
        return await self._transport.call(
            "PATCH",
            f"/tools/{quote(name, safe='')}",
            Tool,
            body=change.model_dump_json(exclude_unset=True).encode(),  # null has a meaning
            repeatable=True,
        )

    async def cache(self, params: Params | None = None) -> Page[KeptResult]:
        """A page of the results that equal steps are given, newest first."""
        return await self._get("/cache", Page[KeptResult], params)

    async def clear_cache(self, request: ClearRequest) -> Cleared:
        return await self._transport.call(
            "POST", "/cache/clear", Cleared, body=_json(request), repeatable=True
        )

    async def breakers(self, params: Params | None = None) -> Page[Breaker]:
        """A page of the breakers that are not closed, or opened in the last day, by name."""
        return await self._get("/breakers", Page[Breaker], params)

    async def open_breaker(self, name: str, decision: BreakerDecision) -> Breaker:
        return await self._decide_breaker(name, "open", decision)

    async def close_breaker(self, name: str, decision: BreakerDecision) -> Breaker:
        return await self._decide_breaker(name, "close", decision)

    async def _decide_breaker(self, name: str, verb: str, decision: BreakerDecision) -> Breaker:
        path = f"/breakers/{quote(name, safe='')}/{verb}"
        return await self._transport.call("POST", path, Breaker, body=_json(decision))

    async def skills(self) -> SkillList:
        return await self._get("/skills", SkillList)

    async def skill(self, name: str) -> Skill:
        return await self._get(f"/skills/{quote(name, safe='')}", Skill)

    async def webhooks(self) -> Page[Webhook]:
        """All of the team."""
        return await self._get("/webhooks", Page[Webhook])

    async def create_webhook(self, request: WebhookRequest) -> NewWebhook:
        """The answer alone has the secret."""
        return await self._transport.call("POST", "/webhooks", NewWebhook, body=_json(request))

    async def change_webhook(self, webhook_id: str, change: WebhookChange) -> Webhook:
        path = f"/webhooks/{quote(webhook_id, safe='')}"
        return await self._transport.call(
            "PATCH", path, Webhook, body=_json(change), repeatable=True
        )

    async def delete_webhook(self, webhook_id: str) -> None:
        await self._transport.delete(f"/webhooks/{quote(webhook_id, safe='')}")

    async def create_callback_secret(self) -> CallbackSecret:
        """What callbacks are signed with from now on."""
        return await self._transport.call("POST", "/webhooks/secret", CallbackSecret)

    async def deliveries(self, params: Params | None = None) -> Page[Delivery]:
        """A page of what webhooks and callbacks were sent, the newest first."""
        return await self._get("/webhooks/deliveries", Page[Delivery], params)

    async def resend(self, delivery_id: str) -> DeliveryDetails:
        """Send a delivery again now."""
        path = f"/webhooks/deliveries/{quote(delivery_id, safe='')}/resend"
        return await self._transport.call("POST", path, DeliveryDetails)

    async def dead_letters(self, params: Params | None = None) -> Page[DeadLetter]:
        """A page of dead letters, the newest first. ``params`` are the query."""
        return await self._get("/dead-letters", Page[DeadLetter], params)

    async def dead_letter_groups(self, params: Params | None = None) -> Page[DeadLetterGroup]:
        """A page of groups of dead letters that are alike, those first that were seen last."""
        return await self._get("/dead-letters/groups", Page[DeadLetterGroup], params)

    async def dead_letter(self, letter_id: str) -> DeadLetter:
        return await self._get(f"/dead-letters/{letter_id}", DeadLetter)

    async def requeue(self, letter_id: str, request: RequeueRequest) -> Changed:
        """Run the task of a dead letter again, once however often this is sent."""
        path = f"/dead-letters/{letter_id}/requeue"
        return await self._transport.call(
            "POST", path, Changed, body=_json(request), repeatable=True
        )

    async def foresee_requeue(self, letter_id: str, request: RequeueRequest) -> Foresight:
        """What a requeue would do."""
        return await self._foresee(f"/dead-letters/{letter_id}/requeue", request)

    async def discard(self, letter_id: str, request: DiscardRequest) -> DeadLetter:
        path = f"/dead-letters/{letter_id}/discard"
        return await self._transport.call(
            "POST", path, DeadLetter, body=_json(request), repeatable=True
        )

    async def _foresee(self, path: str, request: RetryRequest) -> Foresight:
        dry = request.model_copy(update={"dry_run": True})
        return await self._transport.call("POST", path, Foresight, body=_json(dry), repeatable=True)

    async def limits(self) -> LimitList:
        return await self._get("/limits", LimitList)

    async def _get(self, path: str, answer: type[Answer], params: Params | None = None) -> Answer:
        return await self._transport.call("GET", path, answer, params=params, repeatable=True)

    async def _change(self, task_id: str, action: str) -> Changed:
        path = f"/tasks/{task_id}/{action}"
        return await self._transport.call("POST", path, Changed, repeatable=True)


def _json(request: BaseModel) -> bytes:
    return request.model_dump_json(by_alias=True, exclude_defaults=True).encode()
