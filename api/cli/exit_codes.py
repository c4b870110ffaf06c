"""How the command ``agentos`` ends."""

from enum import IntEnum

from api.cli.errors import (
    ArtifactUnknown,
    BulkIdUnknown,
    FileUnknown,
    GroupUnknown,
    LetterIdUnknown,
    NodeUnknown,
    NothingToOpen,
    ReplyTimedOut,
    ScheduleUnknown,
    StepUnknown,
    TaskIdUnknown,
)
from api.client.errors import ApiProblem, FileUnreadable
from workflows.errors import AgentOSError, BadInput
from workflows.open_values import Unknown
from workflows.states import Status


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    NOT_AUTHORISED = 4
    NOT_FOUND = 5
    TIMED_OUT = 124  # as `timeout` of GNU coreutils has it
    INTERRUPTED = 130  # 128 + SIGINT


_OF_STATUS = {
    401: ExitCode.NOT_AUTHORISED,
    403: ExitCode.NOT_AUTHORISED,
    404: ExitCode.NOT_FOUND,
    424: ExitCode.FAILED,  # Another server, which had to be asked, has failed.
}
_FIRST_REFUSAL, _FIRST_FAULT = 400, 500


def of_task(status: Status | Unknown) -> ExitCode:
    """The exit code of a command that waited for a task."""
    match status:
        case Status.COMPLETED:
            return ExitCode.OK
        case Status.CANCELLED:
            return ExitCode.CANCELLED
        case _:
            return ExitCode.FAILED


def of_error(error: AgentOSError) -> ExitCode:
    match error:
        case ApiProblem():
            return _OF_STATUS.get(error.status, _of_answer(error.status))
        case (
            TaskIdUnknown()
            | NodeUnknown()
            | StepUnknown()
            | ArtifactUnknown()
            | LetterIdUnknown()
            | BulkIdUnknown()
            | GroupUnknown()
            | FileUnknown()
            | NothingToOpen()
            | ScheduleUnknown()
        ):
            return ExitCode.NOT_FOUND
        case ReplyTimedOut():
            return ExitCode.TIMED_OUT
        case BadInput() | FileUnreadable():
            return ExitCode.USAGE
        case _:
            return ExitCode.FAILED


def _of_answer(status: int) -> ExitCode:
    """What was refused has not run: nobody may take that for a task that has failed."""
    is_refusal = _FIRST_REFUSAL <= status < _FIRST_FAULT
    return ExitCode.USAGE if is_refusal else ExitCode.FAILED
