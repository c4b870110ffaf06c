"""What a type of task is, to all who make tasks of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, JsonValue

from activities.inputs.checking import check_inputs
from activities.inputs.policy import InputPolicy
from activities.llm.base import ModelOptions
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.tasks import NewSubTask
from activities.tools.registry import Registry
from workflows.contracts import TaskRun
from workflows.definitions.plan import Atomicity
from workflows.definitions.task_request import TaskRequest
from workflows.lifecycle import TaskWorkflow
from workflows.pointers import Problem
from workflows.states import TaskType

Definition = TypeVar("Definition", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Installed:
    """What is there for tasks to use. Without ``models`` there is nobody to be an agent.

    ``approval_seconds`` is how long an agent waits for a person. Plans that do not say how are cut
    by ``atomicity``.
    """

    database: Database
    blobs: Blobs
    catalogue: Catalogue
    tools: Registry
    models: ModelOptions | None
    inputs: InputPolicy
    approval_seconds: float
    atomicity: Atomicity = Atomicity.CONSERVATIVE

    def model_of(self, wanted: str | None) -> str:
        """The model that an agent which wants this one asks first; empty where the server of models
        is asked which it has."""
        listed = self.models.models if self.models else ()
        return wanted or next(iter(listed), "")


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


class Kind(ABC, Generic[Definition]):
    """``model`` is that of the definition, ``workflow`` what runs it.

    The module of a kind has an object of it as ``KIND``.
    """

    task_type: TaskType
    model: type[Definition]
    workflow: type[TaskWorkflow]

    def read(self, task: RunnableTask) -> Definition:
        """The definition of a task that was accepted."""
        return self.model.model_validate(task.definition)

    @abstractmethod
    def define(self, request: TaskRequest) -> Definition:
        """What a request asks for. Raises ``TaskRefused``."""

    @abstractmethod
    def name(self, prompt: str | None, definition: Definition) -> str:
        """What people call the task."""

    def sub_tasks(self, task_id: UUID, definition: Definition) -> Sequence[NewSubTask]:
        """The rows that are there before the task begins, in their order."""
        return ()

    async def problems(
        self, installed: Installed, team_id: UUID, definition: Definition, inputs: Mapping[str, str]
    ) -> list[Problem]:
        """Everything that is wrong with a task which only the installed parts can tell.

        Nothing is asked of the database that the definition does not name.
        """
        return [
            *await self.own_problems(installed, team_id, definition, inputs),
            *await check_inputs(
                installed.database, installed.blobs, installed.inputs, team_id, inputs
            ),
        ]

    @abstractmethod
    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Definition, inputs: Mapping[str, str]
    ) -> list[Problem]:
        """What is wrong beside what the inputs refer to."""

    @abstractmethod
    async def message(self, installed: Installed, task: RunnableTask) -> TaskRun:
        """The input of the workflow of the task's present run: ids, numbers and limits only."""
