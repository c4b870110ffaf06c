"""What an agent that stays wants to be reminded of, as it or a person writes it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from workflows.definitions.durations import duration_text, read_duration

MAX_TEXT_CHARACTERS = 4_000
MAX_AHEAD = timedelta(days=5 * 366)
MIN_AFTER = timedelta(seconds=1)
# The server sets a least interval of its own.
MIN_EVERY = timedelta(seconds=1)
MAX_EVERY = timedelta(days=366)

_EXAMPLE = "2026-11-29T12:00:00+01:00"


def _to_moment(value: object) -> object:
    """A time with its offset: without one, nobody knows which clock is meant."""
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            # A bare number would be read as a date, or as seconds since 1970.
            if not isinstance(value, str) or value.strip().isdigit():
                raise ValueError
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"it must be a date and time, such as {_EXAMPLE}") from None
    if moment.tzinfo is None:
        raise ValueError(f"say which clock it goes by: end it with Z or an offset, as {_EXAMPLE}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is out of range") from None


def _to_after(value: object) -> object:
    return read_duration(value, MIN_AFTER, MAX_AHEAD, "at least 1s, at most 1830d")


def _to_every(value: object) -> object:
    return read_duration(value, MIN_EVERY, MAX_EVERY, "at least 1s, at most 366d")


ReminderText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=r"\S")]
ReminderTime = Annotated[datetime, BeforeValidator(_to_moment, json_schema_input_type=str)]
ReminderAfter = Annotated[
    timedelta,
    BeforeValidator(_to_after, json_schema_input_type=str | float),
    PlainSerializer(duration_text, when_used="json"),
]
ReminderEvery = Annotated[
    timedelta,
    BeforeValidator(_to_every, json_schema_input_type=str | float),
    PlainSerializer(duration_text, when_used="json"),
]


class ReminderRequest(BaseModel):
    """``text`` comes ``at`` a time, or ``after`` a while, and then ``every`` so often, if that is
    given; without a first time it comes first when one interval is over. ``until`` ends what comes
    every so often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: ReminderText
    at: ReminderTime | None = None
    after: ReminderAfter | None = None
    every: ReminderEvery | None = None
    until: ReminderTime | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.at is not None and self.after is not None:
            raise ValueError("give one of at and after")
        if self.at is None and self.after is None and self.every is None:
            raise ValueError("say when: give at, after or every")
        if self.until is not None and self.every is None:
            raise ValueError("until ends what comes every so often: give every as well")
        return self
