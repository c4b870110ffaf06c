"""What becomes of the requests in a model's answer."""

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.agents.answer import (
    CUT_OFF,
    MAX_CALLS_PER_TURN,
    Judged,
    digest_of,
    judge,
)
from activities.llm.base import Answer, ChatMessage, Finish, ToolRequest, Usage
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.schemas import MAX_ARGUMENT_DEPTH
from workflows.definitions.agent import Agent
from workflows.states import Permission

OFFERED = {
    tool.name: tool
    for tool in (
        OfferedTool("read_file", "", {}, is_retry_safe=True),
        OfferedTool("send_mail", "", {}, permission=Permission.ASK),
        OfferedTool("ask_human", "", {}, native=Registry().find("ask_human")),
        OfferedTool("finish", "", {}, ends_task=True),
    )
}


def request(name: str, arguments: object = None, key: str = "r1") -> ToolRequest:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolRequest(key, name, text)


def answer(*requests: ToolRequest, text: str = "", finish: Finish = "tool_calls") -> Answer:
    return Answer("m", text, requests, Usage(1, 1, is_estimate=False), 0.0, 1, 1, finish)


async def judged(
    *requests: ToolRequest, agent: Agent | None = None, finish: Finish = "tool_calls"
) -> Judged:
    return await judge(answer(*requests, finish=finish), OFFERED, agent or Agent(), 10)


async def fault(
    *requests: ToolRequest, agent: Agent | None = None, finish: Finish = "tool_calls"
) -> str:
    """The only thing that the model is told at once."""
    found = await judged(*requests, agent=agent, finish=finish)
    assert (found.calls, found.result) == ([], None)
    [(_, text)] = found.results.values()
    return text


async def test_calls_have_the_numbers_of_their_results_in_the_order_of_the_answer() -> None:
    found = await judged(
        request("read_file", {"file": "a"}), request("nothing"), request("read_file")
    )
    assert [(call.seq, call.arguments) for call in found.calls] == [(10, {"file": "a"}), (12, {})]
    assert list(found.results) == [11]


async def test_no_arguments_at_all_are_an_empty_object() -> None:
    assert (await judged(request("read_file", ""))).calls[0].arguments == {}


@pytest.mark.parametrize("text", ['{"file": "a"', "file=a", '{"a": NaN}', "[" * 100_000])
async def test_arguments_that_are_no_json_go_back_to_the_model(text: str) -> None:
    assert "not valid JSON" in await fault(request("read_file", text))


@pytest.mark.parametrize("text", ["[1]", '"a"', "3", "null"])
async def test_arguments_that_are_no_object_go_back_to_the_model(text: str) -> None:
    assert "one JSON object" in await fault(request("read_file", text))


async def test_arguments_that_go_too_deep_go_back_to_the_model() -> None:
    deep: list[object] = []
    for _ in range(MAX_ARGUMENT_DEPTH - 1):
        deep = [deep]
    assert "levels deep" in await fault(request("read_file", {"file": deep}))
    assert (await judged(request("read_file", {"file": deep[0]}))).calls


@pytest.mark.parametrize("name", ["arguments", "parameters", "input"])
async def test_arguments_within_a_whole_call_are_found_where_they_alone_fit(name: str) -> None:
    whole = {"name": "ask_human", name: {"question": "Which?"}}
    [call] = (await judged(request("ask_human", whole))).calls
    assert call.arguments == {"question": "Which?"}
    assert "the field question is required" in await fault(
        request("ask_human", {name: {"text": "Which?"}})
    )
    [call] = (await judged(request("read_file", whole))).calls  # It takes anything.
    assert call.arguments == whole


async def test_a_number_beyond_all_numbers_goes_back_to_the_model() -> None:
    assert "Infinity is not JSON" in await fault(request("read_file", '{"a": 1e999}'))


async def test_arguments_are_taken_as_they_can_be_kept() -> None:
    [call] = (await judged(request("read_file", '{"file": "half \\ud83d, nul \\u0000"}'))).calls
    assert call.arguments == {"file": "half ?, nul \ufffd"}


async def test_arguments_that_a_native_tool_does_not_take_go_back_before_anybody_is_asked() -> None:
    wrong = {"question": "", **{f"more{n}" * 100: n for n in range(50)}}
    told = await fault(request("ask_human", wrong))
    assert "- /question: it must have at least 1 character" in told
    assert len(told) < 4_000
    assert "- /question: the field question is required" in await fault(request("ask_human"))


CUT = '{"file": "report.m'


