"""Why no agent that stays is made of what was asked for."""

from activities.kinds.errors import TaskRefused
from workflows.errors import BadInput


class AgentNotCreated(BadInput):
    """No agent was created: {reason}."""


class AgentDefinitionRefused(TaskRefused):
    """The agent is not valid: {summary}"""
