"""Errors in a command line that show only when the API, or a file, is consulted."""

from collections.abc import Sequence
from pathlib import Path

from workflows.errors import AgentOSError, BadInput
from workflows.pointers import Problem


class OutputUnwritable(AgentOSError):
    """The output cannot be written: {reason}. Make room where it goes, and run the command again;
    what it asks for may have been done already."""


class TaskIdMalformed(BadInput):
    """{text!r} is not a task id. Use a whole id, or its first six or more characters (0-9, a-f).
    `agentos ls` shows them."""


class TaskIdAmbiguous(BadInput):
    """{count} tasks have an id that begins with {text}: {shown}. Use more characters."""


class TaskIdUnknown(AgentOSError):
    """None of the {count} newest tasks has an id that begins with {text}. `agentos ls` shows them;
    for an older task, use its whole id."""


class NoResultYet(AgentOSError):
    """Task {task_id} has no result yet: it is {status}. With --wait, its end is awaited."""


class BulkIdUnknown(AgentOSError):
    """Not one of the {count} newest bulk runs has an id that begins with {text!r}, or several have.
    `agentos bulk ls` shows them; for an older one, use its whole id."""


class ScheduleUnknown(AgentOSError):
    """No schedule has the name {text!r}, or an id that begins with it. `agentos schedules ls` shows
    them; of an id, at least six characters are needed."""


class ScheduleAmbiguous(BadInput):
    """{count} schedules have an id that begins with {text}: {shown}. Use more characters, or the
    name."""


class NothingToChangeOfAgent(BadInput):
    """There is nothing to change. `agentos agents edit --help` shows what can be."""


class NoReply(AgentOSError):
    """Agent {name!r} has not answered: it is {state}{why}. The message stays in its inbox."""


class ReplyTimedOut(AgentOSError):
    """Agent {name!r} has not answered within {seconds:g} s. The message stays in its inbox, and
    `agentos agents messages` will show the answer."""


class TemplateFileRefused(BadInput):
    """{path} is not a template of an agent: {reason}."""


class GroupUnknown(AgentOSError):
    """There is no group {text!r}. `agentos groups ls` shows all groups, with their ids."""


class NothingToOpen(AgentOSError):
    """There is no task with an id that begins with {text!r}, and no agent or group of this name.
    `agentos ls`, `agentos agents ls` and `agentos groups ls` show what there is."""


class NothingToChange(BadInput):
    """There is nothing to change. `agentos schedules edit --help` shows what can be."""


class NodeUnknown(AgentOSError):
    """Task {task_id} has no node {node!r} that has begun. See `agentos show {task_id}`."""


class NoNodes(BadInput):
    """Task {task_id} is of type {type}, so no task is a node of it."""


class StepUnknown(AgentOSError):
    """Task {task_id} has had no step {step!r}. It has had: {known}."""


class ArtifactUnknown(AgentOSError):
    """Task {task_id} has no artifact {wanted!r}. See `agentos artifacts ls {task_id}`."""


class FileUnknown(AgentOSError):
    """None of the {count} newest uploads has the name {text!r}, or an id that begins with it.
    `agentos files ls` shows them; for an older one, use its whole id."""


class FileAmbiguous(BadInput):
    """{count} uploads are named {text!r}, or have an id that begins so: {shown}. Use more
    characters of the id."""


class LetterIdMalformed(BadInput):
    """{text!r} is not the id of a dead letter. Use a whole id, or its first six or more characters
    (0-9, a-f). `agentos dlq ls` shows them."""


class LetterIdAmbiguous(BadInput):
    """{count} dead letters have an id that begins with {text}: {shown}. Use more characters."""


class LetterIdUnknown(AgentOSError):
    """None of the {count} newest dead letters has an id that begins with {text}. `agentos dlq ls`
    shows those that are open; for an older one, use its whole id."""


class CallNotNamed(BadInput):
    """{count} calls of task {task_id} are waiting for a person. Name one of them: {shown}."""


class NothingWaits(BadInput):
    """No call of task {task_id} is waiting for a person."""


class SchemaFileRefused(BadInput):
    """{path} is not a JSON schema: {reason}."""


class InputMalformed(BadInput):
    """--input {text!r} is not NAME=FILE or NAME=REFERENCE: {reason}."""


class InputFileMissing(BadInput):
    """--input {name}: there is no file {path}.{hint} A reference begins with file:, artifact:,
    s3:// or https://."""


class ParameterMalformed(BadInput):
    """--set {text!r} sets no parameter: {reason}."""


class PipelineFileRefused(BadInput):
    """{path} is not a pipeline: {reason}."""


class PipelineFileUnwritable(BadInput):
    """{path} cannot be written: {reason}. Name another file with -o."""


class DocumentUnreadable(BadInput):
    """{path} cannot be read: {reason}."""


class NameUnfit(BadInput):
    """{name!r} is not a fit name. Use small letters, digits and hyphens between them, {most} at
    most, such as sales-report."""


class PathTaken(BadInput):
    """{path} is there already, and nothing is overwritten. Choose another name, or another folder
    with --in."""


class FileThere(BadInput):
    """{path} is there already, and was not written over. Do that with --force, or name another
    place with -o."""


class FilesOfOneName(BadInput):
    """{path} would be written twice: {files} have one name. Fetch each to a folder of its own, with
    -o."""


class PathUnwritable(BadInput):
    """{path} cannot be written: {reason}. Choose another folder with --in."""


class MessageUnreadable(BadInput):
    """The message on standard input cannot be sent: {reason}."""


class DocumentInvalid(BadInput):
    """What was written is not valid. Nothing was uploaded or submitted."""

    def __init__(self, problems: Sequence[Problem], **fields: object) -> None:
        super().__init__(**fields)
        self.problems = tuple(problems)


class RequestInvalid(DocumentInvalid):
    """The request is not valid. Nothing was sent."""


class TemplateInvalid(DocumentInvalid):
    """The template is not valid. Nothing was changed."""


class DecisionInvalid(DocumentInvalid):
    """The decision is not valid. Nothing was decided."""


class AgentInvalid(DocumentInvalid):
    """The agent is not valid. Nothing was uploaded or submitted."""


class PlanInvalid(DocumentInvalid):
    """The plan is not valid. Nothing was uploaded or submitted."""


class PlanFileRefused(BadInput):
    """{path} holds no nodes of a plan: {reason}. `agentos plan ID -o {path}` writes such a file."""


class PlanFileInvalid(DocumentInvalid):
    """{path} has nodes that are not valid. Nothing was decided."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        """The problems' pointers are into the list of nodes."""
        super().__init__(problems, path=path)


class PipelineInvalid(DocumentInvalid):
    """{path} is not a valid pipeline. Nothing was uploaded or submitted."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        """The problems' pointers are into the document that the file holds."""
        super().__init__(problems, path=path)
