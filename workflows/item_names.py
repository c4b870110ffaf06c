"""What people call the items of a step: ``chart[3]``, and many of them ``chart[0-2,5]``."""

import re
from collections.abc import Iterable, Sequence

_ITEM = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\[(\d{1,6})\]")


def item_name(step: str, item: int) -> str:
    return f"{step}[{item}]"


def step_of(name: str) -> str:
    """The step to which an item of this name belongs; of anything else, its name."""
    found = _ITEM.fullmatch(name)
    return name if found is None else found.group(1)


def folded(names: Iterable[str]) -> Sequence[str]:
    """Names in their order, where items of one step that follow each other are one."""
    told: list[str] = []
    numbers: list[int] = []
    last = ""
    for name in [*names, ""]:
        found = _ITEM.fullmatch(name)
        if numbers and (found is None or found.group(1) != last):
            told.append(f"{last}[{_ranges(numbers)}]")
            numbers = []
        if found is not None:
            last = found.group(1)
            numbers.append(int(found.group(2)))
        elif name:
            told.append(name)
    return told


def _ranges(numbers: Sequence[int]) -> str:
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1] = [found[-1][0], number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, dict.fromkeys(each))) for each in found)
