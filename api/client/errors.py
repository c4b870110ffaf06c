"""What can go wrong between a client and the API."""

from collections.abc import Sequence
from typing import Final

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


class KeyMissing(ApiProblem):
    """{message}"""


class NothingThere(ApiProblem):
    """{message}"""


class AgentUnknown(NothingThere):
    """{message}"""

    def __init__(self, *, text: str, count: str) -> None:
        message = (
            f"No agent has the name {text!r}, or, among the {count} newest, an id that begins with "
            "it. `agentos agents ls` shows them; of an id, at least six characters are needed."
        )
        super().__init__(status=404, code="agent-unknown", message=message)


class AgentAmbiguous(BadInput):
    """{count} agents have an id that begins with {text}: {shown}. Use more characters, or the
    name."""


class Conflicting(ApiProblem):
    """{message}"""


class RequestInvalid(ApiProblem):
    """{message}"""


class RequestMistaken(RequestInvalid, BadInput):
    """The request is not valid, and was not sent: {message}"""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """As the API would have said it."""
        summary = "; ".join(f"{p.pointer}: {p.message}".removeprefix(": ") for p in problems[:3])
        super().__init__(
            status=422, code="invalid-request", message=summary, problems=tuple(problems)
        )


class PipelineUnreadable(RequestInvalid, BadInput):
    """The pipeline cannot be read, and was not sent: {message}."""

    def __init__(self, *, reason: str) -> None:
        problems = (Problem("/pipeline", reason),)
        super().__init__(status=422, code="invalid-request", message=reason, problems=problems)


class TooManyRequests(ApiProblem):
    """{message}"""


class ApiUnable(ApiProblem):
    """{message}"""


_BY_STATUS: Final = {
    400: RequestInvalid,
    401: KeyMissing,
    403: KeyMissing,
    404: NothingThere,
    409: Conflicting,
    413: RequestInvalid,
    422: RequestInvalid,
    429: TooManyRequests,
}
_OWN_FAULTS = 500


def problem_of(status: int) -> type[ApiProblem]:
    """What an answer that refuses is raised as."""
    return _BY_STATUS.get(status, ApiUnable if status >= _OWN_FAULTS else ApiProblem)


class ApiUnreachable(AgentOSError):
    """No AgentOS API answers at {url} ({reason}). Start one with `agentos up`, or give another
    address, as in AGENTOS_API_URL."""


class NotTheApi(AgentOSError):
    """The server at {url} is not an AgentOS API of this version ({reason}). Check the
    address, as in AGENTOS_API_URL."""


class ApiUrlMalformed(BadInput):
    """{url!r} is not the URL of an AgentOS API: write http://HOST:PORT or https://HOST.{hint}"""


class HeaderUnsendable(BadInput):
    """The {what} contains characters that cannot be sent. Use printable ASCII characters only."""


class IdempotencyKeyBlank(BadInput):
    """The idempotency key is empty, so nothing was sent: without one, each repeat would count anew.
    Is a variable not set? Give a key, or leave it out."""


class FileUnreadable(AgentOSError):
    """{path} cannot be read: {reason}. Choose a readable file, not a folder or a device."""


class FileUnwritable(AgentOSError):
    """{path} cannot be written: {reason}. Name another place, on a command line with -o."""


class ArtifactNameRefused(AgentOSError):
    """The artifact {artifact_id} is named {name!r}, which would be written outside {folder}, so it
    was not downloaded. The script that made it may be malicious."""


class DownloadDamaged(AgentOSError):
    """The download of {name!r} does not match what was stored: {reason}. Try again."""


class ClientUnusable(AgentOSError):
    """The client cannot be used here: {reason}."""


class StillRunning(AgentOSError):
    """Task {task_id} has not ended within {seconds:g} s. It goes on: wait for it again, or cancel
    it."""


class TaskUnsuccessful(AgentOSError):
    """Task {task_id} ended as {status}: {message}"""

    def __init__(self, *, task_id: object, status: str, failure: str, message: str) -> None:
        super().__init__(task_id=task_id, status=status, message=message)
        self.status = status
        self.failure = failure


class ResultUnknown(AgentOSError):
    """Task {task_id} of type {type} gave a result that this client is too old for. Its document has
    it as it is."""
