"""A pipeline in a file: read and checked here, before inputs are uploaded for nothing."""

import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from api.commands.errors import PipelineFileRefused, PipelineInvalid
from api.documents import parse_json
from api.errors import BodyMalformed
from api.pointers import problems_in
from api.yaml_reader import parse_yaml
from workflows.definition import Pipeline, problems_of

MAX_BYTES = 2 * 1024 * 1024  # The API takes no larger request.


def read_pipeline(path: Path, given: Mapping[str, object]) -> Pipeline:
    """The pipeline in a YAML or JSON file; ``-`` is stdin.

    Raises:
        PipelineFileRefused: it cannot be read.
        PipelineInvalid: with everything that is wrong, also with the inputs that are given for it.
    """
    content = _read(path)
    try:
        document = parse_json(content) if path.suffix == ".json" else parse_yaml(_text(content))
    except (BodyMalformed, UnicodeDecodeError) as error:
        raise PipelineFileRefused(path=path, reason=str(error)) from error
    try:
        pipeline = Pipeline.model_validate(document)
    except ValidationError as error:
        problems = problems_in(error.errors(include_url=False), document)
        raise PipelineInvalid(path, problems) from error
    if problems := problems_of(pipeline, given):
        raise PipelineInvalid(path, problems)
    return pipeline


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PipelineFileRefused(path=path, reason=error.strerror or str(error)) from error
    if len(content) > MAX_BYTES:
        raise PipelineFileRefused(path=path, reason=f"it is larger than {MAX_BYTES} bytes")
    return content


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")
