"""Reminders of agents that stay, over HTTP and from the command line."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.cli_runs import agentos
from tests.integration.residents import Residents
from workflows.states import AgentState


async def listed(residents: Residents, agent: str) -> list[dict[str, Any]]:
    answer = await residents.http.get(f"/agents/{agent}/reminders")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_reminder_is_set_listed_and_cancelled(residents: Residents) -> None:
    agent = await residents.create()
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wanted = {"text": "water", "after": "10m", "every": "1h", "until": until}
    made = await residents.http.post(f"/agents/{agent}/reminders", json=wanted)
    assert made.status_code == 201, made.text
    [reminder] = await listed(residents, agent)
    assert reminder == made.json()
    assert (reminder["text"], reminder["every"], reminder["number"]) == ("water", "1h", 0)
    waits = datetime.fromisoformat(reminder["next_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < waits <= timedelta(minutes=10)
    path = f"/agents/{agent}/reminders/{reminder['id']}"
    assert (await residents.http.delete(path)).status_code == 204
    assert (await residents.http.delete(path)).status_code == 404
    assert await listed(residents, agent) == []


async def test_a_reminder_that_is_set_again_with_its_key_is_set_once(residents: Residents) -> None:
    agent = await residents.create()
    path, key = f"/agents/{agent}/reminders", {"Idempotency-Key": "one"}
    answers = [
        await residents.http.post(path, json={"text": text, "after": "1h"}, headers=key)
        for text in ("water", "water", "feed")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert len(await listed(residents, agent)) == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "give at, after or every"),
        ({"every": "30s"}, "AGENTOS_REMINDER_LEAST_SECONDS"),
        ({"at": "2020-01-01T00:00:00Z"}, "is past"),
        ({"at": "2030-01-01T00:00:00"}, "which clock"),
        ({"after": "1h", "text": ""}, "/text"),
        ({"after": "1h", "when": "x"}, "/when"),
    ],
    ids=["never", "too often", "past", "no clock", "no text", "unknown"],
)
async def test_a_reminder_that_cannot_be_is_refused(
    residents: Residents, wanted: dict[str, str], said: str
) -> None:
    agent = await residents.create()
    answer = await residents.http.post(
        f"/agents/{agent}/reminders", json={"text": "water", **wanted}
    )
    assert answer.status_code == 422
    assert said in answer.text


async def test_a_terminated_agent_is_reminded_of_nothing(residents: Residents) -> None:
    agent = await residents.in_state(AgentState.TERMINATED)
    wanted = {"text": "water", "after": "1h"}
    answer = await residents.http.post(f"/agents/{agent}/reminders", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (409, "agent-conflict")
    gone = await residents.http.post(f"/agents/{uuid4()}/reminders", json=wanted)
    assert gone.status_code == 404


async def test_an_agent_has_as_many_reminders_as_it_may(residents: Residents) -> None:
    agent = await residents.create()
    path, wanted = f"/agents/{agent}/reminders", {"text": "water", "after": "1h"}
    for _ in range(50):
        assert (await residents.http.post(path, json=wanted)).status_code == 201
    answer = await residents.http.post(path, json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-reminders")
    page = (await residents.http.get(path, params={"limit": 30})).json()
    rest = (await residents.http.get(path, params={"cursor": page["next_cursor"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (30, 20, None)


async def test_reminders_are_set_listed_and_cancelled_from_the_command_line(
    residents: Residents,
) -> None:
    name = f"keeper {uuid4()}"
    agent = await residents.create(name=name)
    url = residents.stage.url
    set_one = await agentos(url, "agents", "remind", name, "water the plants", "--every", "2h")
    assert set_one.code == 0, set_one.stderr
    reminder = set_one.stdout.strip()
    shown = await agentos(url, "agents", "reminders", name)
    for word in (reminder, "2h", "water the plants"):
        assert word in shown.stdout
    cancelled = await agentos(url, "agents", "reminders", name, "--cancel", reminder)
    assert cancelled.stdout.strip() == reminder
    as_json = await agentos(url, "agents", "reminders", name, "-o", "json")
    assert json.loads(as_json.stdout)["items"] == []
    wrong = await agentos(url, "agents", "remind", agent, "water", "--after", "soon")
    assert wrong.code == 2
    assert "not a duration" in wrong.stderr
