"""Servers of models that fail in every way they do. No agent is lost by it; some are ended."""

import asyncio
import json

import pytest

from tests.doubles.model_server import Act, Exchange, call, calls, delta, events, refusal, text
from tests.doubles.scripted_models import ScriptedModels, Wanted, asks, finishes
from tests.event_stream import events_in
from tests.live import Live

LIST: Wanted = ("list_files", {})


async def drops(exchange: Exchange) -> None:
    """It breaks off in the middle of an answer."""
    await exchange.head()
    await exchange.event(delta(content="I will "))
    exchange.drop()


async def drops_the_first(exchange: Exchange) -> None:
    """What it is asked as the first model it does not answer at all."""
    if exchange.request.body["model"] == "first":
        exchange.drop()
    else:
        await finishes()(exchange)


async def garbles(exchange: Exchange) -> None:
    """What it sends as an event is none."""
    await exchange.head()
    await exchange.event('{"choices": [{"delta"')
    await exchange.end()


TEMPORARY: dict[str, Act] = {
    "429": refusal(429, "slow down", retry_after="0"),
    "500": refusal(500),
    "503": refusal(503, "loading"),
    "dropped-in-mid-stream": drops,
    "garbled": garbles,
    "cut-off": events(delta(content="I will "), done=False),
}


