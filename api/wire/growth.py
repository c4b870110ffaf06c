"""How much a document may hold. Counted before it is parsed: to parse it is what takes long."""

from api.wire.errors import TooManyValues

# Ten times what the longest pipelines have. A million small values, which is what 2 MiB have room
# for, take seconds to judge, and most of that time nobody else can use the interpreter.
MAX_VALUES = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"


class Growth:
    """The values of a document so far, its keys among them, and how deep the next one is."""

    def __init__(self) -> None:
        self._values = 0
        self._depth = 0

    def add(self) -> None:
        """One more value or key. Raises ``TooManyValues``."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise TooManyValues(most=MAX_VALUES)

    def enter(self) -> bool:
        """An object or list begins. False when it is too deep."""
        self._depth += 1
        return self._depth <= MAX_DEPTH

    def leave(self) -> bool:
        """It ends. False when nothing had begun."""
        self._depth -= 1
        return self._depth >= 0
