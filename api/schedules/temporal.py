"""Schedules in Temporal, seen from the API: put, describe, run, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4

from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest, UpdateScheduleRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    WorkflowExecutionStatus,
)
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from activities.payloads import key_id_of
from activities.store.reading.schedules import StoredSchedule
from api.schedules.zones import keeps_minutes
from api.tasks.temporal_calls import CALL_TIMEOUT_SECONDS, summary, temporal_errors
from api.temporal_labels import Appearance, Labelling
from workflows import label_names, policies
from workflows.definitions import cron
from workflows.definitions.cron import Cron
from workflows.details import memo
from workflows.errors import TemporaryFailure
from workflows.priorities import priority_of
from workflows.schedule_contracts import Overlap, ScheduledRun, runs_of, schedule_name
from workflows.scheduled_run import ScheduledRunWorkflow

# Beside its task, which ends first.
_RUN_TIMEOUT = policies.TASK_EXECUTION_TIMEOUT + timedelta(days=1)
_PATIENCE = timedelta(seconds=CALL_TIMEOUT_SECONDS)
_USUAL_PRIORITY = 5

_OVERLAPS: Mapping[Overlap, ScheduleOverlapPolicy] = {
    Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    Overlap.BUFFER: ScheduleOverlapPolicy.BUFFER_ONE,
    Overlap.CANCEL: ScheduleOverlapPolicy.CANCEL_OTHER,
    Overlap.ALL: ScheduleOverlapPolicy.ALLOW_ALL,
}


@dataclass(frozen=True, slots=True)
class Described:
    """What Temporal has. ``left_out`` counts runs that would have overlapped another, ``missed``
    those that came too late to be caught up with. ``key_id`` is that of the key it is encrypted
    with."""

    version: int
    is_paused: bool
    next_times: Sequence[datetime]
    left_out: int
    missed: int
    runs: int
    key_id: str | None
    labels: Mapping[str, str]


class TemporalSchedules:
    """Every call raises ``TemporaryFailure`` when Temporal cannot be reached, in a few seconds."""

    def __init__(self, client: Client, task_queue: str, labelling: Labelling) -> None:
        self._client = client
        self._task_queue = task_queue
        self._labelling = labelling

    async def describe(self, schedule_id: UUID) -> Described | None:
        """None when Temporal knows of none."""
        async with temporal_errors():
            found = await self._find(schedule_id)
            return None if found is None else await self._described(found)

    async def put(self, schedule: StoredSchedule, looks: Appearance, key_id: str | None) -> None:
        """Have Temporal know a schedule as its row has it; a repeat changes nothing, and nor does
        one that is late. What it is encrypted with is to be the key ``key_id``.

        Raises:
            TemporaryFailure: also when somebody else changed it at the same time.
        """

        async def put(labels: TypedSearchAttributes | None) -> None:
            await self._put(schedule, self._schedule(schedule, looks, labels), key_id)

        async with temporal_errors():
            await self._labelling.start(looks.labels, put)

    async def _put(self, schedule: StoredSchedule, wanted: Schedule, key_id: str | None) -> None:
        assert isinstance(wanted.action, ScheduleActionStartWorkflow)
        labels = _labels(wanted.action.typed_search_attributes)
        if schedule.synced_version == 0 and await self._create(schedule, wanted):
            return
        found = await self._find(schedule.id)
        if found is None:
            await self._create(schedule, wanted)
        elif not _is_current(await self._described(found), schedule, key_id, labels):
            await self._update(schedule, wanted, found)
            await self._check(schedule, key_id, labels)

    async def trigger(self, schedule: StoredSchedule, at: datetime) -> None:
        """Run it now; ``at`` is the time that the run goes by. Temporal has taken it in then."""
        asked = TriggerImmediatelyRequest()
        asked.scheduled_time.FromDatetime(at)
        async with temporal_errors():
            await self._client.workflow_service.patch_schedule(
                PatchScheduleRequest(
                    namespace=self._client.namespace,
                    schedule_id=schedule_name(schedule.id),
                    patch=SchedulePatch(trigger_immediately=asked),
                    identity=self._client.identity,
                    request_id=str(uuid4()),
                ),
                retry=True,
                timeout=_PATIENCE,
            )
            await self._find(schedule.id)  # Answered once what came before it is worked off.

    async def delete(self, schedule_id: UUID) -> None:
        """What runs goes on; a repeat changes nothing."""
        async with temporal_errors():
            try:
                handle = self._client.get_schedule_handle(schedule_name(schedule_id))
                await handle.delete(rpc_timeout=_PATIENCE)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def runs(self, workflow_id: str) -> bool:
        """Whether the workflow of a run of a schedule is running."""
        async with temporal_errors():
            try:
                handle = self._client.get_workflow_handle(workflow_id)
                found = await handle.describe(rpc_timeout=_PATIENCE)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
        return found.status is WorkflowExecutionStatus.RUNNING

    async def _find(self, schedule_id: UUID) -> ScheduleDescription | None:
        try:
            handle = self._client.get_schedule_handle(schedule_name(schedule_id))
            return await handle.describe(rpc_timeout=_PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _described(self, found: ScheduleDescription) -> Described:
        action = found.schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)
        [kept] = action.args
        [run] = await self._client.data_converter.decode([kept], [ScheduledRun])
        return Described(
            version=run.version,
            is_paused=found.schedule.state.paused,
            next_times=found.info.next_action_times,
            left_out=found.info.num_actions_skipped_overlap,
            missed=found.info.num_actions_missed_catchup_window,
            runs=len(found.info.running_actions),
            key_id=key_id_of(kept),
            labels=_labels(action.typed_search_attributes),
        )

    async def _create(self, schedule: StoredSchedule, wanted: Schedule) -> bool:
        """False when there is one. Times that have passed since it was accepted, or lost, are made
        up for, as Temporal itself does after it was away."""
        now = datetime.now(UTC)
        since = max(schedule.seen_at, now - timedelta(seconds=schedule.catch_up_seconds))
        missed = [ScheduleBackfill(since, now)] if schedule.paused_at is None else []
        try:
            await self._client.create_schedule(
                schedule_name(schedule.id), wanted, backfill=missed, rpc_timeout=_PATIENCE
            )
        except ScheduleAlreadyRunningError:
            return False
        return True

    async def _update(
        self, schedule: StoredSchedule, wanted: Schedule, found: ScheduleDescription
    ) -> None:
        """Temporal drops it, without a word, if it was changed since it was ``found``."""
        await self._client.workflow_service.update_schedule(
            UpdateScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=schedule_name(schedule.id),
                schedule=await wanted._to_proto(self._client),
                conflict_token=found.raw_description.conflict_token,
                identity=self._client.identity,
                request_id=str(uuid4()),
            ),
            retry=True,
            timeout=_PATIENCE,
        )

    async def _check(
        self, schedule: StoredSchedule, key_id: str | None, labels: Mapping[str, str]
    ) -> None:
        found = await self._find(schedule.id)
        if found is None or not _is_current(await self._described(found), schedule, key_id, labels):
            reason = "the schedule was changed at the same time"
            raise TemporaryFailure(service="Temporal", reason=reason)

    def _schedule(
        self,
        schedule: StoredSchedule,
        looks: Appearance,
        labels: TypedSearchAttributes | None,
    ) -> Schedule:
        run = ScheduledRun(
            schedule_id=schedule.id, team_id=schedule.team_id, version=schedule.version
        )
        priority = schedule.priority or _USUAL_PRIORITY
        return Schedule(
            action=ScheduleActionStartWorkflow(
                ScheduledRunWorkflow.run,
                run,
                id=runs_of(schedule.id),
                task_queue=self._task_queue,
                execution_timeout=_RUN_TIMEOUT,
                static_summary=summary(looks.title),
                static_details=looks.details,
                memo=memo(1, looks.page),
                typed_search_attributes=labels or TypedSearchAttributes.empty,
                priority=priority_of(priority, schedule.team_id),
            ),
            spec=spec_of(schedule),
            policy=SchedulePolicy(
                overlap=_OVERLAPS[schedule.overlap],
                # Temporal's own would be a year.
                catchup_window=timedelta(seconds=schedule.catch_up_seconds),
            ),
            state=ScheduleState(paused=schedule.paused_at is not None),
        )


def spec_of(schedule: StoredSchedule) -> ScheduleSpec:
    """The times of a schedule, as Temporal counts them."""
    if schedule.cron is None:
        assert schedule.every_seconds is not None
        every = timedelta(seconds=schedule.every_seconds)
        return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)])
    times, zone = cron.parse(schedule.cron), schedule.time_zone
    # By a clock that is put back, Temporal would leave out an hour of what runs every hour.
    if times.is_hourly and keeps_minutes(zone, datetime.now(UTC)):
        zone = "UTC"
    return ScheduleSpec(calendars=_calendars(times), time_zone_name=zone)


def _calendars(times: Cron) -> Sequence[ScheduleCalendarSpec]:
    """Two where either day is enough: Temporal wants both to match."""
    days, weekdays = _ranges(times.days), _ranges(times.weekdays)
    every_day, every_weekday = [ScheduleRange(1, 31)], [ScheduleRange(0, 6)]
    pairs = [(days, weekdays)]
    if times.has_either_day:
        pairs = [(days, every_weekday), (every_day, weekdays)]
    return [
        ScheduleCalendarSpec(
            minute=_ranges(times.minutes),
            hour=_ranges(times.hours),
            day_of_month=day,
            month=_ranges(times.months),
            day_of_week=weekday,
        )
        for day, weekday in pairs
    ]


def _ranges(values: Sequence[int]) -> Sequence[ScheduleRange]:
    """``1, 2, 3, 7`` -> 1 to 3, and 7."""
    runs = groupby(enumerate(values), key=lambda pair: pair[1] - pair[0])
    grouped = [[value for _, value in run] for _, run in runs]
    return [ScheduleRange(group[0], group[-1]) for group in grouped]


def _is_current(
    found: Described, schedule: StoredSchedule, key_id: str | None, labels: Mapping[str, str]
) -> bool:
    return found.version >= schedule.version and (
        found.version > schedule.version or (found.key_id == key_id and found.labels == labels)
    )


def _labels(attributes: TypedSearchAttributes) -> Mapping[str, str]:
    """Ours, of what a schedule starts."""
    return {pair.key.name: pair.value for pair in attributes if pair.key.name in label_names.ALL}
