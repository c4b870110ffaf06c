"""Tasks that agents that stay have begun: started at once, and told of when they end."""

from math import inf
from uuid import UUID

import structlog

from activities.store.begun_tasks import report_ends, unstarted
from activities.store.reading.tasks import find_task_of_any_team
from api.http.changes import Changes
from api.passes import Passes
from api.quiet import Quiet
from api.services import Services
from api.tasks.runs import start_soon
from workflows.states import Status

INTERVAL_SECONDS = 0.5
# Between two looks while nothing is announced, as each beginning and each end of a task is.
SILENT_SECONDS = 5.0
PASS_TIMEOUT_SECONDS = 30.0
REPORTED_AT_ONCE = 100
# Those that are older are the sweeper's, like all that nobody could start.
STARTED_AGE_SECONDS = 30.0
MOST_STARTED = 200

log = structlog.get_logger(__name__)


class BegunTasks:
    """Any number of APIs may run one: a task is started once, and its end told once."""

    def __init__(self, services: Services, changes: Changes) -> None:
        self._services = services
        self._quiet = Quiet(lambda: changes.count, SILENT_SECONDS)

    @property
    def passes(self) -> Passes:
        return Passes("begun_tasks", self.look, INTERVAL_SECONDS, PASS_TIMEOUT_SECONDS)

    async def look(self) -> None:
        """One pass. Raises ``TemporaryFailure`` when the database cannot be reached."""
        await self._quiet.unless(self._found)

    async def _found(self) -> bool:
        if not (await self._services.looks.look()).begun:
            return False
        reported = await self._report()
        return await self._start() or reported

    async def _start(self) -> bool:
        """Workers only write such tasks down: how a workflow is started, the API knows."""
        seen = self._services.temporal.seconds_since_running
        begun = await unstarted(
            self._services.database, since_seconds=STARTED_AGE_SECONDS, limit=MOST_STARTED
        )
        for task_id in [task_id for task_id, run in begun if seen(task_id, run) == inf]:
            task = await find_task_of_any_team(self._services.database, task_id)
            if task is not None and task.status is Status.PENDING:
                await start_soon(self._services, task)
                log.info("task.started_for_agent", task_id=str(task.id))
        return bool(begun)

    async def _report(self) -> bool:
        full = frozenset[UUID]()
        found = False
        while True:
            told = await report_ends(
                self._services.database,
                most=REPORTED_AT_ONCE,
                public_url=self._services.options.public_url,
                besides=full,
            )
            full |= told.full
            found = found or told.number > 0
            if told.number < REPORTED_AT_ONCE:
                return found
