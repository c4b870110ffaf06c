"""The bodies of requests about many dead letters at once, and what all bulk runs have."""

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.wire.moments import Moment
from api.wire.requests import MAX_NOTE_CHARACTERS, RequeueRequest, Text
from workflows.definitions.inputs import InputName
from workflows.definitions.integers import Integer
from workflows.definitions.pipeline import Pipeline
from workflows.states import TaskType

MAX_LETTERS: Final = 10_000  # of a bulk run
MAX_RATE: Final = 6_000  # letters a minute
DEFAULT_RATE: Final = 60
DEFAULT_CANARY: Final = 3
MAX_CANARY: Final = 1_000

_SAY_WHICH = "say which: give a `filter`, or `all: true` for every open dead letter"
_NOT_BOTH = "give a `filter` or `all: true`, not both"
_SAYS_NOTHING = "it says nothing: give at least one of {names}, or `all: true` instead"
_SAY_WHY = "say why nothing is to be done about them"

Note = Annotated[Text, Field(max_length=MAX_NOTE_CHARACTERS)]


class BulkPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def says_nothing(model: type[BaseModel]) -> str:
    names = ", ".join(f"`{name}`" for name in model.model_fields)
    return _SAYS_NOTHING.format(names=names)


class LetterFilter(BulkPart):
    """Which open dead letters, as in the query of ``GET /dead-letters``. It must say something."""

    fingerprint: Text | None = Field(default=None, min_length=1, max_length=64)
    type: tuple[TaskType, ...] = Field(default=(), max_length=len(TaskType))
    text: Text | None = Field(default=None, min_length=1, max_length=200)
    created_after: Moment | None = None
    created_before: Moment | None = None
    task_id: UUID | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError(says_nothing(type(self)))
        return self


class BulkManner(BulkPart):
    """With ``dry_run`` nothing is done: the answer says what would be. ``as_of`` is the moment that
    it was asked at: what has come or ended since is left alone, so that no more is dealt with than
    was said. ``rate`` is in letters or tasks a minute."""

    note: Note = ""
    dry_run: bool = Field(default=False, strict=True)
    as_of: Moment | None = None
    rate: Integer = Field(default=DEFAULT_RATE, ge=1, le=MAX_RATE)


class _BulkRequest(BulkManner):
    """``filter`` says which dead letters, or ``all`` that it is every open one."""

    filter: LetterFilter | None = None
    every: bool = Field(default=False, alias="all", strict=True)

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.filter is None and not self.every:
            raise ValueError(_SAY_WHICH)
        if self.filter is not None and self.every:
            raise ValueError(_NOT_BOTH)
        return self


class BulkRequeueRequest(_BulkRequest):
    """``from``, ``inputs`` and ``pipeline`` are as for one dead letter, the same for each.

    The first ``canary`` tasks are run again and awaited. If all of them fail again as they had, the
    bulk run stops by itself and leaves the rest; as soon as one gets further, it goes on. 0: none
    is awaited.
    """

    begin: Text | None = Field(default=None, alias="from", max_length=100)
    inputs: dict[InputName, Text] = {}
    pipeline: Pipeline | None = None
    canary: Integer = Field(default=DEFAULT_CANARY, ge=0, le=MAX_CANARY)

    @property
    def of_one(self) -> RequeueRequest:
        """What is asked for each."""
        fields = {"inputs": self.inputs, "pipeline": self.pipeline, "note": self.note}
        return RequeueRequest.model_validate({"from": self.begin, **fields})


class BulkDiscardRequest(_BulkRequest):
    """``note`` says why nothing is to be done about them; a dry run may do without."""

    rate: Integer = Field(default=MAX_RATE, ge=1, le=MAX_RATE)

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if not (self.note.strip() or self.dry_run):
            raise ValueError(_SAY_WHY)
        return self


class AbortRequest(BulkPart):
    """``note`` says why, in the audit log."""

    note: Note = ""
