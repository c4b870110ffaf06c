"""What is said to a model and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from activities.limits.base import Bounds
from activities.llm.opaque import Opaque

Role = Literal["system", "user", "assistant", "tool"]

# Why an answer ended. "length": the model, its server or ``ANSWER_CHARACTERS`` cut it off.
Finish = Literal["stop", "tool_calls", "length"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. ``parameters`` is the JSON schema of its arguments.

    ``source`` is who brought the tool along; such a tool gives way where there is no room for all.
    None: it is always sent. ``finds_others``: it is sent where others have given way.
    ``finds_skills``: without such a tool, all skills are listed.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    source: str | None = None
    finds_others: bool = False
    finds_skills: bool = False


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A model's wish to call a tool. ``arguments`` is what it wrote, which may not be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation.

    ``request_id`` is what a message of role tool answers. ``turn`` counts from 1; 0 is what came
    before the first. What is protected is never shortened. ``opaque`` is for the model that wrote
    it, and for nobody else.
    """

    role: Role
    content: str
    requests: tuple[ToolRequest, ...] = ()
    request_id: str | None = None
    turn: int = 0
    is_protected: bool = False
    opaque: Opaque | None = None

    @property
    def characters(self) -> int:
        """Of its text, of the arguments in it, and of what goes back with it."""
        opaque = 0 if self.opaque is None else len(self.opaque.text)
        return len(self.content) + opaque + sum(len(item.arguments) for item in self.requests)


@dataclass(frozen=True, slots=True)
class Usage:
    """``is_estimate``: the server gave no numbers; they were counted here. ``cached_tokens`` are
    those of the prompt that the server had read before."""

    prompt_tokens: int
    completion_tokens: int
    is_estimate: bool
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What calls of models took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_usd + other.cost_usd,
        )


NO_CHARGE = Charge()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; it may be empty. ``model`` is the one that gave it.

    The times run from the start of the call, and so include models that were passed over;
    ``first_token_ms`` ends at the first piece of text or of a request.
    """

    model: str
    text: str
    requests: tuple[ToolRequest, ...]
    usage: Usage
    cost_usd: float
    first_token_ms: int
    duration_ms: int
    finish: Finish
    opaque: Opaque | None = None

    @property
    def charge(self) -> Charge:
        return Charge(self.usage.prompt_tokens, self.usage.completion_tokens, self.cost_usd)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. pydantic reads it from ``{"input": 2.5, "output": 10}``, with
    ``cached_input`` for prompts that the server has cached; without, they cost as others do."""

    input_usd: Annotated[float, Field(validation_alias="input", ge=0, allow_inf_nan=False)]
    output_usd: Annotated[float, Field(validation_alias="output", ge=0, allow_inf_nan=False)]
    cached_input_usd: Annotated[
        float | None, Field(validation_alias="cached_input", ge=0, allow_inf_nan=False)
    ] = None

    def cost_usd(self, usage: Usage) -> float:
        cached_usd = self.input_usd if self.cached_input_usd is None else self.cached_input_usd
        dollars = (
            (usage.prompt_tokens - usage.cached_tokens) * self.input_usd
            + usage.cached_tokens * cached_usd
            + usage.completion_tokens * self.output_usd
        )
        return dollars / 1_000_000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of one request to one model.

    A model that thinks, or one that reads a long prompt on a processor, says nothing for minutes.
    """

    connect_seconds: float = 10.0
    idle_seconds: float = 300.0
    total_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Where models are. ``models`` are tried in order; with none, the server is asked for one.

    Without ``base_url`` it is OpenAI's own. What is longer than ``context_tokens``, or than the
    entry of a model in ``model_context_tokens``, is shortened before it is sent. ``limits`` are
    those of models, for all teams together.
    """

    models: tuple[str, ...] = ()
    base_url: str | None = None
    api_key: SecretStr | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    context_tokens: int = 128_000
    model_context_tokens: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Bounds] = field(default_factory=dict)
    timeouts: Timeouts = Timeouts()
