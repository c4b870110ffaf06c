"""Who of those that wait may go: in their order, but for what each of them waits for beside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Waiting:
    """A piece of work that needs a place under each of its ``keys`` at once."""

    holder: UUID
    task_id: UUID
    keys: tuple[str, ...]
    was_told: bool = False


def served(line: Iterable[Waiting], free: Mapping[str, int]) -> Sequence[Waiting]:
    """Those that can begin now. ``free`` are the places that are left, by key; where a key has none
    there, it has no limit.

    Nobody takes a place that somebody before them could use; but who could not begin anyway, for
    want of another place, keeps nobody waiting.
    """
    left = dict(free)
    found: list[Waiting] = []
    for each in line:
        if all(left.get(key, 1) > 0 for key in each.keys):
            found.append(each)
            for key in each.keys:
                if key in left:
                    left[key] -= 1
    return found
