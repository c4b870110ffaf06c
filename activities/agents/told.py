"""What people tell an agent while it is at work on a task, as its turns read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf

from activities.llm.base import ChatMessage
from workflows.agent_contracts import Hint, ThinkCall, Thought

# For what a model is told while it finishes, and its answer to that.
_SPARE_TOKENS = 2_000
_SPARE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TurnSeconds:
    """What a turn has taken ``since_asked``, all attempts together, and its answer alone."""

    since_asked: float
    of_answer: float


def told_messages(told: Mapping[int, str], turn: int) -> Sequence[ChatMessage]:
    """One each, in their order. They are as much the person's word as the task itself."""
    return [ChatMessage("user", text, turn=turn, is_protected=True) for text in told.values()]


def read_from(told: Mapping[int, str], seq: int) -> Mapping[int, int]:
    """The numbers of what was told, each with that of its message; the first is ``seq``."""
    return dict(zip(told, count(seq), strict=False))


def may_go_on(call: ThinkCall, thought: Thought, seconds: TurnSeconds, quota_left: float) -> bool:
    """Whether the limits of the run, and ``quota_left`` of the tokens of its team, leave room for
    another turn after one that finishes it: what it has given would be lost with the run."""
    if call.hint is Hint.LAST_TURN:
        return False
    left = call.tokens_left if call.tokens_left is not None else call.tokens_limit
    # The next prompt has all of this one in it, and what was answered.
    leaves_tokens = not call.tokens_limit or left > 2 * thought.tokens + _SPARE_TOKENS
    leaves_cost = call.cost_left_usd is None or call.cost_left_usd > thought.cost_usd
    leaves_quota = quota_left > thought.tokens
    left_seconds = inf if call.seconds_left is None else call.seconds_left - seconds.since_asked
    return (
        leaves_tokens
        and leaves_cost
        and leaves_quota
        and left_seconds > seconds.of_answer + _SPARE_SECONDS
    )
