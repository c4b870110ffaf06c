"""Parameters of a pipeline as a command line sets them: ``NAME=VALUE``."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from api.cli.errors import ParameterMalformed
from api.client import AsyncClient as Client
from workflows.definitions.parameters import unknown_parameter
from workflows.definitions.pipeline import Parameter, Pipeline
from workflows.states import TaskType

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        show_default=False,
        help="Another value for one of the pipeline's parameters.",
    ),
]
Value = str | int | float | bool


def with_parameters(pipeline: Pipeline, texts: Sequence[str]) -> Pipeline:
    """The pipeline with other values of its parameters.

    Raises:
        ParameterMalformed
    """
    return pipeline.model_copy(
        update={"parameters": pipeline.parameters | values_of(pipeline, texts)}
    )


async def values_for(client: Client, task_id: str, texts: Sequence[str]) -> Mapping[str, Value]:
    """Values of the kind that the pipeline of a task has at these names.

    Raises:
        ParameterMalformed
    """
    if not texts:
        return {}
    task = await client.task(task_id)
    if task.type is not TaskType.PIPELINE:
        reason = f"only pipelines have parameters, and task {task_id} is of type {task.type.value}"
        raise ParameterMalformed(text=" ".join(texts), reason=reason)
    try:
        pipeline = Pipeline.model_validate(task.definition)
    except ValidationError as error:
        reason = "the server is newer than this client, which cannot read the pipeline"
        raise ParameterMalformed(text=" ".join(texts), reason=reason) from error
    return values_of(pipeline, texts)


def values_of(pipeline: Pipeline, texts: Sequence[str]) -> dict[str, Value]:
    """Values by name, each of the kind that the pipeline has there.

    Raises:
        ParameterMalformed
    """
    given: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterMalformed(text=text, reason="write NAME=VALUE")
        if name not in pipeline.parameters:
            reason = unknown_parameter(name, pipeline.parameters)
            raise ParameterMalformed(text=text, reason=reason)
        if name in given:
            raise ParameterMalformed(text=text, reason=f"{name} is given twice")
        given[name] = _like(pipeline.parameters[name], value, text)
    return given


def _like(present: Value, text: str, whole: str) -> Value:
    """A value of the kind that the pipeline has there: a number, true or false, or text."""
    value = text if isinstance(present, str) else _number_or_bool(present, text, whole)
    try:
        return TypeAdapter[Value](Parameter).validate_python(value)
    except ValidationError as error:
        reason = error.errors(include_url=False)[-1]["msg"]
        raise ParameterMalformed(text=whole, reason=reason) from error


def _number_or_bool(present: Value, text: str, whole: str) -> Value:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(present, bool) != isinstance(value, bool) or not isinstance(value, (int, float)):
        wanted = "true or false" if isinstance(present, bool) else "a number"
        raise ParameterMalformed(text=whole, reason=f"it must be {wanted}, as {present!r} is")
    return value
