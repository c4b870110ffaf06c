"""Rows of schedules and Temporal: kept in line, whoever was away, and whatever came late."""

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from activities.payloads import Codec
from activities.schedules.adapter import Schedules as Adapter
from activities.store.reading.schedules import find_schedule_of_any_team
from activities.store.reading.tasks import find_task_of_any_team
from activities.store.schedules import claim_unsynced
from api.schedules.syncing import Schedules, sync
from api.services import ScheduleLimits
from api.tasks.reconciliation import Settled, settle
from api.tasks.temporal import TemporalPort
from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from tests.integration.api_stage import (
    WAIT_SECONDS,
    Stage,
    api_stage,
    end_schedules,
    pipeline,
    working,
)
from workflows.definitions import cron
from workflows.schedule_contracts import (
    ScheduledCall,
    ScheduledRun,
    run_workflow_id,
    schedule_name,
    scheduled_task_id,
)
from workflows.scheduled_run import ScheduledRunWorkflow

NEVER_SECONDS = 3_600.0
AT_ONCE = timedelta(0)
LIMITS = ScheduleLimits(least_seconds=1, most=1_000)
BERLIN = "Europe/Berlin"


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> Any:
    """An API whose passes rest, without a worker."""
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        sweep_interval_seconds=NEVER_SECONDS,
        schedules=LIMITS,
    ) as stage:
        yield stage
        await end_schedules(stage, infrastructure)


@pytest.fixture(scope="module")
async def cut_off(infrastructure: Services, skills_folder: Path) -> Any:
    """An API that cannot reach Temporal; its ``temporal`` could."""
    [port] = choose_ports([None])
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        temporal_address=f"127.0.0.1:{port}",
        sweep_interval_seconds=NEVER_SECONDS,
        schedules=LIMITS,
    ) as stage:
        yield stage
        await end_schedules(stage, infrastructure)


def body(**more: Any) -> dict[str, Any]:
    timing = {} if "every" in more else {"cron": "0 * * * *"}
    return {
        "name": f"test-{uuid4()}",
        "task": {"pipeline": pipeline("print x")},
        **timing,
        **more,
    }


async def make(stage: Stage, **more: Any) -> UUID:
    answer = await stage.http.post("/schedules", json=body(**more))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def show(stage: Stage, schedule_id: UUID) -> dict[str, Any]:
    return dict((await stage.http.get(f"/schedules/{schedule_id}")).json())


def reaching(stage: Stage, of: Stage) -> Stage:
    """The stage with the Temporal of another."""
    port = TemporalPort(of.temporal, stage.task_queue)
    services = dataclasses.replace(stage.services, temporal=port)
    return dataclasses.replace(stage, services=services, temporal=of.temporal)


def passes(stage: Stage) -> Schedules:
    """Passes that look at every schedule."""
    return Schedules(stage.services, lease=AT_ONCE, look_again=AT_ONCE)


async def is_known(stage: Stage, schedule_id: UUID) -> bool:
    try:
        await stage.temporal.get_schedule_handle(schedule_name(schedule_id)).describe()
    except RPCError:
        return False
    return True


async def ids_of_runs(stage: Stage, schedule_id: UUID) -> Sequence[str]:
    handle = stage.temporal.get_schedule_handle(schedule_name(schedule_id))
    return [each.action.workflow_id for each in (await handle.describe()).info.recent_actions]


# Away.


async def test_a_schedule_is_accepted_while_temporal_is_away_and_known_to_it_later(
    stage: Stage, cut_off: Stage
) -> None:
    schedule_id = await make(cut_off)
    shown = await show(cut_off, schedule_id)
    assert "Temporal could not be reached" in shown["problem"]
    assert (shown["next_times"], shown["left_out"], shown["missed"]) == (None, None, None)
    answer = await cut_off.http.post(f"/schedules/{schedule_id}/run")
    assert answer.status_code == 503
    back = reaching(cut_off, stage)
    assert not await is_known(back, schedule_id)
    await passes(back).sync_all()
    assert await is_known(back, schedule_id)
    found = await find_schedule_of_any_team(back.database, schedule_id)
    assert found is not None
    assert found.is_synced


