"""MCP servers."""

from workflows.errors import ADVICE, AgentOSError, BadInput


class McpError(AgentOSError):
    """MCP server {server}: {reason}."""

    def __init__(self, *, said: str = "", **fields: object) -> None:
        super().__init__(**fields)
        self.said = said

    @property
    def account(self) -> str:
        """The message, and what to do: what the server said is the output of the call."""
        return f"{self}{ADVICE}{self.remedy}" if self.remedy else str(self)


class McpServerInvalid(BadInput):
    """The MCP server cannot be registered: {reason}"""


class McpNotAllowed(BadInput):
    """MCP server {server} is not allowed here: {reason} Ask whoever runs AgentOS to list it in
    {setting}."""


class McpSecretMissing(BadInput):
    """MCP server {server} needs the secret {secret}, and this team has none of that name for this
    server. Whoever runs AgentOS can set one: `agentos secrets set {secret} --for TARGET`, or
    AGENTOS_SECRET_{secret} with AGENTOS_SECRETS_FOR for the API and the workers."""


class McpUnavailable(McpError):
    """MCP server {server} cannot be reached: {reason}."""

    retryable = True


class McpStartTimedOut(McpUnavailable):
    """MCP server {server} was not ready within {seconds:g} s. If its program has to be installed
    first, as with `npx -y`, set AGENTOS_MCP_START_SECONDS for the API and the workers to a longer
    time."""


class McpBusy(McpUnavailable):
    """MCP server {server} cannot be started: this worker has reached its limit of {limit} servers
    in use. Try again later."""


class McpConnectionLost(McpError):
    """The connection to MCP server {server} was lost during the call to {tool}: {reason}. The call
    may have taken effect; check before you repeat it. The next call reconnects."""


class McpTimedOut(McpError):
    """MCP server {server} sent neither an answer nor progress for {tool} within {seconds:g} s. The
    call was cancelled; it may have taken effect anyway."""


class McpAnswerInvalid(McpError):
    """MCP server {server} answered the call to {tool} with something that cannot be used: {reason}.
    The call may have taken effect."""


class McpAsks(McpError):
    """MCP server {server} asks a person something during the call to {tool}, and nobody can be
    asked: a step of a pipeline asks nobody, and a call of an agent {limit} questions at most. Have
    an agent call the tool, or give it arguments that leave nothing to ask."""


class McpListingRefused(McpError):
    """The tools of MCP server {server} cannot be used: {reason}."""


class McpFilesLost(McpError):
    """Tool {tool} of MCP server {server} did its work, but the files of its answer could not be
    kept: {reason}. Make room, and call it again only if that does no harm."""


class McpToolFailed(McpError):
    """Tool {tool} of MCP server {server} reported an error. Its message is in the task's log."""
