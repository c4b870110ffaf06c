"""Which steps of a pipeline wait for which, and what has to run again when some of them do.

A step without ``needs`` waits for the step before it, so a pipeline where no step has any is the
list that it looks like.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

Needs = Mapping[str, Collection[str]]
"""By the name of a step the names of those that it waits for, in the order of the list."""


class _Needy(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def needs(self) -> Sequence[str] | None: ...


def needs_of(steps: Iterable[_Needy]) -> dict[str, tuple[str, ...]]:
    """For each step those that it waits for itself."""
    found: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for step in steps:
        found[step.id] = before if step.needs is None else tuple(step.needs)
        before = (step.id,)
    return found


def all_needs_of(needs: Needs) -> dict[str, frozenset[str]]:
    """For each step all that have ended when it begins. A step needs earlier ones only; what else
    is named counts for nothing."""
    found: dict[str, frozenset[str]] = {}
    for name, direct in needs.items():
        known = [before for before in direct if before in found]
        found[name] = frozenset(known).union(*(found[before] for before in known))
    return found


def redone(needs: Needs, begin: Collection[str]) -> frozenset[str]:
    """The steps that run again when those of ``begin`` do: these, and all that need one of them,
    however far away. Steps beside them keep their results.

    Everything that runs part of a pipeline again asks this, and nothing else.
    """
    found: set[str] = set()
    for name, direct in needs.items():
        if name in begin or not found.isdisjoint(direct):
            found.add(name)
    return frozenset(found)
