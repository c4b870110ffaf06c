"""What the workflows need from outside: abstract activities, implemented in ``activities``."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from temporalio import activity

from workflows.agent_contracts import ActCall, ActOutcome, RouteCall, ThinkCall, Thought
from workflows.contracts import RunStart, TaskClose, TaskMark
from workflows.pipeline_contracts import ItemsCall, OpenedItems, StepCall, StepOutcome
from workflows.plan_contracts import NodeEnd, NodesCall, NodeStart, OpenedPlan, PlanCall, PlanReport
from workflows.resident_contracts import CutCall, TakeCall, Taken
from workflows.schedule_contracts import ScheduledCall, ScheduledStart
from workflows.states import Status


class Port:
    """Every abstract method is an activity."""

    def activities(self) -> Sequence[Callable[..., Any]]:
        """The activities that a worker must host to serve the port with this adapter."""
        names = {
            name for base in type(self).__mro__ for name in getattr(base, "__abstractmethods__", ())
        }
        return [getattr(self, name) for name in sorted(names)]


class Steps(Port, ABC):
    """Runs one step of a pipeline. Repeating a call that succeeded returns its first outcome.

    Each raises an ``ApplicationError`` whose ``type`` is the code of an ``AgentOSError``, marked
    retryable or not. Why it failed is in a row then: workflow history holds no words.
    """

    @abstractmethod
    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        """Run a skill's script in the sandbox."""

    @abstractmethod
    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        """Run the user's own code in the sandbox."""

    @abstractmethod
    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        """Call a tool."""


class Items(Port, ABC):
    """The items of a step with ``foreach``, each of which is run like a step of its own."""

    @abstractmethod
    @activity.defn
    async def open_items(self, call: ItemsCall) -> OpenedItems:
        """Write down the items that the step has. A repeat gives those that are not completed.

        Raises as ``Steps``.
        """

    @abstractmethod
    @activity.defn
    async def close_items(self, call: ItemsCall) -> None:
        """Complete the step: all of its items are."""


class Agents(Port, ABC):
    """A turn of an agent: the model is asked, then the tools that it calls.

    Repeats and errors are as with ``Steps``.
    """

    @abstractmethod
    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        """Ask the model, and store its answer."""

    @abstractmethod
    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        """Make one tool call, and store its result, which may be an error."""


class Nodes(Port, ABC):
    """A plan and its nodes, each of which is a task of its own."""

    @abstractmethod
    @activity.defn
    async def open_plan(self, call: PlanCall) -> OpenedPlan:
        """Write down the nodes that a call makes or revises, and give all there are.

        Of a run that begins with it, what came after the call is dropped. A repeat writes nothing.
        """

    @abstractmethod
    @activity.defn
    async def begin_nodes(self, call: NodesCall) -> tuple[NodeStart, ...]:
        """Write down the tasks of nodes whose dependencies are completed, with the inputs and the
        share of the budget that they get. A repeat gives what was written first; a node whose task
        has ended badly gets a new run. Nodes that it gives no start for wait for the end of those
        that run."""

    @abstractmethod
    @activity.defn
    async def end_node(self, end: NodeEnd) -> bool:
        """Write down what a node has made, or how it failed. Whether it is completed."""

    @abstractmethod
    @activity.defn
    async def report_plan(self, call: PlanCall) -> PlanReport:
        """Tell the planner what became of the nodes: that is the result of its call. Where no more
        is needed it is the result of the task.

        Raises:
            ApplicationError: nodes failed, and the plan may not be revised any more.
        """


class Routes(Port, ABC):
    """The choice of what a task of type ``auto`` is."""

    @abstractmethod
    @activity.defn
    async def take_route(self, call: RouteCall) -> RunStart:
        """Make the task what was chosen. A repeat gives what was written first."""


class Conversations(Port, ABC):
    """The exchanges of an agent that stays, each of which is a task of its own."""

    @abstractmethod
    @activity.defn
    async def take_messages(self, call: TakeCall) -> Taken:
        """Begin an exchange with all that is unread. A repeat gives what was begun first."""

    @abstractmethod
    @activity.defn
    async def cut_short(self, call: CutCall) -> None:
        """Keep what the model has said in a turn that is not to be finished, as its answer."""

    @abstractmethod
    @activity.defn
    async def summarise(self, call: TakeCall) -> None:
        """Have a model sum up older exchanges, which stay as they are. A repeat changes nothing."""


class Schedules(Port, ABC):
    """The tasks of the runs of schedules."""

    @abstractmethod
    @activity.defn
    async def make_task(self, call: ScheduledCall) -> ScheduledStart | None:
        """Write down the task of a run, and give what is to run it. A repeat gives the same.

        A task that can no longer be as the schedule has it is written down as failed, with the
        reason. None: there is nothing to run, for this has ended, or the schedule was paused or
        deleted before.
        """

    @abstractmethod
    @activity.defn
    async def is_over(self, task_id: UUID) -> bool:
        """Whether a task has ended, or is gone."""


class Tasks(Port, ABC):
    """Keeps the rows that people query in sync with what the workflow decides."""

    @abstractmethod
    @activity.defn
    async def mark_task(self, mark: TaskMark) -> None:
        """Set the state of a living task."""

    @abstractmethod
    @activity.defn
    async def close_task(self, close: TaskClose) -> Status | None:
        """Set the final state of a run. A second close of the same run changes nothing.

        Gives the state that the row of the run is in then; None when it is of a later run.
        """
