"""Why no agent that stays is made of what was asked for."""

from collections.abc import Sequence

from workflows.errors import BadInput
from workflows.pointers import MAX_PROBLEMS, Problem

_PROBLEMS_SHOWN = 3


class AgentNotCreated(BadInput):
    """No agent was created: {reason}."""


class AgentDefinitionRefused(BadInput):
    """The agent is not valid: {summary}"""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:MAX_PROBLEMS])
        shown = "; ".join(f"{each.pointer}: {each.message}" for each in problems[:_PROBLEMS_SHOWN])
        more = len(problems) - _PROBLEMS_SHOWN
        super().__init__(summary=f"{shown} (and {more} more)" if more > 0 else shown)
