"""The definition of a group of agents that stay, as people write it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workflows.definitions.agent import MAX_TOKENS
from workflows.definitions.integers import INTEGRAL, Integer
from workflows.definitions.resident_name import check_brackets, is_id

MAX_GROUP_NAME_CHARACTERS = 100
MAX_MEMBERS = 100
# Of a message of a person, or of an agent that begins a discussion.
MAX_GROUP_CONTENT_CHARACTERS = 100_000
MAX_ROUNDS = 50
DEFAULT_ROUNDS = 3
MAX_TURN_SECONDS = 24 * 3_600.0
DEFAULT_TURN_SECONDS = 600.0


def _to_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("a name is printable and has no blanks around it")
    check_brackets(value)
    if value.startswith("-"):
        raise ValueError("a name does not begin with a dash, as the options of commands do")
    if is_id(value):
        raise ValueError("a name must not look like an id")
    return value


GroupName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_GROUP_NAME_CHARACTERS),
    AfterValidator(_to_name),
]


class GroupLimits(BaseModel):
    """Limits of a discussion: what a message begins, until the group falls silent. The first one
    reached ends it.

    In each of ``rounds`` every member may speak once; none later than ``turn_seconds`` after the
    round began. ``tokens`` and ``cost_usd`` are those of all members together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: Integer = Field(default=DEFAULT_ROUNDS, ge=1, le=MAX_ROUNDS)
    tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True), INTEGRAL] | None = None
    cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    turn_seconds: float = Field(default=DEFAULT_TURN_SECONDS, ge=1, le=MAX_TURN_SECONDS)
