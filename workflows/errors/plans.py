"""Plans, and their nodes."""

from workflows.errors import AgentOSError


class PlanBudgetUsedUp(AgentOSError):
    """Node {node} did not begin: the plan has used {used}, and what is left is less than a turn
    takes, beside what is kept for the result. A retry of the plan runs it with the same budget
    again; a new plan can allow more `{field}` in its `limits`."""


class NodeInputMissing(AgentOSError):
    """Node {node} needs {file}, which is not there. Retry the plan from the node that makes it, or
    with that input."""


class NodeFilesMissing(AgentOSError):
    """Node {node} ended without all the files that it had to make; missing: {files}. See what it
    did with `agentos show {task}`, and say in its description, or in the steps of its pipeline, how
    the files come about."""


class NodeEndedOutside(AgentOSError):
    """The workflow of node {node} ended in Temporal and left no result: it was terminated there,
    or reached its time limit. Retry the plan, and the node runs again."""


class NodeDependencyMissing(AgentOSError):
    """Node {node} depends on {dependency}, which the plan does not have, so it cannot run. Retry
    the plan from its start with `agentos retry --from start`."""


class NodesFailed(AgentOSError):
    """The plan is not complete. {nodes} See why with `agentos show`, and run them again with
    `agentos retry`, with other inputs where these were the reason."""

    retryable = True
    retries_used_up = True

    @property
    def account(self) -> str:
        """The message, and what the first of them failed of."""
        return f"{self} {self.said}" if self.said else str(self)
