"""A pipeline in a file: read and checked here, before inputs are uploaded for nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from api.cli.commands.document_file import read_document
from api.cli.commands.parameters import with_parameters
from api.cli.errors import PipelineFileRefused, PipelineInvalid
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.pointers import problems_in


def read_pipeline(
    path: Path, given: Mapping[str, object], parameters: Sequence[str] = ()
) -> Pipeline:
    """The pipeline in a YAML or JSON file; ``-`` is stdin. ``parameters`` are NAME=VALUE.

    Raises:
        ParameterMalformed: one that the pipeline has not, or not of this kind.
        PipelineFileRefused: it cannot be read.
        PipelineInvalid: with everything that is wrong, also with the inputs that are given for it.
    """
    pipeline = read_definition(path)
    pipeline = with_parameters(pipeline, parameters) if parameters else pipeline
    if problems := problems_of(pipeline, given):
        raise PipelineInvalid(path, problems)
    return pipeline


def read_definition(path: Path) -> Pipeline:
    """The pipeline in a file, for a task whose inputs only the API knows.

    Raises:
        PipelineFileRefused: it cannot be read.
        PipelineInvalid: with everything that is wrong.
    """
    document = read_document(path, PipelineFileRefused, "pipeline")
    try:
        return Pipeline.model_validate(document)
    except ValidationError as error:
        problems = problems_in(error.errors(include_url=False), document, model=Pipeline)
        raise PipelineInvalid(path, problems) from error
