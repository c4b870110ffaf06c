"""Rows of the store as the answers of the API."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from activities.store.approvals import AskedCall
from activities.store.files import Upload
from api.services import ApiOptions
from api.tasks.queries import AnyRow, TaskParts
from api.wire import responses
from api.wire.responses import API
from workflows.definitions.agent import DEFAULT_TURNS
from workflows.states import Status, TaskType


class Views:
    """``options`` say what comes before the paths of URLs, and where Temporal's Web UI is."""

    def __init__(self, options: ApiOptions) -> None:
        self._options = options

    def links(self, task_id: object) -> responses.Links:
        this = self._url(f"/tasks/{task_id}")
        return responses.Links(
            self=this, events=f"{this}/events", logs=f"{this}/logs", artifacts=f"{this}/artifacts"
        )

    def summary(self, parts: TaskParts) -> responses.TaskSummary:
        return responses.TaskSummary.model_validate(self._summary(parts))

    def task(self, parts: TaskParts) -> responses.Task:
        assert parts.usage is not None
        artifacts = [self.artifact(row) for row in parts.artifacts]
        return responses.Task.model_validate(
            {
                **self._summary(parts),
                "result": _result(parts, artifacts),
                "inputs": parts.task.inputs,
                "definition": parts.task.definition,
                "sub_tasks": [_sub_task(row) for row in parts.steps],
                "artifacts": artifacts,
                "usage": parts.usage._asdict(),
            }
        )

    def artifact(self, row: AnyRow) -> responses.Artifact:
        return responses.Artifact(
            id=row.id,
            name=row.name,
            type=row.type,
            size=row.size,
            mime_type=row.mime_type,
            sha256=row.sha256,
            url=row.url or self._url(f"/artifacts/{row.id}"),
            sub_task=row.step,
            created_at=row.created_at,
        )

    def file(self, upload: Upload) -> responses.File:
        return responses.File(
            id=upload.id,
            name=upload.name,
            size=upload.size,
            mime_type=upload.mime_type,
            sha256=upload.sha256,
            url=self._url(f"/files/{upload.id}"),
        )

    def _summary(self, parts: TaskParts) -> dict[str, object]:
        row = parts.task
        running = next((step for step in parts.steps if step.status == Status.RUNNING), None)
        is_agent = row.type == TaskType.AGENT
        return {
            **{name: getattr(row, name) for name in _COPIED},
            "task_id": row.id,
            "phase": running.phase if running else None,
            "progress": (_turns if is_agent else _steps)(parts, running.name if running else None),
            "temporal_url": self._temporal_url(row.id),
        }

    def _url(self, path: str) -> str:
        return f"{self._options.public_url}{API}{path}"

    def _temporal_url(self, task_id: object) -> str | None:
        if self._options.temporal_ui_url is None:
            return None
        namespace = self._options.temporal_namespace
        base = self._options.temporal_ui_url.rstrip("/")
        return f"{base}/namespaces/{namespace}/workflows/task-{task_id}"


_COPIED = (
    "type",
    "name",
    "status",
    "prompt",
    "priority",
    "run",
    "error",
    "created_at",
    "started_at",
    "finished_at",
)


def _turns(parts: TaskParts, current: str | None) -> responses.Progress:
    """Of the turns that are allowed. Who finishes earlier is done nevertheless."""
    total = int(parts.task.turn_limit or DEFAULT_TURNS)
    is_done = parts.task.status == Status.COMPLETED
    percent = 100 if is_done else min(100, 100 * parts.turns // total)
    return responses.Progress(done=parts.turns, total=total, percent=percent, current=current)


def _steps(parts: TaskParts, current: str | None) -> responses.Progress:
    steps = parts.steps
    done, total = sum(step.status == Status.COMPLETED for step in steps), len(steps)
    percent = 100 * done // total if total else 0
    return responses.Progress(done=done, total=total, percent=percent, current=current)


def _sub_task(row: AnyRow) -> responses.SubTask:
    output = row.output_result or {}
    return responses.SubTask(
        id=row.id,
        name=row.name,
        type=row.task_type,
        status=row.status,
        phase=row.phase,
        order=row.execution_order,
        dependencies=row.dependencies,
        exit_code=output.get("exit_code"),
        refused=output.get("refused") or [],
        error=row.error,
        retry_count=row.retry_count,
        next_attempt_at=row.next_attempt_at,
        worker_id=row.worker_id,
        started_at=row.started_at,
        finished_at=row.finished_at,
        approval=row.approval and responses.Approval.model_validate(row.approval),
    )


def asked_call(call: AskedCall) -> responses.AskedCall:
    return responses.AskedCall(
        **call.approval.model_dump(),
        call_id=call.id,
        name=call.name,
        tool=call.context.get("tool", call.name),
        arguments=call.context.get("arguments"),
        status=call.status,
    )


def _result(
    parts: TaskParts, artifacts: Sequence[responses.Artifact]
) -> responses.Result | responses.AgentResult | None:
    """What an agent gave in the end, or the last step of a pipeline."""
    if parts.task.status != Status.COMPLETED:
        return None
    if parts.task.type == TaskType.AGENT:
        given = parts.task.result or {}
        return responses.AgentResult(
            summary=given.get("summary") or "", result=given.get("result"), files=list(artifacts)
        )
    if not parts.steps:
        return None
    last = parts.steps[-1]
    return responses.Result(
        step=last.name,
        exit_code=(last.output_result or {}).get("exit_code") or 0,
        json_=_json_of(parts.stdout),
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
