"""What those who watch an agent are told, as events. The whole of it lies in the rows."""

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from activities.llm.base import Answer, ToolRequest
from activities.store.events import EventDraft
from activities.store.turns import Call, Turn
from workflows.contracts import call_sub_task_id

SHOWN_CHARACTERS = 2_000


def turn_events(
    turn: Turn,
    seq: int,
    answer: Answer,
    calls: Sequence[Call],
    mistakes: Mapping[int, tuple[ToolRequest, str]],
) -> Iterator[EventDraft]:
    """What came of a turn, whose answer is message ``seq``; ``mistakes`` are the requests that no
    call came of, with what the model is told, by the number of that message."""
    yield _event(
        "message.created",
        turn=turn.turn,
        seq=seq,
        role="assistant",
        content=answer.text[:SHOWN_CHARACTERS],
        model=answer.model,
    )
    for told_seq, (request, text) in mistakes.items():
        step = f"{turn.turn}.{told_seq - seq} {request.name[:100]}"
        yield _event("tool.called", step=step, tool=request.name[:100])
        yield _event("tool.result", step=step, ok=False, text=text[:SHOWN_CHARACTERS])
    for call in calls:
        yield from _call_events(turn, call)
    yield _event(
        "usage",
        turn=turn.turn,
        model=answer.model,
        tokens=answer.charge.tokens,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        cost_usd=answer.cost_usd,
    )


def result_event(step: str, call_id: str, text: str, *, ok: bool) -> EventDraft:
    """What the model reads of a call that was made."""
    return _event("tool.result", step=step, call_id=call_id, ok=ok, text=text[:SHOWN_CHARACTERS])


def _call_events(turn: Turn, call: Call) -> Iterator[EventDraft]:
    asked: dict[str, JsonValue] = {
        "step": call.name,
        "call_id": str(call_sub_task_id(turn.task_id, call.seq)),
        "tool": call.definition.tool,
        "arguments": _shown_arguments(call.definition.arguments),
    }
    yield EventDraft(type="tool.called", data=asked)
    if call.approval is not None:
        wanted = call.approval.model_dump(
            mode="json", include={"kind", "question", "expires_at"}, exclude_none=True
        )
        yield EventDraft(type="approval.asked", data=asked | wanted)


def _shown_arguments(arguments: dict[str, JsonValue]) -> JsonValue:
    """The arguments; long ones as the beginning of their JSON text."""
    text = json.dumps(arguments, ensure_ascii=False)
    return arguments if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def _event(kind: str, **data: JsonValue) -> EventDraft:
    return EventDraft(type=kind, data=data)
