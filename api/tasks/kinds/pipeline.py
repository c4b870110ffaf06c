"""Tasks of type ``pipeline``: a fixed list of steps."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from activities.kinds.pipeline import KIND as KIND_OF_TASK
from activities.store.reading.steps import PlacedStep, list_placed_steps
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.base import Beginning, ServedKind, wrong
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import Progress, Result
from workflows.definitions.pipeline import Pipeline
from workflows.states import Status


class ServedPipelineKind(ServedKind[Pipeline]):
    kind = KIND_OF_TASK

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        """By default the first step that is not completed; those before it keep their results."""
        steps = await list_placed_steps(services.database, task.id)
        begin = request.begin
        first = _index_of(steps, begin) if begin is not None else _first_open(steps)
        return Beginning(first, [step.id for step in steps[first:]])

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        done, total = sum(step.status is Status.COMPLETED for step in task.steps), len(task.steps)
        percent = 100 * done // total if total else 0
        return Progress(done=done, total=total, percent=percent, current=current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> Result | None:
        """What the last step gave."""
        if not task.steps:
            return None
        last = task.steps[-1]
        return Result(
            step=last.name,
            exit_code=last.exit_code or 0,
            json_=_json_of(task.stdout),
            files=[file for file in files if file.sub_task == last.name],
        )


KIND = ServedPipelineKind()


def _first_open(steps: Sequence[PlacedStep]) -> int:
    for index, step in enumerate(steps):
        if step.status is not Status.COMPLETED:
            return index
    raise wrong("/from", "every step is completed; name the step to begin with")


def _index_of(steps: Sequence[PlacedStep], begin: str) -> int:
    for index, step in enumerate(steps):
        if begin in (step.name, str(step.id)):
            _check_before(steps[:index], begin)
            return index
    known = ", ".join(step.name for step in steps)
    raise wrong("/from", f"there is no step {begin!r} (steps: {known})")


def _check_before(steps: Sequence[PlacedStep], begin: str) -> None:
    for step in steps:
        if step.status is not Status.COMPLETED:
            raise wrong(
                "/from",
                f"step {step.name!r}, which comes before {begin!r}, is not completed "
                f"({step.status}); begin with {step.name!r}",
            )


def _json_of(text: str | None) -> JsonValue:
    try:
        value: JsonValue = json.loads(text or "null", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value


def _refuse_constant(name: str) -> None:
    """Python's own reader takes NaN and Infinity; the reader of our answer may not."""
    raise ValueError(name)
