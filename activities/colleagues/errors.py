"""Why an agent that stays cannot do something to another."""

from workflows.errors import BadInput


class ColleagueNotFound(BadInput):
    """There is no agent {name!r} in your team. {hint}"""


class OwnInbox(BadInput):
    """You cannot send a message to yourself. Answer in words, or use remind_me to hear of something
    later."""


class TooManyHops(BadInput):
    """Nothing was sent: {hops} messages in a row went from agent to agent, which is the limit.
    Answer in words now; a message from a person begins anew."""


class MessageNotTaken(BadInput):
    """Agent {name} did not get the message: {reason}."""


class TooManyAttachments(BadInput):
    """A message has at most {most} attachments, and this one {number}. Send the others in another
    one."""


class NotYourChild(BadInput):
    """Agent {name} is not one that you have created, so you may not terminate it."""


class ChildrenNotTaken(BadInput):
    """Agent {name} was not terminated: {reason}."""


class WiderThanParent(BadInput):
    """The agent may not have more than you have: {names} of `{field}`. Leave them out."""
