"""What takes the place of an answer that is not sound."""

import json

from activities.agents.answer import Judged
from activities.llm.base import Answer, ChatMessage, ToolRequest, Usage
from activities.llm.opaque import Opaque
from activities.plans.fallback import MAX_LOOKUPS, MAX_REPAIRS, Attempts, in_its_place
from activities.tools.offered import OfferedTool

MAKE = OfferedTool("make_plan", "", {}, made_as="plan")
FIRST, SECOND = ToolRequest("a", "make_plan", "{"), ToolRequest("b", "make_plan", "[")
OPAQUE = Opaque("m", {"reasoning_content": "Hm."}, ({"signature": "s1"}, {"signature": "s2"}))
ANSWER = Answer(
    "m", "I plan.", (FIRST, SECOND), Usage(1, 1, is_estimate=False), 0.0, 1, 1, "length", OPAQUE
)


def said(*names: str) -> ChatMessage:
    requests = tuple(ToolRequest(f"c{name}", name, "{}") for name in names)
    return ChatMessage("assistant", "", requests)


def test_a_sound_call_takes_the_place_of_all_that_was_asked_for() -> None:
    judged = Judged(results={4: (FIRST, "Not run: half."), 5: (SECOND, "Not run: a list.")})
    answer, instead = in_its_place(ANSWER, judged, MAKE, {"atomic": True}, 4)
    [request] = answer.requests
    [call] = instead.calls
    assert (call.seq, call.request, call.tool) == (4, request, MAKE)
    assert json.loads(request.arguments) == call.arguments
    assert call.arguments["atomic"] is True
    assert str(call.arguments["reason"]).endswith("Not run: half.\nNot run: a list.")
    assert (answer.text, answer.finish) == ("I plan.", "tool_calls")
    assert instead.results == {}


def test_what_has_to_go_back_with_a_call_stays_with_the_one_in_its_place() -> None:
    """Some servers refuse a call without it."""
    answer, _ = in_its_place(ANSWER, Judged(), MAKE, {}, 4)
    assert answer.opaque == Opaque("m", OPAQUE.fields, ({"signature": "s1"},))


def test_however_much_was_wrong_the_reason_is_short() -> None:
    judged = Judged(results={4: (FIRST, "x" * 100_000)})
    _, instead = in_its_place(ANSWER, judged, MAKE, {}, 4)
    assert len(str(instead.calls[0].arguments["reason"])) < 2_000


def test_answers_are_counted_since_the_last_plan_and_lookups_apart() -> None:
    heard = [ChatMessage("user", ""), said("make_plan"), ChatMessage("tool", "Denied.")]
    assert Attempts.of(heard, 3, {"load_skill"}) == Attempts(0, 0)
    heard += [said("load_skill"), said("load_skill", "make_plan"), said("absent")]
    found = Attempts.of(heard, 3, {"load_skill"})
    assert found == Attempts(unsound=2, lookups=1)
    assert found.is_last is (MAX_REPAIRS == 2)
    assert found.may_look_up


def test_lookups_without_end_are_no_sound_answers() -> None:
    heard = [said("load_skill")] * (MAX_LOOKUPS + MAX_REPAIRS)
    found = Attempts.of(heard, 0, {"load_skill"})
    assert not found.may_look_up
    assert found.is_last
