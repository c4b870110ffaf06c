from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.base import ChatMessage, ToolRequest
from activities.llm.compaction import (
    GROUP_TURNS,
    RECENT_TURNS,
    compact,
    shorten_skills,
    size_tokens,
)
from activities.llm.opaque import Opaque

NOTE_TOKENS = 20
LONG = "0123456789 " * 300


def count(text: str) -> int:
    return len(text) // 4


def turn(
    number: int, result: str = LONG, words: str = "", *, protected: bool = False
) -> list[ChatMessage]:
    request = ToolRequest(f"c{number}", "measure", f'{{"turn": {number}}}')
    return [
        ChatMessage("assistant", words, (request,), turn=number),
        ChatMessage("tool", result, request_id=request.id, turn=number, is_protected=protected),
    ]


def conversation(turns: int, result: str = LONG, words: str = "") -> list[ChatMessage]:
    preface = [ChatMessage("system", "Be brief. " * 50), ChatMessage("user", "Measure. " * 50)]
    return [*preface, *(message for n in range(turns) for message in turn(n + 1, result, words))]


def results(messages: Sequence[ChatMessage]) -> list[str]:
    return [message.content for message in messages if message.role == "tool"]


def test_a_conversation_within_the_budget_is_left_alone() -> None:
    messages = conversation(20)
    assert compact(messages, size_tokens(messages, count), count) == messages


def test_results_of_old_turns_go_first_and_the_oldest_before_others() -> None:
    messages = conversation(20)
    shorter = compact(messages, size_tokens(messages, count) - 1, count)
    note = f"[shortened: {count(LONG)} tokens; read it again with the tool if needed]"
    assert results(shorter) == [note] * GROUP_TURNS + [LONG] * (20 - GROUP_TURNS)
    assert [m for m in shorter if m.role != "tool"] == [m for m in messages if m.role != "tool"]


def test_the_start_of_the_prompt_stays_the_same_for_several_turns() -> None:
    budget = size_tokens(conversation(30), count)
    seen = [tuple(compact(conversation(turns), budget, count)[:60]) for turns in range(31, 39)]
    assert len(set(seen)) <= 2


def test_the_recent_turns_are_spared() -> None:
    shorter = compact(conversation(10), 3 * count(LONG) + 1_000, count)
    assert results(shorter)[-RECENT_TURNS:] == [LONG] * RECENT_TURNS
    assert LONG not in results(shorter)[:-RECENT_TURNS]


def test_words_and_arguments_of_old_turns_are_shortened_after_results() -> None:
    messages = conversation(10, words=LONG)
    messages[2] = ChatMessage("assistant", LONG, (ToolRequest("c1", "measure", LONG),), turn=1)
    shorter = compact(messages, 6 * count(LONG) + 1_500, count)
    assert len(shorter) == len(messages)
    assert shorter[2].content == f"{LONG[:200]} [shortened: {count(LONG)} tokens]"
    assert shorter[2].requests[0].arguments == f'{{"shortened": "{count(LONG)} tokens"}}'


def test_old_turns_are_left_out_whole_and_the_prompt_says_so() -> None:
    messages = conversation(100)
    shorter = compact(messages, 3 * count(LONG) + 600, count)
    assert shorter[0] == messages[0]
    assert shorter[1].content.startswith(messages[1].content)
    assert "[earlier turns left out here: " in shorter[1].content
    assert shorter[2].turn > 80
    assert results(shorter)[-RECENT_TURNS:] == [LONG] * RECENT_TURNS


def test_the_middle_of_recent_results_is_cut_last() -> None:
    shorter = compact(conversation(10, result=LONG * 10), 2_500, count)
    for result in results(shorter)[-RECENT_TURNS:]:
        assert result.startswith(LONG[:1_000])
        assert result.endswith(LONG[-1_000:])
        assert "[shortened: " in result
    assert size_tokens(shorter, count) <= 2_500


def test_what_a_recent_call_was_given_is_cut_where_it_alone_is_too_much() -> None:
    """A model can write more than it can read, such as a plan of ten thousand nodes."""
    much = ToolRequest("c4", "make_plan", f'{{"nodes": "{LONG * 10}"}}')
    messages = [
        *conversation(3),
        ChatMessage("assistant", "", (much,), turn=4),
        ChatMessage("tool", "Too many.", request_id="c4", turn=4),
        *turn(5, "Fine."),
    ]
    shorter = compact(messages, 3_000, count)
    assert size_tokens(shorter, count) <= 3_000
    [cut, last] = [message for message in shorter if message.requests][-2:]
    assert cut.requests[0].arguments == f'{{"shortened": "{count(much.arguments)} tokens"}}'
    assert last.requests == turn(5)[0].requests


