"""Tools, and the files that they are given."""

from workflows.errors import AgentOSError, BadInput


class ToolNotFound(AgentOSError):
    """There is no tool {tool!r}. Known tools: {known}."""


class ToolDisabled(AgentOSError):
    """Tool {tool!r} is disabled or denied for this team. `agentos tools enable {tool}` and
    `agentos tools permit {tool} auto` allow calls to it."""


class ToolArgumentsInvalid(AgentOSError):
    """The arguments of tool {tool!r} are not valid: {reason}."""


class ToolTimedOut(AgentOSError):
    """Tool {tool!r} was stopped after its time limit of {seconds:g} s. It may have taken effect
    anyway."""


class ToolNotRun(AgentOSError):
    """Tool {tool!r} is not run by workers: the workflow carries it out itself."""


class WorkingFileNotFound(BadInput):
    """This task has no file {file!r}. {suggestion}"""


class FileNotText(BadInput):
    """{file!r} is not text. Pass it to a script that can read it."""


class SearchFailed(AgentOSError):
    """The search failed: {reason}."""


class ToolFailed(AgentOSError):
    """Tool {tool!r} failed in {place}: {kind}. Mend the tool, or what it was called with; the
    log of the worker has all lines that led there."""


class ToolUnavailable(AgentOSError):
    """Tool {tool!r} cannot do its work now: {reason}. It is called again after a pause."""

    retryable = True


class ToolDefinitionInvalid(AgentOSError):
    """{place}: {tool} cannot be a tool: {reason}. Correct it, and restart API and workers."""


class ToolModuleBroken(AgentOSError):
    """{place}: a module of tools cannot be loaded: {reason}. Correct it, or take it out of
    {source}, and restart API and workers."""


class ToolNameTaken(AgentOSError):
    """{place}: there is another tool {tool!r}, in {other}. Rename one of them, and restart API and
    workers."""
