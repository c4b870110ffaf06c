"""What takes the place of a planner's answer when it was asked often enough for a sound one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall
from activities.llm.base import Answer, ChatMessage, ToolRequest
from activities.tools.offered import OfferedTool

# How often a planner is told what is wrong with its answers, one after the other.
MAX_REPAIRS = 2
_REASON_CHARACTERS = 1_500
_NO_CALL = "There was no call in it."


def unsound_answers(heard: Sequence[ChatMessage], since: int) -> int:
    """How many answers there were after message ``since``, the result of the last sound call."""
    return sum(message.role == "assistant" for message in heard[since:])


def in_its_place(
    answer: Answer, judged: Judged, tool: OfferedTool, arguments: dict[str, JsonValue], seq: int
) -> tuple[Answer, Judged]:
    """An answer with one sound call, and what follows from it; its result is message ``seq``.

    What goes back to the model with its own calls stays with the one that it is said to have made:
    some servers refuse a call without.
    """
    given = {**arguments, "reason": _reason(judged)}
    request = ToolRequest(f"call_{uuid4().hex}", tool.name, json.dumps(given))
    opaque = answer.opaque and replace(answer.opaque, calls=answer.opaque.calls[:1])
    replaced = replace(answer, requests=(request,), opaque=opaque, finish="tool_calls")
    return replaced, Judged(calls=[SoundCall(seq, request, tool, given)])


def _reason(judged: Judged) -> str:
    """What was wrong with the last answer, in the words that the model would have read."""
    said = [text for _, text in judged.results.values()] or [judged.note or _NO_CALL]
    last = "\n".join(said)[:_REASON_CHARACTERS]
    return (
        f"The planner gave no sound answer in {MAX_REPAIRS + 1} turns, so this was decided for it. "
        f"Of its last answer it would have been told: {last}"
    )
