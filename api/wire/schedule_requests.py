"""The bodies of requests for schedules."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from api.wire.requests import Text
from workflows.definitions import cron
from workflows.definitions.cron import CronMalformed
from workflows.definitions.durations import duration_text, read_duration
from workflows.definitions.task_request import TaskRequest
from workflows.schedule_contracts import Overlap

MAX_NAME_CHARACTERS = 200
MAX_SCHEDULE_NOTE_CHARACTERS = 1_000
MAX_ZONE_CHARACTERS = 100
# Temporal counts in whole seconds. The server sets a least interval of its own.
MIN_EVERY = timedelta(seconds=1)
MAX_EVERY = timedelta(days=366)
# Temporal takes less for this, without a word.
MIN_CATCH_UP = timedelta(seconds=10)
MAX_CATCH_UP = timedelta(days=30)
DEFAULT_CATCH_UP = timedelta(hours=1)


def _to_every(value: object) -> object:
    every = read_duration(value, MIN_EVERY, MAX_EVERY, "at least 1s, at most 366d")
    if isinstance(every, timedelta) and every.microseconds:
        raise ValueError("an interval is a whole number of seconds")
    return every


def _to_catch_up(value: object) -> object:
    return read_duration(value, MIN_CATCH_UP, MAX_CATCH_UP, "at least 10s, at most 30d")


def _to_cron(value: str) -> str:
    try:
        cron.parse(value)
    except CronMalformed as error:
        raise ValueError(str(error)) from None
    return value.strip()


def _to_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("a name is printable and has no blanks around it")
    return value


ScheduleName = Annotated[
    str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), AfterValidator(_to_name)
]
CronText = Annotated[str, Field(max_length=cron.MAX_CHARACTERS), AfterValidator(_to_cron)]
ZoneName = Annotated[Text, Field(min_length=1, max_length=MAX_ZONE_CHARACTERS)]
Note = Annotated[Text, Field(max_length=MAX_SCHEDULE_NOTE_CHARACTERS)]
Every = Annotated[
    timedelta,
    BeforeValidator(_to_every, json_schema_input_type=str | float),
    PlainSerializer(duration_text, when_used="json"),
]
CatchUp = Annotated[
    timedelta,
    BeforeValidator(_to_catch_up, json_schema_input_type=str | float),
    PlainSerializer(duration_text, when_used="json"),
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Timing(BaseModel):
    """When a schedule runs, of a request that may be wrong elsewhere."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cron: CronText | None = None
    every: Every | None = None
    time_zone: ZoneName | None = None


class ScheduleRequest(_Request):
    """A ``task``, as for ``POST /tasks``, and when to run it: by ``cron``, five fields read by the
    clock of ``time_zone`` (an IANA name, by default UTC), or ``every`` so often, counted from
    1970-01-01 in UTC.

    ``overlap`` says what becomes of a run while an earlier one goes on: ``skip`` leaves it out,
    ``buffer`` keeps one waiting, ``cancel`` cancels the earlier one, ``all`` runs both. Runs that
    were due while Temporal was away are made up for if that is no longer ago than ``catch_up``.
    """

    name: ScheduleName
    cron: CronText | None = None
    every: Every | None = None
    time_zone: ZoneName | None = None
    task: TaskRequest
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = Field(default=DEFAULT_CATCH_UP, json_schema_extra={"default": "1h"})
    paused: bool = Field(default=False, strict=True)
    note: Note = ""

    @model_validator(mode="after")
    def _has_one_timing(self) -> Self:
        if (self.cron is None) is (self.every is None):
            raise ValueError("say when: give one of cron and every")
        return self


class ScheduleChange(_Request):
    """What is left out stays as it is. ``cron`` replaces ``every``, and the other way round."""

    name: ScheduleName | None = None
    cron: CronText | None = None
    every: Every | None = None
    time_zone: ZoneName | None = None
    task: TaskRequest | None = None
    overlap: Overlap | None = None
    catch_up: CatchUp | None = None
    paused: bool | None = Field(default=None, strict=True)
    note: Note | None = None

    @model_validator(mode="after")
    def _has_one_timing(self) -> Self:
        if self.cron is not None and self.every is not None:
            raise ValueError("give one of cron and every")
        return self
