"""What an agent or a plan did, as a pipeline."""

from pydantic import JsonValue

from api.wire.responses.base import Answer


class Obstacle(Answer):
    """Why there is no pipeline, and where: a JSON pointer such as ``/calls/4.1/arguments/args/2``,
    whose first parts are the number of a call. In a plan ``/nodes/ID`` comes before."""

    pointer: str
    message: str


class Constant(Answer):
    """A constant that looks like a parameter. ``parameter`` is its name in the pipeline; null where
    a reference cannot stand, as within code."""

    pointer: str
    value: JsonValue
    parameter: str | None


class ExpectedFile(Answer):
    """A file that a call made, and that the step which repeats it makes again."""

    name: str
    sha256: str


class CompiledStep(Answer):
    """A step of the pipeline, by its id, and the call that it repeats: ``4.1 run_code``; of a node,
    ``NODE/4.1 run_code``, or a step, ``NODE/STEP``."""

    id: str
    call: str
    files: list[ExpectedFile]


class Compilation(Answer):
    """A pipeline as ``POST /tasks`` takes it, with the ``inputs`` that the agent had; or null, and
    the ``problems``."""

    pipeline: dict[str, JsonValue] | None
    inputs: dict[str, str]
    problems: list[Obstacle]
    constants: list[Constant]
    steps: list[CompiledStep]
