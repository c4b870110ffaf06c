"""The one error tree. A class's docstring is its message; its fields fill the braces.

Every message says what was wrong, where, and what to do. ``code`` is stable: clients may branch on it.
"""

import re
from typing import ClassVar


class AgentOSError(Exception):
    """Something went wrong that AgentOS has no better name for: {reason}."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        # `SkillNotFound` -> `skill-not-found`: derived, so a name and its code cannot drift apart.
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((self.__doc__ or "").format(**fields).split()))


class BadInput(AgentOSError):
    """{reason}."""


class TemporaryFailure(AgentOSError):
    """{service} could not be reached: {reason}. The attempt is repeated by itself."""

    retryable = True


class SandboxUnavailable(AgentOSError):
    """The {sandbox} sandbox cannot run here: {reason}. {remedy}"""


class DependenciesUnavailable(AgentOSError):
    """The dependencies of skill {skill} could not be installed: {reason}. Check its declaration."""
