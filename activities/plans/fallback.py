"""What takes the place of a planner's answer when it was asked often enough for a sound one."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall
from activities.llm.base import Answer, ChatMessage, ToolRequest
from activities.tools.offered import OfferedTool

# How often a planner is told what is wrong with its answers, one after the other.
MAX_REPAIRS = 2
# How often it may look at skills and tools before it plans; what it does so after that is no sound
# answer.
MAX_LOOKUPS = 6
_REASON_CHARACTERS = 1_500
_NO_CALL = "There was no call in it."


@dataclass(frozen=True, slots=True)
class Attempts:
    """The answers so far that were no sound plan, and those that only looked something up."""

    unsound: int
    lookups: int

    @classmethod
    def of(cls, heard: Sequence[ChatMessage], since: int, lookups: Collection[str]) -> "Attempts":
        """Those after message ``since``, the result of the last sound call; ``lookups`` are the
        names of calls that look something up."""
        answers = [message for message in heard[since:] if message.role == "assistant"]
        looked = sum(is_lookup(message.requests, lookups) for message in answers)
        return cls(len(answers) - looked + max(looked - MAX_LOOKUPS, 0), looked)

    @property
    def may_look_up(self) -> bool:
        return self.lookups < MAX_LOOKUPS

    @property
    def is_last(self) -> bool:
        """Whether another answer that is not sound is not sent back any more."""
        return self.unsound >= MAX_REPAIRS


def is_lookup(requests: Sequence[ToolRequest], lookups: Collection[str]) -> bool:
    """Whether an answer does nothing but look something up."""
    return bool(requests) and all(request.name in lookups for request in requests)


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
