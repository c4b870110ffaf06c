"""Names of inputs and parameters that somebody gives a task which has its own already."""

from collections.abc import Collection

from workflows.pointers import Problem, pointer
from workflows.suggestions import nearest

_NAMES_SHOWN = 20


def unknown_names(
    kind: str, given: Collection[str], known: Collection[str], owner: str = "task"
) -> list[Problem]:
    """Names of which the ``owner`` has no ``kind``, which is ``input`` or ``parameter``. One that
    is mistyped would leave the old value in its place, and nobody would notice."""
    listed = ", ".join(sorted(known)[:_NAMES_SHOWN]) + ", ..." * (len(known) > _NAMES_SHOWN)
    message = f"the {owner} has no such {kind} ({kind}s: {listed or 'none'})"
    return [
        Problem(pointer((f"{kind}s", name)), message + _meant(name, known))
        for name in given
        if name not in known
    ]


def _meant(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close!r}?" if close else ""
