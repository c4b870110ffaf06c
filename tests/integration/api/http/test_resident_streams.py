"""The live events of agents that stay: of one, merged of its inbox and answer, and of a team."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.store import keys
from api.wire.responses.agents import AgentMessage
from deploy.local.services import Services
from tests.databases import hang_up
from tests.event_stream import SentEvent, events_in
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.integration.residents import RowAgent, row_agent
from tests.pressure import allowed
from workflows.events import ToolCalled, ToolResult

NEVER = 3_600.0  # seconds


@pytest.fixture(scope="module")
async def api(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API alone, whose passes rest: what happens to agents is what a test writes."""
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        sweep_interval_seconds=NEVER,
        call_interval_seconds=NEVER,
    ) as stage:
        yield stage


@pytest.fixture
async def agent(api: Stage) -> RowAgent:
    return await row_agent(api.database)


class Viewing:
    """A stream of events, and what was seen of it."""

    def __init__(self, incoming: AsyncGenerator[SentEvent, None]) -> None:
        self._incoming = incoming
        self.seen: list[SentEvent] = []

    async def until(self, holds: Callable[[SentEvent], bool]) -> SentEvent:
        async with asyncio.timeout(WAIT_SECONDS):
            async for event in self._incoming:
                self.seen.append(event)
                if holds(event):
                    return event
        raise AssertionError("the stream has ended")

    async def until_type(self, type_: str) -> SentEvent:
        return await self.until(lambda event: event.type == type_)

    async def end(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            self.seen += [event async for event in self._incoming]

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.seen if event.type == type_]

    @property
    def last_id(self) -> str:
        return [event.id for event in self.seen if event.id][-1]


@asynccontextmanager
async def viewing(
    http: httpx.AsyncClient, path: str, last_id: str | None = None
) -> AsyncIterator[Viewing]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        async with aclosing(_all(response)) as incoming:
            yield Viewing(incoming)


async def _all(response: httpx.Response) -> AsyncGenerator[SentEvent, None]:
    async for event in events_in(response):
        yield event


def path_of(agent: RowAgent) -> str:
    return f"/agents/{agent.id}/events"


def replies(event: SentEvent) -> bool:
    return event.type == "message" and event.data["kind"] == "reply"


async def test_a_conversation_arrives_as_it_happens(api: Stage, agent: RowAgent) -> None:
    async with viewing(api.http, path_of(agent)) as viewer:
        first = await viewer.until_type("agent")
        assert (first.data["state"], first.data["unread"]) == ("idle", 0)
        await agent.post("What is up?")
        asked = await viewer.until_type("message")
        assert (asked.data["content"], asked.data["status"]) == ("What is up?", "unread")
        assert (asked.data["from"], asked.data["to"]) == ("user", str(agent.id))
        task_id = await agent.begin()
        await agent.say(task_id, "Not ", "much.")
        await agent.tell(task_id, ToolCalled(step="1.1 look", tool="look", arguments={"a": 1}))
        await agent.tell(task_id, ToolResult(step="1.1 look", text="seen"))
        await viewer.until_type("tool.result")
        await agent.end(task_id, "Not much.")
        reply = await viewer.until(replies)
        await viewer.until(lambda event: event.data.get("state") == "idle")
    assert reply.data["content"] == "Not much."
    assert (reply.data["from"], reply.data["to"]) == (str(agent.id), "user")
    assert (reply.data["seq"], reply.data["task_id"]) == (2, str(task_id))
    assert "".join(data["text"] for data in viewer.of("llm.delta")) == "Not much."
    events = [event for event in viewer.seen if event.data.get("task_id") == str(task_id)]
    types = [event.type for event in events if event.type != "agent"]
    # The end of the exchange is told before the reply.
    assert types[-2:] == ["task.status", "message"]
    assert viewer.of("agent")[-1]["read_seq"] == 2
    # A message is what the list of messages has, but for what has happened to it since.
    listed = (await api.http.get(f"/agents/{agent.id}/messages")).json()["items"]
    streamed = [AgentMessage.model_validate(data) for data in viewer.of("message")]
    since = {"status": "read", "task_id": task_id}
    assert [message.model_copy(update=since) for message in streamed] == [
        AgentMessage.model_validate(item) for item in listed
    ]


async def test_whoever_comes_in_the_middle_of_an_answer_gets_all_of_it(
    api: Stage, agent: RowAgent
) -> None:
    for number in range(3):
        await agent.post(f"old {number}")
    task_id = await agent.begin()
    await agent.say(task_id, "It ", "was ")
    async with viewing(api.http, path_of(agent)) as viewer:
        await viewer.until(lambda event: event.data.get("text") == "was ")
        await agent.say(task_id, "so.")
        await viewer.until(lambda event: event.data.get("text") == "so.")
    assert viewer.seen[0].type == "agent"
    assert viewer.seen[0].data["task_id"] == str(task_id)
    assert "".join(data["text"] for data in viewer.of("llm.delta")) == "It was so."
    assert viewer.of("message") == []


