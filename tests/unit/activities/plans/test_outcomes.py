"""What a node has given, from what is kept of the task that ran it."""

from uuid import UUID

import pytest
from pydantic import JsonValue

from activities.plans.outcomes import result_of
from activities.store.reading.plans import ChildState, PlanReader
from tests.unit.activities.plans.test_revise_plan import node, stored
from workflows.states import Status, TaskType


class Printed(PlanReader):
    """Of a pipeline whose last step has printed this."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def last_output(self, task_id: UUID) -> str | None:
        return self._text


@pytest.mark.parametrize(
    ("printed", "result"),
    [
        ('{"n": 1}', {"n": 1}),
        ("three", "three"),
        ('{"n": NaN}', '{"n": NaN}'),
        ("[1e999]", "[1e999]"),
    ],
    ids=["json", "text", "nan", "infinite"],
)
async def test_what_a_pipeline_printed_is_json_only_if_all_read_it_as_that(
    printed: str, result: JsonValue
) -> None:
    given = stored(1, Status.COMPLETED, node("a"))
    child = ChildState(
        id=given.child_id,
        type=TaskType.PIPELINE,
        run=1,
        first_step=0,
        status=Status.COMPLETED,
        team_id=UUID(int=1),
        definition={},
        result=None,
        error=None,
    )
    assert (await result_of(Printed(printed), given, child, [])).result == result
