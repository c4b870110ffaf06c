"""What the offline model does as a member of a group."""

from typing import Any

import pytest

from deploy.offline_model import LABEL
from deploy.offline_model.reply import Reply
from deploy.offline_model.rules import respond
from deploy.offline_model.talking import Said, said_in
from deploy.offline_model.wire import ChatRequest
from tests.unit.deploy.offline_model.talk import tool

SILENT = "(silent)"


def reply(prompt: str, name: str = "clerk", **more: Any) -> Reply:
    messages = [
        {"role": "system", "content": f"You are {name}, a member.\n<files>\n</files>"},
        {"role": "user", "content": prompt},
    ]
    tools = [tool("send_message"), tool("list_agents")]
    body = {"model": "offline-rules", "messages": messages, "tools": tools, **more}
    return respond(ChatRequest.model_validate(body))


def test_what_a_person_says_to_all_is_answered_by_all() -> None:
    for name in ("clerk", "critic"):
        said = reply("[group crew] Ann: Hello, everybody", name).text
        assert said.startswith(LABEL)


def test_answers_of_others_are_heard_in_silence() -> None:
    prompt = f"[group crew] critic: {LABEL}. I have counted.\n\n[group crew] boss: {LABEL}. So I."
    assert reply(prompt).text == SILENT


def test_what_is_said_to_another_is_left_to_that_one() -> None:
    prompt = "[group crew] Ann: @critic: who is there?"
    assert reply(prompt, "clerk") == Reply(SILENT)
    assert [call.tool for call in reply(prompt, "critic").calls] == ["list_agents"]


@pytest.mark.parametrize("name", ["Sales Clerk", "sales-clerk"])
def test_a_name_with_blanks_is_mentioned_with_dashes(name: str) -> None:
    assert reply("[group crew] Ann: @sales-clerk, who is there?", name).calls


def test_an_agent_passes_on_what_it_is_to_ask_another() -> None:
    asked = reply("[group crew] Ann: @clerk: ask @critic to say who is there").text
    assert asked == f"{LABEL}.\n@critic: say who is there"
    answered = reply(f"[group crew] clerk: {asked}", "critic")
    assert [call.tool for call in answered.calls] == ["list_agents"]


def test_what_was_said_meanwhile_is_not_answered() -> None:
    aside = "[meanwhile in group crew] Ann: Hello"
    assert reply(f"{aside}\n\n[group crew] Ann: @critic: and you?").text == SILENT
    assert reply(f"{aside}\n\nWho is there?").calls


def test_words_are_told_apart_by_their_authors() -> None:
    prompt = "[group a b] Ann: One\n\nmore: of it\n\n[meanwhile in group a b] Bob: Two"
    assert list(said_in(prompt)) == [
        Said("Ann", "One\n\nmore: of it", is_aside=False),
        Said("Bob", "Two", is_aside=True),
    ]
