"""What is said between a person and an agent, as a terminal shows it.

Lines that are done go to ``drain`` and are never changed again; what moves is in ``live``. Both
are made here, of events alone: there is no terminal in this module, and no connection.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from rich.text import Text

from api.cli.chat.answer import INDENT, Answer, asked_lines, indented
from api.cli.display.amounts import counted, duration, seconds_between
from api.cli.display.frames import LINE_CHARACTERS, line
from api.cli.display.glyphs import Glyphs
from api.cli.terminal import safe_line
from api.client.agent_events import AgentEvent
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import USER, AgentMessage
from workflows import events
from workflows.events import ApprovalAsked
from workflows.states import AgentState, InboxKind, Status

_QUEUED_SHOWN = 3
# The API's name for whoever needs no key.
_LOCAL_USER = "local user"
_AT_LENGTH = (events.LlmDelta, events.MessageCreated, events.ToolCalled, events.LlmRetrying)

_HELP = """\
Type a message and press Enter. While it answers, messages wait their turn.
Ctrl-C interrupts the answer. Twice within two seconds it leaves, as do
Ctrl-D and /quit. The agent stays.
/calls     the tools of this or the last answer, with arguments and results
/earlier   what was said before
/pause, /resume, /restart   the agent
/say TEXT  a message, also while you are asked something"""


class Talk:
    """``asks`` are the questions that wait for the person, the oldest first."""

    def __init__(self, agent: AgentShown, glyphs: Glyphs, columns: Callable[[], int]) -> None:
        self.shown = agent
        self.answer: Answer | None = None
        self.last_answer: Answer | None = None
        self.asks: dict[str, tuple[str, ApprovalAsked]] = {}
        self.sending: list[str] = []
        self.note = ""
        self.is_over = False
        self._glyphs = glyphs
        self._columns = columns
        self._queued: list[AgentMessage] = []
        self._lines: list[Text] = []
        self._seq = 0
        self._is_headed = False
        # Without a key there is one person only.
        self._own_names = {"", USER, _LOCAL_USER}

    @property
    def is_answering(self) -> bool:
        return self.answer is not None or self.shown.state is AgentState.RUNNING

    @property
    def asked(self) -> tuple[str, ApprovalAsked] | None:
        """What is to be answered next: the task that asks, and its question."""
        return next(iter(self.asks.values()), None)

    @property
    def ask_key(self) -> str | None:
        return next(iter(self.asks), None)

    def drain(self) -> Sequence[Text]:
        """The lines that are to be printed now."""
        lines, self._lines = self._lines, []
        return lines

    def open(self, messages: Sequence[AgentMessage], *, has_earlier: bool) -> None:
        """Begin with the last page of the conversation."""
        about = [self.shown.state.value]
        if self.shown.unread:
            about.append(f"{self.shown.unread:,} unread")
        name = safe_line(self.shown.name, LINE_CHARACTERS)
        between = self._glyphs.between
        self._lines.append(line((name, "bold"), (between + between.join(about), "dim")))
        self._lines.append(Text("/help says what you can do here.", style="dim"))
        if has_earlier:
            self._lines.append(Text("/earlier shows what was said before.", style="dim"))
        for message in messages:
            self._seq = max(self._seq, message.seq)
            self._arrived(message)
            self.print_message(message)
        self._say_state(None)

    def take(self, event: AgentEvent) -> None:
        self.note = ""
        if (message := event.message) is not None:
            self._take_message(message)
        elif (shown := event.shown) is not None:
            self._take_shown(shown)
        elif event.type == "agent.deleted":
            self.say(f"{self.shown.name} was deleted.", "red")
            self.is_over = True
        elif event.task_id is not None:
            self._take_part(event)

    def say(self, text: str, style: str = "dim") -> None:
        """A line of ours."""
        self._lines += indented(text, self._columns(), style)

    def say_help(self) -> None:
        for text in _HELP.split("\n"):
            self.say(text)

    def print_message(self, message: AgentMessage) -> None:
        """One as a whole."""
        self._head(message)
        content = message.content.strip()
        self._lines += indented(content, self._columns()) if content else []
        self._lines += [
            Text(f"{INDENT}{self._glyphs.file} {safe_line(name)}", style="green")
            for name in message.attachments
        ]
        if message.interrupted:
            self._say_interrupted()

    def print_asked(self, asked: ApprovalAsked) -> None:
        self._lines += asked_lines(asked, self._columns(), self._glyphs)

    def print_calls(self) -> None:
        """The calls of the present answer, or of the last one, unfolded."""
        answer = self.answer or self.last_answer
        if answer is None or not answer.calls:
            self.say("No tool was called since this chat began.")
            return
        self._lines += answer.details(self._columns(), self._glyphs)
        self.say(f"All of it: agentos messages {answer.task_id}")

    def live(self, now: datetime) -> Iterator[Text]:
        """What moves, above the line that is being typed."""
        moving = list(self.answer.moving(now, self._glyphs)) if self.answer is not None else []
        yield from moving
        if not moving and not self.asks and self.is_answering:
            yield self._working_line(now)
        texts = [("queued", message.content) for message in self._queued]
        texts += [("sending", text) for text in self.sending]
        for state, text in texts[:_QUEUED_SHOWN]:
            first = safe_line(" ".join(text.split()), LINE_CHARACTERS)
            yield line((f"{INDENT}{state}  ", "yellow"), (first, "dim"))
        if len(texts) > _QUEUED_SHOWN:
            yield Text(f"{INDENT}and {counted(len(texts) - _QUEUED_SHOWN, 'more')}", style="dim")
        if self.note:
            yield line((INDENT + safe_line(self.note, LINE_CHARACTERS), "yellow"))

    def _working_line(self, now: datetime) -> Text:
        sign = self._glyphs.of(Status.RUNNING, now.timestamp())
        name = safe_line(self.shown.name, LINE_CHARACTERS)
        what = f"{name} waits for {self.shown.waits_for}" if self.shown.waits_for else name
        began_at = self.answer.began_at if self.answer is not None else None
        took = f"  {duration(seconds_between(began_at, now))}" if began_at else ""
        return line((f"{INDENT}{sign} ", "cyan"), (f"{what}{took}", "dim"))

    def _take_message(self, message: AgentMessage) -> None:
        if message.seq <= self._seq:
            return
        self._seq = message.seq
        self._arrived(message)
        if message.kind is InboxKind.REPLY:
            self._take_reply(message)
        elif self.answer is not None:
            self._queued.append(message)
        else:
            self.print_message(message)

    def _arrived(self, message: AgentMessage) -> None:
        if message.sender == USER and message.content in self.sending:
            self.sending.remove(message.content)
            self._own_names.add(message.from_name)

    def _take_reply(self, message: AgentMessage) -> None:
        answer = self.answer
        if answer is None or message.task_id != answer.task_id:
            self.print_message(message)
            return
        self._lines += answer.end_words()
        said, content = answer.said.strip(), message.content.strip()
        if content != said:
            is_rest = bool(said) and content.startswith(said)
            if not self._is_headed:
                self._head(message)
            rest = content[len(said) :].lstrip() if is_rest else content
            self._lines += indented(rest, self._columns())
        if message.interrupted:
            self._say_interrupted()
        self._close_answer()

    def _take_shown(self, shown: AgentShown) -> None:
        before, self.shown = self.shown, shown
        answer = self.answer
        has_ended = answer is not None and answer.progress.status.is_final
        if has_ended and (answer is None or shown.task_id != answer.task_id):
            self._close_answer()
        if shown.state is not before.state:
            self._say_state(before)

    def _take_part(self, event: AgentEvent) -> None:
        payload = event.payload
        if payload is None:
            return
        if self.answer is None or self.answer.task_id != event.task_id:
            self._close_answer()
            assert event.task_id is not None
            self.answer = Answer(event.task_id, self.shown.name)
        answer = self.answer
        lines = answer.take(payload, event.created_at, self._columns(), self._glyphs)
        if isinstance(payload, _AT_LENGTH) and not self._is_headed:
            self._head_of_answer(event.created_at)
        self._lines += lines
        match payload:
            case events.ApprovalAsked():
                self._lines += answer.end_words()
                self.asks[payload.ask_id or payload.call_id] = (str(answer.task_id), payload)
            case events.ApprovalDecided():
                self.asks.pop(payload.ask_id or payload.call_id, None)
                self._say_decided(payload)
            case _:
                pass
        waiting = {asked.ask_id or call_id for call_id, asked in answer.progress.asked.items()}
        self.asks = {key: asked for key, asked in self.asks.items() if key in waiting}

    def _say_decided(self, decided: events.ApprovalDecided) -> None:
        is_yes = decided.decision == "approve"
        note = f": {decided.note}" if decided.note else ""
        self.say(f"{decided.step} {'approved' if is_yes else 'denied'}{note}", "yellow")

    def _close_answer(self) -> None:
        if self.answer is not None:
            self._lines += self.answer.end_words()
            self.last_answer, self.answer = self.answer, None
            self.asks.clear()
        self._is_headed = False
        queued, self._queued = self._queued, []
        for message in queued:
            self.print_message(message)

    def _head(self, message: AgentMessage) -> None:
        if message.kind is InboxKind.REPLY:
            who, style = self.shown.name, "bold cyan"
            if message.to != USER:
                who += f" to {message.to_name or 'another agent'}"
        elif message.sender == USER and message.group_id is None:
            who, style = (
                "you" if message.from_name in ("", USER) else message.from_name,
                "bold green",
            )
        else:
            who, style = message.from_name or message.sender, "bold magenta"
        if message.group_id is not None:
            who += " in a group"
        self._put_head(who, style, message.created_at)

    def _head_of_answer(self, at: datetime) -> None:
        self._is_headed = True
        self._put_head(self.shown.name, "bold cyan", at)

    def _put_head(self, who: str, style: str, at: datetime) -> None:
        name = (safe_line(who, LINE_CHARACTERS), style)
        self._lines += [Text(), line(name, (f"  {at.astimezone():%H:%M}", "dim"))]

    def _say_interrupted(self) -> None:
        self.say("(interrupted)", "yellow")

    def _say_state(self, before: AgentShown | None) -> None:
        """What a person can do about it, where the agent does not answer by itself."""
        shown = self.shown
        name = safe_line(shown.name, LINE_CHARACTERS)
        match shown.state:
            case AgentState.ERROR:
                reason = str((shown.error or {}).get("message") or "nobody has said why")
                self.say(f"{name} could not answer: {reason}", "red")
                self._say_remedy("restart", "takes the same messages again")
            case AgentState.PAUSED:
                self.say(f"{name} is paused; messages wait.", "yellow")
                self._say_remedy("resume", "lets it go on")
            case AgentState.TERMINATED:
                self.say(f"{name} is terminated, which is for good.", "red")
                self.is_over = True
            case _ if before is not None and before.state is AgentState.PAUSED:
                self.say(f"{name} goes on.")
            case _:
                pass

    def _say_remedy(self, verb: str, effect: str) -> None:
        command = safe_line(f"agentos agents {verb} {shlex.quote(self.shown.name)}")
        self.say(f"/{verb} {effect}. Elsewhere that is:")
        # Left to the terminal to wrap: a command that is cut cannot be typed.
        self._lines.append(Text(f"{INDENT}{command}", style="cyan", overflow="ignore"))
