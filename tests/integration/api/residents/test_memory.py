"""What agents remember, over HTTP: notes that people read and write, and summaries."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from activities.llm.base import Charge
from activities.store import notes
from activities.store.summaries import NewSummary, write_summary
from tests.integration.cli_runs import agentos
from tests.integration.residents import Residents
from workflows.states import AgentState


async def write(
    residents: Residents, agent_id: str, text: Any, key: str | None = None
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"text": text}
    return await residents.http.post(f"/agents/{agent_id}/notes", json=body, headers=headers)


async def listed(residents: Residents, agent_id: str, **params: Any) -> list[str]:
    answer = await residents.http.get(f"/agents/{agent_id}/notes", params=params)
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["items"]]


async def test_notes_are_written_searched_and_deleted(residents: Residents) -> None:
    agent_id = await residents.create()
    made = [await write(residents, agent_id, text) for text in ("red car", "blue car", "tree")]
    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert await listed(residents, agent_id) == ["tree", "blue car", "red car"]
    assert await listed(residents, agent_id, text="car") == ["blue car", "red car"]
    assert await listed(residents, agent_id, text="& ' | :*") == []
    path = f"/agents/{agent_id}/notes/{made[0].json()['id']}"
    assert (await residents.http.delete(path)).status_code == 204
    assert (await residents.http.delete(path)).status_code == 404
    assert await listed(residents, agent_id, text="car") == ["blue car"]


async def test_notes_come_in_pages(residents: Residents) -> None:
    agent_id = await residents.create()
    for number in range(3):
        await write(residents, agent_id, f"note {number}")
    first = await residents.http.get(f"/agents/{agent_id}/notes", params={"limit": 2})
    rest = await listed(residents, agent_id, limit=2, cursor=first.json()["next_cursor"])
    assert rest == ["note 0"]


async def test_a_note_with_the_same_key_is_written_once(residents: Residents) -> None:
    agent_id = await residents.create()
    first = await write(residents, agent_id, "once", "key")
    assert (await write(residents, agent_id, "once", "key")).json() == first.json()
    assert (await write(residents, agent_id, "other", "key")).status_code == 409
    assert await listed(residents, agent_id) == ["once"]


@pytest.mark.parametrize(
    "text", ["", "  ", "x" * 4_001, "\0", 1, None], ids=["empty", "blank", "long", "nul", "1", "no"]
)
async def test_a_note_that_is_none_is_refused(residents: Residents, text: Any) -> None:
    answer = await write(residents, await residents.create(), text)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/text"


async def test_a_note_too_many_is_refused(
    residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 1)
    agent_id = await residents.create()
    await write(residents, agent_id, "one")
    answer = await write(residents, agent_id, "two")
    assert (answer.status_code, answer.json()["code"]) == (409, "note-refused")
    assert "Delete some" in answer.json()["detail"]


async def test_a_terminated_agent_takes_no_notes_and_shows_those_it_has(
    residents: Residents,
) -> None:
    agent_id = await residents.in_state(AgentState.IDLE)
    await write(residents, agent_id, "one")
    await residents.http.post(f"/agents/{agent_id}/terminate")
    assert (await write(residents, agent_id, "two")).status_code == 409
    assert await listed(residents, agent_id) == ["one"]


async def test_notes_of_an_agent_that_there_is_not_are_not_found(residents: Residents) -> None:
    for path in (f"/agents/{uuid4()}/notes", f"/agents/{uuid4()}/summaries"):
        assert (await residents.http.get(path)).status_code == 404
    assert (await write(residents, str(uuid4()), "x")).status_code == 404


async def test_summaries_are_listed_the_newest_first(residents: Residents) -> None:
    agent_id = await residents.create()
    for through in (5, 9, 12):
        new = NewSummary(
            agent_id=UUID(agent_id),
            team_id=residents.team_id,
            through=through,
            text=f"until {through}",
            model="first",
            charge=Charge(10, 5, 0.25),
        )
        assert await write_summary(residents.stage.database, new)
        assert not await write_summary(residents.stage.database, new)
    path = f"/agents/{agent_id}/summaries"
    page = (await residents.http.get(path, params={"limit": 2})).json()
    assert [(item["through"], item["text"]) for item in page["items"]] == [
        (12, "until 12"),
        (9, "until 9"),
    ]
    assert (page["items"][0]["tokens"], page["items"][0]["cost_usd"]) == (15, 0.25)
    rest = (await residents.http.get(path, params={"cursor": page["next_cursor"]})).json()
    assert [item["through"] for item in rest["items"]] == [5]
    assert (await residents.show(agent_id))["tokens"] == 90  # Repeats were paid for, too.


async def test_memory_is_read_and_written_from_the_command_line(residents: Residents) -> None:
    name = f"keeper {uuid4()}"
    agent_id = await residents.create(name=name)
    url = residents.stage.url
    noted = await agentos(url, "agents", "note", name, "Ann likes\x1b[31m tea.")
    assert noted.code == 0, noted.stderr
    new = NewSummary(
        agent_id=UUID(agent_id),
        team_id=residents.team_id,
        through=7,
        text="They spoke of tea.",
        model="first",
        charge=Charge(),
    )
    await write_summary(residents.stage.database, new)
    shown = await agentos(url, "agents", "memory", name, "--text", "tea")
    assert "They spoke of tea." in shown.stdout
    assert noted.stdout.strip() in shown.stdout
    assert "\x1b" not in shown.stdout
    assert "Up to turn 7" in shown.stderr
    assert (await agentos(url, "agents", "forget", name, noted.stdout.strip())).code == 0
    assert "no notes" in (await agentos(url, "agents", "memory", name)).stderr
    found = json.loads((await agentos(url, "agents", "memory", name, "-o", "json")).stdout)
    assert (found["summary"]["through"], found["notes"]) == (7, [])
    assert (await agentos(url, "agents", "note", name, " ")).code == 2
