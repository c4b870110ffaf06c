"""Which API a command talks to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from api.addresses import DEFAULT_URL
from workflows.errors import AgentOSError


class StackStarting(AgentOSError):
    """`agentos up` on {data_dir} is still starting. Try again when it has printed its addresses, or
    name another API with --api-url or AGENTOS_API_URL."""


@dataclass(frozen=True, slots=True)
class StackHere:
    """A stack that runs on the data folder of where the command is called. ``api_url`` is None
    until it has started."""

    data_dir: Path
    api_url: str | None


Find = Callable[[], StackHere | None]


class Connection:
    """Where the API is; kept in the context of every command. Where nobody says it, it is that of
    the stack that ``find`` finds: only when it is needed, as many commands need none."""

    def __init__(self, given: str | None, api_key: str | None, find: Find | None = None) -> None:
        self.given = given
        self.api_key = api_key
        self._find = find

    @cached_property
    def stack(self) -> StackHere | None:
        """Whose API it is; None where it was named, or is none of a stack."""
        return self._find() if self._find and not self.given else None

    @property
    def url(self) -> str:
        """Raises ``StackStarting``: another API would be another stack's."""
        if self.stack is not None and self.stack.api_url is None:
            raise StackStarting(data_dir=self.stack.data_dir)
        return self.given or (self.stack and self.stack.api_url) or DEFAULT_URL
