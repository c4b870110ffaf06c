"""What can be wrong with the API of a stack that was found, and not named."""

from workflows.errors import AgentOSError


class StackNotReady(AgentOSError):
    """`agentos up` is starting on {data_dir}, and its API is not there yet. Try again in a
    moment."""


class StackApiAway(AgentOSError):
    """The API of the stack on {data_dir} does not answer at {url} ({reason}). `agentos up` runs
    there, and starts it, or starts it again: try again in a moment. If it stays away, see
    {data_dir}/logs/api.log."""


class NoStackHere(AgentOSError):
    """No stack runs on {data_dir}, so it has no API. Start it with `agentos up`, or name another
    API with --api-url or AGENTOS_API_URL."""
