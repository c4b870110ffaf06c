"""The events of a turn, for viewers. Only the rows hold everything."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from pydantic import JsonValue

from activities.llm.base import Answer, ToolRequest
from activities.store.approvals import Approval
from activities.store.turns import Call, CallDefinition, Turn
from workflows import events
from workflows.agent_contracts import call_sub_task_id
from workflows.definitions.plan import Node, Proposal
from workflows.definitions.plan_checking import dependencies_of
from workflows.events import Event

SHOWN_CHARACTERS = 2_000
# Of fifty nodes in brief.
_SHOWN_PLAN_CHARACTERS = 16_000


def turn_events(
    turn: Turn,
    seq: int,
    answer: Answer,
    calls: Sequence[Call],
    mistakes: Mapping[int, tuple[ToolRequest, str]],
) -> Iterator[Event]:
    """What came of a turn, whose answer is message ``seq``; ``mistakes`` are the requests that no
    call came of, with the message to the model, by its number."""
    yield events.MessageCreated(
        turn=turn.turn,
        seq=seq,
        role="assistant",
        content=answer.text[:SHOWN_CHARACTERS],
        model=answer.model,
    )
    for result_seq, (request, text) in mistakes.items():
        step = f"{turn.turn}.{result_seq - seq} {request.name[:100]}"
        yield events.ToolCalled(step=step, tool=request.name[:100])
        yield events.ToolResult(step=step, ok=False, text=text[:SHOWN_CHARACTERS])
    for call in calls:
        yield from _call_events(turn, call)
    yield events.Usage(
        turn=turn.turn,
        model=answer.model,
        tokens=answer.charge.tokens,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        cost_usd=answer.cost_usd,
    )


def read_events(turn: Turn, numbers: Iterable[int]) -> Iterator[Event]:
    """That the model has read what people told it."""
    if read := tuple(numbers):
        yield events.MessageRead(turn=turn.turn, numbers=read)


def result_event(step: str, call_id: str, text: str, *, ok: bool) -> Event:
    """What the model reads of a call that was made."""
    return events.ToolResult(step=step, call_id=call_id, ok=ok, text=text[:SHOWN_CHARACTERS])


def question_event(step: str, call_id: UUID, wanted: CallDefinition, approval: Approval) -> Event:
    """A call that was made waits for a person, because its tool has a question."""
    return events.ApprovalAsked(
        step=step,
        call_id=str(call_id),
        ask_id=str(approval.id),
        tool=wanted.tool,
        arguments=_shown_arguments(wanted.arguments),
        url=approval.elicitation and approval.elicitation.url,
        **approval.model_dump(include={"kind", "question", "expires_at"}),
    )


def _call_events(turn: Turn, call: Call) -> Iterator[Event]:
    arguments = call.definition.arguments
    brief = _plan_in_brief(arguments) if call.task_type == "plan" else None
    called = events.ToolCalled(
        step=call.name,
        call_id=str(call_sub_task_id(turn.task_id, call.seq)),
        tool=call.definition.tool,
        arguments=brief or _shown_arguments(arguments),
    )
    yield called
    if call.approval is not None:
        wanted = call.approval.model_dump(include={"kind", "question", "expires_at"})
        yield events.ApprovalAsked(**called.model_dump(), **wanted, ask_id=str(call.approval.id))


def _plan_in_brief(arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Of each node what it is called and waits for, so that whoever has to approve of a plan sees
    it whole. None for a call that makes no nodes, or too many words of them."""
    nodes = Proposal.model_validate({"nodes": arguments.get("nodes") or ()}).nodes
    brief: dict[str, JsonValue] = {
        "nodes": [_node_in_brief(node) for node in nodes],
        "reason": str(arguments.get("reason") or "")[:SHOWN_CHARACTERS],
    }
    is_short = len(json.dumps(brief, ensure_ascii=False)) <= _SHOWN_PLAN_CHARACTERS
    return brief if nodes and is_short else None


def _node_in_brief(node: Node) -> dict[str, JsonValue]:
    awaited: list[JsonValue] = [*sorted(dependencies_of(node))]
    return {
        "id": node.id,
        "title": node.title,
        "kind": node.kind.value,
        "depends_on": awaited,
    }


def _shown_arguments(arguments: dict[str, JsonValue]) -> JsonValue:
    """The arguments; long ones as the beginning of their JSON text."""
    text = json.dumps(arguments, ensure_ascii=False)
    return arguments if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
