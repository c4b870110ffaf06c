"""What a test lets the server answer, word for word, and what it was asked."""

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.offline_model.errors import ScriptAtEnd, ScriptUnknown
from deploy.offline_model.reply import Call, Reply

KEPT_REQUESTS = 1_000
PREFIX = "script:"

_Seconds = Annotated[float, Field(ge=0, le=3_600)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    delay_seconds: _Seconds = 0.0
    """Before anything is sent, headers included."""


class ScriptedCall(BaseModel):
    """``arguments`` as an object, or as a text that is sent as it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, Any] | str = {}
    id: str | None = None


class Answer(_Model):
    """An answer as models give them. ``ending`` is what happens instead of its end."""

    kind: Literal["answer"] = "answer"
    text: tuple[str, ...] = ()
    """In these chunks."""
    calls: tuple[ScriptedCall, ...] = ()
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    """None for a count of our own; ``{}`` for none at all."""
    pause_seconds: _Seconds = 0.0
    """Between chunks."""
    ending: Literal["complete", "drop", "hang"] = "complete"

    @property
    def reply(self) -> Reply:
        calls = tuple(Call(call.name, call.arguments, call.id) for call in self.calls)
        return Reply("".join(self.text), calls, self.text, self.finish_reason)


class Refusal(_Model):
    """An error in OpenAI's shape."""

    kind: Literal["error"] = "error"
    status: int = Field(ge=400, le=599)
    headers: dict[str, str] = {}
    message: str = "refused by the script"
    type: str = "server_error"
    code: str | None = None
    param: str | None = None


class Raw(_Model):
    """These bytes."""

    kind: Literal["raw"] = "raw"
    status: int = Field(default=200, ge=200, le=599)
    headers: dict[str, str] = {"content-type": "text/event-stream"}
    body: str = ""
    ending: Literal["complete", "drop", "hang"] = "complete"


class Silence(_Model):
    """No answer: the connection is dropped, or held without a word."""

    kind: Literal["drop", "hang"]


ScriptedReply = Annotated[Answer | Refusal | Raw | Silence, Field(discriminator="kind")]


class NewScript(BaseModel):
    """Replies, in order. With ``repeats`` they start over at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,64}$")
    replies: tuple[ScriptedReply, ...] = Field(min_length=1)
    repeats: bool = False


class Script:
    """A registered script: how far it has come, and the latest requests that it received."""

    def __init__(self, new: NewScript) -> None:
        self.id = new.id or uuid.uuid4().hex
        self.requests: deque[Mapping[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.received = 0
        self._new = new

    def next_reply(self, request: Mapping[str, Any]) -> ScriptedReply:
        """Raises ``ScriptAtEnd`` when all replies were given."""
        self.requests.append(request)
        index, replies = self.received, self._new.replies
        self.received += 1
        if index >= len(replies) and not self._new.repeats:
            raise ScriptAtEnd(script=self.id, replies=len(replies))
        return replies[index % len(replies)]


class Scripts:
    """The scripts by id."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}

    def add(self, new: NewScript) -> Script:
        """Register a script; one of the same id is replaced."""
        script = Script(new)
        self._scripts[script.id] = script
        return script

    def find(self, script_id: str) -> Script:
        """Raises ``ScriptUnknown``."""
        if script_id not in self._scripts:
            raise ScriptUnknown(script=script_id)
        return self._scripts[script_id]

    def models(self) -> Sequence[str]:
        return [f"{PREFIX}{script_id}" for script_id in self._scripts]
