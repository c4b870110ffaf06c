"""Parameters of a pipeline as a command line sets them: ``NAME=VALUE``."""

import json
from collections.abc import Sequence

from pydantic import ValidationError

from api.cli.errors import ParameterMalformed
from workflows.definitions.parameters import unknown_parameter
from workflows.definitions.pipeline import Pipeline

Value = str | int | float | bool


def with_parameters(pipeline: Pipeline, texts: Sequence[str]) -> Pipeline:
    """The pipeline with other values of its parameters.

    Raises:
        ParameterMalformed
    """
    given = values_of(pipeline, texts)
    document = pipeline.model_dump()
    try:
        return Pipeline.model_validate({**document, "parameters": pipeline.parameters | given})
    except ValidationError as error:
        reason = error.errors(include_url=False)[-1]["msg"]
        raise ParameterMalformed(text=" ".join(texts), reason=reason) from error


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
    if isinstance(present, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(present, bool) != isinstance(value, bool) or not isinstance(value, (int, float)):
        wanted = "true or false" if isinstance(present, bool) else "a number"
        raise ParameterMalformed(text=whole, reason=f"it must be {wanted}, as {present!r} is")
    return value
