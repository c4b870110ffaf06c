"""Agents that must stop: each with a reason that says what to do; a retry goes on from there."""

import json
from typing import Any

import pytest

from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.usage import set_daily_tokens
from tests.days import day_that_lasts
from tests.doubles.model_server import Act
from tests.doubles.scripted_models import Endless, ScriptedModels, Wanted, asks, finishes
from tests.live import Live, a_while, processes_mentioning, sleeping, until
from tests.pressure import allowed

LIST: Wanted = ("list_files", {})


@pytest.mark.parametrize(
    ("limits", "answers", "code"),
    [
        ({"turns": 2}, [asks(("write_file", {"name": "a", "text": "a"})), asks(LIST)], "turns"),
        ({"tokens": 100}, [asks(LIST, tokens=(80, 20))], "tokens"),
        ({"cost_usd": 0.1}, [asks(LIST, tokens=(80, 20))], "cost"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_limit_ends_the_run_and_a_retry_goes_on_where_it_stopped(
    agents_live: Live,
    models: ScriptedModels,
    limits: dict[str, Any],
    answers: list[Act],
    code: str,
) -> None:
    talk = models.conversation(*answers, finishes("At last."))
    task = await agents_live.run_agent(talk.prompt(), limits=limits)
    assert (task["status"], task["error"]["code"]) == ("failed", f"{code}-used-up")
    assert "resumes where it stopped" in task["error"]["message"]
    before = talk.messages()
    assert len(talk.requests) == len(answers)
    assert await agents_live.post(task["task_id"], "retry") == 202
    again = await agents_live.ended(task["task_id"])
    assert (again["status"], again["run"]) == ("completed", 2)
    assert again["result"]["summary"] == "At last."
    assert talk.messages()[: len(before)] == before
    assert len(talk.requests) == len(answers) + 1


async def test_the_last_turn_is_announced_to_the_model(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(LIST), finishes("In time."))
    task = await agents_live.run_agent(talk.prompt(), limits={"turns": 2})
    assert task["status"] == "completed"
    assert "last turn" in talk.messages()[-1]["content"]
    assert "last turn" not in json.dumps(talk.messages(0))


async def test_the_limit_on_time_ends_even_an_answer_that_hangs(
    agents_live: Live, models: ScriptedModels
) -> None:
    hanging = Endless()
    talk = models.conversation(hanging, finishes())
    task = await agents_live.run_agent(talk.prompt(), limits={"seconds": 4})
    assert (task["status"], task["error"]["code"]) == ("failed", "time-used-up")
    assert hanging.left.is_set()
    assert await agents_live.post(task["task_id"], "retry") == 202
    assert (await agents_live.ended(task["task_id"]))["status"] == "completed"


async def test_the_limit_on_time_ends_a_tool_and_its_processes(
    agents_live: Live, models: ScriptedModels
) -> None:
    mark = a_while()
    code = {"language": "shell", "source": 'setsid sleep "$1" & sleep 600', "args": [mark]}
    talk = models.conversation(asks(("run_code", code)))
    task_id = await agents_live.submit_agent(talk.prompt(), limits={"seconds": 4})

    async def is_up() -> bool:
        return bool(sleeping(mark))

    async def is_gone() -> bool:
        return not processes_mentioning(mark)

    await until(is_up)
    task = await agents_live.ended(task_id)
    assert (task["status"], task["error"]["code"]) == ("failed", "time-used-up")
    assert [step["status"] for step in task["sub_tasks"]] == ["cancelled"]
    await until(is_gone, allowed(1))


async def test_a_model_that_goes_round_in_circles_is_told_and_then_stopped(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(*[asks(LIST) for _ in range(20)])
    task = await agents_live.run_agent(talk.prompt())
    assert (task["status"], task["error"]["code"]) == ("failed", "goes-round-in-circles")
    told = ["same calls" in json.dumps(talk.messages(number)[-1]) for number in range(5)]
    assert told[:3] == [False, False, False]
    assert any(told[3:])
    assert len(talk.requests) < 10


async def test_a_model_that_is_told_of_its_circle_may_get_out_of_it(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(*[asks(LIST) for _ in range(4)], finishes("I see."))
    assert (await agents_live.run_agent(talk.prompt()))["status"] == "completed"


async def test_a_model_that_only_talks_is_asked_to_call_something_and_then_stopped(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(*[asks(text=f"I think, {n}.") for n in range(10)])
    task = await agents_live.run_agent(talk.prompt())
    assert (task["status"], task["error"]["code"]) == ("failed", "never-finishes")
    assert "You called no tool" in talk.messages()[-1]["content"]
    assert len(talk.requests) == 3


async def test_a_team_without_tokens_left_is_blocked_until_it_has_more(
    agents_live: Live, models: ScriptedModels
) -> None:
    await day_that_lasts()
    await agents_live.run_agent(models.conversation(finishes()).prompt())  # It uses some.
    talk = models.conversation(finishes())
    database = Database(agents_live.services.database_url)
    await set_daily_tokens(database, DEFAULT_TEAM, 1)
    try:
        task = await agents_live.run_agent(talk.prompt())
        assert (task["status"], task["error"]["code"]) == ("blocked", "token-quota-used-up")
        assert talk.requests == []  # It is looked at before each call.
    finally:
        await set_daily_tokens(database, DEFAULT_TEAM, None)
        await database.close()
    assert await agents_live.post(task["task_id"], "retry") == 202
    assert (await agents_live.ended(task["task_id"]))["status"] == "completed"
