"""Keeps rows and workflows in step: nothing accepted is lost, nothing that ended looks alive.

A task is written before its workflow is started, so a crash or an outage in between leaves a row
that nobody works on. And a workflow that is terminated from outside cannot write its own end. Both
are corrected here by looking at Temporal, which is the source of truth. A person's decision, too,
is stored before it is signalled to the agent's workflow; and whoever pauses or terminates an agent
that stays may not reach its workflow. The tasks of a plan's nodes are started by the plan alone;
those that it has left behind are ended here.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from uuid import UUID

import structlog
from pydantic import ValidationError

from activities.kinds.table import KINDS
from activities.store import approvals
from activities.store.reading.cursor import Cursor
from activities.store.reading.suspects import Suspect, Suspects, only_sweep
from activities.store.reading.tasks import find_task_of_any_team
from api.passes import Passes
from api.residents.pauses import Pauses
from api.services import Services
from api.tasks.approvals import deliver
from api.tasks.reconciliation import Settled, settle
from workflows.contracts import task_id_of
from workflows.conversation import ConversationWorkflow
from workflows.errors import RunNotEnded, TemporaryFailure
from workflows.errors.services import DatabaseNewer
from workflows.resident_contracts import agent_id_of

# Whoever accepted the task is given this long to start it.
PENDING_SECONDS = 3.0
# How often a task is looked at of which nothing is heard.
SILENT_SECONDS = 60.0
# How far back is asked for workflows that were ended from outside; older ones are found as silent.
ENDED_WINDOW = timedelta(minutes=10)
MAX_SETTLED_A_PASS = 200
MAX_LISTED_A_PASS = 2_000
# To look for the most urgent that were never started, behind those that only wait for a worker.
MAX_PARKED_PAGES = 5
PASS_TIMEOUT_SECONDS = 20.0
# Whoever took a decision is given this long to tell the agent.
DECIDED_AGE = timedelta(seconds=3)
MAX_DELIVERED_A_PASS = 50

_WORKFLOWS = [*(kind.workflow for kind in KINDS.values()), ConversationWorkflow]
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
        self._pauses = Pauses(services)

    @property
    def passes(self) -> Passes:
        interval_seconds = self._services.options.sweep_interval_seconds
        return Passes("sweeper", self.sweep, interval_seconds, PASS_TIMEOUT_SECONDS)

    async def sweep(self) -> None:
        """One pass.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        if not (await self._services.looks.look()).tasks:
            self._place, self._told_at = _START, {}
            return
        async with only_sweep(self._services.database) as suspects:
            if suspects is None:
                return
            failures = [await self._settle(await suspects.orphans(self._settled_a_pass))]
            failures += [await self._settle(await self._find_parked(suspects))]
            failures += [await self._settle(await self._of_terminated(suspects))]
            chosen, place = await self._choose(suspects)
            failures += [await self._settle(chosen, has_place=True)]
            self._place = place
            ended = await self._services.temporal.ended_from_outside(_WORKFLOWS, ENDED_WINDOW)
            failures += [await self._settle(await self._alive_among(suspects, ended))]
        await self._deliver_decisions()
        await self._pauses.tell_again()
        for failure in filter(None, failures):
            raise failure

    async def _alive_among(self, suspects: Suspects, workflows: Sequence[str]) -> Sequence[Suspect]:
        task_ids = list(filter(None, map(task_id_of, workflows)))
        agent_ids = list(filter(None, map(agent_id_of, workflows)))
        return [
            *await suspects.alive_among(task_ids),
            *await suspects.exchanges_among(agent_ids),
        ]

    async def _of_terminated(self, suspects: Suspects) -> Sequence[Suspect]:
        """Exchanges that go on although their agents were terminated."""
        since = datetime.now(UTC) - timedelta(seconds=PENDING_SECONDS)
        return await suspects.of_terminated_agents(since=since, limit=self._settled_a_pass)

    async def _find_parked(self, suspects: Suspects) -> Sequence[Suspect]:
        """The most urgent of those that have been pending and were never seen to run."""
        since = datetime.now(UTC) - timedelta(seconds=PENDING_SECONDS)
        seen, parked = self._services.temporal.seconds_since_running, list[Suspect]()
        last: Suspect | None = None
        for _ in range(MAX_PARKED_PAGES):
            listed = await suspects.pending(since=since, after=last, limit=MAX_LISTED_A_PASS)
            parked += [
                suspect
                for suspect in listed
                if seen(suspect.id, suspect.run) == inf and suspect.id not in self._unreadable
            ]
            if len(listed) < MAX_LISTED_A_PASS or len(parked) >= self._settled_a_pass:
                break
            last = listed[-1]
        return parked[: self._settled_a_pass]

    async def _choose(self, suspects: Suspects) -> tuple[Sequence[Suspect], Cursor]:
        """The next of those that may have no workflow, or one that has ended; and the place from
        which the next pass goes on.

        They are taken in turns: many that only wait for a worker must not hide the others.
        """
        now = datetime.now(UTC)
        listed, place = await suspects.quiet(
            pending_since=now - timedelta(seconds=PENDING_SECONDS),
            silent_since=now - timedelta(seconds=SILENT_SECONDS),
            after=self._place,
            limit=MAX_LISTED_A_PASS,
        )
        seen = self._services.temporal.seconds_since_running
        unknown = [suspect for suspect in listed if seen(suspect.id, suspect.run) > SILENT_SECONDS]
        chosen = unknown[: self._settled_a_pass]
        if len(unknown) > len(chosen):
            return chosen, chosen[-1].place
        return chosen, place or _START

    async def _settle(
        self, suspects: Iterable[Suspect], *, has_place: bool = False
    ) -> TemporaryFailure | None:
        """Side by side with all that is started, by priority. Gives the first failure, which holds
        up no others.

        With ``has_place``, a pass that is cut here goes on behind what it has settled.
        """
        settling = [(suspect, self._begin_to_settle(suspect)) for suspect in suspects]
        failure: TemporaryFailure | None = None
        for suspect, settled in settling:
            try:
                await asyncio.shield(settled)
            except (DatabaseNewer, ValidationError) as error:
                # Another version wrote it, and can read it. The tasks behind it must not wait.
                self._unreadable.add(suspect.id)
                log.error("task.unreadable", task_id=str(suspect.id), error=type(error).__name__)
            except RunNotEnded:
                log.info("task.start_delayed", task_id=str(suspect.id), run=suspect.run)
            except TemporaryFailure as error:
                failure = failure or error
            if has_place:
                self._place = suspect.place
        return failure

    def _begin_to_settle(self, suspect: Suspect) -> Awaitable[None]:
        settle_it = partial(self._settle_one, suspect.id)
        return self._services.starts.add((suspect.id, suspect.run), suspect.priority, settle_it)

    async def _settle_one(self, task_id: UUID) -> None:
        if task_id in self._unreadable:
            return
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
