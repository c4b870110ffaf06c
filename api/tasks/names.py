"""Names of inputs and parameters that somebody gives a task which has its own already."""

from collections.abc import Collection

from api.errors import InvalidRequest
from workflows.pointers import Problem, pointer
from workflows.suggestions import nearest

_NAMES_SHOWN = 20


def check_names(
    kind: str, given: Collection[str], known: Collection[str], owner: str = "task"
) -> None:
    """A name that is mistyped would leave the old value in its place, and nobody would notice.

    Raises:
        InvalidRequest: the ``owner`` has no such ``kind``, which is ``input`` or ``parameter``.
    """
    listed = ", ".join(sorted(known)[:_NAMES_SHOWN]) + ", ..." * (len(known) > _NAMES_SHOWN)
    message = f"the {owner} has no such {kind} ({kind}s: {listed or 'none'})"
    problems = [
        Problem(pointer((f"{kind}s", name)), message + _meant(name, known))
        for name in given
        if name not in known
    ]
    if problems:
        raise InvalidRequest(problems)


def _meant(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close!r}?" if close else ""
