"""What the API must know of a type of task."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, JsonValue

from activities.inputs.checking import check_inputs
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from activities.store.tasks import NewSubTask
from api.errors import InvalidRequest
from api.services import Services
from api.wire.requests import TaskRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress, Result
from workflows.contracts import TaskRun
from workflows.lifecycle import TaskWorkflow
from workflows.pointers import Problem
from workflows.states import TaskType

Definition = TypeVar("Definition", bound=BaseModel)


class RunnableTask(Protocol):
    """A task that was just accepted, or one as its row has it."""

    @property
    def id(self) -> UUID: ...
    @property
    def team_id(self) -> UUID: ...
    @property
    def run(self) -> int: ...
    @property
    def first_step(self) -> int: ...
    @property
    def definition(self) -> Mapping[str, JsonValue]: ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the next run of a task begins. The sub-tasks ``again`` start over with it."""

    first_step: int
    again: Collection[UUID] = ()


class Kind(ABC, Generic[Definition]):
    """``model`` is that of the definition, ``workflow`` what runs it.

    The module of a kind has an object of it as ``KIND``.

    ``has_many_sub_tasks``: a list of tasks reads only those that are open.
    """

    task_type: TaskType
    model: type[Definition]
    workflow: type[TaskWorkflow]
    has_many_sub_tasks = False

    def read(self, task: RunnableTask) -> Definition:
        """The definition of a task that was accepted."""
        return self.model.model_validate(task.definition)

    @abstractmethod
    def define(self, request: TaskRequest) -> Definition:
        """What a request asks for. Raises ``InvalidRequest``."""

    @abstractmethod
    def name(self, request: TaskRequest, definition: Definition) -> str:
        """What people call the task."""

    def sub_tasks(self, task_id: UUID, definition: Definition) -> Sequence[NewSubTask]:
        """The rows that are there before the task begins, in their order."""
        return ()

    async def problems(
        self, services: Services, team_id: UUID, definition: Definition, inputs: Mapping[str, str]
    ) -> list[Problem]:
        """Everything that is wrong with a task which only the installed parts can tell.

        Nothing is asked of the database that the definition does not name.
        """
        return [
            *await self.own_problems(services, team_id, definition, inputs),
            *await check_inputs(
                services.database, services.blobs, services.inputs, team_id, inputs
            ),
        ]

    @abstractmethod
    async def own_problems(
        self, services: Services, team_id: UUID, definition: Definition, inputs: Mapping[str, str]
    ) -> list[Problem]:
        """What is wrong beside what the inputs refer to."""

    @abstractmethod
    async def message(self, services: Services, task: RunnableTask) -> TaskRun:
        """The input of the workflow of the task's present run: ids, numbers and limits only."""

    @abstractmethod
    async def beginning(self, services: Services, task: StoredTask, begin: str | None) -> Beginning:
        """Where the task begins when a person runs it again, from ``begin`` if they say so.

        Raises:
            InvalidRequest: it cannot begin there.
        """

    @abstractmethod
    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """How far the task is; ``current`` is the sub-task that runs."""

    @abstractmethod
    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> Result | AgentResult | None:
        """What a completed task gave."""


def wrong(pointer: str, message: str) -> InvalidRequest:
    return InvalidRequest([Problem(pointer, message)])
