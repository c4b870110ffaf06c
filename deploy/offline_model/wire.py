"""Requests as the Chat Completions API writes them. Of its many fields, those that matter here."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_MESSAGES = 10_000
MAX_TOOLS = 1_000


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FunctionCall(_Read):
    name: str
    arguments: str = ""


class ToolCall(_Read):
    id: str
    function: FunctionCall


class Part(_Read):
    type: str
    text: str = ""


class Message(_Read):
    """One message; pictures and sound in it are passed over."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[Part, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""


class Function(_Read):
    name: str = Field(min_length=1, max_length=64)
    description: str = ""
    parameters: dict[str, Any] = {}


class Tool(_Read):
    function: Function


class FunctionName(_Read):
    name: str


class NamedChoice(_Read):
    function: FunctionName


class StreamOptions(_Read):
    include_usage: bool = False


class ChatRequest(_Read):
    """A whole request. What is null counts as not given, as OpenAI has it."""

    model: str
    messages: tuple[Message, ...] = Field(min_length=1, max_length=MAX_MESSAGES)
    tools: tuple[Tool, ...] = Field(default=(), max_length=MAX_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | NamedChoice = "auto"
    parallel_tool_calls: bool = True
    stream: bool = False
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, given: object) -> object:
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value is not None}
        return given
