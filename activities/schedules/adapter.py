"""The adapter of ``ports.Schedules``: a run of a schedule becomes a task, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog
from pydantic import JsonValue, ValidationError
from temporalio import activity

from activities.attempts.attempt import as_application_error
from activities.inputs.errors import InputsGone
from activities.kinds.base import Installed
from activities.kinds.errors import TaskRefused
from activities.kinds.table import KINDS
from activities.schedules.errors import ScheduledTaskRefused
from activities.store import schedules, tasks
from activities.store.limits import find_weight
from activities.store.reading.schedules import StoredSchedule
from activities.store.reading.tasks import StoredTask, find_task_of_any_team
from activities.store.tasks import NewTask
from activities.submissions import submission_of
from workflows import ports
from workflows.contracts import Failure, TaskClose
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import problems_in
from workflows.schedule_contracts import ScheduledCall, ScheduledStart, scheduled_task_id
from workflows.states import Status, TaskType

Titles = Literal["prompt", "plain"]

_MESSAGE_CHARACTERS = 4_000

log = structlog.get_logger(__name__)


class Schedules(ports.Schedules):
    """With ``titles`` "plain", Temporal is told the type and id of a task in place of its name."""

    def __init__(self, installed: Installed, titles: Titles = "prompt") -> None:
        self._installed = installed
        self._database = installed.database
        self._titles = titles

    @activity.defn
    async def make_task(self, call: ScheduledCall) -> ScheduledStart | None:
        async with as_application_error():
            task_id = scheduled_task_id(call.schedule_id, call.at)
            task = await find_task_of_any_team(self._database, task_id)
            if task is None:
                schedule = await schedules.find_due(self._database, call.schedule_id, call.at)
                if schedule is None:
                    log.info("schedule.run_left_out", schedule_id=str(call.schedule_id))
                    return None
                await self._make(schedule, task_id, call.at)
                task = await find_task_of_any_team(self._database, task_id)
            # A person who retries a task starts it, too.
            if task is None or task.status.is_final or task.run > 1:
                return None
            return await self._start(task)

    @activity.defn
    async def is_over(self, task_id: UUID) -> bool:
        async with as_application_error():
            task = await find_task_of_any_team(self._database, task_id)
            return task is None or task.status.is_final

    async def _make(self, schedule: StoredSchedule, task_id: UUID, at: datetime) -> None:
        refused: TaskRefused | InputsGone | None
        task, refused = await self._judged(schedule, task_id)
        task = replace(task, schedule_id=schedule.id, scheduled_at=at)
        if refused is None:
            try:
                await tasks.create_task(self._database, task)
            except InputsGone as gone:
                refused = gone
            else:
                return
        await tasks.create_refused(self._database, task)
        error = ScheduledTaskRefused(
            schedule=schedule.name, id=schedule.id, reason=_reason(refused)
        )
        failure = Failure(code=error.code, message=str(error)[:_MESSAGE_CHARACTERS])
        close = TaskClose(
            task_id=task_id,
            team_id=schedule.team_id,
            run=task.run,
            status=Status.FAILED,
            failure=failure,
        )
        await tasks.close_task(self._database, close)
        log.warning("schedule.task_refused", task_id=str(task_id), schedule_id=str(schedule.id))

    async def _judged(
        self, schedule: StoredSchedule, task_id: UUID
    ) -> tuple[NewTask, TaskRefused | None]:
        """The task, and what is wrong with it by now."""
        try:
            submission = submission_of(_request(schedule.task or {}), was_accepted=True)
        except TaskRefused as refused:
            return _unreadable(schedule, task_id), refused
        task = submission.task(task_id, schedule.team_id)
        try:
            await submission.check(self._installed, schedule.team_id)
        except TaskRefused as refused:
            return task, refused
        return task, None

    async def _start(self, task: StoredTask) -> ScheduledStart:
        kind = KINDS[task.type]
        message = await kind.message(self._installed, task)
        plain = f"{task.type} {str(task.id)[:8]}"
        return ScheduledStart(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            workflow=kind.workflow.__name__,
            input=message.model_dump(mode="json"),
            title=task.name if self._titles == "prompt" else plain,
            priority=task.priority,
            weight=await find_weight(self._database, task.team_id),
        )


def _request(kept: Mapping[str, JsonValue]) -> TaskRequest:
    """What was asked for when the schedule was made, maybe by an earlier version of AgentOS."""
    try:
        return TaskRequest.model_validate(kept)
    except ValidationError as error:
        found = problems_in(error.errors(include_url=False), kept, model=TaskRequest)
        raise TaskRefused(found) from error


def _unreadable(schedule: StoredSchedule, task_id: UUID) -> NewTask:
    """A task that is there to say why it cannot be."""
    kept = schedule.task or {}
    asked = kept.get("type", TaskType.PIPELINE if "pipeline" in kept else TaskType.AUTO)
    task_type = TaskType(asked) if asked in {str(each) for each in TaskType} else TaskType.AUTO
    definition = kept.get(task_type)
    return NewTask(
        id=task_id,
        team_id=schedule.team_id,
        type=task_type,
        name=schedule.name,
        definition=definition if isinstance(definition, dict) else {},
    )


def _reason(refused: TaskRefused | InputsGone) -> str:
    """One sentence or more, each with its full stop."""
    told = [f"{each.pointer}: {each.message}" for each in refused.problems]
    return "".join(f"{each.rstrip('.')}. " for each in told).strip()
