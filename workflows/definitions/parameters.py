"""The parameters of a pipeline, put where its steps refer to them.

That is done before the steps are written down, so that whoever runs one knows of none.
"""

import json
from collections.abc import Collection, Mapping

from pydantic import JsonValue

from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.references import Reference, parse, plain
from workflows.suggestions import nearest

Values = Mapping[str, str | int | float | bool]


def filled(pipeline: Pipeline) -> tuple[Step, ...]:
    """The steps, with the values of the pipeline's parameters in place of references to them."""
    if not pipeline.parameters:
        return tuple(pipeline.steps)
    return tuple(_filled(step, pipeline.parameters) for step in pipeline.steps)


def unknown_parameter(name: str, known: Collection[str]) -> str:
    """What is said of a value for a parameter that a pipeline does not have."""
    close = nearest(name, known)
    meant = f"; did you mean {close!r}?" if close else ""
    return f"the pipeline has no parameter {name!r} (it has: {', '.join(known) or 'none'}){meant}"


def _filled(step: Step, values: Values) -> Step:
    env = {name: _in_text(text, values) for name, text in step.env.items()}
    args = (
        [_in_text(text, values) for text in step.args]
        if isinstance(step.args, list)
        else {key: _in_value(value, values) for key, value in step.args.items()}
    )
    foreach = _in_value(step.foreach, values) if isinstance(step.foreach, list) else step.foreach
    return step.model_copy(update={"args": args, "env": env, "foreach": foreach})


def _in_value(value: JsonValue, values: Values) -> JsonValue:
    """In an argument of a tool. A text that is one reference becomes a value of its own type."""
    match value:
        case dict():
            return {key: _in_value(item, values) for key, item in value.items()}
        case list():
            return [_in_value(item, values) for item in value]
        case str():
            match parse(value):
                case (Reference(source="parameters", name=name),):
                    return values[name]
            return _in_text(value, values)
    return value


def _in_text(text: str, values: Values) -> str:
    return "".join(_text_of(part, values) for part in parse(text))


def _text_of(part: str | Reference, values: Values) -> str:
    if isinstance(part, str):
        return plain(part)
    if part.source != "parameters":
        return part.text
    value = values[part.name]
    return plain(value if isinstance(value, str) else json.dumps(value))
