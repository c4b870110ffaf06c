"""The messages between the workflow of a pipeline and its activities: see ``contracts``."""

from typing import Literal
from uuid import UUID, uuid5

from pydantic import Field

from workflows.contracts import Hold, Message, TaskRun


class StepPlan(Message):
    """What the workflow must know about a step. Its definition is in the step's row.

    ``needs`` are names of other steps, in a run that ``is_graph``. With ``has_items``, ``parallel``
    of these run at once at most.
    """

    id: str
    kind: Literal["skill", "tool", "code"]
    title: str
    timeout_seconds: float
    retries: int
    needs: tuple[str, ...] = ()
    has_items: bool = False
    parallel: int | None = None


class PipelineRun(TaskRun):
    """The input of PipelineWorkflow.

    ``first`` is the index of the step to begin with: those before it keep their results. There were
    ``tried`` attempts at it before the run continued as new.

    Of a run that ``is_graph``, whose steps begin when they may, ``completed`` are the steps that
    keep their results, and ``held`` the pieces that were held when the run continued as new, by
    name, with the number of attempts before. ``parallel`` pieces run at once at most.
    """

    steps: tuple[StepPlan, ...]
    first: int = 0
    tried: int = 0
    is_graph: bool = False
    parallel: int = 1
    completed: tuple[str, ...] = ()
    held: dict[str, int] = Field(default={})


class StepCall(Message):
    """Run one step. The step's row has its definition and the results of those before it.

    With the success of the last one, ``is_last``, the run is completed. ``tried``: as in ``Hold``.
    """

    task_id: UUID
    team_id: UUID
    sub_task_id: UUID
    run: int
    step: str
    retries: int
    timeout_seconds: float
    is_last: bool = False
    tried: int = 0


class StepOutcome(Message):
    """``closed``: the step's activity has already closed the task. ``held``: there is no outcome
    yet. ``made`` are the names of its ``files``, where Temporal may have them: some, if many."""

    exit_code: int
    files: int
    made: tuple[str, ...] = ()
    closed: bool = False
    held: Hold | None = None


class ItemsCall(Message):
    """Open or close a step with items; ``sub_task_id`` is its row."""

    task_id: UUID
    team_id: UUID
    sub_task_id: UUID
    run: int
    step: str


class OpenedItems(Message):
    """``items`` are the numbers of those that are to run, of ``count``."""

    count: int
    items: tuple[int, ...]


class PipelineResult(Message):
    """``files`` are names of what was made, and ``page`` is where the task is on our page: both are
    for those who look at it in Temporal."""

    task_id: UUID
    steps: int
    files: tuple[str, ...] = ()
    page: str = ""


def step_sub_task_id(task_id: UUID, step: str) -> UUID:
    """The id of a step's row: derived, so that no one needs to look it up."""
    return uuid5(task_id, f"step:{step}")


def item_sub_task_id(step_id: UUID, item: int) -> UUID:
    """The id of an item's row, by that of its step."""
    return uuid5(step_id, f"item:{item}")
