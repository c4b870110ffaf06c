"""What can be wrong with a command line that only the API, or a file, can tell."""

from collections.abc import Sequence
from pathlib import Path

from workflows.errors import AgentOSError, BadInput
from workflows.pointers import Problem


class TaskIdMalformed(BadInput):
    """{text!r} is no task's id: write the whole of it, or its first six or more characters (0-9,
    a-f). `agentos ls` shows them."""


class TaskIdAmbiguous(BadInput):
    """{count} tasks have an id that begins with {text}: {shown}. Write more of it."""


class TaskIdUnknown(AgentOSError):
    """None of the {count} newest tasks has an id that begins with {text}. `agentos ls` shows them;
    an older task is found by its whole id."""


class ArtifactUnknown(AgentOSError):
    """Task {task_id} made no file {wanted!r}. See `agentos artifacts ls {task_id}`."""


class CallNotNamed(BadInput):
    """{count} calls of task {task_id} wait for a person; name one of them: {shown}."""


class NothingWaits(BadInput):
    """No call of task {task_id} waits for a person."""


class SchemaFileRefused(BadInput):
    """{path} holds no JSON schema: {reason}"""


class InputMalformed(BadInput):
    """--input {text!r} is not NAME=FILE or NAME=REFERENCE: {reason}."""


class InputFileMissing(BadInput):
    """--input {name}: there is no file {path}. A reference begins with file:, artifact:, s3:// or
    https://."""


class PipelineFileRefused(BadInput):
    """{path} is no pipeline: {reason}"""


class AgentInvalid(BadInput):
    """The agent cannot be made like this. Nothing was uploaded or submitted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class PipelineInvalid(BadInput):
    """{path} is no valid pipeline. Nothing was uploaded or submitted."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        """The problems' pointers are into the document that the file holds."""
        super().__init__(path=path)
        self.problems = tuple(problems)
