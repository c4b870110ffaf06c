"""The bodies of requests for what agents that stay remember."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.wire.requests import Text
from workflows.definitions.note import MAX_NOTE_CHARACTERS


def _to_note(value: str) -> str:
    if not value.strip():
        raise ValueError("a note says something")
    return value.strip()


class NoteRequest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[Text, Field(max_length=MAX_NOTE_CHARACTERS), AfterValidator(_to_note)]
