"""How far a plan has come, as its planner's next turn has to know it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from activities.patience import patiently
from activities.store.database import Database
from activities.store.reading.plan_calls import LastPlanCall, last_plan_call
from activities.store.reading.plans import StoredPlan, reading_plans
from workflows.errors.tasks import TaskMoved
from workflows.states import Status


class Phase(StrEnum):
    """What the planner is to do next."""

    MAKE = "make"
    REVISE = "revise"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Progress:
    """``last`` is the planner's last call that was sound; None before there was one."""

    plan: StoredPlan
    last: LastPlanCall | None

    @property
    def phase(self) -> Phase:
        """A plan that a person refused has no nodes, and so is made again."""
        if not self.plan.nodes:
            return Phase.MAKE
        nodes = [node for node in self.plan.nodes if not node.is_replaced]
        has_failed = any(node.status is not Status.COMPLETED for node in nodes)
        return Phase.REVISE if has_failed and self.plan.may_be_revised else Phase.FINISH

    @property
    def may_give_up(self) -> bool:
        """Whether a person has refused the last call, or has not answered, without a word on how
        it should be: then more of the same may be of no use."""
        return self.last is not None and self.last.is_refused and not self.last.has_note


async def progress_of(database: Database, task_id: UUID) -> Progress:
    """Read how far a plan has come.

    Raises:
        TaskMoved: there is no such task any more.
    """

    async def read() -> Progress:
        async with reading_plans(database) as reader:
            plan = await reader.plan(task_id)
        if plan is None:
            raise TaskMoved(task_id=task_id)
        return Progress(plan, await last_plan_call(database, task_id))

    return await patiently(read)
