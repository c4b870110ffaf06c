"""What a model is sent of the past: whatever that was, a valid conversation within its budget."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.llm.base import ChatMessage, ToolRequest
from activities.llm.compaction import compact, size_tokens
from activities.residents.past import past_messages, with_past
from activities.store.reading.exchanges import Past, PastExchange, Summary
from workflows.states import Status


def count(text: str) -> int:
    """About as a tokenizer does, and much sooner."""
    return (len(text) + 2) // 3


def exchange(
    number: int,
    messages: Sequence[ChatMessage] | None = (),
    *,
    prompt: str = "Do it.",
    reply: str | None = "Done.",
    status: Status = Status.COMPLETED,
    is_interrupted: bool = False,
    error: str | None = None,
) -> PastExchange:
    found = None if messages is None else tuple(messages)
    return PastExchange(number, prompt, status, reply, is_interrupted, error, found)


def calls(*ids: str, name: str = "list_files", text: str = "") -> ChatMessage:
    requests = tuple(ToolRequest(each, name, "{}") for each in ids)
    return ChatMessage("assistant", text, requests, turn=1)


def result(request_id: str, text: str = "ok") -> ChatMessage:
    return ChatMessage("tool", text, request_id=request_id, turn=1, is_protected=True)


def check_pairs(messages: Sequence[ChatMessage]) -> None:
    """Whether each request has its result after it, and no result stands alone."""
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert message.request_id == waiting.pop(0)
        else:
            assert not waiting
            waiting = [request.id for request in message.requests]
    assert not waiting


def check(messages: Sequence[ChatMessage]) -> None:
    """Whether a server takes it: roles in turn, and after each request its result."""
    assert not messages or messages[0].role == "user"
    waiting: list[str] = []
    before = ""
    for message in messages:
        if message.role == "tool":
            assert waiting
            assert message.request_id == waiting.pop(0)
        else:
            assert not waiting
            waiting = [request.id for request in message.requests]
            assert (message.role, before) != ("user", "user") or message.turn > 0
            assert message.content or message.requests
        before = message.role
    assert not waiting
    assert before in {"", "assistant"}


_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", " ", "long words " * 300, "x" * 5_000, "東京" * 700]),
)
_IDS = st.sampled_from(["a", "b", "c"])
_MESSAGES = st.one_of(
    st.builds(
        lambda text, ids, name: calls(*ids, name=name, text=text),
        _TEXTS,
        st.lists(_IDS, max_size=3, unique=True),
        st.sampled_from(["list_files", "finish"]),
    ),
    st.builds(result, _IDS, _TEXTS.filter(bool)),
    st.builds(lambda text: ChatMessage("user", text), _TEXTS.filter(str.strip)),
)
_EXCHANGES = st.builds(
    PastExchange,
    number=st.just(0),
    prompt=_TEXTS,
    status=st.sampled_from(Status),
    reply=st.none() | _TEXTS,
    is_interrupted=st.booleans(),
    error=st.none() | _TEXTS,
    messages=st.none() | st.lists(_MESSAGES, max_size=8).map(tuple),
)


@st.composite
def _pasts(draw: st.DrawFn) -> Past:
    through = draw(st.integers(0, 50))
    found = draw(st.lists(_EXCHANGES, max_size=20))
    numbered = [
        PastExchange(
            number,
            each.prompt,
            each.status,
            each.reply,
            each.is_interrupted,
            each.error,
            each.messages,
        )
        for number, each in enumerate(found, start=through + 1)
    ]
    return Past(Summary(through, draw(_TEXTS) if through else ""), numbered)


@settings(max_examples=300)
@given(_pasts(), st.integers(0, 6_000))
def test_what_is_sent_of_any_past_is_valid_and_within_its_budget(past: Past, budget: int) -> None:
    messages = past_messages(past, budget, count)
    check(messages)
    assert size_tokens(messages, count) <= budget


@settings(max_examples=200)
@given(_pasts(), st.integers(0, 6_000), st.integers(200, 6_000))
def test_the_past_gives_way_to_the_present(past: Past, budget: int, context: int) -> None:
    number = 1 + max((each.number for each in past.exchanges), default=past.summary.through)
    heard = (
        ChatMessage("system", "You are Ann.", is_protected=True),
        ChatMessage("user", "What is new?", is_protected=True),
        *(
            replaced
            for turn in range(1, 6)
            for replaced in (
                ChatMessage("assistant", "", (ToolRequest(f"c{turn}", "f", "{}"),), turn=turn),
                ChatMessage("tool", "found " * 20, request_id=f"c{turn}", turn=turn),
            )
        ),
    )
    whole = with_past(past_messages(past, budget, count), heard, number)
    shown = compact(whole, context, count)
    check_pairs(shown)
    assert [message.content for message in shown if message.role == "system"] == ["You are Ann."]
    asked = [message for message in shown if message.content.startswith("What is new?")]
    assert len(asked) == 1
    after = shown[list(shown).index(asked[0]) :]
    if any(message.turn and message not in after for message in shown):
        assert size_tokens(shown, count) <= context  # The past goes before the work.


def test_an_exchange_is_sent_with_its_calls() -> None:
    work = [calls("a", "b"), result("a", "one"), result("b", "two"), calls("z", name="finish")]
    messages = past_messages(Past(exchanges=[exchange(1, work)]), 10_000, count)
    said = [(message.role, message.content) for message in messages]
    assert said == [
        ("user", "Do it."),
        ("assistant", ""),
        ("tool", "one"),
        ("tool", "two"),
        ("assistant", "Done."),
    ]
    assert not any(message.is_protected for message in messages)


def test_a_call_without_result_gets_one_that_tells_what_is_not_known() -> None:
    broken = exchange(1, [calls("a", "b"), result("b")], reply=None, status=Status.FAILED)
    messages = past_messages(Past(exchanges=[broken]), 10_000, count)
    assert [message.request_id for message in messages if message.role == "tool"] == ["a", "b"]
    assert "may have taken effect" in messages[2].content
    assert "ended as failed" in messages[-1].content


def test_what_was_cut_off_is_told() -> None:
    cut = exchange(1, [ChatMessage("assistant", "It is")], reply="It is", is_interrupted=True)
    messages = past_messages(Past(exchanges=[cut]), 10_000, count)
    assert [message.role for message in messages] == ["user", "assistant"]
    assert messages[-1].content.startswith("It is\n")
    assert "Interrupted here" in messages[-1].content


def test_the_reply_is_not_said_twice() -> None:
    once = exchange(1, [ChatMessage("assistant", "It is 4.")], reply="It is 4.")
    messages = past_messages(Past(exchanges=[once]), 10_000, count)
    assert [message.content for message in messages] == ["Do it.", "It is 4."]


def test_of_older_exchanges_only_what_was_said_is_sent() -> None:
    work = [calls("a"), result("a", "found " * 100)]
    exchanges = [exchange(number, work, prompt=f"ask {number}") for number in range(1, 41)]
    messages = past_messages(Past(exchanges=exchanges), 2_500, count)
    with_calls = {message.turn for message in messages if message.role == "tool"}
    without = {message.turn for message in messages} - with_calls
    assert with_calls
    assert without
    assert max(without) < min(with_calls)
    assert max(with_calls) == 40


def test_the_beginning_moves_in_steps() -> None:
    """Else no server could use again what it has read of a conversation."""

    def begins(last: int) -> int:
        exchanges = [exchange(number, prompt="ask " * 30) for number in range(1, last + 1)]
        return past_messages(Past(exchanges=exchanges), 1_500, count)[0].turn

    assert len({begins(last) for last in range(60, 100)}) <= 7


def test_the_summary_comes_first_and_stays() -> None:
    past = Past(Summary(9, "Ann likes tea."), [exchange(10)])
    messages = past_messages(past, 10_000, count)
    assert "Ann likes tea." in messages[0].content
    shown = compact(with_past(messages, (), 11), 1, count)
    assert "Ann likes tea." in shown[0].content


def test_the_two_ends_of_the_last_exchange_are_sent_however_large_it_is() -> None:
    large = exchange(1, None, prompt="first " + "x" * 90_000, reply="y" * 90_000 + " last")
    messages = past_messages(Past(exchanges=[large]), 500, count)
    assert messages[0].content.startswith("first")
    assert messages[1].content.endswith("last")


@pytest.mark.parametrize("budget", [0, 1, 10])
def test_without_room_nothing_is_sent(budget: int) -> None:
    assert past_messages(Past(Summary(1, "x"), [exchange(2)]), budget, count) == ()