async def test_after_the_end_of_an_answer_it_comes_as_a_message_and_not_again_in_pieces(
    api: Stage, agent: RowAgent
) -> None:
    await agent.post()
    task_id = await agent.begin()
    async with viewing(api.http, path_of(agent)) as viewer:
        await agent.say(task_id, "It ")
        await viewer.until_type("llm.delta")
    await agent.say(task_id, "was.")
    await agent.end(task_id, "It was.")
    async with viewing(api.http, path_of(agent), viewer.last_id) as again:
        await again.until(replies)
    assert [data["content"] for data in again.of("message")] == ["It was."]
    assert again.of("llm.delta") == []


async def test_from_every_place_nothing_is_missed_and_nothing_comes_twice(
    api: Stage, agent: RowAgent
) -> None:
    async with viewing(api.http, path_of(agent)) as viewer:
        await viewer.until_type("agent")
        for number in range(2):
            await agent.post(f"question {number}")
            task_id = await agent.begin()
            await agent.say(task_id, "a", "b")
            await agent.end(task_id, f"answer {number}")
            await viewer.until(replies)
    seqs = [data["seq"] for data in viewer.of("message")]
    assert seqs == [1, 2, 3, 4]
    await agent.post("last")
    for place in {event.id for event in viewer.seen if event.id}:
        async with viewing(api.http, f"{path_of(agent)}?after={place}") as again:
            await again.until(lambda event: event.data.get("content") == "last")
        begun = int(place.partition(".")[0])
        assert [data["seq"] for data in again.of("message")] == list(range(begun + 1, 6))
        assert again.of("llm.delta") == []


async def test_many_rows_come_whole_to_those_who_were_away(api: Stage, agent: RowAgent) -> None:
    async with viewing(api.http, path_of(agent)) as viewer:
        await viewer.until_type("agent")
    for number in range(30):
        await agent.post(f"{number} " + "x" * 20_000)
    async with viewing(api.http, path_of(agent), viewer.last_id) as again:
        await again.until(lambda event: event.data.get("seq") == 30)
    assert [data["seq"] for data in again.of("message")] == list(range(1, 31))


async def test_viewers_who_come_and_go_while_much_happens_see_each_thing_once(
    api: Stage, agent: RowAgent
) -> None:
    has_ended = asyncio.Event()

    async def look_on(pause_seconds: float) -> Viewing:
        whole: list[SentEvent] = []
        last_id = None
        while True:
            async with viewing(api.http, path_of(agent), last_id) as viewer:
                with_pause = asyncio.timeout(pause_seconds)
                try:
                    async with with_pause:
                        await viewer.until(lambda event: event.data.get("content") == "a9")
                except TimeoutError:
                    pass
            whole += viewer.seen
            last_id = next((e.id for e in reversed(whole) if e.id), None)
            if any(event.data.get("content") == "a9" for event in whole):
                viewer.seen = whole
                return viewer
            assert not has_ended.is_set() or pause_seconds < WAIT_SECONDS

    async with asyncio.timeout(WAIT_SECONDS):
        looking = [asyncio.create_task(look_on(0.05 + 0.1 * n)) for n in range(4)]
        await asyncio.sleep(0.1)
        for number in range(10):
            await agent.post(f"q{number}")
            task_id = await agent.begin()
            for word in "abcd":
                await agent.say(task_id, word)
            await agent.end(task_id, f"a{number}")
        has_ended.set()
        viewers = await asyncio.gather(*looking)
    for viewer in viewers:
        seqs = [data["seq"] for data in viewer.of("message")]
        assert seqs == list(range(seqs[0], 21))
        places = [
            tuple(map(int, event.id.split(".")))
            for event in viewer.seen
            if event.id and event.type not in ("agent", "message")
        ]
        assert places == sorted(set(places))


async def test_a_failed_answer_shows_in_the_state_with_its_reason(
    api: Stage, agent: RowAgent
) -> None:
    async with viewing(api.http, path_of(agent)) as viewer:
        await viewer.until_type("agent")
        await agent.post()
        await agent.end(await agent.begin(), None)
        told = await viewer.until(lambda event: event.data.get("state") == "error")
    assert told.data["error"] == {"code": "odd", "message": "It went wrong."}
    assert told.data["unread"] == 1


async def test_the_stream_of_an_agent_ends_when_it_is_deleted(api: Stage, agent: RowAgent) -> None:
    async with viewing(api.http, path_of(agent)) as viewer:
        await viewer.until_type("agent")
        await agent.change("paused_at")
        await viewer.until(lambda event: event.data.get("state") == "paused")
        await agent.change("deleted_at")
        await viewer.end()
    assert viewer.seen[-1].type == "agent.deleted"
    assert (await api.http.get(path_of(agent))).status_code == 404


@pytest.mark.parametrize("place", ["1", "1.2", "x.y.z", "1.2.3.4", "-1.0.0", "1" * 19 + ".0.0"])
async def test_a_place_that_was_never_given_out_is_refused(
    api: Stage, agent: RowAgent, place: str
) -> None:
    refused = await api.http.get(path_of(agent), headers={"Last-Event-ID": place})
    assert (refused.status_code, refused.json()["code"]) == (400, "header-malformed")
    refused = await api.http.get(path_of(agent), params={"after": place})
    assert refused.status_code == 422
    assert "query after" in refused.text


