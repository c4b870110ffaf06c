"""What the offline model does as an agent that stays."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from deploy.offline_model.messages import Message, messages_of
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.rules import respond
from deploy.offline_model.wire import ChatRequest
from tests.unit.deploy.offline_model.talk import built_in, commands_of, described, tool
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of

SKILLS = built_in()
TOOLS = (
    tool("create_agent"),
    tool("send_message"),
    tool("list_agents"),
    tool("start_task"),
    tool("terminate_agent"),
    tool("remind_me"),
    tool("list_reminders"),
    tool("remember", {"properties": {"text": {}}, "required": ["text"]}),
    tool("recall", {"properties": {"query": {}}, "required": ["query"]}),
    tool("run_skill_script"),
)
ENDED = (
    "[notice] The pipeline task 'count words' that you began has ended: completed. Id: 1\n"
    "File 'words.json' created at http://x/api/v1/artifacts/1 (12 bytes, artifact:1)"
)
AGENTS = json.dumps([{"name": "counter", "is": "you"}, {"name": "boss", "is": "your parent"}])
Answers = Mapping[str, str]


def talk(prompt: str, answers: Answers | None = None, files: str = "") -> list[Reply]:
    """All replies to a prompt. Tools answer as is said, or "Done"."""
    listed = "\n".join(
        f"<skill><name>{name}</name><description>{described(text)}</description></skill>"
        for name, text in SKILLS.items()
    )
    system = f"<files>\n{files}\n</files>\n{listed}\n{commands_of(SKILLS)}"
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": system},
        {"role": "user", "content": prompt},
    ]
    replies: list[Reply] = []
    while len(replies) < 10:
        body = {"model": "offline-rules", "messages": messages, "tools": list(TOOLS)}
        reply = respond(ChatRequest.model_validate(body))
        replies.append(reply)
        if not reply.calls:
            break
        made = [
            {"id": f"{len(replies)}-{n}", "function": {"name": c.tool, "arguments": c.text}}
            for n, c in enumerate(reply.calls)
        ]
        messages.append({"role": "assistant", "content": reply.text, "tool_calls": made})
        for each in made:
            text = (answers or {}).get(each["function"]["name"], "Done.")
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return replies


def calls(prompt: str, answers: Answers | None = None, files: str = "") -> list[Call]:
    return [call for reply in talk(prompt, answers, files) for call in reply.calls]


def pipeline_of(call: Call) -> Pipeline:
    assert isinstance(call.arguments, Mapping)
    pipeline = Pipeline.model_validate(call.arguments["pipeline"])
    assert list(problems_of(pipeline, call.arguments["inputs"])) == []
    return pipeline


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "Ask a child named counter to count the words of notes.txt",
            Call(
                "create_agent",
                {
                    "name": "counter",
                    "instructions": "count the words of notes.txt",
                    "attachments": ["notes.txt"],
                },
            ),
        ),
        (
            "Please create an agent called scribe and tell it to keep notes.",
            Call("create_agent", {"name": "scribe", "instructions": "keep notes."}),
        ),
        (
            "Tell counter that we are done.",
            Call("send_message", {"to": "counter", "content": "we are done."}),
        ),
        (
            "ask reader-2: what is in the file?",
            Call("send_message", {"to": "reader-2", "content": "what is in the file?"}),
        ),
        (
            "Remind me to water the plants in 5 minutes.",
            Call("remind_me", {"text": "water the plants", "after": "5m"}),
        ),
        (
            "Every 2 hours is good: remind yourself every 2 hours of the mail",
            Call("remind_me", {"text": "the mail", "every": "2h"}),
        ),
        (
            "remind me at 2030-01-01T10:00:00+01:00 about the party",
            Call("remind_me", {"text": "the party", "at": "2030-01-01T10:00:00+01:00"}),
        ),
        (
            "Remember that the key is under the mat",
            Call("remember", {"text": "the key is under the mat"}),
        ),
        ("What do you remember about the key?", Call("recall", {"query": "the key"})),
        ("Terminate counter", Call("terminate_agent", {"name": "counter"})),
        ("Who is there?", Call("list_agents", {})),
        ("List your reminders", Call("list_reminders", {})),
        (
            "[notice] Reminder: tell boss that it is time",
            Call("send_message", {"to": "boss", "content": "it is time"}),
        ),
    ],
    ids=lambda value: value.tool if isinstance(value, Call) else None,
)
def test_an_agent_does_what_it_is_asked_for_in_plain_words(prompt: str, expected: Call) -> None:
    assert calls(prompt, files="- notes.txt (7 bytes, text/plain)") == [expected]


def test_a_child_that_is_there_already_is_sent_the_work() -> None:
    made, sent = calls(
        "Ask a child named counter to count the words of notes.txt",
        {"create_agent": "Error: No agent was created: there is an agent 'counter' already."},
        files="- notes.txt (7 bytes, text/plain)",
    )
    assert made.tool == "create_agent"
    assert sent == Call(
        "send_message",
        {
            "to": "counter",
            "content": "count the words of notes.txt",
            "attachments": ["notes.txt"],
        },
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "[boss] count the words of notes.txt\n[with notes.txt]",
        "[boss] Count all words.\n[with notes.txt]",
        "Count the words of notes.txt in a pipeline.",
    ],
)
def test_words_are_counted_by_a_pipeline_that_runs_beside_the_agent(prompt: str) -> None:
    [call] = calls(prompt, files="- notes.txt (7 bytes, text/plain)")
    assert isinstance(call.arguments, Mapping)
    assert call.arguments["inputs"] == {"text": "notes.txt"}
    assert pipeline_of(call).steps[0].kind == "code"


def test_work_from_another_agent_becomes_a_pipeline_of_skills() -> None:
    [call] = calls(
        "[boss] Clean and profile north.csv.\n[with north.csv]",
        files="- north.csv (7 bytes, text/csv)\n- south.csv (7 bytes, text/csv)",
    )
    assert isinstance(call.arguments, Mapping)
    assert call.arguments["inputs"] == {"north": "north.csv"}
    assert [step.skill for step in pipeline_of(call).steps] == ["csv-clean", "csv-profile"]


def test_work_that_is_no_fixed_sequence_is_done_by_the_agent_itself() -> None:
    found = calls(
        "[boss] Find out why sales fell and profile sales.csv.", files="- sales.csv (7 bytes)"
    )
    assert {call.tool for call in found} == {"run_skill_script"}


def test_the_end_of_a_task_is_reported_to_the_parent_with_its_files() -> None:
    listed, sent = calls(ENDED, {"list_agents": f"<output>\n{AGENTS}\n</output>"})
    assert listed.tool == "list_agents"
    assert isinstance(sent.arguments, Mapping)
    assert (sent.arguments["to"], sent.arguments["attachments"]) == ("boss", ["words.json"])
    assert "http://x/api/v1/artifacts/1" in sent.arguments["content"]


def test_the_end_of_a_task_of_an_agent_without_a_parent_is_told_to_people() -> None:
    alone = json.dumps([{"name": "counter", "is": "you"}])
    *_, last = talk(ENDED, {"list_agents": f"<output>\n{alone}\n</output>"})
    assert last.calls == ()
    assert "words.json" in last.text


@pytest.mark.parametrize(
    "prompt",
    [
        "[counter] Done: I counted the words of notes.txt.\n[with words.json]",
        "[counter answers] Tell boss to clean the data.",
        "[notice] Your child counter could not answer (failed): no model.",
        "[notice] Reminder: water",
    ],
    ids=["report", "answer", "trouble", "reminder"],
)
def test_what_asks_for_nothing_is_only_repeated(prompt: str) -> None:
    [reply] = talk(prompt)
    assert reply.calls == ()
    assert prompt.partition("] ")[2][:20].removeprefix("Reminder: ") in reply.text


def test_several_messages_are_dealt_with_in_one_answer() -> None:
    prompt = "Remember that it rains\n\n[boss] Tell counter to stop.\n\n[counter answers] Yes."
    *made, last = talk(prompt)
    assert [reply.calls[0].tool for reply in made] == ["remember", "send_message"]
    assert "counter says: Yes." in last.text


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("Hello", [Message("Hello")]),
        ("[boss] a\n\nb", [Message("a\n\nb", "boss")]),
        (
            "[x answers] a\n[with a.csv, b]",
            [Message("a", "x", is_answer=True, files=("a.csv", "b"))],
        ),
        ("[notice] a\n\nb\n\n[boss] c", [Message("a\n\nb", is_notice=True), Message("c", "boss")]),
        ("a [boss] b", [Message("a [boss] b")]),
    ],
    ids=["nothing", "person", "agent", "files", "two", "no sender"],
)
def test_messages_are_told_apart(prompt: str, expected: list[Message]) -> None:
    assert messages_of(prompt) == expected
