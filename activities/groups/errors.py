"""Why an agent that stays cannot do something with a group."""

from workflows.errors import BadInput


class GroupNotMade(BadInput):
    """The group was not made: {reason}."""


class GroupNotFound(BadInput):
    """You are in no group {name!r}. {hint}"""


class OwnDiscussion(BadInput):
    """You are answering in group {name!r} just now: what you answer in words goes to all of its
    members. Write it as your answer."""
