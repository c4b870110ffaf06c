"""What those who follow an agent are told of its turns."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import JsonValue

from activities.agents.turn_events import turn_events
from activities.llm.base import Answer, Usage
from activities.store.approvals import Approval
from activities.store.turns import Call, CallDefinition, Turn
from workflows.events import ApprovalAsked, ToolCalled

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ANSWER = Answer("m", "", (), Usage(1, 1, is_estimate=False), 0.0, 1, 1, "tool_calls")


def asked(arguments: dict[str, JsonValue], *, makes_plan: bool = True) -> list[JsonValue]:
    """The arguments of a call that waits for a person, as each of its events has them."""
    call = Call(
        seq=4,
        name="1.1 make_plan",
        task_type="plan" if makes_plan else "tool",
        definition=CallDefinition(
            tool="make_plan", arguments=arguments, turn=1, request_id="r", is_retry_safe=True
        ),
        approval=Approval(
            id=UUID(int=1), kind="approval", asked_at=NOW, expires_at=NOW + timedelta(hours=1)
        ),
    )
    told = list(turn_events(Turn(UUID(int=2), 1, 1, 2, "a"), 3, ANSWER, [call], {}))
    found = [event.arguments for event in told if isinstance(event, ToolCalled | ApprovalAsked)]
    assert len(found) == 2
    return found


def node(name: str, **more: Any) -> dict[str, JsonValue]:
    return {"id": name, "title": f"Do {name}", "description": "x" * 3_000, **more}


def test_a_plan_is_told_whole_and_in_brief_however_much_its_nodes_have_to_do() -> None:
    nodes: list[JsonValue] = [
        node("a", files=["a.csv"]),
        node("b", inputs={"d": "${nodes.a.files['a.csv']}"}, kind="plan"),
    ]
    brief = {
        "nodes": [
            {"id": "a", "title": "Do a", "kind": "agent", "depends_on": []},
            {"id": "b", "title": "Do b", "kind": "plan", "depends_on": ["a"]},
        ],
        "reason": "r",
    }
    assert asked({"nodes": nodes, "reason": "r"}) == [brief, brief]


@pytest.mark.parametrize(
    "arguments",
    [
        {"nodes": [node("a", title="t" * 120, depends_on=[f"n{i:060}" for i in range(50)])] * 50},
        {"add": [node("a")], "drop": [], "reason": "r"},
    ],
)
def test_what_is_too_much_even_in_brief_is_told_from_its_beginning(
    arguments: dict[str, JsonValue],
) -> None:
    for shown in asked(arguments):
        assert isinstance(shown, str)
        assert len(shown) < 2_100


def test_other_calls_are_told_with_their_arguments() -> None:
    arguments: dict[str, JsonValue] = {"nodes": [{"id": "a", "title": "A", "size": "large"}]}
    assert asked(arguments, makes_plan=False) == [arguments, arguments]
