"""Keeps rows and workflows in step: nothing accepted is lost, nothing that ended looks alive.

A task is written before its workflow is started, so a crash or an outage in between leaves a row
that nobody works on. And a workflow that is terminated from outside cannot write its own end. Both
are corrected here by looking at Temporal, which is the source of truth. A person's decision, too,
is stored before it is signalled to the agent's workflow.
"""

import asyncio
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID

import structlog
from pydantic import ValidationError

from activities.store import approvals
from activities.store.reading.cursor import Cursor
from activities.store.reading.suspects import Suspect, Suspects, only_sweep
from activities.store.reading.tasks import find_task_of_any_team
from api.services import Services
from api.tasks.approvals import deliver
from api.tasks.kinds.table import KINDS
from api.tasks.reconciliation import Settled, settle
from workflows.backoff import Backoff
from workflows.errors import DatabaseNewer, TemporaryFailure

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

_WORKFLOWS = [kind.workflow for kind in KINDS.values()]
_START = Cursor(datetime.min.replace(tzinfo=UTC), UUID(int=0))

log = structlog.get_logger(__name__)


class Sweeper:
    """Any number of APIs may run one: on a database, one at a time does a pass."""

    def __init__(self, services: Services, *, settled_a_pass: int = MAX_SETTLED_A_PASS) -> None:
        self._services = services
        self._settled_a_pass = settled_a_pass
        self._place = _START
        self._told_at: Mapping[UUID, float] = {}
        self._unreadable: set[UUID] = set()

    async def run(self) -> None:
        """Sweep until cancelled."""
        interval_seconds = self._services.options.sweep_interval_seconds
        backoff = Backoff(2 * interval_seconds, LONGEST_PAUSE_SECONDS)
        pause_seconds = interval_seconds
        pauses: Iterator[float] | None = None  # while passes fail
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                async with asyncio.timeout(PASS_TIMEOUT_SECONDS):
                    await self.sweep()
            # Supervises for the life of the process: whatever a pass ran into, the next one is due.
            except Exception as error:
                if pauses is None:
                    pauses = backoff.pauses(random.uniform)
                    is_known = isinstance(error, (TemporaryFailure, TimeoutError))
                    log.warning("sweeper.failing", reason=str(error), exc_info=not is_known)
                pause_seconds = next(pauses)
            else:
                if pauses is not None:
                    log.info("sweeper.recovered")
                pauses, pause_seconds = None, interval_seconds

    async def sweep(self) -> None:
        """One pass.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        async with only_sweep(self._services.database) as suspects:
            if suspects is None:
                return
            ended = await self._services.temporal.ended_from_outside(_WORKFLOWS, ENDED_WINDOW)
            await self._settle(await suspects.alive_among(ended))
            await self._settle([suspect.id for suspect in await self._choose(suspects)])
        await self._deliver_decisions()

    async def _choose(self, suspects: Suspects) -> Sequence[Suspect]:
        """The next of those that may have no workflow, or one that has ended.

        They are taken in turns: many that only wait for a worker must not hide the others.
        """
        now = datetime.now(UTC)
        listed = await suspects.quiet(
            pending_since=now - timedelta(seconds=PENDING_SECONDS),
            silent_since=now - timedelta(seconds=SILENT_SECONDS),
            after=self._place,
            limit=MAX_LISTED_A_PASS,
        )
        seen = self._services.temporal.seconds_since_running
        unknown = [suspect for suspect in listed if seen(suspect.id, suspect.run) > SILENT_SECONDS]
        chosen = unknown[: self._settled_a_pass]
        if len(unknown) > len(chosen):
            self._place = chosen[-1].place
        elif len(listed) == MAX_LISTED_A_PASS:
            self._place = listed[-1].place
        else:
            self._place = _START
        return chosen

    async def _settle(self, task_ids: Iterable[UUID]) -> None:
        """One after the other: what is swept up must not crowd out what is new."""
        for task_id in task_ids:
            if task_id in self._unreadable:
                continue
            try:
                await self._settle_one(task_id)
            except (DatabaseNewer, ValidationError) as error:
                # Another version wrote it, and can read it. The tasks behind it must not wait.
                self._unreadable.add(task_id)
                log.error("task.unreadable", task_id=str(task_id), error=type(error).__name__)

    async def _settle_one(self, task_id: UUID) -> None:
        task = await find_task_of_any_team(self._services.database, task_id)
        if task is None or task.status.is_final:
            return
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
            task = await find_task_of_any_team(self._services.database, call.task_id)
            if task is not None and await deliver(self._services, task, call):
                log.info("approval.told_again", task_id=str(task.id), call=call.name)
        self._told_at = due
