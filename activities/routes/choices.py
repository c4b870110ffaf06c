"""The calls by which a router chooses, and what each makes of a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.definitions.agent import Agent, Names
from workflows.definitions.auto import Auto
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Plan
from workflows.states import TaskType

CREATE_TASK = "create_task"
COMPILE_PIPELINE = "compile_pipeline"

MAX_REASON_CHARACTERS = 2_000

Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS)]


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


class CreateTask(_Choice):
    """The task is an agent or a plan. ``skills`` and ``tools`` are those that it may use; models
    fill in what they may leave out, so an empty list says nothing."""

    type: Literal["agent", "plan"]
    skills: Names | None = None
    tools: Names | None = None


class CompilePipeline(_Choice):
    """The task is this pipeline."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a task becomes."""

    type: TaskType
    definition: Agent | Plan | Pipeline
    reason: str


def chosen(tool: str, arguments: Mapping[str, JsonValue], auto: Auto) -> Chosen:
    """What comes of a call that was found sound. ``auto`` is what the task was accepted as."""
    if tool == COMPILE_PIPELINE:
        compiled = CompilePipeline.model_validate(arguments)
        return Chosen(TaskType.PIPELINE, compiled.pipeline, compiled.reason)
    created = CreateTask.model_validate(arguments)
    if created.type == "agent":
        return Chosen(TaskType.AGENT, _narrowed(auto.as_agent, created), created.reason)
    plan = auto.as_plan
    narrowed = plan.model_copy(update={"agent": _narrowed(plan.agent, created)})
    return Chosen(TaskType.PLAN, narrowed, created.reason)


def fallback(reason: str) -> Mapping[str, Any]:
    """The arguments of ``create_task`` where a model has chosen nothing: an agent can do it all."""
    return {"type": TaskType.AGENT.value, "reason": reason[:MAX_REASON_CHARACTERS]}


def _narrowed(agent: Agent, created: CreateTask) -> Agent:
    given = {"skills": created.skills, "tools": created.tools}
    return agent.model_copy(update={name: it for name, it in given.items() if it})
