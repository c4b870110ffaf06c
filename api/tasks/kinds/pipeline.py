"""Tasks of type ``pipeline``: a fixed list of steps."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from activities.kinds.pipeline import KIND as KIND_OF_TASK
from activities.store.housekeeping.ended_tasks import ARTIFACTS, LOGS
from activities.store.reading.past_steps import PastStep
from activities.store.reading.steps import StepState
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from activities.tools.schemas import MAX_ARGUMENT_DEPTH, is_deeper
from api.services import Services
from api.tasks.kinds.base import Beginning, Future, ServedKind
from api.tasks.kinds.pipeline_beginning import pipeline_beginning
from api.tasks.kinds.pipeline_future import pipeline_future
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import Progress, Result
from workflows.definitions.pipeline import Pipeline
from workflows.item_names import step_of
from workflows.states import Status


class ServedPipelineKind(ServedKind[Pipeline]):
    kind = KIND_OF_TASK

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        return await pipeline_beginning(services, task, request)

    def future(self, past: Sequence[PastStep], beginning: Beginning) -> Future:
        return pipeline_future(past, beginning)

    def parts_read(self, task: StoredTask) -> Sequence[str]:
        """Files of steps, and what they have printed where a reference wants it."""
        definition = json.dumps(task.definition)
        reads_output = any(word in definition for word in (".stdout", ".json"))
        return (ARTIFACTS.name, LOGS.name) if reads_output else (ARTIFACTS.name,)

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        done, total = sum(step.status is Status.COMPLETED for step in task.steps), len(task.steps)
        percent = int(100 * sum(map(_part_done, task.steps)) / total) if total else 0
        return Progress(done=done, total=total, percent=percent, current=current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> Result | None:
        """What the last step gave."""
        steps = [step for step in task.steps if step.item_of is None]
        if not steps:
            return None
        last = steps[-1]
        return Result(
            step=last.name,
            exit_code=last.exit_code or 0,
            json_=_json_of(task.stdout),
            files=[file for file in files if step_of(file.sub_task) == last.name],
        )


KIND = ServedPipelineKind()


def _part_done(step: StepState) -> float:
    """How much of a step is done, by its items."""
    if step.status is Status.COMPLETED:
        return 1.0
    return step.items.completed / step.items.total if step.items and step.items.total else 0.0


def _json_of(text: str | None) -> JsonValue:
    """What was printed, if it is JSON that can be shown."""
    text = text or "null"
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if is_deeper(value, MAX_ARGUMENT_DEPTH):
        return None
    return _with_whole_characters(value) if "\\u" in text else value


def _with_whole_characters(value: JsonValue) -> JsonValue:
    """JSON can name half a character, which cannot be sent."""
    document = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    sendable: JsonValue = json.loads(document)
    return sendable


def _refuse_constant(name: str) -> None:
    """Python's own reader takes NaN and Infinity; the reader of our answer may not."""
    raise ValueError(name)
