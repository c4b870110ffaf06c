"""The name of an agent that stays: people, and other agents, call it by that."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

MAX_NAME_CHARACTERS = 100

# Who writes as none of the agents.
_TAKEN = ("user", "system")


def _to_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("a name is printable and has no blanks around it")
    if value.lower() in _TAKEN:
        raise ValueError(f"no agent is called {value!r}: that is who writes as none of them")
    if value.startswith("-"):
        raise ValueError("a name does not begin with a dash, as the options of commands do")
    if is_id(value):
        raise ValueError("a name must not look like an id")
    return value


def is_id(value: str) -> bool:
    """Whether it is a UUID, however that is written."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


AgentName = Annotated[
    str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), AfterValidator(_to_name)
]
