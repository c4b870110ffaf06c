"""How much is under way."""

from api.wire.responses.base import Answer


class TaskCounts(Answer):
    """Of tasks that are no nodes of plans: how many are ``pending``, ``running``, ``paused``, and
    ``waiting`` for a person; how many are ``retrying`` what has failed; and how many
    ``dead_letters`` are open. Each is counted as far as ``most``."""

    pending: int
    running: int
    waiting: int
    paused: int
    retrying: int
    dead_letters: int
    most: int
