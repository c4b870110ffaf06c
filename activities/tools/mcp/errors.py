"""What may come of a call that only this adapter knows of, apart from the SDK, which takes half a
second to load."""

from workflows.errors import AgentOSError


class McpQuestionUnclear(AgentOSError):
    """While {tool} of the MCP server {server} ran, the server asked something, and did not say
    during which of several calls. This one may have taken effect, so it was not made again; if its
    answer says that nothing was done, make it again by itself. Its answer: {answer}"""
