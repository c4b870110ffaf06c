"""Events of a task as server-sent events: each one, once, in order."""

import asyncio
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from activities.store import events
from deploy.local.services import Services
from tests.databases import hang_up
from tests.event_stream import SentEvent, events_in
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.pressure import allowed
from workflows.events import StepOutput


async def _all(stage: Stage, task_id: str, **headers: str) -> list[SentEvent]:
    return await _read(stage.http, task_id, headers)


async def _read(
    http: httpx.AsyncClient, task_id: str, headers: dict[str, str] | None = None
) -> list[SentEvent]:
    path = f"/tasks/{task_id}/events"
    async with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        return [event async for event in events_in(response)]


async def _emit(stage: Stage, task_id: str, count: int, text: str = "") -> None:
    """Pieces of output that begin with their numbers."""
    numbers = [StepOutput(step="a", text=f"{number} {text}") for number in range(count)]
    async with stage.database.writing() as connection:
        await events.append(connection, UUID(task_id), numbers)


async def test_a_stream_has_every_event_and_ends_with_the_task(stage: Stage) -> None:
    task_id = await stage.submit("print x", "print y")
    sent = await _all(stage, task_id)
    assert [int(event.id) for event in sent] == list(range(1, len(sent) + 1))
    assert (sent[0].type, sent[0].data["status"]) == ("task.status", "pending")
    assert (sent[-1].type, sent[-1].data["status"]) == ("task.status", "completed")
    assert [event.type for event in sent].count("step.completed") == 2


async def test_the_end_of_a_failed_task_says_why(stage: Stage) -> None:
    last = (await _all(stage, await stage.submit("fail")))[-1]
    assert last.data["status"] == "failed"
    assert last.data["error"]["code"] == "script-failed"


async def test_a_client_that_comes_back_misses_nothing_and_gets_nothing_twice(
    stage: Stage,
) -> None:
    task_id = await stage.submit("wait")
    seen: list[SentEvent] = []
    for number in range(4):
        await _emit(stage, task_id, 3)
        path = f"/tasks/{task_id}/events"
        headers = {"Last-Event-ID": seen[-1].id} if seen else {}
        async with stage.http.stream("GET", path, headers=headers) as response:
            async for event in events_in(response):
                seen.append(event)
                if event.type == "step.output" and event.data["text"].split() == [str(number % 3)]:
                    break
    await stage.http.post(f"/tasks/{task_id}/cancel")
    seen += await _all(stage, task_id, **{"Last-Event-ID": seen[-1].id})
    assert [int(event.id) for event in seen] == list(range(1, len(seen) + 1))


