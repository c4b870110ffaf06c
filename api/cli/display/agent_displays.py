"""An agent at work, on a terminal and elsewhere."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.text import Text

from api.cli.display import agent_frames
from api.cli.display.agent_progress import AgentProgress, Turn, arguments_text
from api.cli.display.amounts import dollars
from api.cli.display.glyphs import glyphs_of
from api.cli.display.moving_picture import MovingPicture, now
from api.cli.display.plain_lines import PlainLines
from api.cli.display.progress import StepProgress
from api.cli.terminal import safe_line
from workflows import events
from workflows.events import Event

_LINE_CHARACTERS = 500


class MovingTurns(MovingPicture):
    """The present turn moves; those that are over are printed above it, and stay."""

    def __init__(self, task: AgentProgress, console: Console) -> None:
        self._agent = task
        self._printed = 0
        super().__init__(task, console)

    def take(self, event: Event, at: datetime) -> None:
        super().take(event, at)
        if isinstance(event, events.MessageTold):
            told = safe_line(told_text(event), _LINE_CHARACTERS)
            self._console.print(Text(f"  {told}", style="green"), soft_wrap=True)
        present = self._agent.turn
        if present is None:
            return
        self._printed = min(self._printed, present.number - 1)
        for turn in list(self._agent.turns.values()):
            if self._printed < turn.number < present.number:
                self._print(turn)

    def last(self) -> Group:
        turn = self._agent.turn
        lines = [] if turn is None else self._lines(turn)
        return Group(*lines, Text(), self._summary())

    def _summary(self) -> Group:
        width = self._console.width
        return agent_frames.summary(self._agent, now(), self.glyphs, width=width)

    def _frame(self, height_lines: int | None) -> Group:
        return agent_frames.frame(
            self._agent,
            now(),
            self.glyphs,
            width=self._console.width,
            height_lines=height_lines,
        )

    def _print(self, turn: Turn) -> None:
        self._printed = turn.number
        self._console.print(Group(*self._lines(turn)))

    def _lines(self, turn: Turn) -> list[Text]:
        width = self._console.width
        return list(agent_frames.turn_lines(self._agent, turn, now(), self.glyphs, width=width))


_AS_OF_STEPS = (events.TaskStatus, events.ArtifactCreated, events.StepRetrying, events.StepHeld)


class PlainTurns(PlainLines):
    """One line for each thing that an agent says, does, gets or asks."""

    def __init__(self, task: AgentProgress, console: Console) -> None:
        super().__init__(task, console)
        self._agent = task

    def _take(self, event: Event, step: StepProgress | None, at: datetime) -> None:
        if isinstance(event, _AS_OF_STEPS):
            super()._take(event, step, at)
            return
        if isinstance(event, events.MessageTold):
            self._print_timed(told_text(event)[:_LINE_CHARACTERS], at)
        for line in lines_of(event, self._agent):
            self._print_timed(line[:_LINE_CHARACTERS], at)
        if isinstance(event, events.ApprovalAsked):
            task_id = self._agent.task_id
            hint = agent_frames.full_view_command(task_id, event)
            commands = agent_frames.commands_for(task_id, event.step, event)
            for command in (*filter(None, (hint,)), *commands):
                self._print(f"{' ' * 10}{command}")

    def summary(self, now: datetime) -> RenderableType:
        console = self._console
        return agent_frames.summary(self._agent, now, glyphs_of(console), width=console.width)


def told_text(event: events.MessageTold) -> str:
    """What a person has told the agent, from the next turn on."""
    return f"{event.sender or 'somebody'} tells it: {' '.join(event.content.split())}"


def lines_of(event: Event, agent: AgentProgress) -> Iterator[str]:
    match event:
        case events.TurnStarted():
            yield f"turn {event.turn}"
        case events.LlmRestarted():
            yield f"turn {event.turn}: the model is asked again"
        case events.TurnHeld():
            yield f"turn {event.turn}: {agent_frames.held_text(event, now())}"
        case events.LlmRetrying():
            yield f"turn {event.turn}: {agent_frames.trouble_text(event, now())}"
        case events.MessageCreated() if text := event.content.strip():
            yield f"turn {event.turn}: {' '.join(text.split())}"
        case events.ToolCalled():
            yield f"{event.step}: {arguments_text(event.arguments) or 'called'}"
        case events.ToolResult():
            outcome = "done" if event.ok else "failed"
            first = agent_frames.beginning(event.text)
            yield f"{event.step}: {outcome}{': ' if first else ''}{first}"
        case events.ApprovalAsked(kind="answer"):
            yield f"{event.step}: asks you: {event.question}"
        case events.ApprovalAsked():
            yield f"{event.step}: waiting for your approval: {arguments_text(event.arguments)}"
        case events.ApprovalDecided():
            note = f": {event.note}" if event.note else ""
            yield f"{event.step}: {'approved' if event.decision == 'approve' else 'denied'}{note}"
        case events.Usage():
            spent = f"{agent.tokens:,} tokens so far"
            cost = f", {dollars(agent.cost_usd)}" if agent.cost_usd else ""
            yield f"turn {event.turn}: {spent}{cost}"
        case _:
            pass
