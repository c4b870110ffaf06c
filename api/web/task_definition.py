"""What was submitted, as it would be submitted again; and the skills that it names."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from api.wire.responses.tasks import Task
from workflows.definitions.pipeline import Code, Pipeline, Step
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType

USUAL_PRIORITY: int = TaskRequest.model_fields["priority"].default
# What stands in these is the user's own.
_FREE = frozenset({"args", "arguments", "env", "files", "output_schema", "parameters"})
# The database keeps no order of keys.
_ORDER = [*Pipeline.model_fields, *Step.model_fields, *Code.model_fields]
_REQUEST_ORDER = [*TaskRequest.model_fields]


def submitted(task: Task) -> JsonValue:
    """The request; of a pipeline its definition, which is what files hold."""
    return in_order(task.definition) if task.type is TaskType.PIPELINE else request_of(task)


def request_of(task: Task) -> dict[str, JsonValue]:
    """The body of ``POST /tasks`` that asks for the same."""
    body: dict[str, JsonValue] = {"type": str(task.type)}
    if task.prompt:
        body["prompt"] = task.prompt
    if task.priority != USUAL_PRIORITY:
        body["priority"] = task.priority
    if task.inputs:
        body["inputs"] = {**task.inputs}
    if task.definition:
        body[str(task.type)] = in_order(task.definition)
    return body


def request_in_order(request: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A body of ``POST /tasks`` that the database has kept, as people would write it."""
    names = sorted(request, key=_place_in(_REQUEST_ORDER))
    return {
        name: in_order(request[name]) if name == TaskType.PIPELINE else request[name]
        for name in names
    }


def in_order(pipeline: JsonValue) -> JsonValue:
    """A definition with its keys as people would write them."""
    if isinstance(pipeline, list):
        return [in_order(item) for item in pipeline]
    if not isinstance(pipeline, dict):
        return pipeline
    keys = sorted(pipeline, key=_place_in(_ORDER))
    return {key: pipeline[key] if key in _FREE else in_order(pipeline[key]) for key in keys}


def _place_in(order: Sequence[str]) -> Callable[[str], int]:
    """What is not in the order comes last, as it was."""
    return lambda key: order.index(key) if key in order else len(order)


def skills_in(value: JsonValue) -> list[str]:
    """The names of skills in a definition, each once."""
    return list(dict.fromkeys(_skills(value)))


def _skills(value: JsonValue) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _skills(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key == "skill" and isinstance(item, str):
            yield item
        elif key == "skills" and isinstance(item, list):
            yield from (name for name in item if isinstance(name, str))
        elif key not in _FREE:
            yield from _skills(item)
