"""How the terminal treats a type of task: what it is submitted with, and how it is shown."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic

from rich.console import Console
from rich.text import Text

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
    """``part`` is what a sub-task of it is called; with ``draws_usage`` its drawing says what was
    used, by the tasks below it as well. The module of a kind has an object as ``KIND``.

    ``request`` makes a request of a command line: its first parameter takes the inputs; the others
    and its docstring become those of ``agentos submit TYPE``. None for what nobody submits.
    """

    task_type: TaskType
    part: str
    draws_usage: bool = False
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

    def progress_note(self, task: Task) -> str:
        """How far the task is, where its sub-tasks do not show it."""
        return ""

    async def drawing(self, client: Client, task: Task) -> Sequence[Text] | None:
        """What is shown in place of a table of the task's sub-tasks; None: the table is."""
        return None

    def print_result(self, task: Task) -> None:
        """Print what the task gave beside files, if it gave something."""
