"""Which API a command talks to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from api.addresses import DEFAULT_URL
from api.cli.stack_errors import StackNotReady


@dataclass(frozen=True, slots=True)
class LocalStack:
    """What `agentos up` runs on a data folder; it has no address before its API is started."""

    data_dir: Path
    api_url: str | None


FindStack = Callable[[], LocalStack | None]


def no_stack() -> None:
    """Where there is none to be found."""


class Connection:
    """Where the API is; kept in the context of every command."""

    def __init__(
        self, named: str | None, api_key: str | None, find_stack: FindStack = no_stack
    ) -> None:
        """``named`` is what the command line or the environment says."""
        self.named = named
        self.api_key = api_key
        self._find_stack = find_stack

    @cached_property
    def stack(self) -> LocalStack | None:
        """Whose API it is, where nobody named one. Looked for only when it is needed."""
        return None if self.named else self._find_stack()

    @property
    def url(self) -> str:
        """What was named; else that of the stack that runs here, or where one is by default.

        Raises:
            StackNotReady, NoStackHere
        """
        if self.named:
            return self.named
        if self.stack is None:
            return DEFAULT_URL
        if self.stack.api_url is None:
            raise StackNotReady(data_dir=self.stack.data_dir)
        return self.stack.api_url
