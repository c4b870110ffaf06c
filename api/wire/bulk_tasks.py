"""The bodies of requests about many tasks at once."""

from typing import ClassVar, Final, Self
from uuid import UUID

from pydantic import Field, model_validator

from api.wire.bulk import MAX_RATE, BulkManner, BulkPart, says_nothing
from api.wire.moments import Moment
from api.wire.requests import RetryRequest, Text
from workflows.definitions.integers import Integer
from workflows.states import FINAL, LIVING, BulkAction, Status, TaskType

MAX_TASKS: Final = 10_000  # of a bulk run

_SAY_WHICH = "say which, in one way: give a `filter`, `ids`, or `all: true`"


class TaskChoice(BulkPart):
    """Which tasks, as in the query of ``GET /tasks``. It must say something."""

    status: tuple[Status, ...] = Field(default=(), max_length=len(Status))
    type: tuple[TaskType, ...] = Field(default=(), max_length=len(TaskType))
    text: Text | None = Field(default=None, min_length=1, max_length=200)
    created_after: Moment | None = None
    created_before: Moment | None = None
    parent_id: UUID | None = None
    schedule_id: UUID | None = None
    retrying: bool = Field(default=False, strict=True)
    name: Text | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError(says_nothing(type(self)))
        return self


class BulkTasksRequest(BulkManner):
    """Of those of the ``filter``, or of ``all``, it is about those in a state that allows it, and
    where the filter names no state about those in a ``usual`` one. Each of ``ids`` is tried."""

    action: ClassVar[BulkAction]
    possible: ClassVar[frozenset[Status]]
    usual: ClassVar[frozenset[Status]]

    filter: TaskChoice | None = None
    ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_TASKS)
    every: bool = Field(default=False, alias="all", strict=True)
    rate: Integer = Field(default=MAX_RATE, ge=1, le=MAX_RATE)

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if sum((self.filter is not None, bool(self.ids), self.every)) != 1:
            raise ValueError(_SAY_WHICH)
        return self

    @property
    def statuses(self) -> frozenset[Status]:
        """Tasks in one of these states are meant."""
        if self.filter is None or not self.filter.status:
            return self.usual
        return self.possible.intersection(self.filter.status)


class BulkCancelRequest(BulkTasksRequest):
    """Cancel tasks that have not ended."""

    action = BulkAction.CANCEL
    possible = usual = LIVING


class BulkDeleteRequest(BulkTasksRequest):
    """Delete tasks that have ended."""

    action = BulkAction.DELETE
    possible = usual = FINAL


class BulkRetryRequest(BulkTasksRequest):
    """Retry tasks that have ended; completed ones only where the filter names that state, or by
    their ids. ``from`` is as for one."""

    action = BulkAction.RETRY
    possible = FINAL
    usual = FINAL - {Status.COMPLETED}

    begin: Text | None = Field(default=None, alias="from", max_length=100)
    rate: Integer = Field(default=60, ge=1, le=MAX_RATE)

    @property
    def of_one(self) -> RetryRequest:
        """What is asked for each."""
        return RetryRequest.model_validate({"from": self.begin})
