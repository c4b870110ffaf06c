"""Which tools an agent names: by their names, or all below one, as in ``mcp.github.*``."""

from collections.abc import Collection, Iterable

from activities.tools.options import Need
from workflows.definitions.agent import Agent
from workflows.definitions.mcp_server import PREFIX

_ANY = ".*"


def is_allowed(agent: Agent, name: str, need: Need | None = None) -> bool:
    """Whether an agent may use a tool. Naming skills brings the tools that need them along, and so
    does naming tools of servers with the one that finds them."""
    if agent.tools is None or any(_matches(wanted, name) for wanted in agent.tools):
        return True
    if need is Need.SERVER_TOOLS:
        return any(wanted.startswith(PREFIX) for wanted in agent.tools)
    # Without these it could not use a skill that it is given by name.
    return bool(agent.skills) and need is Need.SKILLS


def is_within(wanted: str, names: Collection[str] | None) -> bool:
    """Whether what ``wanted`` stands for is among what ``names`` of an agent do; None are all."""
    return names is None or any(_matches(name, wanted) for name in names)


def unknown_names(wanted: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Those of ``Agent.tools`` that no tool has, in order."""
    return tuple(name for name in wanted if not any(_matches(name, existing) for existing in known))


def _matches(wanted: str, name: str) -> bool:
    if wanted.endswith(_ANY):
        return name.startswith(wanted.removesuffix("*"))
    return wanted == name