async def test_the_times_between_the_answer_and_temporals_return_are_made_up_for(
    stage: Stage, cut_off: Stage
) -> None:
    made = [await make(cut_off, every="1s", overlap="all", catch_up="10s") for _ in range(2)]
    old, young = made
    for schedule_id, seconds in ((old, 60), (young, 5)):
        await cut_off.execute(
            "UPDATE schedules SET seen_at = now() - make_interval(secs => :seconds) WHERE id = :id",
            seconds=seconds,
            id=schedule_id,
        )
    back = reaching(cut_off, stage)
    before = datetime.now(UTC)
    for schedule_id in made:
        found = await find_schedule_of_any_team(back.database, schedule_id)
        assert found is not None
        await sync(back.services, found)
    handles = [stage.temporal.get_schedule_handle(schedule_name(each)) for each in made]
    counts = [(await handle.describe()).info.num_actions for handle in handles]
    since = (datetime.now(UTC) - before).total_seconds()
    for handle in handles:
        await handle.delete()
    # Of the one that waited longer than that, what it may catch up with.
    assert 9 <= counts[0] <= 12 + since
    assert 4 <= counts[1] <= 7 + since


async def test_what_was_changed_and_deleted_while_temporal_was_away_is_so_later(
    stage: Stage, cut_off: Stage
) -> None:
    changed, deleted = [await make(cut_off) for _ in range(2)]
    back = reaching(cut_off, stage)
    await passes(back).sync_all()
    answer = await cut_off.http.patch(f"/schedules/{changed}", json={"paused": True})
    assert answer.status_code == 200
    assert (await cut_off.http.delete(f"/schedules/{deleted}")).status_code == 204
    assert (await cut_off.http.get(f"/schedules/{deleted}")).status_code == 404
    assert await is_known(back, deleted)
    await passes(back).sync_all()
    assert not await is_known(back, deleted)
    assert await find_schedule_of_any_team(back.database, deleted) is None
    handle = stage.temporal.get_schedule_handle(schedule_name(changed))
    assert (await handle.describe()).schedule.state.paused


async def test_a_run_that_was_due_after_a_pause_makes_no_task_though_temporal_did_not_know(
    stage: Stage,
) -> None:
    schedule_id = await make(stage, paused=True)
    adapter = Adapter(stage.services.installed)
    now = datetime.now(UTC).replace(microsecond=0)
    later = ScheduledCall(schedule_id=schedule_id, at=now + timedelta(seconds=60))
    assert await adapter.make_task(later) is None
    earlier = ScheduledCall(schedule_id=schedule_id, at=now - timedelta(seconds=60))
    assert await adapter.make_task(earlier) is not None


async def test_a_run_of_a_deleted_schedule_makes_no_task(stage: Stage) -> None:
    schedule_id = await make(stage)
    await stage.http.delete(f"/schedules/{schedule_id}")
    call = ScheduledCall(schedule_id=schedule_id, at=datetime.now(UTC))
    assert await Adapter(stage.services.installed).make_task(call) is None


# Late, and lost.


async def test_a_word_that_comes_late_does_not_take_back_a_newer_one(stage: Stage) -> None:
    schedule_id = await make(stage)
    late = await find_schedule_of_any_team(stage.database, schedule_id)
    assert late is not None
    await stage.http.patch(f"/schedules/{schedule_id}", json={"overlap": "all"})
    await sync(stage.services, late)
    described = await stage.services.temporal.schedules.describe(schedule_id)
    assert described is not None
    assert described.version == 2
    found = await find_schedule_of_any_team(stage.database, schedule_id)
    assert found is not None
    assert found.synced_version == 2


async def test_many_changes_at_once_leave_temporal_with_the_last_one(stage: Stage) -> None:
    schedule_id = await make(stage)
    path = f"/schedules/{schedule_id}"
    await asyncio.gather(
        *(stage.http.patch(path, json={"every": f"{hours}h"}) for hours in range(1, 7))
    )
    await passes(stage).sync_all()
    shown = await show(stage, schedule_id)
    assert (shown["version"], shown["problem"]) == (7, None)
    first, second = map(datetime.fromisoformat, shown["next_times"][:2])
    assert f"{(second - first) // timedelta(hours=1)}h" == shown["every"]


async def test_a_schedule_that_temporal_has_lost_is_there_again(stage: Stage) -> None:
    schedule_id = await make(stage)
    await stage.temporal.get_schedule_handle(schedule_name(schedule_id)).delete()
    assert "not yet told" in (await show(stage, schedule_id))["problem"]
    await passes(stage).sync_all()
    assert (await show(stage, schedule_id))["problem"] is None


