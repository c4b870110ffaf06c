"""What the API must know of a type of task, beside what it is."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from activities.kinds.base import Kind
from activities.store.housekeeping.ended_tasks import ARTIFACTS, CONVERSATIONS
from activities.store.reading.past_steps import PastStep
from activities.store.reading.steps import Step
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from activities.store.restarts import Redefinition
from api.errors import InvalidRequest
from api.services import Services
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.pipeline_changes import PipelineChanges
from api.wire.responses.tasks import AgentResult, Progress, Result
from workflows.pointers import Problem

Definition = TypeVar("Definition", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the next run of a task begins. The sub-tasks ``again`` start over with it, with the new
    ``descriptions`` of those that have one. ``redefined`` is what the task is from then on,
    ``changes`` what is new of that. ``unread`` are inputs that only what is kept has used: they
    need not be there any more."""

    first_step: int
    again: Collection[UUID] = ()
    descriptions: Mapping[UUID, str] = field(default_factory=dict)
    redefined: Redefinition | None = None
    changes: PipelineChanges | None = None
    unread: Collection[str] = ()
    inner: "InnerBeginning | None" = None

    @property
    def innermost(self) -> "Beginning":
        return self if self.inner is None else self.inner.beginning.innermost


@dataclass(frozen=True, slots=True)
class InnerBeginning:
    """Where the ``task`` of a node begins, which is in a plan that begins with it: ``node`` is its
    name there."""

    node: str
    task: StoredTask
    beginning: Beginning


@dataclass(frozen=True, slots=True)
class Future:
    """What becomes of the steps of a task that runs again: which are ``kept``, and what is known of
    the ``redone``, in their order."""

    kept: Sequence[str]
    redone: Sequence[PastStep]


class ServedKind(ABC, Generic[Definition]):
    """How tasks of a ``kind`` are run again and shown.

    The module of one has an object of it as ``KIND``.

    ``has_many_sub_tasks``: a list of tasks reads only those that are open. ``counts_turns``: its
    progress is in turns, and how many it may take says nothing of how far it is.
    """

    kind: Kind[Definition]
    has_many_sub_tasks = False
    counts_turns = False

    @abstractmethod
    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        """Where the task begins when a person runs it again as they ask for.

        Raises:
            InvalidRequest: it cannot begin there.
        """

    def future(self, past: Sequence[PastStep], beginning: Beginning) -> Future:
        """What a run that begins there keeps of the ``past``. Here, of calls: what a model did up
        to a message. What it does instead nobody knows."""
        kept = [step.name for step in past if step.order <= beginning.first_step]
        return Future(kept, past[len(kept) :])

    def parts_read(self, task: StoredTask) -> Sequence[str]:
        """The sweeps of housekeeping that take what a run reads of earlier ones, where it does not
        begin at the beginning."""
        return (ARTIFACTS.name, CONVERSATIONS.name)

    @abstractmethod
    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """How far the task is; ``current`` is the sub-task that runs."""

    def shown(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Those of its sub-tasks that the task is shown with."""
        return steps

    @abstractmethod
    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> Result | AgentResult | None:
        """What a completed task gave."""


def wrong(pointer: str, message: str) -> InvalidRequest:
    return InvalidRequest([Problem(pointer, message)])
