"""The sixteen colours that a page knows, and which of them comes nearest to another."""

from functools import lru_cache

# As xterm has them. A page draws its own, for light and dark; these are only compared with.
_SIXTEEN = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
    *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
)
_LEVELS = (0, 95, 135, 175, 215, 255)


def of_table(index: int) -> int:
    """Colour ``index`` of the 256: sixteen, a cube of six levels each, and 24 greys."""
    if index < 16:
        return index
    if index >= 232:
        return nearest(*[8 + 10 * (index - 232)] * 3)
    red, rest = divmod(index - 16, 36)
    green, blue = divmod(rest, 6)
    return nearest(_LEVELS[red], _LEVELS[green], _LEVELS[blue])


def nearest(red: int, green: int, blue: int) -> int:
    """One of the sixteen, by number."""
    return _nearest(red >> 4, green >> 4, blue >> 4)


@lru_cache(maxsize=4096)  # All there are, in steps of 16.
def _nearest(red: int, green: int, blue: int) -> int:
    wanted = (red * 17, green * 17, blue * 17)

    def distance(number: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(wanted, _SIXTEEN[number], strict=True))

    return min(range(len(_SIXTEEN)), key=distance)
