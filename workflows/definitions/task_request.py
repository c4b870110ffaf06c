"""What is asked of a task, by a person now or by a schedule later."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workflows.definitions.agent import Agent
from workflows.definitions.inputs import InputName, WrittenRef
from workflows.definitions.integers import Integer
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Plan
from workflows.definitions.webhook import MAX_CALLBACKS, Callback
from workflows.states import TaskType

MAX_PROMPT_CHARACTERS = 100_000


class TaskRequest(BaseModel):
    """``inputs`` maps names to references. The field named after the ``type`` defines the work.

    With type ``auto``, the default, a request that has a ``pipeline`` runs that pipeline. Of one
    that has a prompt, a model chooses what it is; ``agent`` and ``plan`` say then what an agent or
    a plan would be.

    ``callbacks`` are told of this task alone; see ``POST /webhooks`` for those of a team.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: TaskType = TaskType.AUTO
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT_CHARACTERS)
    priority: Integer = Field(default=5, ge=1, le=10, description="10 is the most urgent")
    inputs: dict[InputName, WrittenRef] = {}
    cache: bool = Field(
        default=True,
        description="false: no step takes the result of an equal one, or leaves its own to others",
        strict=True,
    )
    pipeline: Pipeline | None = None
    agent: Agent | None = None
    plan: Plan | None = None
    callbacks: tuple[Callback, ...] = Field(default=(), max_length=MAX_CALLBACKS)

    @field_validator("type")
    @classmethod
    def _is_no_exchange(cls, asked: TaskType) -> TaskType:
        if asked is TaskType.EXCHANGE:
            raise ValueError("no task is submitted as an exchange: send a message to an agent")
        return asked

    @field_validator("callbacks")
    @classmethod
    def _are_different(cls, callbacks: tuple[Callback, ...]) -> tuple[Callback, ...]:
        if len({callback.url for callback in callbacks}) < len(callbacks):
            raise ValueError("the same URL is there twice: give all its events in one")
        return callbacks

    @property
    def asked_type(self) -> TaskType:
        """The type of the task that is asked for: nobody has to choose what has a pipeline."""
        is_chosen = self.type is TaskType.AUTO and self.pipeline is not None
        return TaskType.PIPELINE if is_chosen else self.type