async def test_a_pause_that_somebody_made_in_temporal_is_shown_and_stays(stage: Stage) -> None:
    schedule_id = await make(stage)
    await stage.temporal.get_schedule_handle(schedule_name(schedule_id)).pause(note="by hand")
    await passes(stage).sync_all()
    shown = await show(stage, schedule_id)
    assert (shown["paused"], shown["next_times"]) == (True, [])
    resumed = await stage.http.patch(f"/schedules/{schedule_id}", json={"paused": False})
    assert not resumed.json()["paused"]


async def test_a_schedule_that_is_looked_at_is_left_alone_by_other_apis(stage: Stage) -> None:
    schedule_id = await make(stage)

    async def claimed() -> list[UUID]:
        found = await claim_unsynced(
            stage.database, lease=timedelta(hours=1), look_again=AT_ONCE, limit=1_000
        )
        return [schedule.id for schedule in found]

    await stage.execute(
        "UPDATE schedules SET tried_at = now() - interval '2 hours' WHERE id = :id", id=schedule_id
    )
    looks = await asyncio.gather(*(claimed() for _ in range(4)))
    assert [schedule_id for look in looks for each in look if each == schedule_id] == [schedule_id]


async def test_a_schedule_is_encrypted_anew_once_there_is_another_key(
    infrastructure: Services, skills_folder: Path
) -> None:
    old, new = Codec([bytes(32)]), Codec([b"1" * 32, bytes(32)])
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        codec=old,
        sweep_interval_seconds=NEVER_SECONDS,
    ) as stage:
        schedule_id = await make(stage)
        temporal = stage.services.temporal.schedules
        described = await temporal.describe(schedule_id)
        assert described is not None
        assert described.key_id == old.key_id
        config = stage.temporal.config()
        converter = dataclasses.replace(config["data_converter"], payload_codec=new)
        client = type(stage.temporal)(**{**config, "data_converter": converter})
        port = TemporalPort(client, stage.task_queue)
        services = dataclasses.replace(stage.services, temporal=port, codec=new)
        await Schedules(services, lease=AT_ONCE, look_again=AT_ONCE).sync_all()
        described = await port.schedules.describe(schedule_id)
        assert described is not None
        assert described.key_id == new.key_id != old.key_id


# The task of a run.


async def test_a_run_makes_one_task_however_often_it_is_made(stage: Stage) -> None:
    schedule_id = await make(stage)
    adapter = Adapter(stage.services.installed)
    call = ScheduledCall(schedule_id=schedule_id, at=datetime(2026, 11, 29, 12, tzinfo=UTC))
    starts = await asyncio.gather(*(adapter.make_task(call) for _ in range(4)))
    assert len({start and start.task_id for start in starts}) == 1
    assert all(starts)
    listed = await stage.http.get("/tasks", params={"schedule_id": str(schedule_id)})
    assert len(listed.json()["items"]) == 1


async def test_a_task_that_a_run_is_about_to_start_is_left_to_it(stage: Stage) -> None:
    schedule_id = await make(stage)
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    start = await Adapter(stage.services.installed).make_task(
        ScheduledCall(schedule_id=schedule_id, at=at)
    )
    assert start is not None
    handle = await stage.temporal.start_workflow(
        ScheduledRunWorkflow.run,
        ScheduledRun(schedule_id=schedule_id, team_id=start.team_id),
        id=run_workflow_id(schedule_id, at),
        task_queue=stage.task_queue,
    )
    task = await find_task_of_any_team(stage.database, start.task_id)
    assert task is not None
    assert await settle(stage.services, task) is Settled.UNCHANGED
    await handle.terminate()
    assert await settle(stage.services, task) is Settled.STARTED


