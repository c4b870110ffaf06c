"""Keeps Temporal in line with the rows of schedules, which are what people want.

A schedule is written down before Temporal is told, so a crash or an outage in between leaves a row
that Temporal does not know, or knows in an older version. And a schedule may be lost in Temporal,
or there again after its database was restored. All are found and mended here.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from activities.store import schedules
from activities.store.reading.schedules import StoredSchedule, find_schedule_of_any_team
from api.passes import Passes
from api.services import Services
from api.tasks.appearance import of_schedule
from workflows.errors import TemporaryFailure

# Whoever changed a schedule is given this long to tell Temporal.
LEASE = timedelta(seconds=5)
# How often Temporal is asked what it has, where nothing was changed.
LOOK_AGAIN = timedelta(minutes=1)
MAX_A_PASS = 50
MOST_AT_ONCE = 8
PASS_TIMEOUT_SECONDS = 30.0

log = structlog.get_logger(__name__)


class Schedules:
    """Any number of APIs may run one: each takes schedules that no other looks at."""

    def __init__(
        self, services: Services, *, lease: timedelta = LEASE, look_again: timedelta = LOOK_AGAIN
    ) -> None:
        self._services = services
        self._lease = lease
        self._look_again = look_again

    @property
    def passes(self) -> Passes:
        interval_seconds = self._services.options.sweep_interval_seconds
        return Passes("schedules", self.sync_all, interval_seconds, PASS_TIMEOUT_SECONDS)

    async def sync_all(self) -> None:
        """One pass.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        if not (await self._services.looks.look()).schedules:
            return
        claimed = await schedules.claim_unsynced(
            self._services.database,
            lease=self._lease,
            look_again=self._look_again,
            limit=MAX_A_PASS,
        )
        places = asyncio.Semaphore(MOST_AT_ONCE)

        async def in_turn(schedule: StoredSchedule) -> None:
            async with places:
                await sync(self._services, schedule)

        results = await asyncio.gather(*map(in_turn, claimed), return_exceptions=True)
        for failure in [result for result in results if isinstance(result, BaseException)]:
            raise failure


async def sync(services: Services, schedule: StoredSchedule) -> None:
    """Have Temporal know a schedule as its row is, or forget it. A repeat changes nothing.

    Raises:
        TemporaryFailure: Temporal or the database cannot be reached.
    """
    if schedule.deleted_at is not None:
        await services.temporal.schedules.delete(schedule.id)
        await schedules.forget_schedule(services.database, schedule.id)
        return
    looks = await of_schedule(services, schedule.id, schedule.team_id, schedule.name)
    key_id = services.codec.key_id if services.codec is not None else None
    await services.temporal.schedules.put(schedule, looks, key_id)
    await schedules.note_synced(services.database, schedule.id, schedule.version)


async def sync_now(services: Services, schedule_id: UUID) -> None:
    """The same, of what was just changed: a pass does it if this cannot."""
    schedule = await find_schedule_of_any_team(services.database, schedule_id)
    if schedule is None:
        return
    try:
        await sync(services, schedule)
    except TemporaryFailure as failure:
        reason = str(failure)
        log.warning("schedule.sync_delayed", schedule_id=str(schedule_id), reason=reason)
