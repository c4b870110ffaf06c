"""Whether a job makes sense at all, before any backend touches it."""

from pathlib import PurePosixPath

from activities.sandbox.base import Job
from workflows.errors import BadInput


def validate(job: Job) -> None:
    """Refuse names that would lead elsewhere, and strings that no system call takes.

    Raises:
        BadInput: which one, and why.
    """
    if not job.command:
        raise BadInput(reason="The job has no command")
    for name in (*job.inputs, *job.skills):
        if PurePosixPath(name).name != name or name in {"", ".", ".."} or "\0" in name:
            raise BadInput(reason=f"{name!r} cannot be the name of an input or a skill")
    for name in job.environment:
        if not name or "=" in name or "\0" in name:
            raise BadInput(reason=f"{name!r} cannot be the name of an environment variable")
    for text in (*job.command, *job.environment.values()):
        # In bwrap's list of arguments a NUL would even begin another argument.
        if "\0" in text:
            raise BadInput(reason=f"{text[:80]!r} holds a NUL character, which no command can take")
