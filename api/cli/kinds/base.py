"""How the terminal treats a type of task: what it is submitted with, and how it is followed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic

from rich.console import Console

from api.cli.commands.checking import PipelineText
from api.cli.commands.inputs import GivenInputs
from api.cli.display.displays import Shown
from api.cli.display.moving_picture import MovingPicture
from api.cli.display.plain_lines import PlainLines
from api.client import AsyncClient as Client
from api.wire.responses.tasks import Task
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType


class Kind(ABC, Generic[Shown]):
    """The module of a kind has an object as ``KIND``.

    ``request`` makes a request of a command line: its first parameter takes the inputs; the others
    and its docstring become those of ``agentos submit TYPE``. None for what nobody submits.
    """

    task_type: TaskType
    request: Callable[..., TaskRequest] | None = None

    def source(self, given: GivenInputs, **options: Any) -> PipelineText | None:
        """The text that ``request`` would read with these options, where it is in a file."""
        return None

    @abstractmethod
    def progress(self, task: Task) -> Shown:
        """A task none of whose events were seen yet."""

    @abstractmethod
    def picture(self, progress: Shown, console: Console) -> MovingPicture:
        """What moves on a terminal while the task runs."""

    @abstractmethod
    def lines(self, progress: Shown, console: Console) -> PlainLines:
        """What is printed elsewhere."""

    async def complete(self, progress: Shown, client: Client) -> None:
        """Add what no event tells of a task that has ended."""
