import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.web.conversation import MAX_SHOWN, conversation_of, title_of
from api.web.templating import html_of
from api.wire.responses.history import Message, ModelUsage, ToolRequest
from tests.unit.api.web.text.hostile import HOSTILE
from tests.unit.api.web.text.tags import Tags

URL = "/api/v1/tasks/t/messages"
USAGE = ModelUsage(
    prompt_tokens=900, completion_tokens=112, cost_usd=0.02, first_token_ms=5, duration_ms=1_500
)


def message(seq: int, role: str, content: str = "", **more: Any) -> Message:
    values: dict[str, Any] = {"requests": [], "request_id": None, "sub_task_id": None}
    values |= {"model": None, "usage": None, "created_at": datetime.now(UTC), "turn": 1, **more}
    return Message(seq=seq, role=role, content=content, **values)


def asks(seq: int, *requests: tuple[str, str, str], **more: Any) -> Message:
    wanted = [ToolRequest(id=id_, name=name, arguments=given) for id_, name, given in requests]
    return message(seq, "assistant", "I **will**.", requests=wanted, usage=USAGE, model="m", **more)


def page(*messages: Message) -> str:
    return html_of("task/said.html", said=conversation_of(messages), messages_url=URL, who="model")


def test_a_result_stands_with_its_call_and_json_is_laid_out() -> None:
    given = json.dumps({"skill": "csv-clean", "script": "scripts/clean.py", "args": ["a"]})
    [said] = conversation_of(
        [asks(1, ("x", "run_skill_script", given)), message(2, "tool", "done", request_id="x")]
    )
    [call] = said.calls
    assert call.title == "csv-clean / scripts/clean.py"
    assert '\n  <span class="code-keyword">&quot;skill&quot;</span>' in call.arguments
    assert call.result == "done"
    assert call.seq == 2
    assert "<strong>will</strong>" in said.body


def test_arguments_that_have_lines_are_shown_by_lines() -> None:
    given = json.dumps({"language": "python", "source": "import os\nprint(1)"})
    [said] = conversation_of([asks(1, ("x", "run_code", given))])
    [call] = said.calls
    assert call.title == "python / import os print(1)"
    assert "import" not in call.arguments
    [(name, text)] = call.texts
    assert name == "source"
    assert Tags(text).words == "import os\nprint(1)"


def test_a_call_id_that_a_model_uses_again_is_that_of_its_last_call() -> None:
    first, second = conversation_of(
        [
            asks(1, ("x", "a", "{}")),
            message(2, "tool", "one", request_id="x"),
            asks(3, ("x", "b", "{}")),
            message(4, "tool", "two", request_id="x"),
        ]
    )
    assert [call.result for said in (first, second) for call in said.calls] == ["one", "two"]


def test_a_result_whose_call_is_on_another_page_stands_alone() -> None:
    [said] = conversation_of([message(2, "tool", "done", request_id="x")])
    assert said.body == "done"


@pytest.mark.parametrize("given", ["", "{", "[1]", "null", '{"a": 1}', '{"name": 1}', "[" * 40_000])
def test_a_call_without_telling_arguments_has_no_title(given: str) -> None:
    assert title_of(given) == ""


def test_a_long_text_is_cut_and_says_where_all_of_it_is() -> None:
    html = page(
        asks(1, ("x", "a", "{}")),
        message(2, "tool", "y" * (MAX_SHOWN + 1), request_id="x"),
        message(3, "user", "z" * (MAX_SHOWN + 1)),
    )
    addresses = [link["href"] for link in Tags(html).of("a")]
    assert addresses == [f"{URL}?limit=1&cursor=1", f"{URL}?limit=1&cursor=2"]


def test_the_page_shows_who_said_what_and_what_it_cost() -> None:
    words = Tags(
        page(
            message(1, "system", "Be kind."), message(2, "user", "Hello"), asks(3, ("x", "f", "{}"))
        )
    ).words
    for expected in ("System prompt", "Prompt", "Hello", "1\u202f012 tokens", "$0.0200", "1.5 s"):
        assert expected in words
    assert "no result yet" in words


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_of_people_models_and_tools_can_do_nothing(text: str) -> None:
    html = page(
        message(1, "user", text),
        asks(2, (text, text, json.dumps({"name": text})), ("y", "f", text)),
        message(3, "tool", text, request_id="y"),
        message(4, "tool", text, request_id="gone"),
    )
    read = Tags(html)
    assert not read.names & {"script", "svg", "iframe", "style", "form", "base", "meta", "math"}
    for _, attributes in read.found:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    assert len(html) < 20_000
