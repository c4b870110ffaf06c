"""Dead letters, their groups, and what a retry would do."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from api.wire.responses.pipeline_changes import PipelineChanges
from workflows.open_values import Open
from workflows.states import LetterState, TaskType


class Cost(Answer):
    """``seconds`` are those of work: of attempts, and of the model."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


class FingerprintParts(Answer):
    """What a fingerprint is made of. ``step`` is the part that failed, None for the task itself;
    ``runs`` the skill, the tool or the kind of code behind it. In ``message``, numbers, ids, times,
    paths, URLs and quoted texts are masked."""

    version: int
    type: Open[TaskType]
    step: str | None
    runs: str | None
    code: str
    message: str


class DeadLetter(Answer):
    """What ended ``failed`` or ``blocked``. ``sub_task`` is the step, call or node that failed,
    None where it is the task itself; ``attempts`` and ``usage`` are what it took in that ``run``.
    ``ended_by`` is who requeued or discarded it, and ``note`` why."""

    id: UUID
    task_id: UUID
    sub_task: str | None
    sub_task_id: UUID | None
    run: int
    type: Open[TaskType]
    name: str
    error: dict[str, JsonValue]
    fingerprint: str
    parts: FingerprintParts
    attempts: int
    usage: Cost
    state: Open[LetterState]
    note: str
    ended_by: str | None
    created_at: datetime
    ended_at: datetime | None


class Buckets(Answer):
    """How many came in each ``seconds`` from ``start`` on: at most 24 numbers, the last of which is
    of the time when the last one came."""

    start: datetime
    seconds: int
    counts: list[int]


class GroupUsage(Answer):
    """What the parts that failed have used, all together; of pipelines nothing is known."""

    tokens: int = 0
    cost_usd: float = 0.0


class DeadLetterGroup(Answer):
    """Dead letters with the same fingerprint; ``example`` is the id of the last."""

    fingerprint: str
    parts: FingerprintParts
    count: int
    first_at: datetime
    last_at: datetime
    example: UUID
    buckets: Buckets | None = None
    usage: GroupUsage = GroupUsage()


class StepCount(Answer):
    """A step, call or node by its name, and of how many tasks it is one."""

    step: str
    tasks: int = 1


class Estimate(Cost):
    """What the steps that run again have cost when they ran last. ``unknown`` is how many of them
    never have."""

    unknown: int = 0


class Foresight(Answer):
    """What a retry would do, of ``count`` tasks: which steps keep their results, which run again,
    each in their order, and what that may cost. ``refused`` tasks could not be retried so.
    ``changes`` are what is new of the pipeline, null where it stays, or tasks differ in that."""

    count: int
    kept_steps: list[StepCount]
    redone_steps: list[StepCount]
    estimate: Estimate
    refused: int = 0
    changes: PipelineChanges | None = None
