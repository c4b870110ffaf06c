"""What the workflow of a run is given: ids, numbers and limits, never a definition."""

from uuid import UUID

from activities.store.reading.messages import turn_at
from activities.store.reading.tasks import StoredTask
from activities.store.tasks import NewTask
from api.services import Services
from api.tasks.temporal import Run
from workflows.contracts import AgentRun, PipelineRun, RunLimits, StepPlan
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline

_TITLE_CHARACTERS = 150


async def run_of(services: Services, task: StoredTask) -> Run:
    """The present run of a task, as its row has it."""
    if isinstance(task.definition, Pipeline):
        return pipeline_run(
            task.id, task.team_id, task.definition, run=task.run, first=task.first_step
        )
    return agent_run(
        task.id,
        task.team_id,
        task.definition,
        approval_seconds=services.options.approval_seconds,
        run=task.run,
        turn=await turn_at(services.database, task.id, task.first_step) if task.first_step else 0,
        seq=task.first_step,
    )


def first_run(services: Services, task: NewTask) -> Run:
    """The first run of a task."""
    if isinstance(task.definition, Pipeline):
        return pipeline_run(task.id, task.team_id, task.definition)
    patience = services.options.approval_seconds
    return agent_run(task.id, task.team_id, task.definition, approval_seconds=patience)


def pipeline_run(
    task_id: UUID, team_id: UUID, pipeline: Pipeline, *, run: int = 1, first: int = 0
) -> PipelineRun:
    """``first`` is the index of the step to begin with."""
    steps = (
        StepPlan(
            id=step.id,
            kind=step.kind,
            title=f"{step.id} ({step.runs})"[:_TITLE_CHARACTERS],
            timeout_seconds=step.timeout.total_seconds(),
            retries=step.retries,
        )
        for step in pipeline.steps
    )
    return PipelineRun(task_id=task_id, team_id=team_id, run=run, steps=tuple(steps), first=first)


def agent_run(
    task_id: UUID,
    team_id: UUID,
    agent: Agent,
    *,
    approval_seconds: float,
    run: int = 1,
    turn: int = 0,
    seq: int = 0,
) -> AgentRun:
    """``turn`` is the last one that is kept, ``seq`` the number of its last message."""
    limits = RunLimits.model_validate(agent.limits.model_dump())
    return AgentRun(
        task_id=task_id,
        team_id=team_id,
        run=run,
        limits=limits,
        approval_seconds=approval_seconds,
        turn=turn,
        seq=seq,
    )
