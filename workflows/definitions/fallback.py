"""What is called in place of a tool while its breaker is open."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_NAMED = re.compile(r"\$\{([^{}]+)\}")
_LITERAL = "$${"

_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Fallback(BaseModel):
    """Another ``tool``, which is given the same arguments, or what ``arguments`` says: by the name
    of each of its own, a value, or ``${NAME}`` for an argument of the call. One that the call does
    not have is left out. ``$${`` begins a text that begins with ``${``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: _Name
    arguments: dict[_Name, JsonValue] | None = Field(default=None, max_length=100)

    @property
    def wanted(self) -> Iterator[tuple[str, str]]:
        """Its own arguments that are arguments of the call, and which."""
        for name, value in (self.arguments or {}).items():
            if (ours := _named(value)) is not None:
                yield name, ours

    def arguments_for(self, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """What the other tool is given for a call with these arguments."""
        if self.arguments is None:
            return dict(given)
        made: dict[str, JsonValue] = {}
        for name, value in self.arguments.items():
            ours = _named(value)
            if ours is None:
                is_escaped = isinstance(value, str) and value.startswith(_LITERAL)
                made[name] = str(value)[1:] if is_escaped else value
            elif ours in given:
                made[name] = given[ours]
        return made


def _named(value: JsonValue) -> str | None:
    found = _NAMED.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None