def test_a_protected_result_stays_with_its_request() -> None:
    messages = conversation(50)
    messages[2:4] = turn(1, "skill " * 1_000, protected=True)
    shorter = compact(messages, 1, count)
    assert shorter[2:4] == messages[2:4]
    assert shorter[4].turn > 40


def test_loaded_skills_lose_their_ends_only_where_nothing_else_is_left_to_shorten() -> None:
    messages = [*conversation(0), *turn(1, "first " * 2_000, protected=True)]
    messages += turn(2, "second " * 2_000, protected=True)
    size = size_tokens(messages, count)
    assert shorten_skills(messages, size, count) == messages
    fewer = shorten_skills(messages, size - 1_000, count)
    assert size_tokens(fewer, count) <= size - 1_000
    first, second = results(fewer)
    assert first.startswith("first " * 1_000)
    assert "read_skill_file gives the rest of SKILL.md]" in first
    assert second == "second " * 2_000
    least = results(shorten_skills(messages, 0, count))
    assert [text[:6] for text in least] == ["first ", "second"]
    assert all(1_000 < len(text) < 1_100 for text in least)


def test_short_results_are_not_worth_a_note() -> None:
    messages = conversation(20, result="ok")
    budget = size_tokens(messages, count) - 1
    assert set(results(compact(messages, budget, count))) == {"ok"}


@pytest.mark.parametrize("messages", [[], [ChatMessage("system", LONG)], conversation(1)])
def test_a_conversation_without_old_turns_keeps_its_messages(messages: list[ChatMessage]) -> None:
    assert [m.role for m in compact(messages, 0, count)] == [m.role for m in messages]


@given(
    turns=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["", "ok", LONG]), st.booleans()),
        max_size=40,
    ),
    budget=st.integers(0, 20_000),
)
def test_requests_and_results_stay_paired_and_in_order(
    turns: list[tuple[int, str, bool]], budget: int
) -> None:
    messages = [ChatMessage("system", "s"), ChatMessage("user", LONG)]
    for number, (calls, result, protected) in enumerate(turns, 1):
        requests = tuple(ToolRequest(f"{number}.{n}", "t", "{}") for n in range(calls))
        messages.append(ChatMessage("assistant", result, requests, turn=number))
        messages += [
            ChatMessage("tool", result, request_id=r.id, turn=number, is_protected=protected)
            for r in requests
        ]
    before = list(messages)
    shorter = compact(messages, budget, count)
    assert messages == before
    assert size_tokens(shorter, count) <= max(budget, size_tokens(before, count) + NOTE_TOKENS)
    asked = [request.id for message in shorter for request in message.requests]
    answered = [message.request_id for message in shorter if message.role == "tool"]
    assert asked == answered
    kept = [message for message in before if message.is_protected]
    assert [message for message in shorter if message.is_protected] == kept
    assert [message.turn for message in shorter] == sorted(message.turn for message in shorter)
    assert shorter[0] == before[0]
    assert shorter[1].content.startswith(LONG)


STATE = Opaque("m", {"reasoning": "thought " * 100}, ({"extra_content": {"a": 1}},))


def with_state(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [
        replace(message, opaque=STATE) if message.role == "assistant" else message
        for message in messages
    ]


def test_the_state_of_a_model_counts() -> None:
    plain = conversation(20)
    more = size_tokens(with_state(plain), count) - size_tokens(plain, count)
    assert more == 20 * count(STATE.text)


def test_the_state_of_a_model_stays_for_as_long_as_its_turn() -> None:
    messages = with_state(conversation(40, words="word " * 200))
    for share in (0.9, 0.6, 0.4):
        shorter = compact(messages, round(size_tokens(messages, count) * share), count)
        assert shorter != messages
        said = [message for message in shorter if message.role == "assistant"]
        assert all(message.opaque == STATE for message in said)


def test_where_there_is_no_room_for_it_the_state_of_a_model_goes_last() -> None:
    messages = with_state(conversation(RECENT_TURNS, result="short"))
    without = [replace(message, opaque=None) for message in messages]
    assert compact(messages, size_tokens(without, count) + NOTE_TOKENS, count) == without
