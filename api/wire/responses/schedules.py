"""Schedules, when they run next, and what became of their last runs."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.schedule_contracts import Overlap
from workflows.states import Status


class ScheduledTask(Answer):
    """The task of a run that was due at ``scheduled_at``."""

    task_id: UUID
    scheduled_at: datetime | None
    status: Open[Status]
    error: dict[str, JsonValue] | None
    created_at: datetime
    finished_at: datetime | None


class ScheduleSummary(Answer):
    """There is one of ``cron`` and ``every``.

    Temporal says when the next ten runs are due (``next_times``), how many were ``left_out``
    because they would have overlapped another, and how many were ``missed`` because Temporal was
    away for longer than ``catch_up``. These are null where ``problem`` says that it cannot be
    asked, or was not yet told of the latest change. ``runs`` are the last ten, the latest first.
    """

    id: UUID
    name: str
    cron: str | None
    every: str | None
    time_zone: str
    overlap: Open[Overlap]
    catch_up: str
    paused: bool
    note: str
    version: int
    next_times: list[datetime] | None
    left_out: int | None
    missed: int | None
    problem: str | None = None
    runs: list[ScheduledTask]
    created_at: datetime
    updated_at: datetime


class Schedule(ScheduleSummary):
    """``task`` is what is asked for."""

    task: dict[str, JsonValue]


class RunAsked(Answer):
    """A run that a person asked for. It has the task ``task_id`` as soon as it begins."""

    schedule_id: UUID
    scheduled_at: datetime = Field(description="the time that the run goes by")
    task_id: UUID
