"""How a tool of the house ends that was called, beside ``ToolFailed`` and ``ToolUnavailable``."""

from workflows.errors import AgentOSError


class ToolBrokenOff(AgentOSError):
    """Tool {tool!r} was broken off in {place} by an error of AgentOS, {code}, and may have taken
    effect before. It is not called again by itself, as it does not say that this is safe
    (`is_retry_safe=True`). Find out what it did before you call it again."""

    retryable = True  # By whoever knows better: a step with `retry_on: [any]`.


class ToolResultTooLarge(AgentOSError):
    """The result of tool {tool!r} is larger than {limit_mib} MiB; it may have taken effect. Have it
    return less, or write to a file in `context.output`, which becomes an artifact, or have whoever
    runs AgentOS raise AGENTOS_SANDBOX_PRINTED_MIB for the workers."""


class ToolResultUnwritable(AgentOSError):
    """Tool {tool!r} ({place}) returned what cannot be written as JSON, of type {kind}; it may
    have taken effect. Have it return text, or numbers, lists, mappings, dataclasses or models of
    pydantic of these."""
