"""The name of an agent that stays: people, and other agents, call it by that."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

MAX_NAME_CHARACTERS = 100

# Who writes as none of the agents, and what stands in a name's place where they read messages.
_TAKEN = ("user", "system", "notice")
_BEGINNINGS = ("group ", "meanwhile ")
_END = " answers"


def _to_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("a name is printable and has no blanks around it")
    if value.lower() in _TAKEN:
        raise ValueError(f"no agent is called {value!r}: that is who writes as none of them")
    if value.lower().startswith(_BEGINNINGS) or value.lower().endswith(_END):
        raise ValueError("a name must not read as what agents are told beside it: choose another")
    check_brackets(value)
    if value.startswith("-"):
        raise ValueError("a name does not begin with a dash, as the options of commands do")
    if is_id(value):
        raise ValueError("a name must not look like an id")
    return value


def check_brackets(value: str) -> None:
    """Raises ``ValueError``: agents read names in brackets, and one could end those."""
    if "[" in value or "]" in value:
        raise ValueError("a name has no square brackets in it")


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
