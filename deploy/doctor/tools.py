"""Whether the tools of the house can be loaded: API and workers do not start without."""

from collections.abc import Sequence
from pathlib import Path

from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from deploy.local.machine import Finding
from workflows.errors import AgentOSError

NAME = "own tools"


def check_tools(folders: Sequence[Path]) -> Finding:
    """Imports them, as API and workers do."""
    try:
        registry = Registry(modules(folders))
    except AgentOSError as error:
        return Finding(NAME, False, str(error), "Correct what is named.")
    own = [tool.name for tool in registry.tools.values() if tool.is_own]
    return Finding(NAME, True, ", ".join(own) or "none")


def sound_tools(folders: Sequence[Path]) -> Registry:
    """All tools; without those of the house where these cannot be loaded."""
    try:
        return Registry(modules(folders))
    except AgentOSError:
        return Registry()
