"""The definition of an agent that stays, as people write it: who it is, and what bounds it."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from workflows.definitions.agent import Agent, Limits, Names, Profile
from workflows.definitions.integers import INTEGRAL, Integer

MAX_CHILDREN = 100
DEFAULT_CHILDREN = 10
# A child of a child of an agent that a person has made; it makes none itself.
MAX_DEPTH = 3
MAX_HOPS = 100
DEFAULT_HOPS = 16


class ResidentLimits(Limits):
    """The limits of ``Limits`` hold for each turn: from the messages that the agent reads to its
    answer. ``daily_tokens`` and ``daily_cost_usd`` are counted by days in UTC; what comes when they
    are used up waits for the next day.

    ``children`` is how many agents it may have made that are not terminated, ``hops`` how long a
    chain of messages may be in which agents answer each other.
    """

    daily_tokens: Annotated[int, Field(ge=1, strict=True), INTEGRAL] | None = None
    daily_cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    children: Integer = Field(default=DEFAULT_CHILDREN, ge=0, le=MAX_CHILDREN)
    hops: Integer = Field(default=DEFAULT_HOPS, ge=1, le=MAX_HOPS)


class Resident(BaseModel):
    """``skills``, ``tools`` and ``model`` are as for an agent that works on a task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Profile = Profile()
    skills: Names | None = None
    tools: Names | None = None
    model: str | None = Field(
        default=None, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"
    )
    limits: ResidentLimits = ResidentLimits()

    @property
    def as_agent(self) -> Agent:
        """What it is to a model and to tools. The limits are those of a turn."""
        return Agent(**self._shared)

    def exchange(self, number: int, name: str) -> "Exchange":
        """The definition of its ``number``-th exchange. ``name`` is what the agent is called where
        its profile says nothing else."""
        is_named = "name" in self.profile.model_fields_set
        profile = self.profile if is_named else self.profile.model_copy(update={"name": name})
        return Exchange(**{**self._shared, "profile": profile}, number=number)

    @property
    def _shared(self) -> dict[str, Any]:
        of_turn = self.limits.model_dump(include=set(Limits.model_fields))
        return {
            "profile": self.profile,
            "skills": self.skills,
            "tools": self.tools,
            "model": self.model,
            "limits": Limits.model_validate(of_turn),
        }


class Exchange(Agent):
    """The definition of the task that is the ``number``-th exchange of an agent that stays: what
    that was when it began to answer. A change of the agent counts from the next one on."""

    stays: ClassVar[bool] = True

    number: int = Field(ge=1)