async def test_a_place_may_be_named_in_the_query(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    whole = await _all(stage, task_id)
    async with stage.http.stream("GET", f"/tasks/{task_id}/events?after=2") as response:
        assert [event async for event in events_in(response)] == whole[2:]


async def test_a_client_that_has_seen_it_all_is_told_not_to_come_back(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    last = (await _all(stage, task_id))[-1]
    answer = await stage.http.get(f"/tasks/{task_id}/events", headers={"Last-Event-ID": last.id})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_retry_goes_on_with_the_numbers(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    before = await _all(stage, task_id)
    await stage.http.post(f"/tasks/{task_id}/retry", json={"from": "a"})
    after = await _all(stage, task_id, **{"Last-Event-ID": before[-1].id})
    assert int(after[0].id) == int(before[-1].id) + 1
    assert after[0].data["status"] == "pending"
    assert after[-1].data["status"] == "completed"
    # From the start, the end of the first run is no end.
    assert await _all(stage, task_id) == before + after


async def test_more_events_than_one_read_takes_come_whole(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await _emit(stage, task_id, 1_001)
    await stage.http.post(f"/tasks/{task_id}/cancel")
    sent = await _all(stage, task_id)
    assert [int(event.id) for event in sent] == list(range(1, len(sent) + 1))
    assert len(sent) > 1_001


async def test_many_who_follow_while_much_happens_all_get_the_same(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    following = [asyncio.create_task(_all(stage, task_id)) for _ in range(8)]
    for _ in range(30):
        await _emit(stage, task_id, 5)
    await stage.http.post(f"/tasks/{task_id}/cancel")
    streams = await asyncio.gather(*following)
    assert all(stream == streams[0] for stream in streams)
    assert [int(event.id) for event in streams[0]] == list(range(1, len(streams[0]) + 1))


async def test_a_client_that_does_not_read_holds_nobody_up(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
        following = asyncio.create_task(_all(stage, task_id))
        for _ in range(10):  # More than the sockets between us take.
            await _emit(stage, task_id, 200, "x" * 5_000)
        await stage.http.post(f"/tasks/{task_id}/cancel")
        quick = await following
        assert [event async for event in events_in(response)] == quick
    assert [int(event.id) for event in quick] == list(range(1, len(quick) + 1))


async def test_an_event_arrives_at_once(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
        incoming = events_in(response)
        while (await anext(incoming)).type != "step.started":
            pass
        loop = asyncio.get_running_loop()
        delays = []
        for _ in range(5):
            started = loop.time()
            await _emit(stage, task_id, 1)
            await anext(incoming)
            delays.append(loop.time() - started)
    assert min(delays) < allowed(0.5)  # Far below the time after which it looks without being told.
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_a_client_that_goes_away_is_noticed(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await _until_followed(stage, by=0)  # The clients of other tests have gone, too.
    async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
        await anext(events_in(response))
        await _until_followed(stage, by=1)
    await _until_followed(stage, by=0)
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def _until_followed(stage: Stage, *, by: int) -> None:
    """Return once the API counts so many clients that follow a task."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (
            f"agentos_event_streams {by}.0"
            not in (await stage.http.get(f"{stage.url}/metrics")).text
        ):
            await asyncio.sleep(0.05)


async def test_a_silent_stream_has_heartbeats(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(
        infrastructure, skills_folder, works=False, heartbeat_seconds=0.05
    ) as stage:
        task_id = await stage.submit("print x")
        async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
            lines = response.aiter_lines()
            beats = 0
            while beats < 3:
                beats += (await anext(lines)).startswith(":")


@pytest.mark.parametrize("queries", ["LISTEN%", "%"])
async def test_a_lost_connection_to_the_database_loses_no_event(
    infrastructure: Services, skills_folder: Path, queries: str
) -> None:
    async with api_stage(infrastructure, skills_folder) as stage:
        task_id = await stage.submit("wait")
        async with stage.http.stream("GET", f"/tasks/{task_id}/events") as response:
            incoming = events_in(response)
            sent = [await anext(incoming)]
            while sent[-1].type != "step.started":
                sent.append(await anext(incoming))
            assert await hang_up(stage.database.url, queries)
            # Nobody listens at this moment, and nothing happens afterwards.
            await _emit(stage, task_id, 5)
            async with asyncio.timeout(WAIT_SECONDS):
                sent += [await anext(incoming) for _ in range(5)]
            stage.steps.released.set()
            sent += [event async for event in incoming]
        assert [int(event.id) for event in sent] == list(range(1, len(sent) + 1))
        assert sent[-1].data["status"] == "completed"


async def test_streams_end_when_the_server_stops(
    infrastructure: Services, skills_folder: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(timeout=WAIT_SECONDS) as own:
        async with api_stage(infrastructure, skills_folder) as stage:
            task_id = await stage.submit("wait")
            has_begun = asyncio.Event()
            url = f"{stage.url}/api/v1/tasks/{task_id}/events"
            following = asyncio.create_task(_follow(own, url, has_begun))
            await has_begun.wait()
            started = loop.time()
        assert loop.time() - started < allowed(4)  # Requests under way would be given longer.
        assert await following == "step.started"


async def _follow(http: httpx.AsyncClient, url: str, has_begun: asyncio.Event) -> str:
    """Tell when a step has begun; the type of the last event, once the stream has ended."""
    last = ""
    async with http.stream("GET", url) as response:
        async for event in events_in(response):
            last = event.type
            if last == "step.started":
                has_begun.set()
    return last
