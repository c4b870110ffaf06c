"""What a retry of many tasks would do, put together."""

from api.dead_letters.foresight import Foresight
from api.wire.responses.pipeline_changes import PipelineChanges, StepChange

ONE = PipelineChanges(steps=[StepChange(step="a", fields=["code"])])
OTHER = PipelineChanges(steps=[StepChange(step="a", added=True)])


def of_task(changes: PipelineChanges | None) -> Foresight:
    return Foresight(count=1, changes=changes)


def test_what_is_new_of_the_pipeline_is_said_if_it_is_the_same_for_each_task() -> None:
    refused = Foresight(refused=1)
    both = Foresight() + of_task(ONE) + refused + of_task(ONE.model_copy())
    assert (both.count, both.refused, both.changes) == (2, 1, ONE)


def test_where_tasks_differ_in_what_is_new_nothing_is_said_of_it() -> None:
    for other in (OTHER, None, PipelineChanges()):
        assert (of_task(ONE) + of_task(other)).changes is None
        assert (of_task(other) + of_task(ONE) + of_task(ONE)).changes is None
    assert (Foresight() + Foresight(refused=1)).changes is None
