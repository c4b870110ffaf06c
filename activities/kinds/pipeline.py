"""Tasks of type ``pipeline``: a fixed list of steps."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.kinds.base import Installed, Kind, RunnableTask
from activities.kinds.errors import TaskRefused
from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.kinds.requests import check_fields
from activities.store.reading.steps import list_placed_steps
from activities.store.tasks import NewSubTask
from workflows.definitions.needs import needs_of
from workflows.definitions.parameters import filled
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.task_request import TaskRequest
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import PipelineRun, StepPlan, step_sub_task_id
from workflows.pointers import Problem
from workflows.states import Status, TaskType

_TITLE_CHARACTERS = 150


class PipelineKind(Kind[Pipeline]):
    """``first_step`` of such a task is the index of the step to begin with. Where it is a graph,
    it only says whether there are steps that keep their results: these are completed."""

    task_type = TaskType.PIPELINE
    model = Pipeline
    workflow = PipelineWorkflow

    def define(self, request: TaskRequest) -> Pipeline:
        check_fields(request, "pipeline")
        if request.pipeline is None:
            message = "a task of type pipeline needs a pipeline"
            raise TaskRefused([Problem("/pipeline", message)])
        return request.pipeline

    def name(self, prompt: str | None, definition: Pipeline) -> str:
        return definition.name

    def sub_tasks(self, task_id: UUID, definition: Pipeline) -> Sequence[NewSubTask]:
        needs = needs_of(definition.steps)
        return [
            NewSubTask(
                id=step_sub_task_id(task_id, step.id),
                name=step.id,
                type=step.kind,
                definition=step.model_dump(mode="json", exclude_defaults=True),
                dependencies=needs[step.id],
            )
            for step in filled(definition)
        ]

    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Pipeline, inputs: Mapping[str, str]
    ) -> list[Problem]:
        return await problems_with_pipeline(installed, team_id, definition, inputs)

    async def message(self, installed: Installed, task: RunnableTask) -> PipelineRun:
        definition = self.read(task)
        needs = needs_of(definition.steps)
        steps = (
            StepPlan(
                id=step.id,
                kind=step.kind,
                title=f"{step.id} ({step.runs})"[:_TITLE_CHARACTERS],
                timeout_seconds=step.timeout.total_seconds(),
                retries=step.retries,
                needs=needs[step.id] if definition.is_graph else (),
                has_items=step.foreach is not None,
                parallel=step.parallel,
            )
            for step in definition.steps
        )
        completed: list[str] = []
        if definition.is_graph and task.first_step:
            rows = await list_placed_steps(installed.database, task.id)
            completed = [row.name for row in rows if row.status is Status.COMPLETED]
        return PipelineRun(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            steps=tuple(steps),
            first=0 if definition.is_graph else task.first_step,
            is_graph=definition.is_graph,
            parallel=definition.parallel,
            completed=tuple(completed),
        )


KIND = PipelineKind()