@pytest.mark.parametrize("text", [CUT, "", " "])
async def test_a_call_in_which_the_answer_was_cut_off_is_told_as_such(text: str) -> None:
    assert "cut off in the middle" in await fault(request("read_file", text), finish="length")


async def test_calls_that_were_whole_when_the_answer_was_cut_off_are_made() -> None:
    whole, cut = request("read_file", {"file": "a"}), request("read_file", CUT)
    found = await judged(whole, cut, finish="length")
    assert ([call.seq for call in found.calls], list(found.results)) == ([10], [11])
    assert (await judged(cut, whole, finish="length")).results[10][1].startswith("Not run: the arg")
    assert len((await judged(whole, finish="length")).calls) == 1


async def test_an_answer_that_was_cut_off_before_it_called_a_tool_is_told_so() -> None:
    assert (await judged(finish="length")).note == CUT_OFF
    assert (await judged(finish="stop")).note is None


async def test_an_unknown_tool_goes_back_to_the_model_with_the_known_ones() -> None:
    told = await fault(request("rm_rf"))
    assert "'rm_rf'" in told
    assert "read_file, send_mail" in told


async def test_more_calls_than_are_allowed_at_once_are_not_made() -> None:
    found = await judged(*[request("read_file")] * (MAX_CALLS_PER_TURN + 2))
    assert len(found.calls) == MAX_CALLS_PER_TURN
    assert len(found.results) == 2


async def test_a_tool_that_needs_an_approval_waits_for_one_and_a_question_for_an_answer() -> None:
    question = request("ask_human", {"question": "Which?"})
    found = await judged(request("send_mail"), question, request("read_file"))
    assert [call.waits_for for call in found.calls] == ["approval", "answer", None]
    assert [call.planned(0).ask_id is not None for call in found.calls] == [True, True, False]


async def test_finish_alone_ends_the_task_with_its_result() -> None:
    found = await judged(request("finish", {"summary": "Done."}))
    assert found.result == {"summary": "Done."}
    assert [text for _, text in found.results.values()] == ["Finished."]


async def test_finish_beside_another_call_does_not_end_the_task() -> None:
    found = await judged(request("read_file"), request("finish", {"summary": "Done."}))
    assert found.result is None
    assert "alone" in found.results[11][1]


async def test_finish_that_does_not_fit_the_schema_is_told_where() -> None:
    schema = {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]}
    agent = Agent.model_validate({"output_schema": schema})
    told = await fault(
        request("finish", {"summary": "Done.", "result": {"rows": "many"}}), agent=agent
    )
    assert "/result/rows" in told


HEARD = [ChatMessage("user", "do"), ChatMessage("assistant", ""), ChatMessage("tool", "3 rows")]


def test_the_digest_is_that_of_what_is_meant_and_not_of_how_it_is_written() -> None:
    first = answer(request("read_file", '{"a": 1, "b": 2}'), text="Let me look.")
    again = answer(request("read_file", '{ "b":2, "a":1 }', key="r7"), text="Once more.")
    assert digest_of(HEARD, first) == digest_of(HEARD, again)


def test_the_digest_differs_when_the_results_that_were_read_differ() -> None:
    """Whoever polls for something makes the same call again and again, and rightly so."""
    call = answer(request("read_file", {"a": 1}))
    assert digest_of(HEARD, call) != digest_of([*HEARD[:2], ChatMessage("tool", "4 rows")], call)


def test_the_digest_of_a_turn_ignores_that_a_file_was_made_again() -> None:
    digests = set()
    for made in (uuid4(), uuid4()):
        result = ChatMessage("tool", f"File 'a.txt' created at /api/v1/artifacts/{made}")
        call = answer(request("read_file", {"file": f"artifact:{made}"}))
        digests.add(digest_of([*HEARD[:2], result], call))
    assert len(digests) == 1


def test_a_hint_does_not_make_the_digest_another() -> None:
    call = answer(request("read_file", {"a": 1}))
    assert digest_of(HEARD, call) == digest_of([*HEARD, ChatMessage("user", "Hint.")], call)


@given(st.lists(st.tuples(st.sampled_from([*OFFERED, "x"]), st.text(max_size=30)), max_size=40))
async def test_every_request_is_either_made_or_told(pairs: list[tuple[str, str]]) -> None:
    found = await judged(*(ToolRequest("r", name, text) for name, text in pairs))
    numbers = [call.seq for call in found.calls] + list(found.results)
    assert sorted(numbers) == list(range(10, 10 + len(pairs)))
