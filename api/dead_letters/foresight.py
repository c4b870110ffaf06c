"""What a retry would do, said before it does: steps that are kept, steps that run again, costs."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from activities.store.reading.past_steps import PastStep, cost_of_turns, list_past_steps
from activities.store.reading.plan_usage import Used
from activities.store.reading.tasks import StoredTask
from api.errors import InvalidRequest, StateConflict
from api.services import Services
from api.tasks.kinds.base import Beginning
from api.tasks.kinds.table import KINDS
from api.tasks.retry import prepare_retry
from api.wire.requests import RetryRequest
from api.wire.responses.pipeline_changes import PipelineChanges


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the steps that run again took when they ran last; ``unknown`` of them never have."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    unknown: int = 0

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(
            self.tokens + other.tokens,
            self.cost_usd + other.cost_usd,
            self.seconds + other.seconds,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Foresight:
    """Of ``count`` tasks that would be retried: the steps that keep their results, and those that
    run again, by name, with the number of tasks, in the order in which they were met. ``refused``
    tasks could not be retried so. ``changes`` are those of the pipeline, if all have the same."""

    count: int = 0
    kept_steps: Mapping[str, int] = field(default_factory=dict)
    redone_steps: Mapping[str, int] = field(default_factory=dict)
    estimate: Estimate = Estimate()
    refused: int = 0
    changes: PipelineChanges | None = None

    def __add__(self, other: "Foresight") -> "Foresight":
        return Foresight(
            self.count + other.count,
            _sum(self.kept_steps, other.kept_steps),
            _sum(self.redone_steps, other.redone_steps),
            self.estimate + other.estimate,
            self.refused + other.refused,
            self._changes_of_both(other),
        )

    def _changes_of_both(self, other: "Foresight") -> PipelineChanges | None:
        told = [each.changes for each in (self, other) if each.count]
        return told[0] if told and all(each == told[0] for each in told) else None


async def foresee(
    services: Services, team_id: UUID, task_id: UUID, request: RetryRequest
) -> Foresight:
    """What a retry of one task would do. Raises as ``prepare_retry``."""
    prepared = await prepare_retry(services, team_id, task_id, request)
    return await _foresee(services, prepared.task, prepared.beginning, "")


async def _foresee(
    services: Services, task: StoredTask, beginning: Beginning, at: str
) -> Foresight:
    """Of a task, or of that of a node, whose steps are named after what is ``at`` the front."""
    past = await list_past_steps(services.database, task.id)
    future = KINDS[task.type].future(past, beginning)
    turns = await cost_of_turns(services.database, task.id, beginning.first_step)
    inner = beginning.inner
    redone = [step for step in future.redone if inner is None or step.name != inner.node]
    again = sum((_estimate(step) for step in redone), Estimate())
    foreseen = Foresight(
        count=0 if at else 1,
        kept_steps=Counter(f"{at}{name}" for name in future.kept),
        redone_steps=Counter(f"{at}{step.name}" for step in redone),
        estimate=again + Estimate(turns.used.tokens, turns.used.cost_usd, turns.seconds),
        changes=beginning.changes,
    )
    if inner is None:
        return foreseen
    return foreseen + await _foresee(services, inner.task, inner.beginning, f"{at}{inner.node}/")


async def foresee_all(
    services: Services, team_id: UUID, task_ids: Collection[UUID], request: RetryRequest
) -> Foresight:
    """What the same retry of many tasks would do, one after the other. Those that cannot be
    retried so are counted as ``refused``."""
    total = Foresight()
    for task_id in task_ids:
        try:
            total += await foresee(services, team_id, task_id, request)
        except (InvalidRequest, StateConflict):
            total += Foresight(refused=1)
    return total


def _estimate(step: PastStep) -> Estimate:
    used: Used = step.used
    is_unknown = step.seconds is None
    return Estimate(used.tokens, used.cost_usd, step.seconds or 0.0, unknown=int(is_unknown))


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *other)}
