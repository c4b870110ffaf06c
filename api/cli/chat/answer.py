"""The answer that an agent is giving: what of it is to be printed, and what still moves."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from rich.filesize import decimal
from rich.text import Text

from api.cli.chat.flow import Flow, wrapped
from api.cli.display import agent_frames
from api.cli.display.agent_progress import AgentProgress, Call, arguments_text
from api.cli.display.amounts import duration, seconds_between
from api.cli.display.frames import LINE_CHARACTERS, line
from api.cli.display.glyphs import Glyphs, style_of
from api.cli.terminal import safe_line
from workflows import events
from workflows.events import Event
from workflows.states import Status

INDENT = "  "


class Answer:
    """One exchange. ``take`` gives the lines that are done; ``moving`` those that are not."""

    def __init__(self, task_id: UUID, name: str) -> None:
        self.task_id = task_id
        self.progress = AgentProgress(task_id=str(task_id), name=name)
        self.began_at: datetime | None = None
        self.said = ""
        """What the model has said in its present turn."""
        self._turn = 0
        self._flow = Flow()
        self._called_at: dict[str, datetime] = {}
        self._seconds: dict[str, float] = {}

    def take(self, event: Event, at: datetime, columns: int, glyphs: Glyphs) -> list[Text]:
        self.began_at = self.began_at or at
        self.progress.take(event, at)
        if isinstance(event, events.LlmDelta | events.LlmRestarted | events.TurnStarted):
            return self._take_words(event, columns)
        if isinstance(event, events.MessageCreated):
            return self._take_message(event, columns)
        return self._take_other(event, at, columns, glyphs)

    def _take_other(self, event: Event, at: datetime, columns: int, glyphs: Glyphs) -> list[Text]:
        lines: list[Text] = []
        match event:
            case events.ToolCalled():
                self._called_at[event.step] = at
            case events.ToolResult():
                began_at = self._called_at.get(event.step)
                self._seconds[event.step] = seconds_between(began_at, at)
                lines.extend(self._results(columns, event.step, glyphs))
            case events.ArtifactCreated():
                shown = safe_line(event.name, LINE_CHARACTERS)
                size = f"  {decimal(event.size)}"
                lines.append(line((f"{INDENT}{glyphs.file} {shown}", "green"), (size, "dim")))
            case events.LlmRetrying() | events.TurnHeld():
                lines += indented(agent_frames.trouble_text(event, at), columns, "yellow")
            case events.StepHeld():
                reason = f"{event.step} waits for {event.reason}."
                lines += indented(reason, columns, "yellow")
            case _:
                return []
        return [*self.end_words(), *lines]

    def end_words(self) -> list[Text]:
        return [Text(INDENT + text) for text in self._flow.end()]

    def moving(self, now: datetime, glyphs: Glyphs) -> Iterator[Text]:
        """What is under way: the line that is being written, and the calls that run."""
        if self._flow.rest:
            yield Text(INDENT + self._flow.rest)
        for call in self.calls:
            if call.is_fine is None:
                yield self._call_line(call, now, glyphs)

    @property
    def calls(self) -> list[Call]:
        return [call for turn in self.progress.turns.values() for call in turn.calls.values()]

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a person."""
        return bool(self.progress.asked)

    def details(self, columns: int, glyphs: Glyphs) -> Iterator[Text]:
        """All calls, with their arguments and results as far as events have them."""
        now = self.progress.last_event_at or self.began_at
        for call in self.calls:
            assert now is not None
            yield self._call_line(call, now, glyphs)
            yield from indented(call.arguments, columns - 2, "dim", INDENT * 2)
            if call.result:
                yield from indented(call.result, columns - 2, "", INDENT * 2)

    def _take_words(
        self, event: events.LlmDelta | events.LlmRestarted | events.TurnStarted, columns: int
    ) -> list[Text]:
        lines: list[Text] = []
        is_new = event.turn != self._turn
        if is_new or not isinstance(event, events.LlmDelta):
            lines = self.end_words()
            if self.said and not is_new:
                lines.append(Text(f"{INDENT}(It begins this answer again.)", style="dim"))
            self._turn, self.said = event.turn, ""
        if isinstance(event, events.LlmDelta):
            # What comes before the first word is no line.
            text = event.text if self.said else event.text.lstrip()
            self.said += text
            lines += [Text(INDENT + text) for text in self._flow.feed(text, columns - len(INDENT))]
        return lines

    def _take_message(self, event: events.MessageCreated, columns: int) -> list[Text]:
        lines = self.end_words()
        if event.turn != self._turn or not self.said:
            # Nobody was here when it was written, and its pieces are gone.
            self._turn, self.said = event.turn, event.content.strip()
            if self.said:
                lines += indented(self.said, columns)
        return lines

    def _results(self, columns: int, step: str, glyphs: Glyphs) -> Iterator[Text]:
        for call in self.calls:
            if call.name == step:
                yield self._call_line(call, None, glyphs)

    def _call_line(self, call: Call, now: datetime | None, glyphs: Glyphs) -> Text:
        """A call on one line: its outcome, how long it took, and what came of it."""
        status = self.progress.status_of(call)
        if status is Status.PENDING:
            status = Status.RUNNING
        seconds = self._seconds.get(call.name)
        if seconds is None and now is not None:
            seconds = seconds_between(self._called_at.get(call.name), now)
        about = agent_frames.beginning(call.result) if call.is_fine is not None else call.arguments
        turning = now.timestamp() if now is not None else 0.0
        quiet = "yellow" if call.is_fine is False else "dim"
        return line(
            (f"{INDENT}{glyphs.of(status, turning)} ", style_of(status)),
            (safe_line(call.tool or call.name, LINE_CHARACTERS), "bold"),
            (f"  {duration(seconds)}" if seconds is not None else "", "dim"),
            (f"  {safe_line(about, LINE_CHARACTERS)}", quiet),
        )


def indented(text: str, columns: int, style: str = "", indent: str = INDENT) -> list[Text]:
    """Text of others, wrapped."""
    return [Text(indent + part, style=style) for part in wrapped(text, columns - len(indent))]


def asked_lines(asked: events.ApprovalAsked, columns: int, glyphs: Glyphs) -> list[Text]:
    """What a person is asked, with all of it, and how to answer."""
    sign = (f"{INDENT}{glyphs.of(Status.WAITING)} ", style_of(Status.WAITING))
    name = (safe_line(asked.step, LINE_CHARACTERS), "bold")
    until = f" until {_clock(asked.expires_at)}" if asked.expires_at else ""
    if asked.kind == "answer":
        head = line(sign, name, (f" asks you{until}", "yellow"))
        body = indented(asked.question or "", columns, "bold", INDENT * 2)
        how = "Type your answer, or /deny to decline."
        if asked.url is not None:
            body.append(Text(f"{INDENT * 2}{safe_line(asked.url)}", style="cyan"))
            how = "Open that page; then type y, or n to decline."
    else:
        head = line(sign, name, (f" wants your approval{until}", "yellow"))
        body = indented(arguments_text(asked.arguments), columns, "", INDENT * 2)
        how = "Type y or n, with a note if you like: n not to that address"
    return [head, *body, Text(f"{INDENT * 2}{how}", style="dim")]


def _clock(at: datetime) -> str:
    """With its day, unless that is today."""
    local = at.astimezone()
    is_today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"
