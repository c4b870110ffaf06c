"""What was submitted, as it would be submitted again; and the skills that it names."""

from collections.abc import Iterator

from pydantic import JsonValue

from api.wire.responses.tasks import Task
from workflows.definitions.pipeline import Code, Pipeline, Step
from workflows.states import TaskType

USUAL_PRIORITY = 5
# What stands in these is the user's own.
_FREE = frozenset({"args", "arguments", "env", "files", "output_schema", "parameters"})
# The database keeps no order of keys.
_ORDER = [*Pipeline.model_fields, *Step.model_fields, *Code.model_fields]


def submitted(task: Task) -> JsonValue:
    """The body of ``POST /tasks``; of a pipeline its definition, which is what files hold."""
    if task.type is TaskType.PIPELINE:
        return in_order(task.definition)
    body: dict[str, JsonValue] = {"type": task.type.value}
    if task.prompt is not None:
        body["prompt"] = task.prompt
    if task.priority != USUAL_PRIORITY:
        body["priority"] = task.priority
    if task.inputs:
        body["inputs"] = {**task.inputs}
    if task.definition:
        body[task.type.value] = task.definition
    return body


def in_order(pipeline: JsonValue) -> JsonValue:
    """A definition with its keys as people would write them."""
    if isinstance(pipeline, list):
        return [in_order(item) for item in pipeline]
    if not isinstance(pipeline, dict):
        return pipeline
    keys = sorted(pipeline, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    return {key: pipeline[key] if key in _FREE else in_order(pipeline[key]) for key in keys}


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