@pytest.mark.parametrize("failure", TEMPORARY.values(), ids=TEMPORARY)
async def test_when_the_first_model_fails_the_second_is_asked(
    agents_live: Live, models: ScriptedModels, failure: Act
) -> None:
    talk = models.conversation(failure, finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    assert talk.models == ["first", "second"]
    assert _spoken(await agents_live.messages_of(task["task_id"])) == [("second", "")]


async def test_a_model_that_answers_nothing_is_passed_over(
    agents_live: Live, models: ScriptedModels
) -> None:
    """It may be asked twice: the first time over a kept connection that it had closed long ago."""
    talk = models.conversation(*[drops_the_first] * 3)
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    *before, last = talk.models
    assert (set(before), last) == ({"first"}, "second")


async def test_when_all_models_fail_they_are_asked_again_after_a_while(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(drops, drops, finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    assert talk.models == ["first", "second", "first"]
    assert talk.asked_at[2] - talk.asked_at[1] >= 1
    await _nothing_is_said_twice(agents_live, task["task_id"])


async def test_a_model_that_says_how_long_it_wants_to_be_left_alone_is_left_alone(
    agents_live: Live, models: ScriptedModels
) -> None:
    busy = refusal(429, "slow down", retry_after="3")
    busier = refusal(429, "slow down", retry_after="60")
    talk = models.conversation(busy, busier, finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    assert 3 <= talk.asked_at[2] - talk.asked_at[0] < 30


async def test_models_that_fail_for_good_block_the_task_until_it_is_retried(
    agents_live: Live, models: ScriptedModels
) -> None:
    loading = refusal(503, "loading", retry_after_ms="1")
    talk = models.conversation(asks(LIST), *[loading] * 14, finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert (task["status"], task["error"]["code"]) == ("blocked", "model-unavailable")
    assert len(talk.requests) == 15
    assert await agents_live.post(task["task_id"], "retry") == 202
    assert (await agents_live.ended(task["task_id"]))["status"] == "completed"
    assert len(talk.requests) == 16  # Turn 1 was not made again.


async def test_a_server_that_refuses_connections_is_asked_again_until_it_is_back(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(LIST), finishes())
    await models.stop()
    try:
        task_id = await agents_live.submit_agent(talk.prompt())
        await asyncio.wait_for(_has_tried_again(agents_live, task_id), 60)
    finally:
        await models.start()
    assert (await agents_live.ended(task_id))["status"] == "completed"


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (refusal(400, "temperature must be 1"), "model-refused", "temperature must be 1"),
        (refusal(401, "bad key sk-only-for-tests"), "model-refused", "OPENAI_API_KEY"),
        (refusal(429, "pay first", "insufficient_quota"), "model-refused", "billing"),
    ],
    ids=["400", "401", "out-of-money"],
)
async def test_an_error_of_the_model_that_waiting_cannot_fix_ends_the_task_at_once(
    agents_live: Live, models: ScriptedModels, failure: Act, code: str, said: str
) -> None:
    talk = models.conversation(failure)
    task = await agents_live.run_agent(talk.prompt())
    assert (task["status"], task["error"]["code"]) == ("failed", code)
    assert said in task["error"]["message"]
    assert len(talk.requests) == 1
    assert "sk-only-for-tests" not in json.dumps(task)


async def test_a_model_that_an_agent_names_and_that_is_not_there_gives_way_to_the_next(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(refusal(404, "no such model", "model_not_found"), finishes())
    task = await agents_live.run_agent(talk.prompt(), model="unheard-of")
    assert task["status"] == "completed"
    assert talk.models == ["unheard-of", "first"]


async def test_a_conversation_that_became_too_long_is_shortened_but_for_skills(
    agents_live: Live, models: ScriptedModels
) -> None:
    too_long = refusal(400, "maximum context length exceeded", "context_length_exceeded")
    read: Wanted = ("read_file", {"file": "data"})
    load: Wanted = ("load_skill", {"skill": "csv-clean"})
    talk = models.conversation(
        asks(load, read), *[asks(read, text=f"Part {n}.") for n in range(4)], too_long, finishes()
    )
    data = await agents_live.upload("data.csv", b"name,age\n" * 1_000)
    task = await agents_live.run_agent(talk.prompt("Look."), inputs={"data": data})
    assert task["status"] == "completed"
    refused, shortened = talk.messages(-2), talk.messages(-1)
    assert len(json.dumps(shortened)) < 0.8 * len(json.dumps(refused))
    assert _skill_text(refused) == _skill_text(shortened)
    assert shortened[:2] == refused[:2]
    kept = [message["content"] for message in await agents_live.messages_of(task["task_id"])]
    assert sum("name,age\nname,age" in content for content in kept) == 5


async def test_a_conversation_that_cannot_be_shortened_ends_the_task(
    agents_live: Live, models: ScriptedModels
) -> None:
    too_long = refusal(400, "maximum context length exceeded", "context_length_exceeded")
    talk = models.conversation(*[too_long] * 20)
    task = await agents_live.run_agent(talk.prompt())
    assert (task["status"], task["error"]["code"]) == ("failed", "context-too-long")
    assert set(talk.models) == {"first", "second"}


async def test_an_answer_of_text_alone_counts_what_the_server_did_not(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(text("Let me see.", tokens=None), finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    assert task["usage"]["tokens_used"] > 100  # The prompt alone is longer.


async def test_a_server_that_wants_its_state_back_gets_it_in_every_turn_and_why_is_shown_meanwhile(
    agents_live: Live, models: ScriptedModels
) -> None:
    signed = {"google": {"thought_signature": "c2lnLTE="}}
    piece = call(0, id="g1", name="list_files", arguments="{}") | {"extra_content": signed}
    unfinished = events(delta(tool_calls=[call(0, id="g2", name="list_files")]), delta("error"))

    async def wanting(exchange: Exchange) -> None:
        said = [item for item in exchange.request.body["messages"] if item["role"] == "assistant"]
        wanted = [item["tool_calls"][0].get("extra_content") for item in said]
        is_fine = wanted == [signed, signed]
        await (finishes() if is_fine else refusal(400, "no signature"))(exchange)

    talk = models.conversation(calls(piece), calls(piece), unfinished, *[refusal(503)] * 2, wanting)
    # Of a name of its own: what the worker has learned of others' contexts is of other tests.
    task = await agents_live.run_agent(talk.prompt(), model="signing")
    assert task["status"] == "completed", task["error"]
    told = [
        data
        for kind, data in await agents_live.events_of(task["task_id"])
        if kind == "llm.retrying"
    ]
    assert 'ended its answer with "error"' in told[0]["error"]["message"]
    assert ["next_attempt_at" in data for data in told] == [False, False, True]
    shown = [await agents_live.messages_of(task["task_id"]), told, task]
    assert "c2lnLTE=" not in json.dumps(shown)


async def _has_tried_again(live: Live, task_id: str) -> None:
    async with live.http.stream("GET", f"/api/v1/tasks/{task_id}/events") as stream:
        async for event in events_in(stream):
            if event.type == "llm.restarted":
                return
    raise AssertionError("it ended")


async def _nothing_is_said_twice(live: Live, task_id: str) -> None:
    """After each restart those who watch forget; what is left is what was written down."""
    text = ""
    for kind, data in await live.events_of(task_id):
        if kind == "llm.restarted":
            text = ""
        elif kind == "llm.delta":
            text += data["text"]
    assert text == ""


def _spoken(messages: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(item["model"], item["content"]) for item in messages if item["role"] == "assistant"]


def _skill_text(messages: list[dict[str, str]]) -> str:
    [text] = [
        message["content"]
        for message in messages
        if message["role"] == "tool" and message["content"].startswith("<skill_content")
    ]
    return text
