"""Questions of a tool's server, from its form to the answer that it is given."""

import json
import math
from typing import Any

import mcp_types as types
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from activities.agents.elicitations import approval_of, question_of, replies_so_far
from activities.store.approvals import Approval
from activities.store.events import as_json
from activities.tools.mcp.asking import Asker
from activities.tools.mcp.listing import clean_text
from activities.tools.mcp.questions import Question, Replies, Reply
from workflows.agent_contracts import Verdict

TEXTS = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["\0", "\ud83d", "a\ude00"]
)
NUMBERS = st.floats() | st.integers() | st.sampled_from([1e16, -0.0, 10**400, 5e-324, math.nan])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def as_jsonb(text: str) -> Any:
    """A document as PostgreSQL gives it back: numbers by their value, keys in an order of its own.
    It takes neither NUL nor halves of characters, and no numbers that are none."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    def number(written: str) -> float:
        value = float(written)
        return int(value) if value.is_integer() else value

    def ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(sorted(pairs, key=lambda pair: (len(pair[0]), pair[0])))

    found = json.loads(text, parse_constant=refuse, parse_float=number, object_pairs_hook=ordered)
    assert "\\u0000" not in json.dumps(found)
    json.dumps(found, ensure_ascii=False).encode()
    return found


def kept(approval: Approval) -> Approval:
    document = as_json(approval.model_dump(mode="json", exclude_none=True))
    return Approval.model_validate(as_jsonb(document))


def ask(asked: types.ElicitRequestParams, replies: Replies) -> tuple[str, Question | None]:
    """What a server is told, and what a person is to be asked."""
    asker = Asker(replies, clean_text, is_alone=True)
    return asker.reply(asked).action, asker.question


@given(st.dictionaries(TEXTS, VALUES, max_size=4), TEXTS)
@example({"properties": {"a": {"type": "number", "maximum": 1e16, "default": -0.0}}}, "How many?")
@example({"properties": {"a\ud83d": {"description": "\0"}}}, "\ud83d")
@example({"properties": {"a": {"minimum": math.nan, "maximum": 10**400}}}, "")
def test_the_answer_to_any_form_is_found_when_the_server_asks_again(
    form: dict[str, Any], message: str
) -> None:
    params = types.ElicitRequestFormParams(message=message, requested_schema=form)
    replies: Replies = {}
    for number in range(2):  # The reply to the first question is kept while the second waits.
        told, question = ask(params, replies)
        assert told == "cancel"
        assert question is not None
        waiting = kept(approval_of(question, replies, 1, 60.0, number))
        assert waiting.elicitation is not None
        assert list(question_of(waiting.elicitation).shown) == list(question.shown)
        replies = replies_so_far(waiting, Verdict.DENIED)
        assert ask(params, replies) == ("decline", None)
        params = types.ElicitRequestFormParams(message=f"{message}?", requested_schema=form)
    assert len(replies) == 2


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("number", "1e16"), ("number", "-0.0"), ("integer", "9" * 300), ("string", "é\u2028")],
)
def test_an_answer_is_the_same_when_it_was_kept_for_a_later_question(
    kind: str, answer: str
) -> None:
    question = Question("?", {"properties": {"a": {"type": kind}}})
    reply = Reply("accept", question.content(answer))
    later = kept(approval_of(Question("Sure?"), {question.key: reply}, 1, 60.0, 1))
    assert replies_so_far(later, Verdict.APPROVED)[question.key] == reply


@pytest.mark.parametrize("answer", [r'{"a": "\u0000"}', r'{"a": "\ud83d"}', r'{"a": "x\ude00"}'])
def test_an_answer_that_could_not_be_kept_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        Question("?", {"properties": {"a": {"type": "string"}}}).content(answer)


def test_an_answer_that_is_nested_without_end_is_none() -> None:
    question = Question("?", {"properties": {"a": {}, "b": {}}})
    with pytest.raises(ValueError, match="NAME=VALUE"):
        question.content("[" * 20_000)
