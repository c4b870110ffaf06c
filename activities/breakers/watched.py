"""The names of breakers, and what must have failed for a call to count there."""

from dataclasses import dataclass

from activities.breakers.judgement import Culprit


@dataclass(frozen=True, slots=True)
class Watched:
    """A breaker that a call passes, and what must have failed for the call to count there."""

    name: str
    culprit: Culprit


def of_tool(name: str) -> Watched:
    return Watched(f"tool:{name}", Culprit.TOOL)


def of_server(name: str) -> Watched:
    return Watched(f"mcp:{name}", Culprit.SERVER)


def of_model(name: str) -> Watched:
    return Watched(f"model:{name}", Culprit.MODEL)