async def test_another_teams_agent_has_no_events_here(api: Stage, agent: RowAgent) -> None:
    theirs = await api.team()
    for known in (agent.id, uuid4()):
        answer = await theirs.get(f"/agents/{known}/events")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_lost_connection_to_the_database_loses_nothing(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        agent = await row_agent(stage.database)
        async with (
            viewing(stage.http, path_of(agent)) as viewer,
            viewing(stage.http, "/agents/events") as team,
        ):
            await viewer.until_type("agent")
            await team.until_type("agent")
            assert await hang_up(stage.database.url, "LISTEN%")
            await agent.post("Nobody listens.")
            told = await viewer.until_type("message")
            await team.until_type("resync")
            await team.until(lambda event: event.data.get("unread") == 1)
    assert told.data["content"] == "Nobody listens."


async def test_streams_of_agents_end_with_their_key_and_no_others(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        team_id = await keys.create_team(stage.database, "watched")
        agent = await row_agent(stage.database, team_id)
        revoked, kept = [await keys.create_key(stage.database, team_id, "x") for _ in range(2)]
        async with (
            _client(stage, revoked.secret) as one,
            _client(stage, kept.secret) as other,
            viewing(one, path_of(agent)) as mine,
            viewing(one, "/agents/events") as team,
            viewing(other, path_of(agent)) as theirs,
        ):
            await mine.until_type("agent")
            await team.until_type("resync")
            assert await keys.revoke_key(stage.database, team_id, revoked.id)
            async with asyncio.timeout(allowed(8.0)):
                await mine.end()
                await team.end()
            await agent.post()
            await theirs.until_type("message")


async def test_viewers_of_agents_count_with_those_of_tasks(
    infrastructure: Services, skills_folder: Path
) -> None:
    limits = {"works": False, "max_viewers": 2}
    async with api_stage(infrastructure, skills_folder, **limits) as stage:
        agent = await row_agent(stage.database)
        async with viewing(stage.http, path_of(agent)) as viewer:
            await viewer.until_type("agent")
            async with viewing(stage.http, "/agents/events") as team:
                await team.until_type("resync")
                for path in (path_of(agent), "/agents/events"):
                    refused = await stage.http.get(path)
                    assert (refused.status_code, refused.json()["code"]) == (
                        429,
                        "too-many-viewers",
                    )


async def test_a_team_is_told_of_its_own_agents_that_change_and_of_no_pieces_of_answers(
    api: Stage,
) -> None:
    team_id = await keys.create_team(api.database, f"team-{uuid4()}")
    key = await keys.create_key(api.database, team_id, "x")
    mine, other = await row_agent(api.database, team_id), await row_agent(api.database)
    async with _client(api, key.secret) as http, viewing(http, "/agents/events") as viewer:
        assert (await viewer.until(lambda _: True)).type == "resync"
        await viewer.until(lambda event: event.data.get("id") == str(mine.id))
        await other.post()
        await mine.post()
        await viewer.until(lambda event: event.data.get("unread") == 1)
        task_id = await mine.begin()
        await mine.say(task_id, "a", "b")
        await mine.end(task_id, "ab")
        await viewer.until(lambda event: event.data.get("state") == "idle")
        await mine.change("deleted_at")
        gone = await viewer.until_type("agent.deleted")
    assert gone.data["id"] == str(mine.id)
    assert {event.type for event in viewer.seen} == {"resync", "agent", "agent.deleted"}
    assert all(event.data["id"] == str(mine.id) for event in viewer.seen[1:])
    shown = [(data["state"], data["unread"]) for data in viewer.of("agent")]
    assert all(before != after for before, after in pairwise(shown))


async def test_of_ten_thousand_agents_a_change_of_one_reads_that_one(api: Stage) -> None:
    team_id = await keys.create_team(api.database, f"team-{uuid4()}")
    await api.execute(
        "INSERT INTO agents (id, team_id, name, definition, depth, message_seq, told_seq, "
        "exchanges, updated_at) "
        "SELECT gen_random_uuid(), :team_id, 'many-' || n, '{}', 0, 0, 0, 0, "
        "now() - interval '1 hour' "
        "FROM generate_series(1, 10000) AS n",
        team_id=team_id,
    )
    agent = await row_agent(api.database, team_id)
    key = await keys.create_key(api.database, team_id, "x")
    async with _client(api, key.secret) as http, viewing(http, "/agents/events") as viewer:
        await viewer.until_type("agent")
        started = asyncio.get_running_loop().time()
        await agent.post()
        await viewer.until(lambda event: event.data.get("unread") == 1)
        assert asyncio.get_running_loop().time() - started < allowed(2.0)
    assert len(viewer.of("agent")) == 2


def _client(stage: Stage, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{stage.url}/api/v1",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=WAIT_SECONDS,
    )
