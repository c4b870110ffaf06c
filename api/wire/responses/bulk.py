"""Bulk runs: the same done about many dead letters or tasks."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from api.wire.responses.dead_letters import Foresight
from workflows.open_values import Open
from workflows.states import BulkAction, BulkState


class BulkCounts(Answer):
    """Of ``total`` letters or tasks: how many are ``left``, and what became of the others.

    ``requeued`` are all whose task was run again; of these some are ``running``, and some have
    ``completed``, ``failed`` again (``failed_alike`` with the fingerprint that they had), or were
    ``cancelled``. ``done`` are tasks that were asked to stop, or deleted. ``skipped`` could not be
    dealt with.
    """

    total: int
    left: int
    requeued: int
    running: int
    completed: int
    failed: int
    failed_alike: int
    cancelled: int
    discarded: int
    done: int = 0
    skipped: int


class SkipReason(Answer):
    """Why ``count`` of them were skipped: the code of the error, and what was said of one."""

    code: str
    count: int
    example: str


class BulkRun(Answer):
    """``filter`` is what was asked for, None for all. ``reason`` says why it was stopped or
    aborted. ``rate`` is in items a minute, and so many as ``canary`` says are awaited first."""

    id: UUID
    action: Open[BulkAction]
    state: Open[BulkState]
    reason: str
    filter: dict[str, JsonValue] | None
    note: str
    actor: str
    canary: int
    rate: int
    counts: BulkCounts
    skipped: list[SkipReason]
    created_at: datetime
    ended_at: datetime | None


class BulkForesight(Foresight):
    """What a bulk run would do: ``count`` letters or tasks would be dealt with. All else is of the
    first ``foreseen`` of them, and of none where nothing is to run again. A request with the same
    ``as_of`` deals with no others."""

    foreseen: int
    as_of: datetime | None = None
