"""One thing that happened to a task."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from api.client.sse import ServerEvent
from workflows import events
from workflows.events import Event, TaskStatus
from workflows.states import FINAL

_DATA = TypeAdapter(dict[str, JsonValue])
_MOMENT = TypeAdapter(datetime)


class TaskEvent(BaseModel):
    """``seq`` counts from 1 without gaps within a task. What ``data`` holds depends on ``type``:
    it is as the server sent it."""

    model_config = ConfigDict(frozen=True)

    seq: int
    type: str
    data: dict[str, JsonValue]
    created_at: datetime

    @property
    def payload(self) -> Event | None:
        """``data`` by its model; None for what a newer server says."""
        return events.parse(self.type, self.data)

    @classmethod
    def read(cls, event: ServerEvent) -> "TaskEvent | None":
        """None for what is no event of a task: a newer server may send more kinds."""
        if event.id is None or not event.id.isdecimal():
            return None
        try:
            data = _DATA.validate_json(event.data)
            moment = _MOMENT.validate_python(data.pop("created_at", None) or datetime.now(UTC))
        except ValidationError:
            return None
        return cls(seq=int(event.id), type=event.type, data=data, created_at=moment)


def says_it_ended(event: ServerEvent) -> bool:
    """Whether a task's events may end with this one. A retry by a person continues after it."""
    read = TaskEvent.read(event)
    if read is None or read.type != TaskStatus.type:
        return False
    # Not by the payload: a newer server may give the reason in a way that is unknown here.
    return str(read.data.get("status")) in FINAL
