"""Why something is not done to an agent that stays, or a message not taken."""

from api.errors import RequestRefused


class AgentRefused(RequestRefused):
    """No agent was created: {reason}."""

    status = 409


class AgentNameTaken(RequestRefused):
    """There is an agent {name!r} already. Choose another name, or delete that one."""

    status = 409


class AgentConflict(RequestRefused):
    """Agent {name!r} cannot be {done}: {reason}."""

    status = 409


class AgentMoved(RequestRefused):
    """Agent {name!r} was changed by somebody else at the same time. Look at it, and try again."""

    status = 409


class InboxFull(RequestRefused):
    """The inbox of agent {name!r} is full: it has {most:,} messages to read. Send this one again
    when it has read some of them."""

    status = 429


class MessageTaken(RequestRefused):
    """Message {seq} cannot be withdrawn: {reason}."""

    status = 409


class MessageWithdrawn(RequestRefused):
    """The message with this Idempotency-Key was withdrawn, and is not sent again. If it is to be,
    send it with another key."""

    status = 409


class TooManyTemplates(RequestRefused):
    """Your team has {most} templates of agents, which is the limit. Delete one first."""

    status = 409


class TooManyReminders(RequestRefused):
    """Agent {name!r} has {most} reminders that are still to come, which is the limit
    (AGENTOS_REMINDERS_PER_AGENT). Cancel one that is not needed."""

    status = 409
