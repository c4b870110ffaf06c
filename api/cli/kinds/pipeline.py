"""Pipelines on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api.cli.commands.checking import PipelineText
from api.cli.commands.inputs import GivenInputs
from api.cli.commands.parameters import Parameters
from api.cli.commands.pipeline_file import read_pipeline
from api.cli.commands.request_body import built
from api.cli.display.progress import TaskProgress
from api.cli.kinds.plain import PlainKind
from api.wire.responses.tasks import Task
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="A YAML or JSON file with the pipeline; - for stdin.",
    ),
]


class PipelineKind(PlainKind):
    task_type = TaskType.PIPELINE

    def progress(self, task: Task) -> TaskProgress:
        progress = super().progress(task)
        for name, runs in _what_runs(task).items():
            if name in progress.steps:
                progress.steps[name].runs = runs
        return progress

    def source(self, given: GivenInputs, **options: Any) -> PipelineText:
        return PipelineText.read(options["file"], given, options["parameters"] or ())

    @staticmethod
    def request(inputs: GivenInputs, *, file: File, parameters: Parameters = None) -> TaskRequest:
        """Run the steps of a pipeline that is in a file."""
        pipeline = read_pipeline(file, inputs, parameters or ())
        return built(TaskRequest, {"type": TaskType.PIPELINE, "pipeline": pipeline})


KIND = PipelineKind()


def _what_runs(task: Task) -> Mapping[str, str]:
    """Of each step, the name of the skill or the tool."""
    try:
        pipeline = Pipeline.model_validate(task.definition)
    except ValidationError:
        return {}  # The definition is a newer server's.
    return {step.id: step.runs for step in pipeline.steps}
