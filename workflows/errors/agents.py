"""Agents: what ends a run, and a call."""

from workflows.errors import AgentOSError


class TokenQuotaUsedUp(AgentOSError):
    """The team has used {used} of its {quota} tokens for today (UTC). Retry the task tomorrow, or
    ask whoever runs AgentOS for more."""


class TurnsUsedUp(AgentOSError):
    """The task did not end within its limit on turns ({limit}). Look at its messages. A retry
    resumes where it stopped, with the same number of turns; a new task can allow more `turns`."""


class TokensUsedUp(AgentOSError):
    """The task has too few tokens left for another turn: {used} of {limit} are used. A retry
    resumes where it stopped, with the same number of tokens; a new task can allow more
    `tokens`."""


class CostUsedUp(AgentOSError):
    """The task has cost {used:.4f} US dollars; its limit is {limit:.4f}. A retry resumes where it
    stopped, with the same budget; a new task can allow a higher `cost_usd`."""


class TimeUsedUp(AgentOSError):
    """The task did not end within its time limit of {limit:g} s. A retry resumes where it
    stopped, with the same amount of time; a new task can allow more `seconds`."""


class GoesRoundInCircles(AgentOSError):
    """The agent made the same calls with the same results {times} times, even after a warning.
    Look at its messages; reword the prompt, or use another model."""


class NeverFinishes(AgentOSError):
    """The model answered {times} times in a row without calling a tool, and never called `finish`.
    Use a model that can call tools, or reword the prompt. If its messages show calls as text, such
    as <tool_call>, its server does not read them: turn on its parser of tool calls."""


class ToolChanged(AgentOSError):
    """The MCP server changed the definition of {tool} while this call waited for a person, so the
    call was not made."""


class CallInterrupted(AgentOSError):
    """The worker was lost during a call to {tool!r}, which may have taken effect. It was not
    retried, because its effect is unknown; the model was informed."""


class CallRefused(AgentOSError):
    """A person denied the call to {tool!r}. The model was informed."""


class CallExpired(AgentOSError):
    """The call to {tool!r} was neither approved nor answered in time. The model was informed."""
