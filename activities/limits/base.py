"""Limits on what runs at once and on how often something is done, by what they go by.

What counts is a piece of work that runs: a step, a call of an agent, a turn of a model. A task
counts for nothing, nor does a plan whose nodes run: so none ever waits for what it is part of.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from workflows.definitions.limits import MAX_BOUND
from workflows.definitions.mcp_server import PREFIX

MINUTE_SECONDS = 60.0

# Of the calls of a minute, this part may come at once after a pause: a tenth.
_BURST = 10


Bound = Annotated[int, Field(ge=1, le=MAX_BOUND)]

# What a rate goes by, after the key of its limit.
RATE_SUFFIX = " rate"

# Of the agents that stay of all teams together, while they think.
AGENTS_KEY = "agents"

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``running`` at once, and ``per_minute``; None is no limit."""

    # A limit with a typing error would be none, and nobody would notice.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    running: Bound | None = None
    per_minute: Bound | None = None

    @property
    def is_set(self) -> bool:
        return self.running is not None or self.per_minute is not None

    @property
    def burst(self) -> int:
        """How many may begin at once when none has for long."""
        return max(1, (self.per_minute or 0) // _BURST)

    @property
    def token_seconds(self) -> float:
        """How long it takes until one more may begin."""
        return MINUTE_SECONDS / (self.per_minute or 1)


@dataclass(frozen=True, slots=True)
class Limit:
    """``key`` is what it goes by in the database, ``name`` what people read, as in ``mcp:slow``.
    Without a ``team_id`` it holds for all teams together."""

    key: str
    name: str
    team_id: UUID | None
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Limits:
    """All that are set, by key."""

    by_key: Mapping[str, Limit]
    weights: Mapping[UUID, float]

    @classmethod
    def of(cls, limits: Iterable[Limit], weights: Mapping[UUID, float]) -> "Limits":
        return cls({limit.key: limit for limit in limits if limit.bounds.is_set}, weights)

    def of_call(self, team_id: UUID, tool: str | None) -> tuple[Limit, ...]:
        """Those of a step or call; ``tool`` is the whole name of one that it calls."""
        keys = [team_key(team_id)]
        if tool is not None:
            keys += [tool_key(team_id, name) for name in _names_of(tool)]
        return self._those(keys)

    def of_turn(self, team_id: UUID, model: str, *, stays: bool = False) -> tuple[Limit, ...]:
        """Those of a turn of ``model``; ``stays``: of an agent that stays. A dated version of a
        model stands under the limit of the model, but for its own."""
        own = model_key(model)
        key = own if own in self.by_key else model_key(_DATE.sub("", model))
        agents = [AGENTS_KEY, agents_key(team_id)] if stays else []
        return self._those([*agents, team_key(team_id), key])

    def _those(self, keys: Iterable[str]) -> tuple[Limit, ...]:
        return tuple(self.by_key[key] for key in keys if key in self.by_key)


def agents_key(team_id: UUID) -> str:
    return f"{AGENTS_KEY}:{team_id}"


def team_key(team_id: UUID) -> str:
    return f"team:{team_id}"


def tool_key(team_id: UUID, name: str) -> str:
    return f"{team_id}/{tool_name(name)}"


def model_key(model: str) -> str:
    return f"model:{model}"


def tool_name(name: str) -> str:
    """As people read it: ``tool:web_search``, ``mcp:slow`` for a server."""
    server = name.removeprefix(PREFIX)
    return f"mcp:{server}" if name != server and "." not in server else f"tool:{name}"


def rate_key(key: str) -> str:
    """What the rate of a limit goes by."""
    return f"{key}{RATE_SUFFIX}"


def name_of(key: str) -> str:
    """What people read, of a limit that may be set no more; without the team."""
    if key.startswith("team:"):
        return "team"
    if key.partition(":")[0] == AGENTS_KEY:
        return AGENTS_KEY
    return key if key.startswith("model:") else key.partition("/")[2]


def _names_of(tool: str) -> list[str]:
    """A tool of a server stands under the limits of both."""
    if not tool.startswith(PREFIX):
        return [tool]
    server = tool.removeprefix(PREFIX).partition(".")[0]
    return [f"{PREFIX}{server}", tool]
