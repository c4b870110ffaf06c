"""How far an agent is, as its events tell: turns, what the model says, calls, and what waits."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from api.cli.display.progress import StepProgress, TaskProgress
from workflows import events
from workflows.events import (
    ApprovalAsked,
    Event,
    LlmRetrying,
    StepStarted,
    TurnEvent,
    TurnHeld,
    TurnStarted,
)
from workflows.open_values import Unknown
from workflows.states import Status

# Of what the model says in a turn, what is kept to be shown.
_TEXT_CHARACTERS = 32 * 1024


@dataclass(slots=True)
class Call:
    """``result`` is what the model reads of it; ``is_fine`` is None while there is none."""

    name: str
    tool: str
    arguments: str
    result: str = ""
    is_fine: bool | None = None


@dataclass(slots=True)
class Turn:
    number: int
    started_at: datetime
    asked: int = 1
    """How often the model has been asked: again when there was no answer, or half of one."""
    text: str = ""
    model: str = ""
    tokens: int = 0
    answered_at: datetime | None = None
    trouble: LlmRetrying | TurnHeld | None = None
    """Why there is no answer yet, until the model says something."""
    calls: dict[str, Call] = field(default_factory=dict)


@dataclass
class AgentProgress(TaskProgress):
    """``summary`` and ``result`` are known once it has finished."""

    turns: dict[int, Turn] = field(default_factory=dict)
    asked: dict[str, ApprovalAsked] = field(default_factory=dict)
    tokens: int = 0
    cost_usd: float = 0.0
    summary: str | None = None
    result: JsonValue = None

    @property
    def turn(self) -> Turn | None:
        """The present one."""
        return self.turns[max(self.turns)] if self.turns else None

    def status_of(self, call: Call) -> Status | Unknown:
        if any(asked.step == call.name for asked in self.asked.values()):
            return Status.WAITING
        if call.is_fine is not None:
            return Status.COMPLETED if call.is_fine else Status.FAILED
        step = self.steps.get(call.name)
        return step.status if step else Status.PENDING

    def take(self, event: Event, at: datetime) -> StepProgress | None:
        match event:
            case TurnEvent():
                self._take_turn(event, at)
            case events.ToolCalled():
                call = self._call(event.step, event.tool, at)
                call.arguments = arguments_text(event.arguments)
            case events.ToolResult():
                call = self._call(event.step, "", at)
                call.result, call.is_fine = event.text, event.ok
            case events.ApprovalAsked():
                self.asked[event.call_id] = event
            case events.ApprovalDecided():
                self.asked.pop(event.call_id, None)
            case _:
                return self._take_step(event, at)
        return None

    def _take_step(self, event: Event, at: datetime) -> StepProgress | None:
        step = super().take(event, at)
        if isinstance(event, StepStarted):
            # Nobody decided in time: the agent continues without it.
            self.asked = {key: a for key, a in self.asked.items() if a.step != event.step}
        if self.status.is_final:
            self.asked.clear()
        return step

    def _take_turn(self, event: TurnEvent, at: datetime) -> None:
        if isinstance(event, TurnStarted):
            self._forget_from(event.turn)
        turn = self.turns.setdefault(event.turn, Turn(event.turn, at))
        match event:
            case events.LlmRestarted():
                turn.text = ""
                turn.asked += 1
            case events.LlmRetrying() | events.TurnHeld():
                turn.trouble = event
            case events.LlmDelta():
                turn.trouble = None
                turn.text = (turn.text + event.text)[-_TEXT_CHARACTERS:]
            case events.MessageCreated():
                # It is the beginning only of a long one, of which the rest has been seen.
                turn.text = max(turn.text, event.content, key=len)
                turn.answered_at = at
                turn.trouble = None
                turn.model = event.model or turn.model
            case events.Usage():
                turn.model = event.model or turn.model
                turn.tokens += event.tokens
                self.tokens += event.tokens
                self.cost_usd += event.cost_usd
            case _:
                pass

    def _call(self, step: str, tool: str, at: datetime) -> Call:
        number = _turn_of(step)
        turn = self.turns.setdefault(number, Turn(number, at))
        return turn.calls.setdefault(step, Call(step, tool, ""))

    def _forget_from(self, number: int) -> None:
        """A turn is repeated: what was seen of it, and of those after it, no longer counts."""
        self.turns = {key: turn for key, turn in self.turns.items() if key < number}
        kept = {name for turn in self.turns.values() for name in turn.calls}
        self.steps = {name: step for name, step in self.steps.items() if name in kept}
        self.asked.clear()


def arguments_text(arguments: JsonValue) -> str:
    """Arguments as a person reads them; long ones come as text."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)


def _turn_of(step: str) -> int:
    """Of ``4.1 run_code`` it is 4."""
    number = step.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0
