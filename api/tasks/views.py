"""Tasks and files of the store as the answers of the API."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from pydantic import JsonValue

from activities.store.approvals import AskedCall
from activities.store.files import Upload
from activities.store.reading.artifacts import Artifact
from activities.store.reading.steps import Step
from activities.store.reading.tasks import TaskDetails, TaskSummary
from api.services import ApiOptions
from api.wire.responses import approvals, files, tasks
from api.wire.responses.base import API
from workflows.definitions.agent import DEFAULT_TURNS
from workflows.states import Status, TaskType

# Types whose progress is counted in turns: of their calls a list needs only those that are open.
IN_TURNS = frozenset({TaskType.AGENT})


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
        return tasks.Task.model_validate(
            {
                **self._summary(task.summary),
                "result": _result(task, artifacts),
                "inputs": task.inputs,
                "definition": task.definition,
                "sub_tasks": [_sub_task(step) for step in task.steps],
                "artifacts": artifacts,
                "usage": asdict(task.usage),
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
        progress = _turns if task.type in IN_TURNS else _steps
        return {
            "task_id": task.id,
            "type": task.type,
            "name": task.name,
            "status": task.status,
            "phase": running.phase if running else None,
            "prompt": task.prompt,
            "priority": task.priority,
            "run": task.run,
            "progress": progress(task, running.name if running else None),
            "error": task.error and task.error.model_dump(exclude_none=True),
            "created_at": task.created_at,
            "started_at": task.started_at,
            "finished_at": task.finished_at,
            "temporal_url": self._temporal_url(task.id),
        }

    def _url(self, path: str) -> str:
        return f"{self._options.public_url}{API}{path}"

    def _temporal_url(self, task_id: object) -> str | None:
        if self._options.temporal_ui_url is None:
            return None
        namespace = self._options.temporal_namespace
        base = self._options.temporal_ui_url.rstrip("/")
        return f"{base}/namespaces/{namespace}/workflows/task-{task_id}"


def _turns(task: TaskSummary, current: str | None) -> tasks.Progress:
    """Of the turns that are allowed. Who finishes earlier is done nevertheless."""
    total = task.turn_limit or DEFAULT_TURNS
    is_done = task.status is Status.COMPLETED
    percent = 100 if is_done else min(100, 100 * task.turns // total)
    return tasks.Progress(done=task.turns, total=total, percent=percent, current=current)


def _steps(task: TaskSummary, current: str | None) -> tasks.Progress:
    steps = task.steps
    done, total = sum(step.status is Status.COMPLETED for step in steps), len(steps)
    percent = 100 * done // total if total else 0
    return tasks.Progress(done=done, total=total, percent=percent, current=current)


def _sub_task(step: Step) -> tasks.SubTask:
    return tasks.SubTask(
        id=step.id,
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
        worker_id=step.worker_id,
        started_at=step.started_at,
        finished_at=step.finished_at,
        approval=step.approval
        and approvals.Approval.model_validate(step.approval, from_attributes=True),
    )


def asked_call(call: AskedCall) -> approvals.AskedCall:
    return approvals.AskedCall(
        **call.approval.model_dump(),
        call_id=call.id,
        name=call.name,
        tool=call.context.get("tool", call.name),
        arguments=call.context.get("arguments"),
        status=call.status,
    )


def _result(
    task: TaskDetails, artifacts: Sequence[files.Artifact]
) -> tasks.Result | tasks.AgentResult | None:
    """What an agent gave in the end, or the last step of a pipeline."""
    if task.summary.status is not Status.COMPLETED:
        return None
    if task.summary.type is TaskType.AGENT:
        given = task.result or {}
        return tasks.AgentResult.model_validate(
            {
                "summary": given.get("summary") or "",
                "result": given.get("result"),
                "files": artifacts,
            }
        )
    if not task.steps:
        return None
    last = task.steps[-1]
    return tasks.Result(
        step=last.name,
        exit_code=last.exit_code or 0,
        json_=_json_of(task.stdout),
        files=[artifact for artifact in artifacts if artifact.sub_task == last.name],
    )


def _json_of(text: str | None) -> JsonValue:
    try:
        value: JsonValue = json.loads(text or "null", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value


def _refuse_constant(name: str) -> None:
    """Python's own reader takes NaN and Infinity; the reader of our answer may not."""
    raise ValueError(name)
