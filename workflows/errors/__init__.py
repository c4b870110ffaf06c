"""The one error tree. A class's docstring is its message; its fields fill the braces.

Every message says what was wrong, where, and what to do. ``code`` is stable: clients may branch on
it. Here are those that many share; each module has those of its subject.
"""

import re
from typing import ClassVar, Final

ADVICE: Final = " What to do: "
_SAID: Final = " It ended with: "


def said_in(message: str) -> str:
    """What a script or a server had said last, as an account repeats it; empty where not."""
    return without_advice(message).partition(_SAID)[2]


def without_advice(message: str) -> str:
    """An account, but for what to do about it, and the full stop that advice needs before it."""
    told, advice, _ = message.rpartition(ADVICE)
    return (told.removesuffix(".") if _SAID in told else told) if advice else message


class AgentOSError(Exception):
    """An unexpected error occurred: {reason}."""

    code: ClassVar[str] = "error"
    # Whether another attempt may succeed. A class says what is usual; a step may say otherwise.
    retryable: bool = False
    # How long to wait before that, if the service that refused has said so.
    retry_after_seconds: float | None = None
    # What a script or a server said itself, for rows and events. It may be anything: models, logs
    # and workflow history must never get it as our words.
    said: str = ""
    # What else to do about it: which limit to raise, what to declare. It follows the message, and
    # is no part of a fingerprint, so that advice may become better.
    remedy: str = ""
    # Whether it was retried as often as it may be. Whoever counts attempts says so.
    retries_used_up: bool = False

    def __init_subclass__(cls) -> None:
        # `SkillNotFound` -> `skill-not-found`: derived, so a name and its code cannot drift apart.
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((self.__doc__ or "").format(**fields).split()))

    @property
    def account(self) -> str:
        """The message, what was said, and what to do."""
        said = f"{self}{_SAID}{self.said}" if self.said else str(self)
        if not self.remedy:
            return said
        return f"{said}{'' if said.endswith(('.', '!', '?')) else '.'}{ADVICE}{self.remedy}"


if AgentOSError.__doc__ is None:
    raise ImportError(
        "AgentOS needs docstrings, which Python is set to drop: start it without -OO, and with"
        " PYTHONOPTIMIZE unset or 1."
    )


class BadInput(AgentOSError):
    """{reason}."""


class TemporaryFailure(AgentOSError):
    """{service} could not be reached: {reason}. Try again once it is back."""

    retryable = True


class DiskFull(TemporaryFailure):
    """The disk of {service} is full: {reason}. Free some space there; what waits for it then goes
    on by itself."""


class InternalError(AgentOSError):
    """Something failed in {place} that nobody foresaw: {kind}. That is a fault of AgentOS or of a
    library, not of the task. What was under way may have taken effect. The log of the worker says
    where it came from: report it with that."""

    retryable = True


class RunNotEnded(TemporaryFailure):
    """{service} could not start the task: its previous run has not ended yet. Try again once it
    has."""
