"""Why an agent that stays cannot begin a task."""

from workflows.errors import BadInput


class TooManyTasksBegun(BadInput):
    """You have begun {number} tasks that have not ended, which is the limit. You are told when one
    ends; begin this one then."""


class MoreThanOwn(BadInput):
    """The task was not begun: it would use {what}, which you may not use yourself. {remedy}"""
