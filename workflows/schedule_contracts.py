"""The messages between schedules, the workflow of a run of one, and its activities."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from pydantic import JsonValue

from workflows.contracts import Message


class Overlap(StrEnum):
    """What becomes of a run whose time has come while an earlier one goes on: it is left out; it
    waits, and no more than one does; the earlier one is cancelled; both run."""

    SKIP = "skip"
    BUFFER = "buffer"
    CANCEL = "cancel"
    ALL = "all"


class ScheduledRun(Message):
    """The input of ScheduledRunWorkflow, as Temporal's schedule has it. ``version`` is that of the
    schedule's row when it was written there."""

    schedule_id: UUID
    team_id: UUID
    version: int = 1


class ScheduledCall(Message):
    """Make the task of a run of a schedule, which was due ``at`` a time."""

    schedule_id: UUID
    at: datetime


class ScheduledResult(Message):
    """What ScheduledRunWorkflow gives: the task of the run."""

    task_id: UUID


class ScheduledStart(Message):
    """The workflow that is to run the task, and its input. ``weight`` is the team's share of the
    workers, where that is not the usual one."""

    task_id: UUID
    team_id: UUID
    run: int
    workflow: str
    input: dict[str, JsonValue]
    title: str
    priority: int
    weight: float | None = None


def schedule_name(schedule_id: UUID) -> str:
    """The id of a schedule in Temporal."""
    return f"schedule-{schedule_id}"


def runs_of(schedule_id: UUID) -> str:
    """What the ids of the workflows of its runs begin with."""
    return f"scheduled-{schedule_id}"


def run_workflow_id(schedule_id: UUID, at: datetime) -> str:
    """The id of the workflow of a run. Temporal makes it so: times are whole seconds."""
    return f"{runs_of(schedule_id)}-{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def scheduled_task_id(schedule_id: UUID, at: datetime) -> UUID:
    """The id of the task of a run: derived, so that there is one however often it is made."""
    return uuid5(schedule_id, run_workflow_id(schedule_id, at))
