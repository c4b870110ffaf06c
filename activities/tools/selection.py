"""Which tools an agent names: by their names, or all below one, as in ``mcp.github.*``."""

from collections.abc import Collection, Iterable

from workflows.definitions.agent import Agent

_ANY = ".*"

# Without these an agent could not use a skill that it is given by name.
SKILL_TOOLS = frozenset({"list_skills", "load_skill", "read_skill_file", "run_skill_script"})


def is_allowed(agent: Agent, name: str) -> bool:
    """Whether an agent may use a tool. Naming skills brings the tools for them along."""
    if agent.tools is None or any(_matches(wanted, name) for wanted in agent.tools):
        return True
    return bool(agent.skills) and name in SKILL_TOOLS


def unknown_names(wanted: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Those of ``Agent.tools`` that no tool has, in order."""
    return tuple(name for name in wanted if not any(_matches(name, existing) for existing in known))


def _matches(wanted: str, name: str) -> bool:
    if wanted.endswith(_ANY):
        return name.startswith(wanted.removesuffix("*"))
    return wanted == name
