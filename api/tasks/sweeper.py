"""Keeps rows and workflows in step: nothing accepted is lost, nothing that ended looks alive.

A task is written before its workflow is started, so a crash or an outage in between leaves a row
that nobody works on. And a workflow that is terminated from outside cannot write its own end. Both
are mended here, by looking at what Temporal has: it is the truth. A decision of a person is written
down as well before the agent is told.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID

import structlog
from sqlalchemy import and_, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import approvals
from activities.store.tables import Task
from api.services import Services
from api.tasks.approvals import deliver
from api.tasks.queries import find_stored
from api.tasks.reconciliation import Settled, settle
from workflows.errors import TemporaryFailure
from workflows.states import FINAL, Status

# Whoever accepted the task is given this long to start it.
PENDING_SECONDS = 3.0
# How often a task is looked at of which nothing is heard.
SILENT_SECONDS = 60.0
# How far back is asked for workflows that were ended from outside; older ones are found as silent.
ENDED_WINDOW = timedelta(minutes=10)
MAX_SETTLED_A_PASS = 200
MAX_LISTED_A_PASS = 2_000
PASS_TIMEOUT_SECONDS = 20.0
# Whoever took a decision is given this long to tell the agent.
DECIDED_AGE = timedelta(seconds=3)
MAX_DELIVERED_A_PASS = 50
LONGEST_PAUSE_SECONDS = 30.0

# Any number will do, as long as all APIs on a database take the same.
_LOCK = 4_207_116_904
_ALIVE = [str(status) for status in Status if status not in FINAL]
_START = (datetime.min.replace(tzinfo=UTC), UUID(int=0))

log = structlog.get_logger(__name__)


class Sweeper:
    """Any number of APIs may run one: on a database, one at a time does a pass."""

    def __init__(self, services: Services, *, settled_a_pass: int = MAX_SETTLED_A_PASS) -> None:
        self._services = services
        self._settled_a_pass = settled_a_pass
        self._place = _START
        self._told_at: Mapping[UUID, float] = {}

    async def run(self) -> None:
        """Sweep until cancelled."""
        interval_seconds = self._services.options.sweep_interval_seconds
        pause_seconds = interval_seconds
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                async with asyncio.timeout(PASS_TIMEOUT_SECONDS):
                    await self.sweep()
            # Supervises for the life of the process: whatever a pass ran into, the next one is due.
            except Exception as error:
                if pause_seconds == interval_seconds:
                    is_known = isinstance(error, (TemporaryFailure, TimeoutError))
                    log.warning("sweeper.failing", reason=str(error), exc_info=not is_known)
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            else:
                if pause_seconds != interval_seconds:
                    log.info("sweeper.recovered")
                pause_seconds = interval_seconds

    async def sweep(self) -> None:
        """One pass.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        async with self._services.database.writing() as connection:
            # Held until the transaction ends, so that a process that dies lets go of it.
            if not await connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")):
                return
            ended = await self._services.temporal.ended_from_outside(ENDED_WINDOW)
            await self._settle(await _alive_among(connection, ended))
            await self._settle(await self._suspects(connection))
        await self._deliver_decisions()

    async def _suspects(self, connection: AsyncConnection) -> Sequence[UUID]:
        """The next of those that may have no workflow, or one that has ended.

        They are taken in turns: many that only wait for a worker must not hide the others.
        """
        now = datetime.now(UTC)
        is_pending = and_(
            col(Task.status) == Status.PENDING,
            col(Task.updated_at) < now - timedelta(seconds=PENDING_SECONDS),
        )
        is_silent = and_(
            col(Task.status).in_(_ALIVE),
            col(Task.updated_at) < now - timedelta(seconds=SILENT_SECONDS),
        )
        place = tuple_(col(Task.updated_at), col(Task.id))
        rows = (
            await connection.execute(
                select(col(Task.id), col(Task.run), col(Task.updated_at))
                .where(or_(is_pending, is_silent), place > self._place)
                .order_by(col(Task.updated_at), col(Task.id))
                .limit(MAX_LISTED_A_PASS)
            )
        ).all()
        seen = self._services.temporal.seconds_since_running
        unknown = [row for row in rows if seen(row.id, row.run) > SILENT_SECONDS]
        chosen = unknown[: self._settled_a_pass]
        if len(unknown) > len(chosen):
            self._place = (chosen[-1].updated_at, chosen[-1].id)
        elif len(rows) == MAX_LISTED_A_PASS:
            self._place = (rows[-1].updated_at, rows[-1].id)
        else:
            self._place = _START
        return [row.id for row in chosen]

    async def _settle(self, task_ids: Iterable[UUID]) -> None:
        """One after the other: what is swept up must not crowd out what is new."""
        for task_id in task_ids:
            task = await find_stored(self._services.database, task_id)
            if task is None or task.status.is_final:
                continue
            settled = await settle(self._services, task)
            if settled is not Settled.UNCHANGED:
                log.info("task.swept", task_id=str(task_id), run=task.run, outcome=settled.value)

    async def _deliver_decisions(self) -> None:
        """Tell agents again what people decided: the first word may have been lost."""
        due = {}
        for call in await approvals.decided_calls(
            self._services.database, DECIDED_AGE, MAX_DELIVERED_A_PASS
        ):
            due[call.id] = self._told_at.get(call.id, -inf)
            if time.monotonic() - due[call.id] < SILENT_SECONDS:
                continue
            due[call.id] = time.monotonic()
            task = await find_stored(self._services.database, call.task_id)
            if task is not None and await deliver(self._services, task, call):
                log.info("approval.told_again", task_id=str(task.id), call=call.name)
        self._told_at = due


async def _alive_among(connection: AsyncConnection, task_ids: Sequence[UUID]) -> Sequence[UUID]:
    if not task_ids:
        return ()
    found = await connection.scalars(
        select(col(Task.id)).where(col(Task.id).in_(task_ids), col(Task.status).in_(_ALIVE))
    )
    return found.all()
