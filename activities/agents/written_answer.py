"""A model's answer as it is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activities.agents.request_checks import Judged, SoundCall, digest_of
from activities.agents.turn_events import turn_events
from activities.llm.base import Answer, Charge, ChatMessage
from activities.store.approvals import Approval
from activities.store.events import EventDraft
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from workflows.contracts import Thought


@dataclass(frozen=True, slots=True)
class Answered:
    """``heard`` is the conversation so far, ``before`` what was said in this turn before, ``lost``
    what answers took that broke off before this one."""

    turn: Turn
    heard: Sequence[ChatMessage]
    before: Sequence[ChatMessage]
    answer: Answer
    judged: Judged
    lost: Charge

    @property
    def seq(self) -> int:
        """The number of the answer's message; the results of its calls follow."""
        return self.turn.seq + len(self.before) + 1

    def ended(self, deltas: Sequence[EventDraft], approval_seconds: float) -> EndedTurn:
        """What is to be written. ``deltas`` are the events that were not sent yet."""
        calls = tuple(self._call(sound, approval_seconds) for sound in self.judged.calls)
        return EndedTurn(
            messages=self._messages(),
            answer=self.answer,
            lost=self.lost,
            thought=self._thought(),
            calls=calls,
            result=self.judged.result,
            events=(*deltas, *turn_events(self.turn, self.seq, self.answer, calls, self.judged)),
        )

    def _thought(self) -> Thought:
        charge = self.answer.charge + self.lost
        return Thought(
            seq=self.seq + len(self.answer.requests) + (self.judged.note is not None),
            calls=tuple(sound.plan for sound in self.judged.calls),
            tokens=charge.tokens,
            cost_usd=charge.cost_usd,
            digest=digest_of(self.heard, self.answer),
            silent=not self.answer.requests,
            finished=self.judged.result is not None,
        )

    def _messages(self) -> dict[int, ChatMessage]:
        turn = self.turn.turn
        said = ChatMessage("assistant", self.answer.text, requests=self.answer.requests, turn=turn)
        messages = dict(enumerate((*self.before, said), start=self.turn.seq + 1))
        for seq, (request, text) in self.judged.told.items():
            messages[seq] = ChatMessage("tool", text, request_id=request.id, turn=turn)
        if self.judged.note is not None:
            messages[self.seq + 1] = ChatMessage("user", self.judged.note, turn=turn)
        return messages

    def _call(self, sound: SoundCall, approval_seconds: float) -> Call:
        return Call(
            seq=sound.seq,
            name=f"{self.turn.turn}.{sound.seq - self.seq} {sound.tool.name}",
            task_type=sound.task_type,
            definition=CallDefinition(
                tool=sound.tool.name,
                arguments=sound.arguments,
                turn=self.turn.turn,
                request_id=sound.request.id,
                is_retry_safe=sound.tool.is_retry_safe,
            ),
            approval=_approval(sound, approval_seconds),
        )


def _approval(sound: SoundCall, seconds: float) -> Approval | None:
    if sound.waits_for is None:
        return None
    now = datetime.now(UTC)
    question = sound.arguments.get("question") if sound.waits_for == "answer" else None
    return Approval(
        id=sound.ask_id,
        kind=sound.waits_for,
        question=str(question) if question else None,
        asked_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
