"""Long texts: the server of the offline model answers one at a time, so none may take long."""

import time
from typing import Any

import pytest

from deploy.offline_model.rules import respond
from deploy.offline_model.wire import ChatRequest
from tests.unit.deploy.offline_model.talk import FINISH, TOOLS, World, built_in, tool

CHARACTERS = 50_000
# A reading that takes the square of the length takes over 15.
MOST_SECONDS = 4.0
SYSTEM = World(skills=built_in()).system
RESIDENT = (tool("send_message"), tool("start_task"), tool("remind_me"), tool("create_agent"))
PLAN = (tool("make_plan"), tool("finish", FINISH))


@pytest.mark.parametrize("tools", [TOOLS, RESIDENT, PLAN], ids=["task", "stays", "plan"])
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a-",
        "a.b",
        "a b. ",
        "(",
        "'",
        '"',
        "`",
        "[x",
        "no ",
        "scripts/a",
        "clean the file. ",
        "\n",
    ],
)
def test_the_time_for_a_prompt_grows_with_its_length_only(
    piece: str, tools: tuple[dict[str, Any], ...]
) -> None:
    assert seconds_for(piece * (CHARACTERS // len(piece)), tools) < MOST_SECONDS


def test_a_turn_of_a_thousand_messages_does_not_take_long() -> None:
    prompt = "\n\n".join(f"[agent {n}] thanks" for n in range(1_000))
    assert seconds_for(prompt, RESIDENT) < MOST_SECONDS


def seconds_for(prompt: str, tools: tuple[dict[str, Any], ...]) -> float:
    """Of the processor, for one answer."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
    body = {"model": "offline-rules", "messages": messages, "tools": list(tools)}
    chat = ChatRequest.model_validate(body)
    begun_at = time.process_time()
    respond(chat)
    return time.process_time() - begun_at
