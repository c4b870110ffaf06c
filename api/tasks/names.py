"""Names of inputs and parameters that somebody gives a task, checked."""

from collections.abc import Collection

from api.errors import InvalidRequest
from api.wire.given_names import unknown_names


def check_names(
    kind: str, given: Collection[str], known: Collection[str], owner: str = "task"
) -> None:
    """Raises ``InvalidRequest``: the ``owner`` has no such ``kind``."""
    if problems := unknown_names(kind, given, known, owner):
        raise InvalidRequest(problems)
