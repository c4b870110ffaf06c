"""What can go wrong between a client and the API."""

from workflows.errors import AgentOSError, BadInput
from workflows.pointers import Problem


class ApiProblem(AgentOSError):
    """{message}"""

    def __init__(
        self, *, status: int, code: str, message: str, problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(message=message)
        self.status = status
        self.code = code  # type: ignore[misc]  # the server's word, not this class's name
        self.problems = problems

    @property
    def pointers(self) -> tuple[str, ...]:
        """JSON pointers to what is wrong in the request that was sent."""
        return tuple(problem.pointer for problem in self.problems)


class ApiUnreachable(AgentOSError):
    """No AgentOS API answers at {url} ({reason}). Start one with `agentos up`, or set another
    address with --api-url or AGENTOS_API_URL."""


class NotTheApi(AgentOSError):
    """The server at {url} is not an AgentOS API of this version ({reason}). Check --api-url or
    AGENTOS_API_URL."""


class ApiUrlMalformed(BadInput):
    """{url!r} is not the URL of an AgentOS API: write http://HOST:PORT or https://HOST.{hint}"""


class HeaderUnsendable(BadInput):
    """The {what} contains characters that cannot be sent. Use printable ASCII characters only."""


class FileUnreadable(AgentOSError):
    """{path} cannot be uploaded: {reason}. Choose a readable file, not a folder or a device."""


class FileUnwritable(AgentOSError):
    """{path} cannot be written: {reason}. Name another place with -o."""


class ArtifactNameRefused(AgentOSError):
    """The artifact {artifact_id} is named {name!r}, which would be written outside {folder}, so it
    was not downloaded. The script that made it may be malicious."""


class DownloadDamaged(AgentOSError):
    """The download of {name!r} does not match what was stored: {reason}. Try again."""
