"""What is read of an agent's past: the end of it, whole exchanges, and never too much."""

from functools import partial
from uuid import UUID

import pytest

from activities.llm.base import ChatMessage, ModelOptions
from activities.llm.compaction import size_tokens
from activities.llm.models import PROMPT_SHARE, Models
from activities.residents import recollection
from activities.residents.past import PAST_SHARE
from activities.residents.recollection import Recollection
from activities.store.database import Database
from activities.store.reading.exchanges import Bounds, read_past
from tests.equipment import TOKENS
from tests.integration.resident_rows import new_agent, new_exchange, write
from workflows.resident_contracts import exchange_id
from workflows.states import Status

ENOUGH = Bounds(100_000, 10_000)
ASKS = {
    "role": "assistant",
    "turn": 1,
    "requests": [{"id": "a", "name": "list_files", "arguments": "{}"}],
}
FINDS = {"role": "tool", "turn": 1, "request_id": "a", "content": "x.csv"}


@pytest.fixture
async def agent_id(database: Database) -> UUID:
    return await new_agent(database)


def opening(prompt: str) -> list[dict[str, object]]:
    system = {"role": "system", "content": "You are Ann.", "is_protected": True}
    return [system, {"role": "user", "content": prompt, "is_protected": True}]


async def hold(database: Database, agent_id: UUID, number: int, large: str = "") -> None:
    messages = [*opening(f"ask {number}"), ASKS, FINDS | {"content": f"found {number}{large}"}]
    answer = {"role": "assistant", "turn": 2, "content": f"reply {number}"}
    await new_exchange(
        database,
        agent_id,
        number,
        f"ask {number}",
        [*messages, answer],
        reply=f"reply {number}",
    )


def recollects(database: Database, context_tokens: int = 20_000) -> Recollection:
    options = ModelOptions(("first",), "http://127.0.0.1:1", context_tokens=context_tokens)
    return Recollection(database, Models(options, TOKENS), TOKENS)


async def test_whole_exchanges_are_read_with_their_calls(
    database: Database, agent_id: UUID
) -> None:
    for number in (1, 2, 3):
        await hold(database, agent_id, number)
    past = await read_past(database, agent_id, 3, ENOUGH)
    assert [each.number for each in past.exchanges] == [1, 2]
    [_, second] = past.exchanges
    assert second.messages is not None
    roles = [message.role for message in second.messages]
    assert (second.prompt, second.reply, roles) == (
        "ask 2",
        "reply 2",
        ["assistant", "tool", "assistant"],
    )


async def test_of_an_exchange_that_is_cut_in_reading_only_what_was_said_is_given(
    database: Database, agent_id: UUID
) -> None:
    for number in (1, 2):
        await hold(database, agent_id, number, "x" * 1_000)
    past = await read_past(database, agent_id, 3, Bounds(1_500, 5_000))
    assert [each.messages is None for each in past.exchanges] == [True, False]


async def test_large_texts_and_arguments_are_cut_in_the_database(
    database: Database, agent_id: UUID
) -> None:
    large = {"id": "a", "name": "write_file", "arguments": '{"text": "' + "x" * 9_000 + '"}'}
    messages = [*opening("p" * 9_000), ASKS | {"requests": [large]}, FINDS]
    await new_exchange(database, agent_id, 1, "p" * 9_000, messages, reply="r" * 9_000)
    [one] = (await read_past(database, agent_id, 2, Bounds(100_000, 100))).exchanges
    assert one.messages is not None
    assert "shortened" in one.messages[0].requests[0].arguments
    assert max(map(len, (one.prompt, one.reply or "", one.messages[0].content))) < 120


async def test_exchanges_that_are_summed_up_are_not_read(
    database: Database, agent_id: UUID
) -> None:
    for number in range(1, 5):
        await hold(database, agent_id, number)
    for through in (1, 3):
        await write(
            database,
            """
            INSERT INTO agent_summaries (agent_id, through, team_id, text, model, tokens, cost_usd)
            SELECT id, :through, team_id, :text, '', 0, 0 FROM agents""",
            through=through,
            text=f"summary {through}",
        )
    past = await read_past(database, agent_id, 5, ENOUGH)
    assert (past.summary.text, [each.number for each in past.exchanges]) == ("summary 3", [4])
    earlier = await read_past(database, agent_id, 3, ENOUGH)
    assert (earlier.summary.text, [each.number for each in earlier.exchanges]) == ("summary 1", [2])