@pytest.mark.parametrize("ending", ["completed", "cancelled"])
async def test_a_run_waits_for_a_task_that_somebody_else_has_started(
    stage: Stage, ending: str
) -> None:
    stage.steps.released.clear()
    schedule_id = await make(stage, task={"pipeline": pipeline("wait")})
    schedule = await find_schedule_of_any_team(stage.database, schedule_id)
    assert schedule is not None
    at = datetime(2026, 11, 29, 13, tzinfo=UTC)
    call = ScheduledCall(schedule_id=schedule_id, at=at)
    assert await Adapter(stage.services.installed).make_task(call) is not None
    task_id = scheduled_task_id(schedule_id, at)
    task = await find_task_of_any_team(stage.database, task_id)
    assert task is not None
    assert await settle(stage.services, task) is Settled.STARTED
    async with working(stage):
        await stage.until(str(task_id), "running")
        await stage.services.temporal.schedules.trigger(schedule, at)
        handle = stage.temporal.get_workflow_handle(run_workflow_id(schedule_id, at))
        async with asyncio.timeout(WAIT_SECONDS):
            while not await _has_looked(handle):
                await asyncio.sleep(0.05)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        if ending == "completed":
            stage.steps.released.set()
        else:
            await handle.cancel()
        await stage.until(str(task_id), ending)
        with suppress(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), WAIT_SECONDS)
        assert (await handle.describe()).status.name in (ending.upper(), "CANCELED")
    assert (await stage.task(str(task_id)))["run"] == 1


async def _has_looked(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether a run pauses before it looks at its task again."""
    try:
        events = (await handle.fetch_history()).events
    except RPCError:
        return False  # It has not begun.
    return any(event.HasField("timer_started_event_attributes") for event in events)


# Times.


async def test_times_are_those_of_the_clock_on_the_wall_when_clocks_change(stage: Stage) -> None:
    text = "15,45 1-3 * * *"
    schedule_id = await make(stage, cron=text, time_zone=BERLIN)
    zone, read = ZoneInfo(BERLIN), cron.parse(text)
    for first in (datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, tzinfo=UTC)):
        found = await _times(stage, schedule_id, first, first + timedelta(days=3))
        walls = [time.astimezone(zone).replace(tzinfo=None) for time in found]
        assert all(map(read.matches, walls))
        minutes = (first + timedelta(minutes=number) for number in range(3 * 24 * 60))
        expected = {
            wall
            for minute in minutes
            if read.matches(wall := minute.astimezone(zone).replace(tzinfo=None))
        }
        # What the clock skips does not come, and what it shows twice comes once.
        assert walls == sorted(expected)


@pytest.mark.parametrize("text", ["0 * * * *", "*/20 * * * *"])
async def test_what_runs_every_hour_does_so_when_clocks_are_put_back(
    stage: Stage, text: str
) -> None:
    schedule_id = await make(stage, cron=text, time_zone=BERLIN)
    first = datetime(2027, 10, 30, 20, tzinfo=UTC)
    found = await _times(stage, schedule_id, first, first + timedelta(hours=10))
    minutes = (first + timedelta(minutes=number) for number in range(1, 10 * 60 + 1))
    assert found == [minute for minute in minutes if cron.parse(text).matches(minute)]


async def test_either_day_is_enough_for_temporal_as_well(stage: Stage) -> None:
    schedule_id = await make(stage, cron="0 12 13 * FRI")
    first = datetime(2027, 8, 1, tzinfo=UTC)
    found = await _times(stage, schedule_id, first, first + timedelta(days=31))
    assert [time.day for time in found] == [6, 13, 20, 27]


async def _times(
    stage: Stage, schedule_id: UUID, first: datetime, last: datetime
) -> Sequence[datetime]:
    """When Temporal would run a schedule."""
    request = ListScheduleMatchingTimesRequest(
        namespace=stage.temporal.namespace, schedule_id=schedule_name(schedule_id)
    )
    request.start_time.FromDatetime(first)
    request.end_time.FromDatetime(last)
    answer = await stage.temporal.workflow_service.list_schedule_matching_times(request)
    return [time.ToDatetime(UTC) for time in answer.start_time]


def test_the_id_of_a_task_follows_from_its_run() -> None:
    schedule_id = UUID(int=1)
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    same = at.astimezone(ZoneInfo(BERLIN))
    assert scheduled_task_id(schedule_id, at) == scheduled_task_id(schedule_id, same)
    others = {
        scheduled_task_id(UUID(int=2), at),
        scheduled_task_id(schedule_id, at + timedelta(seconds=1)),
    }
    assert scheduled_task_id(schedule_id, at) not in others
    assert run_workflow_id(schedule_id, same).endswith("-2026-11-29T12:00:00Z")
