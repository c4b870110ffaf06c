"""How far an agent is, as its events tell: turns, what the model says, calls, and what waits."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from api.cli.display.progress import StepProgress, TaskProgress
from workflows.open_values import Unknown
from workflows.states import Status

# Of what the model says in a turn, what is kept to be shown.
_TEXT_CHARACTERS = 32 * 1024


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _TurnData(_Data):
    turn: int
    text: str = ""
    content: str = ""
    model: str = ""
    tokens: int = 0
    cost_usd: float = 0.0


class _CallData(_Data):
    step: str
    tool: str = ""
    arguments: JsonValue = None
    ok: bool = True
    text: str = ""


class Asked(_Data):
    """A call that waits for a person."""

    call_id: str
    step: str
    tool: str = ""
    arguments: JsonValue = None
    kind: str = "approval"
    question: str | None = None
    expires_at: datetime | None = None


class _Decided(_Data):
    call_id: str
    decision: str
    note: str | None = None


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
    calls: dict[str, Call] = field(default_factory=dict)


@dataclass
class AgentProgress(TaskProgress):
    """``summary`` and ``result`` are known once it has finished."""

    turns: dict[int, Turn] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
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

    def _take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> StepProgress | None:
        match kind.partition("."):
            case ("turn" | "llm" | "message" | "usage", _, what):
                self._take_turn(what, _TurnData.model_validate(data), at)
            case ("tool", _, "called" | "result" as what):
                self._take_call(what, _CallData.model_validate(data), at)
            case ("approval", _, "asked"):
                asked = Asked.model_validate(data)
                self.asked[asked.call_id] = asked
            case ("approval", _, "decided"):
                self.asked.pop(_Decided.model_validate(data).call_id, None)
            case _:
                return self._take_step(kind, data, at)
        return None

    def _take_step(
        self, kind: str, data: dict[str, JsonValue], at: datetime
    ) -> StepProgress | None:
        step = super()._take(kind, data, at)
        if kind == "step.started" and step is not None:
            # Nobody decided in time: the agent goes on without.
            self.asked = {key: a for key, a in self.asked.items() if a.step != step.name}
        if self.status.is_final:
            self.asked.clear()
        return step

    def _take_turn(self, what: str, data: _TurnData, at: datetime) -> None:
        if what == "started":
            self._forget_from(data.turn)
        turn = self.turns.setdefault(data.turn, Turn(data.turn, at))
        turn.model = data.model or turn.model
        match what:
            case "restarted":
                turn.text = ""
                turn.asked += 1
            case "delta":
                turn.text = (turn.text + data.text)[-_TEXT_CHARACTERS:]
            case "created":
                # It is the beginning only of a long one, of which the rest has been seen.
                turn.text = max(turn.text, data.content, key=len)
                turn.answered_at = at
            case "":
                turn.tokens += data.tokens
                self.tokens += data.tokens
                self.cost_usd += data.cost_usd

    def _take_call(self, what: str, data: _CallData, at: datetime) -> None:
        number = _turn_of(data.step)
        turn = self.turns.setdefault(number, Turn(number, at))
        call = turn.calls.setdefault(data.step, Call(data.step, data.tool, ""))
        if what == "called":
            call.arguments = as_text(data.arguments)
        else:
            call.result, call.is_fine = data.text, data.ok

    def _forget_from(self, number: int) -> None:
        """A turn is made again: what was seen of it, and of those after it, does not count."""
        self.turns = {key: turn for key, turn in self.turns.items() if key < number}
        kept = {name for turn in self.turns.values() for name in turn.calls}
        self.steps = {name: step for name, step in self.steps.items() if name in kept}
        self.asked.clear()


def as_text(arguments: JsonValue) -> str:
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
