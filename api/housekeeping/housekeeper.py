"""Removes what is not kept any longer, beside the API's answers.

Any number of APIs may run one: whoever has the lease makes a pass. It works in short transactions,
rests after each for as long as it took, and does not go on for long with one team or one thing. If
two made a pass at once, after all, they would only do the same twice.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from activities.retention import Retention
from activities.store.housekeeping import progress
from activities.store.housekeeping.base import Scope, Step, Sweep, short_transaction
from activities.store.housekeeping.progress import DueSweep
from activities.store.housekeeping.table import SWEEPS
from api.housekeeping.collector import BLOBS, Collector
from api.passes import Passes
from api.services import Services
from workflows.errors import AgentOSError, TemporaryFailure

# Of each sweep, the field of ``Retention`` that says for how long.
KEEPS = {**{sweep.name: sweep.keep for sweep in SWEEPS}, BLOBS: BLOBS}
NAMES = tuple(KEEPS)
TIMEOUT_SECONDS = 60.0
LEASE_SECONDS = 90.0  # longer than a pass may take
# For one sweep of one team; then others have their turn.
SLICE_SECONDS = 0.5
MOST_DUE = 200

FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 500, 10, 10_000
# A step takes between the two, once its number of rows is found.
SHORT_SECONDS, LONG_SECONDS = 0.03, 0.1

log = structlog.get_logger(__name__)


class Housekeeper:
    """One pass after the other; ``limits`` are how many rows a step of each sweep takes on."""

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._options = services.options.housekeeping
        self._collector = Collector(services.database, services.blobs, self._options.round_seconds)
        self._sweeps: Mapping[str, Sweep] = {sweep.name: sweep for sweep in SWEEPS}
        self._limits = dict.fromkeys(self._sweeps, FIRST_ROWS)
        self._holder = uuid4().hex

    @property
    def passes(self) -> Passes:
        return Passes("housekeeping", self.sweep, self._options.interval_seconds, TIMEOUT_SECONDS)

    async def sweep(self) -> None:
        """One pass, unless somebody else makes one.

        Raises:
            TemporaryFailure: a service cannot be reached; the next pass goes on.
        """
        if not await progress.take_lease(self._database, self._holder, LEASE_SECONDS):
            return
        began, removed = time.monotonic(), 0
        try:
            removed = await self._work(began + self._options.work_seconds)
        finally:
            duration_ms = round(1_000 * (time.monotonic() - began))
            await progress.give_back(self._database, self._holder, removed, duration_ms)

    async def _work(self, deadline: float) -> int:
        due = await progress.due_sweeps(
            self._database, NAMES, rest_seconds=self._options.rest_seconds, limit=MOST_DUE
        )
        removed = 0
        failure: AgentOSError | None = None
        may_collect: bool | None = None
        for each in due:
            if time.monotonic() > deadline:
                break
            retention = each.retention.over(self._options.retention)
            try:
                if each.name != BLOBS:
                    removed += await self._sweep_one(each, retention, deadline)
                    continue
                if may_collect is None:
                    may_collect = await self._collector.may_remove()
                    await self._collector.abort_uploads()
                removed += await self._collect(each, retention, deadline, may_collect)
            except AgentOSError as error:
                # The others do not depend on it, and must not come behind it for ever.
                failure = failure or error
                may_collect = False if each.name == BLOBS else may_collect
                with suppress(TemporaryFailure):
                    await self._pass_by(each)
        if failure is not None:
            raise failure
        return removed

    async def _collect(
        self, due: DueSweep, retention: Retention, deadline: float, may_collect: bool
    ) -> int:
        kept_seconds = self._options.seconds_for_blobs(retention)
        if kept_seconds is None or not may_collect:
            await self._pass_by(due)
            return 0
        slice_end = min(deadline, time.monotonic() + SLICE_SECONDS)
        return await self._collector.collect(due, kept_seconds, slice_end)

    async def _sweep_one(self, due: DueSweep, retention: Retention, deadline: float) -> int:
        """Steps of one sweep of one team, until nothing is left or others have their turn."""
        sweep = self._sweeps[due.name]
        days = 0 if sweep.keep is None else getattr(retention, sweep.keep)
        if days is None:
            await self._pass_by(due)
            return 0
        before = datetime.now(UTC) - timedelta(days=days)
        removed, after = 0, due.after
        slice_end = min(deadline, time.monotonic() + SLICE_SECONDS)
        while True:
            scope = Scope(due.team_id, before, after, self._limits[sweep.name])
            step = await self._step(sweep, scope)
            removed += step.removed
            after = step.place
            if step.is_done:
                break
            if time.monotonic() > slice_end:
                async with short_transaction(self._database) as connection:
                    left = await sweep.count_left(connection, scope)
                    await progress.save_left(connection, sweep.name, due.team_id, max(1, left))
                break
        if removed:
            log.info("swept", sweep=sweep.name, team_id=str(due.team_id), rows=removed)
        return removed

    async def _step(self, sweep: Sweep, scope: Scope) -> Step:
        began = time.monotonic()
        try:
            async with short_transaction(self._database) as connection:
                step = await sweep.step(connection, scope)
                await progress.save(connection, sweep.name, scope.team_id, step)
        except TemporaryFailure:
            self._fit(sweep.name, scope.limit // 4)
            raise
        took = time.monotonic() - began
        if took > LONG_SECONDS:
            self._fit(sweep.name, scope.limit // 2)
        elif took < SHORT_SECONDS and step.removed >= scope.limit:
            self._fit(sweep.name, 2 * scope.limit)
        await asyncio.sleep(took)
        return step

    def _fit(self, name: str, rows: int) -> None:
        self._limits[name] = min(max(rows, FEWEST_ROWS), MOST_ROWS)

    async def _pass_by(self, due: DueSweep) -> None:
        """Look at it again in the next round only."""
        async with short_transaction(self._database) as connection:
            step = Step(0, True, due.after, place_key=due.after_key)
            await progress.save(connection, due.name, due.team_id, step)
