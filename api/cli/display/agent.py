"""An agent at work, on a terminal and elsewhere."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import JsonValue
from rich.console import Console, Group, RenderableType
from rich.text import Text

from api.cli.display import agent_frames
from api.cli.display.agent_progress import AgentProgress, Turn, as_text
from api.cli.display.glyphs import glyphs_of
from api.cli.display.moving_picture import MovingPicture, now
from api.cli.display.plain_lines import PlainLines, told
from api.cli.display.progress import StepProgress

_LINE_CHARACTERS = 500


class MovingTurns(MovingPicture):
    """The present turn moves; those that are over are printed above it, and stay."""

    def __init__(self, task: AgentProgress, console: Console) -> None:
        self._agent = task
        self._printed = 0
        super().__init__(task, console)

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> None:
        super().take(kind, data, at)
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


class PlainTurns(PlainLines):
    """One line for each thing that an agent says, does, gets or asks."""

    def __init__(self, task: AgentProgress, console: Console) -> None:
        super().__init__(task, console)
        self._agent = task

    def _take(
        self, kind: str, data: dict[str, JsonValue], step: StepProgress | None, at: datetime
    ) -> None:
        if kind in ("task.status", "artifact.created", "step.retrying"):
            if (line := told(kind, data, self._agent, step)) is not None:
                self._tell(line, at)
            return
        for line in _lines_of(kind, data, self._agent):
            self._tell(line[:_LINE_CHARACTERS], at)
        if kind == "approval.asked" and (asked := self._agent.asked.get(str(data.get("call_id")))):
            task_id = self._agent.task_id
            hint = agent_frames.whole_of(task_id, asked)
            for command in (*filter(None, (hint,)), *agent_frames.commands_for(task_id, asked)):
                self._print(f"{' ' * 10}{command}")

    def summary(self, now: datetime) -> RenderableType:
        console = self._console
        return agent_frames.summary(self._agent, now, glyphs_of(console), width=console.width)


def _lines_of(kind: str, data: dict[str, JsonValue], agent: AgentProgress) -> Iterator[str]:
    step = data.get("step")
    match kind:
        case "turn.started":
            yield f"turn {data.get('turn')}"
        case "llm.restarted":
            yield f"turn {data.get('turn')}: the model is asked again"
        case "message.created" if text := str(data.get("content") or "").strip():
            yield f"turn {data.get('turn')}: {' '.join(text.split())}"
        case "tool.called":
            arguments = as_text(data.get("arguments"))
            yield f"{step}: {arguments or 'called'}"
        case "tool.result":
            outcome = "done" if data.get("ok") else "failed"
            first = agent_frames.beginning(str(data.get("text", "")))
            yield f"{step}: {outcome}{': ' if first else ''}{first}"
        case "approval.asked" if data.get("kind") == "answer":
            yield f"{step}: asks you: {data.get('question')}"
        case "approval.asked":
            yield f"{step}: waits for your approval: {as_text(data.get('arguments'))}"
        case "approval.decided":
            note = f": {data['note']}" if data.get("note") else ""
            yield f"{step}: {'approved' if data.get('decision') == 'approve' else 'denied'}{note}"
        case "usage":
            spent = f"{agent.tokens:,} tokens so far"
            cost = f", {agent_frames.dollars(agent.cost_usd)}" if agent.cost_usd else ""
            yield f"turn {data.get('turn')}: {spent}{cost}"
        case _:
            pass
