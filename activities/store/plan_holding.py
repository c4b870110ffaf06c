"""Holding a plan: who may write to it.

Whoever writes holds the lock of the plan's row, and is fenced by its run and by its execution, as
the turns of an agent are: what an earlier execution still does changes nothing any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store.plan_statements import (
    BEGIN_ANEW,
    DROP_LATER,
    FIND_TURN,
    LOCK_PLAN,
    TAKE_PLAN,
    WAKE_CALL,
)
from activities.store.reading.plans import PlanReader, StoredPlan
from activities.store.turns import CallDefinition
from workflows.agent_contracts import call_sub_task_id
from workflows.errors.tasks import TaskMoved
from workflows.plan_contracts import PlanCall


@dataclass(frozen=True, slots=True)
class Holder:
    """The run and the Temporal execution that a plan is worked on by."""

    task_id: UUID
    run: int
    execution: str

    @property
    def fence(self) -> dict[str, Any]:
        return {"task_id": self.task_id, "run": self.run, "execution": self.execution}


class PlanHold:
    """A plan within a transaction, in which ``take`` or ``hold`` comes first."""

    def __init__(self, connection: AsyncConnection, holder: Holder) -> None:
        self._connection = connection
        self.reader = PlanReader(connection)
        self._holder = holder

    async def hold(self, seq: int) -> None:
        """Hold the plan that call ``seq`` runs, if this execution works on it. One that Temporal
        has reset to the middle of the nodes has not been seen before: it takes the plan over here.

        Raises:
            TaskMoved
        """
        if (await self._connection.execute(LOCK_PLAN, self._holder.fence)).one_or_none() is None:
            await self._take(seq)
            await self._wake(seq)

    async def read(self) -> StoredPlan:
        plan = await self.reader.plan(self._holder.task_id)
        assert plan is not None  # Its row is locked.
        return plan

    async def take(self, call: PlanCall) -> CallDefinition:
        """Take the plan over for this execution, dropping what others did after the call."""
        if not await self._take(call.seq):
            await self._connection.execute(BEGIN_ANEW, {"task_id": call.task_id})
        return CallDefinition.model_validate(await self._wake(call.seq))

    async def _take(self, seq: int) -> bool:
        """Whether the plan was this execution's before."""
        taken = (await self._connection.execute(TAKE_PLAN, self._holder.fence)).one_or_none()
        if taken is None:
            raise TaskMoved(task_id=self._holder.task_id)
        if taken.is_ours:
            return True
        found = await self._connection.execute(FIND_TURN, self._call(seq))
        if (turn := found.one_or_none()) is None:
            raise TaskMoved(task_id=self._holder.task_id)
        place = {"task_id": self._holder.task_id, "seq": seq, "turn": turn.turn, "last": turn.last}
        for statement in DROP_LATER:
            await self._connection.execute(statement, place)
        return False

    async def _wake(self, seq: int) -> Mapping[str, Any]:
        """The definition of the call, which runs again."""
        found = await self._connection.execute(WAKE_CALL, self._call(seq))
        definition: Mapping[str, Any] | None = found.scalar()
        if definition is None:
            raise TaskMoved(task_id=self._holder.task_id)
        return definition

    def _call(self, seq: int) -> Mapping[str, UUID]:
        return {"sub_task_id": call_sub_task_id(self._holder.task_id, seq)}