async def test_what_was_said_stays_when_its_messages_are_not_kept_any_more(
    database: Database, agent_id: UUID
) -> None:
    await hold(database, agent_id, 1)
    await write(database, "UPDATE messages SET content = '', requests = NULL")
    [one] = (await read_past(database, agent_id, 2, ENOUGH)).exchanges
    assert (one.prompt, one.reply, one.messages) == ("ask 1", "reply 1", ())


async def test_a_failed_exchange_is_told_with_its_reason(
    database: Database, agent_id: UUID
) -> None:
    await new_exchange(
        database,
        agent_id,
        1,
        "ask",
        [*opening("ask"), ASKS],
        status=Status.FAILED,
        error={"code": "x", "message": "The disk is full."},
    )
    sent = await recollects(database).conversation(
        exchange_id(agent_id, 2), 2, None, [ChatMessage("user", "again?")]
    )
    assert sent == [ChatMessage("user", "again?")] or len(sent) == 1  # Its task is not there yet.
    await new_exchange(database, agent_id, 2, "again?", status=Status.RUNNING)
    sent = await recollects(database).conversation(
        exchange_id(agent_id, 2), 2, None, [ChatMessage("user", "again?")]
    )
    assert [message.role for message in sent] == ["user", "assistant", "tool", "assistant", "user"]
    assert "The disk is full." in sent[3].content


@pytest.mark.parametrize("context_tokens", [4_096, 20_000])
async def test_no_more_is_sent_than_its_share_however_long_an_agent_lives(
    database: Database, agent_id: UUID, context_tokens: int
) -> None:
    for number in range(1, 31):
        await hold(database, agent_id, number, "word " * 2_000)
    last = await new_exchange(database, agent_id, 31, "now", status=Status.RUNNING)
    own = [
        ChatMessage("system", "You are Ann.", is_protected=True),
        ChatMessage("user", "now " * 100_000, is_protected=True),
    ]
    sent = await recollects(database, context_tokens).conversation(last, 31, None, own)
    count = partial(TOKENS.count, model="first")
    budget = context_tokens * PROMPT_SHARE
    past = [message for message in sent if 0 < message.turn < 31]
    assert past
    assert size_tokens(past, count) <= budget * PAST_SHARE
    assert size_tokens(sent, count) <= budget
    assert "left out" in sent[-1].content


async def test_the_past_is_read_once_for_all_turns_of_an_exchange(
    database: Database, agent_id: UUID, queries: list[str]
) -> None:
    await hold(database, agent_id, 1)
    last = await new_exchange(database, agent_id, 2, "now", status=Status.RUNNING)
    kept = recollects(database)
    own = [ChatMessage("user", "now")]
    first = await kept.conversation(last, 2, None, own)
    queries.clear()
    assert await kept.conversation(last, 2, None, own) == first
    assert not queries


async def test_a_worker_remembers_no_more_than_it_may(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand agents that are idle take nothing of any worker's memory but this."""
    monkeypatch.setattr(recollection, "MAX_REMEMBERED", 3)
    kept = recollects(database)
    for number in range(5):
        agent_id = await new_agent(database)
        await hold(database, agent_id, 1, "x" * 1_000)
        last = await new_exchange(database, agent_id, 2, f"now {number}", status=Status.RUNNING)
        await kept.conversation(last, 2, None, [ChatMessage("user", "now")])
    remembered = kept._remembered
    assert len(remembered) == 3
    size = max(recollection._characters(each) for each in remembered.values())
    monkeypatch.setattr(recollection, "MAX_CHARACTERS", 2 * size)
    await kept.conversation(last, 2, None, [ChatMessage("user", "now")])
    assert len(remembered) == 2
