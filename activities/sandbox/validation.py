"""Whether a job makes sense at all, before any backend touches it."""

import os
from pathlib import PurePosixPath

from activities.sandbox.base import Job
from workflows.errors import BadInput


def validate(job: Job) -> None:
    """Refuse a command that no system takes, and names that would lead elsewhere.

    Raises:
        BadInput: which one, and why.
    """
    if not job.command:
        raise BadInput(reason="The job has no command")
    for name in (*job.inputs, *job.skills):
        if PurePosixPath(name).name != name or name in {"", ".", ".."} or "\0" in name:
            raise BadInput(reason=f"{name!r} cannot be the name of an input or a skill")
    for word in (*job.command, *job.environment, *job.environment.values()):
        try:
            os.fsencode(word)
        except UnicodeEncodeError as error:
            reason = f"{word[:80]!r} holds half a character, which no command can take"
            raise BadInput(reason=reason) from error
    for argument in job.command:
        if "\0" in argument:
            raise BadInput(reason=f"{argument[:80]!r} holds a NUL, which no command can take")
