"""What housekeeping may get in the way of."""

from workflows.errors import AgentOSError


class BlobGone(AgentOSError):
    """The bytes with SHA-256 {sha256} were removed from the store, where nothing named them, before
    the row of a file could. Another attempt stores them again."""

    retryable = True


class PartSwept(AgentOSError):
    """The {part} of task {task_id} are not kept any more, so it can only be run from its beginning.
    `agentos housekeeping` shows how long things are kept."""
