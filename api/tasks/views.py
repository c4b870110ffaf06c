"""Tasks and files of the store as the answers of the API."""

import json
from dataclasses import asdict
from typing import Any

from activities.store.approvals import Approval, AskedCall
from activities.store.files import Upload
from activities.store.reading.artifacts import Artifact
from activities.store.reading.plan_usage import Used
from activities.store.reading.recent_runs import RecentRun
from activities.store.reading.steps import Step
from activities.store.reading.tasks import TaskDetails, TaskSummary
from activities.store.reading.waiting import WaitingCall
from api.services import ApiOptions
from api.tasks.kinds.table import KINDS
from api.wire.responses import approvals, files, tasks
from api.wire.responses.base import API
from workflows.contracts import workflow_id
from workflows.resident_contracts import agent_workflow_id
from workflows.states import Status, TaskType


class Views:
    """``options`` say what comes before the paths of URLs, and where Temporal's Web UI is."""

    def __init__(self, options: ApiOptions) -> None:
        self._options = options

    def links(self, task_id: object) -> tasks.Links:
        this = self._url(f"/tasks/{task_id}")
        return tasks.Links(
            self=this, events=f"{this}/events", logs=f"{this}/logs", artifacts=f"{this}/artifacts"
        )

    def summary(self, task: TaskSummary) -> tasks.TaskSummary:
        return tasks.TaskSummary.model_validate(self._summary(task))

    def task(self, task: TaskDetails) -> tasks.Task:
        artifacts = [self.artifact(made) for made in task.artifacts]
        is_done = task.summary.status is Status.COMPLETED
        kind = KINDS[task.summary.type]
        return tasks.Task.model_validate(
            {
                **self._summary(task.summary),
                "result": kind.result(task, artifacts) if is_done else None,
                "inputs": task.inputs,
                "definition": task.definition,
                "sub_tasks": [_sub_task(step) for step in kind.shown(task.steps)],
                "artifacts": artifacts,
                "usage": asdict(task.usage),
                "last_event": task.event_seq,
                "is_pausing": task.is_pausing,
            }
        )

    def artifact(self, made: Artifact) -> files.Artifact:
        return files.Artifact(
            id=made.id,
            name=made.name,
            type=made.type,
            size=made.size,
            mime_type=made.mime_type,
            sha256=made.sha256,
            url=made.url or self._url(f"/artifacts/{made.id}"),
            sub_task=made.step,
            created_at=made.created_at,
        )

    def file(self, upload: Upload) -> files.File:
        return files.File(
            id=upload.id,
            name=upload.name,
            size=upload.size,
            mime_type=upload.mime_type,
            sha256=upload.sha256,
            url=self._url(f"/files/{upload.id}"),
        )

    def _summary(self, task: TaskSummary) -> dict[str, object]:
        running = next((step for step in task.steps if step.status is Status.RUNNING), None)
        return {
            "task_id": task.id,
            "parent_id": task.parent_id,
            "schedule_id": task.schedule_id,
            "scheduled_at": task.scheduled_at,
            "agent_id": task.agent_id,
            "waits_for": task.waits_for,
            "next_attempt_at": task.next_attempt_at,
            "type": task.type,
            "name": task.name,
            "status": task.status,
            "phase": running.phase if running else None,
            "prompt": task.prompt,
            "priority": task.priority,
            "run": task.run,
            "progress": KINDS[task.type].progress(task, running.name if running else None),
            "error": task.error and task.error.model_dump(exclude_none=True),
            "created_at": task.created_at,
            "started_at": task.started_at,
            "finished_at": task.finished_at,
            "temporal_url": self._temporal_url(task),
            "route": task.route and asdict(task.route),
            "created_by": task.created_by and asdict(task.created_by),
            "usage": task.used and _brief(task.used),
            "recent_runs": None if task.recent is None else list(map(_run, task.recent)),
        }

    def _url(self, path: str) -> str:
        return f"{self._options.public_url}{API}{path}"

    def _temporal_url(self, task: TaskSummary) -> str | None:
        if self._options.temporal_ui_url is None:
            return None
        namespace = self._options.temporal_namespace
        base = self._options.temporal_ui_url.rstrip("/")
        workflow = workflow_id(task.id)
        if task.type is TaskType.EXCHANGE and task.parent_id is not None:
            workflow = agent_workflow_id(task.parent_id)
        return f"{base}/namespaces/{namespace}/workflows/{workflow}"


def _run(run: RecentRun) -> tasks.RecentRun:
    return tasks.RecentRun(task_id=run.task_id, status=run.status, seconds=run.seconds)


def _brief(used: Used) -> tasks.UsageInBrief:
    return tasks.UsageInBrief(tokens_used=used.tokens, cost_usd=used.cost_usd)


def _sub_task(step: Step) -> tasks.SubTask:
    return tasks.SubTask(
        id=step.id,
        task_id=step.child_id,
        name=step.name,
        type=step.kind,
        status=step.status,
        phase=step.phase,
        order=step.order,
        dependencies=list(step.dependencies),
        exit_code=step.exit_code,
        refused=list(step.refused),
        error=step.error and step.error.model_dump(exclude_none=True),
        retry_count=step.retry_count,
        next_attempt_at=step.next_attempt_at,
        waits_for=step.waits_for,
        worker_id=step.worker_id,
        cached=step.cached,
        items=step.items and tasks.ItemCounts(**asdict(step.items)),
        item_of=step.item_of,
        index=step.index,
        item=step.item,
        started_at=step.started_at,
        finished_at=step.finished_at,
        approval=step.approval and approvals.Approval(**_approval(step.approval)),
        attempts=step.attempts,
        skill=step.skill and tasks.SkillUsed(**asdict(step.skill)),
    )


def asked_call(call: AskedCall) -> approvals.AskedCall:
    return approvals.AskedCall(
        **_approval(call.approval),
        call_id=call.id,
        name=call.name,
        type=call.task_type,
        tool=call.context.get("tool", call.name),
        arguments=call.context.get("arguments"),
        status=call.status,
    )


def waiting_call(found: WaitingCall) -> approvals.WaitingCall:
    whose = {
        name: getattr(found, name)
        for name in ("task_name", "task_type", "parent_id", "agent_id", "agent_name")
    }
    asked = asked_call(found.call).model_dump()
    return approvals.WaitingCall(**asked, task_id=found.call.task_id, **whose)


def _approval(asked: Approval) -> dict[str, Any]:
    shown = {
        **asked.model_dump(exclude={"id", "number", "elicitation", "is_edited"}),
        "ask_id": asked.id,
    }
    if (question := asked.elicitation) is not None:
        shown |= {"form": question.form and json.loads(question.form), "url": question.url}
    return shown
