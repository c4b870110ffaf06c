"""In what a pipeline differs from that of a task, and what of that makes other results."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from activities.kinds.pipeline import KIND
from activities.store.reading.steps import DefinedStep
from activities.store.reading.tasks import StoredTask
from activities.store.tasks import NewSubTask
from api.tasks.json_values import is_same
from api.tasks.kinds.pipeline_changes import changes_of, makes_another
from api.wire.responses.pipeline_changes import PipelineChanges, StepChange
from workflows.definitions.pipeline import Pipeline
from workflows.states import Status, TaskType

TASK = UUID(int=1)


def step(name: str, source: str = "x", **more: object) -> dict[str, Any]:
    return {"id": name, "code": {"language": "shell", "source": source}, **more}


def document(*steps: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"name": "p", "steps": list(steps), **more}


def stored(definition: Mapping[str, Any]) -> StoredTask:
    return StoredTask(
        id=TASK,
        team_id=TASK,
        parent_id=None,
        type=TaskType.PIPELINE,
        name="p",
        priority=5,
        status=Status.FAILED,
        run=1,
        first_step=0,
        inputs={},
        definition=definition,
        pause_requested_at=None,
    )


def row(step: NewSubTask, definition: Mapping[str, Any] | None = None) -> DefinedStep:
    """A step as its row has it."""
    return DefinedStep(
        id=step.id,
        name=step.name,
        status=Status.COMPLETED,
        kind=step.type,
        definition=step.definition if definition is None else definition,
        dependencies=step.dependencies,
        items=(),
    )


def steps_of(pipeline: Mapping[str, Any]) -> Sequence[NewSubTask]:
    return KIND.sub_tasks(TASK, Pipeline.model_validate(pipeline))


def changes(was: Mapping[str, Any], new: Mapping[str, Any]) -> PipelineChanges:
    rows = [row(step) for step in steps_of(was)]
    return changes_of(stored(was), rows, Pipeline.model_validate(new), steps_of(new))


def told(found: PipelineChanges) -> Mapping[str, str]:
    return {change.step: change.words for change in found.steps}


def test_what_is_written_otherwise_and_means_the_same_is_nothing_new() -> None:
    was = document(step("a", timeout="2m"), {"id": "b", "tool": "t", "args": {}})
    new = document(
        step("a", timeout="120s", retries=3, args=[], env={}),
        {"args": {}, "tool": "t", "id": "b"},
        description="",
        parallel=4,
    )
    rows = [row(new, raw) for new, raw in zip(steps_of(was), was["steps"], strict=True)]
    found = changes_of(stored(was), rows, Pipeline.model_validate(new), steps_of(new))
    assert found.is_none
    assert found.words == ""


@pytest.mark.parametrize(
    ("more", "words", "is_other"),
    [
        ({"code": {"language": "shell", "source": "y"}}, "code changed", True),
        ({"args": ["1"], "retries": 1}, "args, retries changed", True),
        ({"timeout": "1h", "retry_on": ["any"], "cache": "1h"}, None, False),
        ({"needs": []}, "needs changed", False),  # It is the first: it waited for none before.
        ({"foreach": ["a"], "parallel": 2}, "foreach, parallel changed", True),
        ({"code": None, "skill": "s"}, "skill, code changed", True),
    ],
    ids=["code", "several", "manners", "the same needs", "items", "kind"],
)
def test_each_field_that_differs_is_named(
    more: Mapping[str, Any], words: str | None, is_other: bool
) -> None:
    [change] = changes(document(step("a")), document({**step("a"), **more})).steps
    assert change.words == (words or "timeout, retry_on, cache changed")
    assert makes_another(change) is is_other


def test_what_is_put_between_two_steps_changes_what_the_second_waits_for() -> None:
    was = document(step("a"), step("b"), step("c"))
    new = document(step("a"), step("x"), step("b"), step("c"))
    assert told(changes(was, new)) == {"x": "added", "b": "waits for x"}
    assert told(changes(new, was)) == {"b": "waits for a", "x": "removed"}


def test_a_step_that_is_moved_is_named_apart_from_those_that_it_passes() -> None:
    was = document(step("a"), step("b"), step("c"))
    found = told(changes(was, document(step("c"), step("a"), step("b"))))
    assert found == {"c": "moved; waits for nothing", "a": "waits for c"}


def test_of_steps_that_say_what_they_need_one_may_be_moved_and_keep_its_result() -> None:
    was = document(step("a", needs=[]), step("b", needs=[]))
    [change] = changes(was, document(step("b", needs=[]), step("a", needs=[]))).steps
    assert change.words == "moved"
    assert not makes_another(change)


def test_a_step_under_another_name_is_one_removed_and_one_added() -> None:
    was, new = document(step("a"), step("b")), document(step("a"), step("z"))
    assert told(changes(was, new)) == {"z": "added", "b": "removed"}


def test_another_parameter_is_named_and_so_are_the_steps_that_use_it() -> None:
    steps = step("a"), step("b", args=["${parameters.kind}"]), step("c", args=["${parameters.n}"])
    was = document(*steps, parameters={"kind": "bar", "n": 1, "old": True})
    new = document(*steps, parameters={"kind": "line", "n": 1, "new": True})
    found = changes(was, new)
    assert found.parameters == ["kind", "new", "old"]
    assert found.words == "parameters (kind, new, old) changed"
    assert told(found) == {"b": "args changed"}


def test_what_is_new_of_the_pipeline_itself_is_named() -> None:
    new = document(step("a"), description="d", inputs=["data"], parallel=2) | {"name": "q"}
    found = changes(document(step("a")), new)
    assert found.words == "name, description, inputs, parallel changed"
    assert not found.is_none
    assert not found.steps


def test_a_definition_of_before_that_is_refused_today_is_compared_as_it_stands() -> None:
    sound = document(step("a"), step("b"))
    one, other = steps_of(sound)
    rows = [row(one), row(other, {**other.definition, "retries": -1})]
    task = stored({**sound, "owner": "x"})
    found = changes_of(task, rows, Pipeline.model_validate(sound), [one, other])
    assert told(found) == {"b": "retries changed"}
    assert not found.fields


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, True, False),
        ({"a": [1]}, {"a": [True]}, False),
        ({"a": [0]}, {"a": [False]}, False),
        (1, 1.0, False),
        (1.5, 1.5, True),
        ({"a": 1, "b": None}, {"b": None, "a": 1}, True),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({"a": None}, {}, False),
        ("1", 1, False),
    ],
)
def test_values_are_the_same_that_are_written_alike(one: Any, other: Any, same: bool) -> None:
    assert is_same(one, other) is same
    assert is_same(other, one) is same


def test_no_change_has_no_words() -> None:
    assert StepChange(step="a").words == ""
